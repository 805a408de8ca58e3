import string

import pytest

from models.doctor.opening import LONGEST, opening


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        (None, ""),
        ([], ""),
        (list("\n " + string.ascii_letters), "The old clock on the"),
        (list(" " + string.ascii_lowercase), "old clock on the wall"),
        (list(string.ascii_lowercase), "stopped"),
        (["<pad>", *"xyz"], "xyz"),
        (["<unk>", "the", "he", "dog", "cat", "a"], "the he a dog"),
        (["<unk>", "Hund", "Katze"], "Hund Katze"),
        (list("ёжик"), "ёжик"),
        (["<s>", "</s>"], ""),
    ],
)
def test_it_begins_with_words_that_it_knows(symbols, expected):
    found = opening(symbols)
    assert len(found) <= LONGEST
    assert found == expected
