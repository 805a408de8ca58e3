import pytest

from models.checkpoint import CheckpointError
from models.listed import Listed, ListedTarget, mark_of, source_list, target_list
from models.text import UnknownCharacters

LETTERS = ["<pad>", "<unk>", "</s>", *"abc"]
SOUNDS = ["<pad>", "<unk>", "<s>", "</s>", "AH0", "B", "K"]


@pytest.mark.parametrize(
    ("symbol", "mark"),
    [
        ("<s>", "begin"), ("</s>", "end"), ("<unk>", "unknown"), ("[PAD]", "padding"),
        ("<EOS>", "end"), ("SOS", "begin"), ("__start__", "begin"), ("<|end|>", "end"),
        ("s", None), ("S", None), ("go", None), ("start", None), ("<", None), ("<i>", None),
        ("", None), ("<>", None), ("[B]", None),
    ],
)  # fmt: skip
def test_a_mark_is_told_from_a_word_of_its_letters(symbol, mark):
    assert mark_of(symbol) == mark


def test_letters_are_read_by_the_numbers_of_the_list_and_the_end_mark_comes_last():
    reads = Listed.read(source_list(LETTERS).save())
    source = reads.read_text("Cab")
    assert source.ids == [5, 3, 4, 2]
    assert source.tokens == ["C", "a", "b", "</s>"]
    assert source.spans == [(0, 1), (1, 2), (2, 3), (3, 3)]


@pytest.mark.parametrize("symbols", [LETTERS, ["</s>", *"abc"]])
def test_a_letter_that_is_not_in_the_list_is_named_with_its_place(symbols):
    with pytest.raises(UnknownCharacters) as refused:
        source_list(symbols).read_text("ab-c!")
    assert refused.value.found == [(2, "-"), (4, "!")]


def test_capitals_are_kept_apart_where_the_list_has_them():
    assert source_list(["</s>", "a", "A"]).read_text("Aa").ids == [2, 1, 0]


def test_words_are_written_with_a_space_between_and_no_mark_in_the_text():
    writes = ListedTarget.read(target_list(SOUNDS).save())
    assert writes.join([2, 5, 4, 6, 3]) == "B AH0 K"
    assert (writes.begin, writes.end, writes.unknown) == (2, 3, 1)
    assert [token.strip() for token in writes.tokens] == SOUNDS


def test_words_that_are_read_are_looked_up_and_strange_ones_marked():
    source = source_list(["<pad>", "<unk>", "<eos>", "the", "cat"]).read_text("The dog, cat")
    assert source.ids == [3, 1, 1, 4, 2]
    assert source.copied == [1, 2]


def test_a_word_without_a_mark_for_unknown_ones_is_refused_letter_by_letter():
    reads = source_list(["SOS", "EOS", "the", "cat"])
    assert reads.read_text("The cat").ids == [2, 3, 1]
    with pytest.raises(UnknownCharacters) as refused:
        reads.read_text("the dog")
    assert refused.value.found == [(4, "d"), (5, "o"), (6, "g")]


def test_characters_are_written_without_spaces():
    writes = target_list(["SOS", "EOS", "x", "y"])
    assert writes.join([2, 3, 1]) == "xy"


@pytest.mark.parametrize(
    ("make", "symbols", "what"),
    [
        (source_list, ["a", "b"], "end"),
        (target_list, ["</s>", "a"], "begin"),
        (source_list, ["</s>", "a", "a"], "differ"),
    ],
)
def test_a_list_that_cannot_be_used_says_what_it_lacks(make, symbols, what):
    with pytest.raises(CheckpointError, match=what):
        make(symbols)
