"""Properties of characters: each rule on a text short enough to check by eye."""

import numpy as np
import pytest

from models.properties import PROPERTIES

NAN = float("nan")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("line_position", "ab\ncd", [0, 1, 2, 0, 1]),
        ("to_line_end", "ab\nc", [2, 1, 0, NAN]),
        ("quotes", "a«b»c", [0, 1, 1, 0, 0]),
        ("quotes", 'a"b"c', [0, 1, 1, 0, 0]),
        ("quotes", '"a\nb', [1, 1, 0, 0]),
        ("quotes", r'"\""', [1, 1, 1, 0]),
        ("brackets", "f(a[0])", [0, 1, 1, 1, 1, 1, 0]),
        ("round_brackets", "f(a[0])", [0, 1, 1, 2, 2, 1, 0]),
        ("round_brackets", ")(", [0, 1]),
        ("braces", "{{}}", [1, 2, 1, 0]),
        ("comment", "a/*b*/c", [0, 0, 1, 1, 1, 0, 0]),
        ("indent", "\t a \nb", [1, 2, 2, 2, 2, 0]),
        ("word", "a1 б", [1, 0, 0, 1]),
        ("word_position", "ab c", [1, 2, 0, 1]),
        ("capitals", "ABc D", [NAN, 1, 0, 0, NAN]),
    ],
)
def test_a_property_is_told_for_every_character(name, text, expected):
    np.testing.assert_array_equal(PROPERTIES[name].of(text), expected)


@pytest.mark.parametrize("name", [name for name in PROPERTIES if name != "to_line_end"])
def test_no_property_but_one_looks_ahead(name):
    text = '\tif (a["b"] > 0) { /* YES «no» */\n  c = "d";\n}'
    whole = PROPERTIES[name].of(text)
    for stop in range(1, len(text)):
        np.testing.assert_array_equal(PROPERTIES[name].of(text[:stop]), whole[:stop])
