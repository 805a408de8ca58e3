import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.words import UNKNOWN, Words, cut


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("They can fish.", "They can fish ."),
        ("I don't know, can’t you?", "I do n't know , ca n’t you ?"),
        ("It's Anna's; we'll see...", "It 's Anna 's ; we 'll see ..."),
        ("Mr. Smith paid $1,000.50 at 10:30", "Mr. Smith paid $ 1,000.50 at 10:30"),
        ("co-operate -- now!!", "co - operate -- now !!"),
        ("the U.S. army", "the U.S. army"),
        ("see https://a.example/b?c=d", "see https://a.example/b?c=d"),
        ("Рыба спит", "Рыба спит"),
    ],
)
def test_a_text_is_cut_as_the_treebank_is(text, words):
    assert [text[start:stop] for start, stop in cut(text)] == words.split(" ")


@given(st.text())
def test_nothing_but_spaces_is_lost_and_words_come_in_order(text):
    spans = cut(text)
    assert "".join(text[a:b] for a, b in spans) == "".join(text.split())
    assert all(a < b for a, b in spans)
    assert [b for _, b in spans[:-1]] <= [a for a, _ in spans[1:]]


def test_capitals_are_read_small_and_strangers_as_the_first_symbol():
    words = Words([UNKNOWN, "fish", "n't"])
    assert words.encode("FISH doN’T swim") == [1, 0, 2, 0]
    assert [words.knows(number) for number in (0, 1, 3)] == [False, True, False]
    assert words.decode([1, 0]) == "fish <unk>"


def test_a_vocabulary_must_begin_with_the_unknown_word():
    with pytest.raises(ValueError, match="<unk>"):
        Words(["fish"])
