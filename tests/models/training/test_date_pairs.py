import pytest

from models.training import date_pairs, dates
from models.training.date_pairs import LENGTHS, Dates


@pytest.fixture
def data(monkeypatch):
    monkeypatch.setattr(date_pairs, "EPOCH", 100)
    monkeypatch.setattr(date_pairs, "FIGURES", 400)
    return Dates()


def test_an_epoch_is_dates_that_both_vocabularies_can_write(data):
    read, write = data.vocabularies
    texts = dates.pairs("5 2", 100)
    pairs = data.epoch(2, 5)
    assert len(pairs) == 100
    for (source, target), (text, iso) in zip(pairs, texts, strict=True):
        assert 0 not in source + target
        assert read.join(source) == text.lower().strip(" ")
        assert write.join(target) == iso


def test_epochs_differ_and_a_seed_fixes_each(data):
    assert data.epoch(0, 1) == data.epoch(0, 1)
    assert data.epoch(0, 1) != data.epoch(1, 1)
    assert data.epoch(0, 1) != data.epoch(0, 2)


def test_the_vocabularies_are_the_same_every_time(data):
    one, other = data.vocabularies, Dates().vocabularies
    assert [side.save() for side in one] == [side.save() for side in other]


@pytest.mark.parametrize("split", ["train", "validation", "test", "test_forms"])
def test_every_date_can_be_read_in_any_case(data, split):
    read, _ = data.vocabularies
    for text, _ in dates.pairs(3, 80, split):
        assert read.read_text(text.upper()).copied == []
        assert read.read_text(text).tokens[:-1] == list(text)


def known(*splits: str) -> dict[str, str]:
    return {text: iso for split in splits for text, iso in dates.pairs(0, 400, split)}


def test_the_score_is_the_share_of_validation_dates_that_are_exact(data):
    right = known("validation")
    assert data.score(lambda texts: [right[text] for text in texts]) == 1.0
    assert data.score(lambda texts: ["2026-11-22" for _ in texts]) < 0.05
    half = data.score(lambda texts: [right[t] if k % 2 else "" for k, t in enumerate(texts)])
    assert half == 0.5


def test_the_figures_are_of_new_forms_and_of_new_days_and_by_length(data):
    new, seen = known("test_forms"), known("test")
    figures = data.figures(lambda text, width: new.get(text, ""))
    assert figures["exact"] == 1.0
    assert figures["exact_seen_forms"] < 0.05
    figures = data.figures(
        lambda text, width: seen[text] if text in seen and len(text) < 16 else ""
    )
    rows = figures["exact_by_length"]
    assert [(row["from"], row["to"]) for row in rows] == list(LENGTHS)
    assert sum(row["sentences"] for row in rows) == figures["exact_pairs"] == 400
    assert [row["exact"] for row in rows] == [1.0, 1.0, 0.0, 0.0, 0.0]
    short = sum(row["sentences"] for row in rows[:2]) / 400
    assert figures["exact_seen_forms"] == pytest.approx(short, abs=1e-4)
