import sys

import pytest

from models.training.caption_figures import beside, bleu, cider, measure, references, signature
from tests.models.training.lamps import Lamps

STREAMS = [["a dog runs on grass", "a man sits down"]] * 5


def test_bleu_of_the_references_themselves_is_a_hundred():
    assert bleu(STREAMS[0], STREAMS) == [100.0, 100.0, 100.0, 100.0]


def test_bleu_counts_words_as_they_are():
    # 4 of 5 words, 2 of 4 pairs, the middle word being wrong; no brevity penalty.
    found = bleu(["a dog sits on grass"], [["a dog runs on grass"]] * 5)
    assert found[0] == pytest.approx(80.0)
    assert found[1] == pytest.approx(100 * (0.8 * 0.5) ** 0.5, abs=0.01)


def test_references_are_read_as_the_vocabulary_reads_them():
    data = Lamps()
    assert references(data, ["red"]) == [["a small red light is on"]] * 5


def test_a_constant_caption_and_a_person_stand_beside(monkeypatch):
    monkeypatch.setattr("models.training.caption_figures.cider", lambda texts, streams: 0.5)
    found = beside(Lamps())
    assert found["human_against_four"]["bleu"][3] == 100.0
    assert found["constant"]["distinct"] == 1


def test_what_is_missing_for_cider_is_named_with_the_command_that_brings_it(monkeypatch):
    for name in ("pycocoevalcap", "pycocoevalcap.cider", "pycocoevalcap.cider.cider"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(RuntimeError, match=r"pip install -r requirements/captions\.txt"):
        cider(STREAMS[0], STREAMS)


def test_the_number_of_distinct_captions_is_told(monkeypatch):
    monkeypatch.setattr("models.training.caption_figures.cider", lambda texts, streams: 0.5)
    assert measure(["a dog", "a dog"], STREAMS)["distinct"] == 1


def test_the_metric_is_signed():
    assert "nrefs:5" in signature()
    assert "tok:none" in signature()
