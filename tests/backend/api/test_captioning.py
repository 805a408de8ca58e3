"""What is told of items made by hand."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from backend.api.captioning import Caption, Teller
from models.beam import Beam, BeamNode
from models.trace import Point
from models.writing import End, Step, Written
from tests.backend.serving import decode

POINTS = [
    Point("annotation", ("row", "column", "unit"), "real", (2, 3, 2)),
    Point("attention", ("token", "row", "column"), "probability", (None, 2, 3)),
    Point("gate", ("token",), "unit", (None,)),
]
SEEN = SimpleNamespace(key="a" * 64, width=30, height=20)
FAMILIARITY = {"distance": 1 / 3, "share": 0.25}


RUNNER = SimpleNamespace(
    target_tokens=("<unk>", "<s>", "</s>", " x", "y"),
    grid={"row": 2, "column": 3},
    confidence=lambda mean: {"mean_log_probability": mean, "share": 2 / 3},
)


def step(index: int, token: int, forced=None, chosen=None, attends=True) -> Step:
    weights = np.full((2, 3), 1 / 6, np.float32) if attends else None
    points = {"gate": np.float32(index).reshape(())}
    if attends:
        points["attention"] = weights
    top = [(token, 1 / 3), (4, 0.1)]
    return Step(index, token, 1 / 3, top, weights, forced, False, points, chosen)


FOUND = {"annotation": np.arange(12, dtype=np.float32).reshape(2, 3, 2)}
BEAM = Beam(0, [BeamNode(0, -1, 3, -1 / 3, True, False)])
LAST = End([3, 2], "x", -2 / 3, -1 / 3, True, [Written([3, 2], "x", -2 / 3, -1 / 3)])


@pytest.fixture
def teller() -> Teller:
    return Teller("toy", RUNNER, SEEN, FAMILIARITY, POINTS)


def test_every_item_is_told_under_its_name(teller):
    items = [FOUND, BEAM, step(0, 3), LAST]
    assert [teller.told(item)[0] for item in items] == ["start", "beam", "step", "done"]
    for item in items:
        json.dumps(teller.told(item)[1], allow_nan=False)


def test_the_start_tells_the_picture_with_its_points(teller):
    told = teller.start(FOUND)
    assert told["image"] == {"key": "a" * 64, "width": 30, "height": 20}
    assert told["grid"] == {"rows": 2, "columns": 3}
    assert told["familiarity"] == {"distance": 0.3333333, "share": 0.25}
    assert list(told["points"]) == ["annotation"]


def test_places_are_told_as_row_and_column(teller):
    told = teller.step(step(1, 4, forced=5, chosen=5))
    assert told["forced"] == told["cell"] == [1, 2]
    assert teller.step(step(1, 4))["forced"] is None
    assert teller.step(step(1, 4))["cell"] is None
    assert teller.place(2) == [0, 2]


def test_a_step_tells_a_single_number_as_one_without_axes(teller):
    gate = teller.step(step(1, 4))["points"]["gate"]
    assert gate["axes"] == []
    assert gate["data"]["shape"] == ""
    assert decode(gate["data"]) == 1


def test_the_whole_is_what_its_model_says_and_puts_the_steps_side_by_side(teller):
    told = teller.whole([FOUND, BEAM, step(0, 3, chosen=4), step(1, 2, forced=1, chosen=1), LAST])
    assert json.loads(Caption.model_validate(told).model_dump_json()) == told
    assert decode(told["attention"]).shape == (2, 2, 3)
    assert decode(told["points"]["gate"]["data"]).tolist() == [0, 1]
    assert told["cells"] == [[1, 1], [0, 1]]
    assert told["forced"] == [[1, 0, 1]]
    assert told["confidence"] == {"mean_log_probability": -0.3333333, "share": 0.6666667}


def test_what_was_not_measured_is_told_as_null(teller):
    teller.confidence = lambda mean: None
    told = Teller("toy", RUNNER, SEEN, None, POINTS).start(FOUND)
    assert told["familiarity"] is None
    assert teller.done(LAST)["confidence"] is None


def test_a_network_without_attention_has_none_to_tell(teller):
    told = teller.whole([FOUND, step(0, 3, attends=False), LAST])
    assert told["attention"] is None
    assert told["cells"] == [None]
