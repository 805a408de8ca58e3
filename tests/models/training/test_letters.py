import pytest

from models.training import letters
from models.training.letters import (
    IGNORED,
    LONGEST,
    NUMBERS,
    SHORTEST,
    STOP,
    SYMBOLS,
    by_length,
    encode,
    in_order,
    part_of,
    texts,
)


@pytest.mark.parametrize("split", letters.SPLITS)
def test_texts_are_distinct_letters_few_more_often_than_many(split):
    found = texts(3, 200, split)
    assert len(found) == 200
    assert all(len(set(text)) == len(text) for text in found)
    lengths = [len(text) for text in found]
    assert min(lengths) == SHORTEST
    assert LONGEST - 2 <= max(lengths) <= LONGEST
    assert sum(n < 7 for n in lengths) > 100  # of 200
    assert sum(text == in_order(text) for text in found) < 40
    assert {c for text in found for c in text} == set("abcdefghijklmnopqrstuvwxyz")
    assert all(part_of(text) == split for text in found)


def test_letters_that_are_tested_were_never_trained_on_in_any_order():
    sets = {split: {in_order(text) for text in texts(1, 300, split)} for split in letters.SPLITS}
    assert sets["train"].isdisjoint(sets["test"] | sets["validation"])
    assert sets["test"].isdisjoint(sets["validation"])
    assert part_of("dbca") == part_of("abcd") == part_of("cadb")


def test_a_hash_gives_its_share_of_all_sets_to_each_part():
    every = [a + b + c for a in "abcdefghijklm" for b in "nopqrstuvwxyz" for c in "01234567"]
    parts = [part_of(text) for text in every]
    assert parts.count("test") / len(every) == pytest.approx(0.05, abs=0.02)
    assert parts.count("validation") / len(every) == pytest.approx(0.02, abs=0.015)


def test_a_seed_fixes_the_texts_and_lengths_can_be_told():
    assert texts(1, 50) == texts(1, 50) != texts(2, 50)
    assert {len(text) for text in texts(1, 50, "test", (14, 15))} == {14, 15}


def test_a_split_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="'dev' is not one of train, validation, test"):
        texts(1, 5, "dev")


def test_a_line_is_read_whole_and_asked_for_behind_the_first_stop_alone():
    tokens, targets = encode(["dbca", "zyxwvutsrqpo"])
    assert tokens.shape == targets.shape == (2, 2 * LONGEST + 1)
    read = ["".join(SYMBOLS[number] for number in row) for row in tokens.tolist()]
    assert read[0] == "dbca.abcd" + STOP * 16
    assert read[1] == "zyxwvutsrqpo.opqrstuvwxyz"
    asked = [
        [(t, SYMBOLS[n]) for t, n in enumerate(row) if n != IGNORED] for row in targets.tolist()
    ]
    assert asked[0] == [(4, "a"), (5, "b"), (6, "c"), (7, "d"), (8, STOP)]
    assert asked[1] == [(12 + k, symbol) for k, symbol in enumerate("opqrstuvwxyz" + STOP)]


def test_texts_are_put_together_by_how_many_letters_they_have():
    assert by_length(["abc", "ba", "cab", "z"]) == {1: ["z"], 2: ["ba"], 3: ["abc", "cab"]}
    assert list(by_length(["abc", "ba", "z"])) == [1, 2, 3]
    assert all(SYMBOLS[number] == symbol for symbol, number in NUMBERS.items())
