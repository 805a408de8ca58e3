"""Vocabularies that were made elsewhere: what they read, and that what they write reads back."""

import pytest

from models.text import UnknownCharacters
from models.tokens import MarkedCharacters, Tokens

SIGNED = ["<pad>", "a", "b", " ", "\n", "<eos>", "<"]
WORDS = ["<unk>", "the", "old", "man", ".", "n't", "do", "<eos>", "a b"]


def test_signs_among_characters_are_one_token_each():
    reads = MarkedCharacters(SIGNED)
    assert reads.encode("ab<eos> <\n") == [1, 2, 5, 3, 6, 4]
    assert reads.spans("a<eos>b") == [(0, 1), (1, 6), (6, 7)]
    with pytest.raises(UnknownCharacters) as refused:
        reads.encode("axb")
    assert refused.value.found == [(1, "x")]


def test_whole_words_of_a_tokenizer_of_pieces_are_known_without_its_marks():
    reads = Tokens(["▁the", "▁old", "er", "Ġman"])
    assert reads.encode("the old man") == [0, 1, 3]
    assert reads.encode(reads.decode([0, 2, 3])) == [0, 2, 3]


def test_an_unknown_sign_stands_for_what_is_not_known():
    reads = MarkedCharacters([*SIGNED, "<unk>"])
    assert reads.encode("axb") == [1, 7, 2]
    assert not reads.knows(7)
    assert reads.knows(0)


def test_tokens_stand_between_white_space_and_are_cut_at_marks_where_they_are_not_known():
    reads = Tokens(WORDS)
    assert reads.encode("the  OLD\nman.") == [1, 2, 3, 4]
    assert reads.spans("the  man.") == [(0, 3), (5, 8), (8, 9)]
    assert reads.encode("don't zebra") == [6, 5, 0]
    assert reads.encode("old.man zebra") == [2, 4, 3, 0]
    with pytest.raises(UnknownCharacters) as refused:
        Tokens(WORDS[1:]).encode("the zebra")
    assert refused.value.found == [(4, "zebra")]


@pytest.mark.parametrize("reads", [MarkedCharacters(SIGNED), Tokens(WORDS)])
def test_every_sequence_of_symbols_reads_back_as_itself(reads):
    numbers = [k * 7 % len(reads) for k in range(40)]
    assert reads.encode(reads.decode(numbers)) == numbers


def test_symbols_that_would_be_shown_alike_are_refused():
    with pytest.raises(ValueError, match="look alike"):
        Tokens(["a b", "a␣b"])
