"""The table of units of a card, on a toy and a text that holds two properties."""

import re

from models.char_rnn import CharRunner
from models.text import Characters
from models.training.units import HEAD, rows
from tests.toys import CONFIGS, SYMBOLS, network


def test_a_row_tells_the_best_unit_of_every_property_that_both_texts_have():
    runner = CharRunner(network(CONFIGS["toy-lstm"]), Characters(SYMBOLS), capacity=1)
    found = list(rows(runner, "abba\ncafe bed\nface\n" * 4, "bee abba\nfade\ncab\n" * 4))
    names = [row.split("|")[1].strip() for row in found]
    assert names == ["line_position", "to_line_end", "word", "word_position"]
    number = r"-?\d\.\d{3}"
    for row in found:
        assert row.count("|") == HEAD.splitlines()[0].count("|")
        assert re.search(rf"`rnn\.[01]\.[hc]` \d+ \| {number} \| {number} \| {number} \|$", row)
