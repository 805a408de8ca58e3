import gzip
import hashlib
from random import Random

import pytest

from models.subwords import END, UNKNOWN
from models.training.multi30k import COPIED, Multi30k, _copy, bleu

PARTS = ("train", "val", "test_2016_flickr", "test_2017_flickr", "test_2017_mscoco")
LENGTHS = (6, 8, 9, 11, 14, 18, 22)  # words of the English sentences
WORDS = {"a": "un", "dog": "chien", "man": "homme", "Paris": "Paris", "runs": "court"}


def sentence(n: int) -> tuple[str, str]:
    """A text of n words that both sides end with a full stop; Paris is in both."""
    words = [list(WORDS)[k % len(WORDS)] for k in range(n)]
    return " ".join(words) + ".", " ".join(WORDS[word] for word in words) + "."


PAIRS = [sentence(n) for n in LENGTHS]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "multi30k").mkdir()
    for part in PARTS:
        for side, language in enumerate(("en", "fr")):
            text = "".join(pair[side] + "\n" for pair in PAIRS)
            raw = gzip.compress(text.encode("utf-8"))
            (tmp_path / "multi30k" / f"{part}.{language}.gz").write_bytes(raw)
    return tmp_path


@pytest.fixture
def data(folder):
    return Multi30k(folder, 60, 60)


def test_a_part_is_its_pairs_of_lines_and_the_hashes_of_its_files(data, folder):
    assert data.part("val") == PAIRS
    raw = (folder / "multi30k" / "val.fr.gz").read_bytes()
    assert data.hashes["multi30k/val.fr.gz"] == hashlib.sha256(raw).hexdigest()
    assert list(data.hashes) == ["multi30k/val.en.gz", "multi30k/val.fr.gz"]


def test_sides_of_different_length_are_no_pairs(data, folder):
    (folder / "multi30k" / "val.fr.gz").write_bytes(gzip.compress(b"un\n"))
    with pytest.raises(ValueError, match="shorter"):
        data.part("val")


def test_a_file_that_is_not_there_is_named(data, folder):
    (folder / "multi30k" / "train.fr.gz").unlink()
    with pytest.raises(FileNotFoundError) as missing:
        _ = data.vocabularies
    assert missing.value.filename.endswith("train.fr.gz")


def test_an_epoch_cuts_sources_anew_and_writes_targets_in_one_way(data, monkeypatch):
    monkeypatch.setattr(data, "STOP_DROPPED", 0.0)
    monkeypatch.setattr(data, "COPY_TAUGHT", 0.0)
    monkeypatch.setattr(data, "MERGES_DROPPED", 0.2)  # more could cut a sentence into over 60
    read, write = data.vocabularies
    one, other = data.epoch(0, 1), data.epoch(1, 1)
    plain = write.encode_many([target for _, target in PAIRS])
    assert [target for _, target in one] == [target for _, target in other] == plain
    assert [source for source, _ in one] != [source for source, _ in other]
    for (source, _), (text, _) in zip(one, PAIRS, strict=True):
        pieces = [read.tokens[k].removeprefix("##") for k in source if k != END]
        assert "".join(pieces) == text.lower().replace(" ", "")
    assert read.tokenizer.model.dropout is None  # what is translated is cut in one way
    assert read.encode_many(["a dog"]) == read.encode_many(["a dog"])


def test_texts_too_long_to_train_on_are_left_out(data):
    data.training = [*PAIRS, ("dog " * 61, "chien"), ("dog", "chien " * 71)]
    assert len(data.epoch(0, 1)) == len(PAIRS)


def test_a_full_stop_is_left_out_on_both_sides(data, monkeypatch):
    monkeypatch.setattr(data, "STOP_DROPPED", 1.0)
    monkeypatch.setattr(data, "COPY_TAUGHT", 0.0)
    assert data._varied("A dog. ", " Un chien.", Random(0)) == ("A dog", "Un chien")
    assert data._varied("A dog.", "Un chien", Random(0)) == ("A dog.", "Un chien")


def test_copying_is_taught_by_a_mark_that_neither_side_knows(data, monkeypatch):
    monkeypatch.setattr(data, "STOP_DROPPED", 0.0)
    monkeypatch.setattr(data, "COPY_TAUGHT", 1.0)
    data.training = [("a man runs Paris.", "un homme court Paris."), ("a dog runs", "un chien")]
    read, write = data.vocabularies
    [(source, target), (left, alone)] = data.epoch(0, 1)
    stop = read.encode_many(["."])[0][0], write.encode_many(["x."])[0][-2]
    assert source.count(UNKNOWN) == target.count(UNKNOWN) == 1
    assert source[-3:] == [UNKNOWN, stop[0], END]  # the full stop is not part of the word
    assert target[-3:] == [UNKNOWN, stop[1], END]
    assert UNKNOWN not in left + alone  # nothing is shared
    assert write.join(target, ["Rome"]) == "un homme court Rome."


def test_a_word_is_copied_only_where_each_side_has_it_once():
    assert _copy("in Paris Paris", "à Paris", Random(0)) == ("in Paris Paris", "à Paris")
    assert _copy("on on TV", "TV on", Random(0)) == ("on on TV", "TV on")  # too short a word
    assert _copy("to Rome, Paris", "vers Paris", Random(0)) == (
        f"to Rome, {COPIED}",
        f"vers {COPIED}",
    )


def test_the_score_is_the_bleu_of_what_is_written_for_the_validation_part(data):
    right, wrong = dict(PAIRS), "chien " * 6
    assert data.score(lambda texts: [right[text] for text in texts]) == pytest.approx(100)
    assert data.score(lambda texts: [wrong for _ in texts]) < 10
    assert bleu(["un chien court ici"], ["un chien court ici"]) == pytest.approx(100)


def test_the_figures_are_of_each_test_set_and_of_each_length_of_the_first(data):
    right, widths = dict(PAIRS), set()

    def translate(text: str, beam_size: int) -> str:
        widths.add(beam_size)
        long = len(text.split()) > 14
        return "rien" if long or beam_size == 1 else right[text]

    figures = data.figures(translate)
    assert widths == {1, figures["bleu_beam"]}
    assert 0 < figures["bleu"] < 100
    assert figures["bleu_greedy"] < 1
    assert figures["bleu_test_2017_flickr"] == figures["bleu_test_2017_mscoco"] == figures["bleu"]
    assert "tok:13a" in figures["bleu_signature"]
    rows = figures["bleu_by_length"]
    assert [(row["from"], row["to"], row["sentences"]) for row in rows] == [
        (1, 8, 2), (9, 11, 2), (12, 14, 1), (15, 18, 1), (19, 22, 1)
    ]  # fmt: skip
    assert sum(row["sentences"] for row in rows) == len(PAIRS)
    assert [round(row["bleu"]) for row in rows] == [100, 100, 100, 0, 0]
    assert len(data.hashes) == 6  # of the three test sets
