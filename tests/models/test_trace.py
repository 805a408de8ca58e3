import pytest

from models.trace import RANGES, Point, UnknownPoint, choose


def test_a_point_says_its_axes_its_range_and_its_sizes():
    point = Point("rnn.0.h", ("time", "unit"), "signed", (None, 256))
    assert point.range in RANGES
    assert dict(zip(point.axes, point.shape, strict=True)) == {"time": None, "unit": 256}


def test_a_range_that_no_view_knows_is_refused():
    with pytest.raises(ValueError, match=r"rnn\.0\.h.*'complex'"):
        Point("rnn.0.h", ("unit",), "complex", (4,))


def test_every_axis_has_a_size():
    with pytest.raises(ValueError, match="2 axes but 1 sizes"):
        Point("rnn.0.h", ("time", "unit"), "signed", (4,))


def test_none_asks_for_everything_and_an_empty_list_for_nothing():
    assert choose(None, ["a", "b"]) == {"a", "b"}
    assert choose([], ["a", "b"]) == frozenset()
    assert choose(["b"], ["a", "b"]) == {"b"}


def test_an_unknown_point_is_named_with_those_there_are():
    with pytest.raises(UnknownPoint, match=r"no point 'rnn\.9\.h'; there are: rnn\.0\.h, logits"):
        choose(["logits", "rnn.9.h"], ["rnn.0.h", "logits"])
