import gzip
import hashlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.training.corpus import Corpus, encode, read_corpus, streams

TEXT = "Война и мир\nwar and peace 😀\n" * 20


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / "war.txt.gz").write_bytes(gzip.compress(TEXT.encode()))
    return read_corpus(tmp_path, "war.txt.gz")


def test_a_corpus_reads_back_as_its_text(corpus):
    assert "".join(corpus.symbols[k] for k in corpus.tokens) == TEXT


def test_the_alphabet_is_every_character_that_occurs_in_order(corpus):
    assert corpus.symbols == sorted(set(TEXT))


def test_the_checksum_is_that_of_the_file_as_it_lies_there(corpus, tmp_path):
    raw = (tmp_path / "war.txt.gz").read_bytes()
    assert corpus.sha256 == hashlib.sha256(raw).hexdigest()


def test_a_character_that_the_alphabet_lacks_is_an_error():
    with pytest.raises(KeyError, match="z"):
        encode("abz", ["a", "b"])


@given(st.integers(1, 5000))
def test_the_three_parts_are_the_text_in_its_order_nothing_twice_and_nothing_lost(n):
    corpus = Corpus("", "", [], torch.arange(n))
    parts = [corpus.split(part) for part in ("train", "validation", "test")]
    assert torch.equal(torch.cat(parts), corpus.tokens)


def test_the_last_twentieth_is_test_and_the_one_before_it_validation():
    corpus = Corpus("", "", [], torch.arange(1000))
    assert corpus.split("train").tolist() == list(range(900))
    assert corpus.split("validation").tolist() == list(range(900, 950))
    assert corpus.split("test").tolist() == list(range(950, 1000))


@given(st.integers(1, 200), st.integers(1, 12), st.integers(0, 20))
def test_every_stream_is_a_stretch_of_the_text_and_they_follow_each_other(n, batch_size, offset):
    cut = streams(torch.arange(n), batch_size, offset)
    steps = max(n - offset, 0) // batch_size
    assert cut.shape == (steps, batch_size)
    assert torch.equal(cut.t().flatten(), torch.arange(offset, offset + steps * batch_size))
