import numpy as np
import pytest

from backend.engine.columns import Columns

LAYOUT = [("a", 0, 2), ("b", 2, 5), ("c", 5, 6)]
CAPTURED = np.array([[9] * 6, range(6)], np.float32)
LOGITS = np.array([[9, 9], [10, 11]], np.float32)


def views(points):
    columns = Columns(LAYOUT, 2, points)
    row = columns.take(CAPTURED, LOGITS, 1)
    return {name: row[start:stop].tolist() for name, start, stop in columns.layout}


def test_none_takes_every_point_of_the_row():
    assert views(None) == {"a": [0, 1], "b": [2, 3, 4], "c": [5]}


def test_points_apart_from_each_other_are_copied_side_by_side():
    assert views(("c", "a")) == {"a": [0, 1], "c": [5]}


def test_logits_are_taken_where_they_are_asked_for():
    assert views(("logits", "b")) == {"b": [2, 3, 4], "logits": [10, 11]}
    assert views(("logits",)) == {"logits": [10, 11]}


def test_no_points_take_nothing():
    columns = Columns(LAYOUT, 2, ())
    assert columns.take(CAPTURED, LOGITS, 1) is None
    assert (columns.layout, columns.bytes) == ((), 0)


def test_only_the_points_asked_for_are_counted_in_bytes():
    assert Columns(LAYOUT, 2, ("a", "c", "logits")).bytes == 4 * (2 + 1 + 2)


def test_what_is_taken_is_a_copy():
    captured = CAPTURED.copy()
    row = Columns(LAYOUT, 2, None).take(captured, LOGITS, 1)
    captured[:] = -1
    assert row.tolist() == [0, 1, 2, 3, 4, 5]


def test_unknown_points_are_named():
    with pytest.raises(ValueError, match=r"unknown points: x, y; known: a, b, c, logits"):
        Columns(LAYOUT, 2, ("a", "x", "y"))
