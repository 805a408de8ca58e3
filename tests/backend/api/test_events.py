import json
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.api.events import RowWriter, StepWriter, event, writer_of
from models.trace import Point
from tests.backend.serving import decode, events

SYMBOLS = ["a", '"', "\\", "\n", "\r", "\u2028", "😀", "\0", "<", "ж"]
POINTS = [
    Point("rnn.0.h", ("time", "unit"), "signed", (None, 3)),
    Point("attention", ("time", "head", "key"), "probability", (None, 2, 4)),
]


class Columns:
    """Where each point lies in a step's row."""

    def __init__(self, points: dict[str, np.ndarray]):
        self.layout, start = [], 0
        for name, values in points.items():
            self.layout.append((name, start, start + values.size))
            start += values.size


@dataclass
class Step:
    """A step as the engine gives it."""

    index: int = 3
    token_id: int = 0
    prefix: bool = False
    probability: float | None = 0.25
    top: list = field(default_factory=list)
    capture: dict = field(default_factory=dict)

    @property
    def columns(self) -> Columns:
        return Columns(self.capture)

    @property
    def row(self) -> np.ndarray:
        return np.concatenate([values.ravel() for values in self.capture.values()])


@dataclass
class Row:
    """A step that has its points by name."""

    index: int = 0
    token_id: int = 0
    prefix: bool = False
    probability: float | None = None
    top: list = field(default_factory=list)
    points: dict = field(default_factory=dict)


def captured() -> dict:
    return {"rnn.0.h": np.zeros(3, np.float32), "attention": np.zeros((2, 4), np.float32)}


def written(step: Step, points=()) -> dict:
    ((name, data),) = events(StepWriter(SYMBOLS, list(points)).steps([step]).decode())
    assert name == "step"
    return data


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_any_data_comes_back_from_an_event_as_it_went_in(data):
    clean = json.loads(json.dumps(data).encode("utf-8", "replace"))
    if any("\ud800" <= c <= "\udfff" for c in json.dumps(clean, ensure_ascii=False)):
        return  # half a character cannot be sent
    assert events(event("thing", clean).decode()) == [("thing", clean)]


@pytest.mark.parametrize("token", range(len(SYMBOLS)))
def test_every_symbol_survives_however_hard_it_is_to_write(token):
    data = written(Step(token_id=token, top=[(token, 0.5, 1.0)]))
    assert data["token"] == SYMBOLS[token]
    assert data["token_id"] == token
    assert data["top"][0]["token"] == SYMBOLS[token]


@pytest.mark.parametrize("token", range(len(SYMBOLS)))
def test_no_symbol_ends_an_event_early(token):
    raw = StepWriter(SYMBOLS, []).steps([Step(token_id=token)])
    assert raw.count(b"\n") == 3
    assert raw.endswith(b"\n\n")
    assert b"\r" not in raw


def test_the_first_token_has_no_probability_and_no_rivals():
    data = written(Step(index=0, prefix=True, probability=None))
    assert data["probability"] is None
    assert data["top"] == []
    assert data["prefix"] is True
    assert data["index"] == 0


@given(st.floats(0, 1), st.floats(0, 1))
def test_probabilities_are_told_to_seven_digits(probability, drawn):
    data = written(Step(probability=probability, top=[(1, probability, drawn)]))
    assert data["probability"] == pytest.approx(probability, rel=1e-6)
    assert data["top"][0]["probability"] == pytest.approx(probability, rel=1e-6)
    assert data["top"][0]["drawn"] == pytest.approx(drawn, rel=1e-6)


@given(hnp.arrays(np.float32, 3), hnp.arrays(np.float32, (2, 4)))
def test_the_numbers_of_a_step_arrive_bit_for_bit_without_the_axis_of_time(state, attention):
    step = Step(capture={"rnn.0.h": state, "attention": attention})
    points = written(step, POINTS)["points"]
    assert list(points) == ["rnn.0.h", "attention"]
    assert points["rnn.0.h"]["axes"] == ["unit"]
    assert points["attention"]["axes"] == ["head", "key"]
    assert points["attention"]["range"] == "probability"
    assert decode(points["rnn.0.h"]["data"]).tobytes() == state.tobytes()
    assert decode(points["attention"]["data"]).tobytes() == attention.tobytes()
    assert decode(points["attention"]["data"]).shape == (2, 4)


def test_a_step_without_points_says_so():
    assert written(Step())["points"] == {}


def test_many_steps_are_written_one_after_another():
    raw = StepWriter(SYMBOLS, POINTS).steps([Step(index=k, capture=captured()) for k in range(3)])
    assert [data["index"] for _, data in events(raw.decode())] == [0, 1, 2]


def test_the_same_symbols_and_points_share_a_writer():
    assert writer_of(tuple(SYMBOLS), tuple(POINTS)) is writer_of(tuple(SYMBOLS), tuple(POINTS))


def test_rows_that_grow_are_told_with_the_shape_they_have():
    writer = RowWriter(SYMBOLS, [("blocks.0.attention", ["head", "key"], "probability")])
    grown = [np.full((2, n), 0.5, np.float32) for n in (1, 2, 3)]
    made = [Row(index=k, points={"blocks.0.attention": row}) for k, row in enumerate(grown)]
    for (name, data), row in zip(events(writer.steps(made).decode()), grown, strict=True):
        assert name == "step"
        point = data["points"]["blocks.0.attention"]
        assert (point["axes"], point["range"]) == (["head", "key"], "probability")
        assert np.array_equal(decode(point["data"]), row)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_row_is_told_whatever_its_layout_and_its_type(order):
    row = np.array(np.arange(6).reshape(2, 3), np.float64, order=order)
    writer = RowWriter(SYMBOLS, [("a", ["head", "key"], "real"), ("b", ["unit"], "real")])
    (found,) = events(writer.steps([Row(points={"a": row, "b": row[0], "c": row})]).decode())
    assert list(found[1]["points"]) == ["a", "b"]
    assert np.array_equal(decode(found[1]["points"]["a"]["data"]), row)
    assert np.array_equal(decode(found[1]["points"]["b"]["data"]), row[0])


def test_a_step_without_rows_is_told_as_one_without_points():
    step = Step()
    assert RowWriter(SYMBOLS, []).steps([step]) == StepWriter(SYMBOLS, []).steps([step])
