"""What is told of items made by hand."""

import json

import numpy as np
import pytest

from backend.api.translation import Teller, Translation
from models.beam import Beam, BeamNode
from models.subwords import Source
from models.trace import Point
from models.writing import End, Step, Written
from tests.backend.serving import decode

SOURCE = Source("a b", [3, 4, 2], ["a", "b", "</s>"], [(0, 1), (2, 3), (3, 3)], [1])
POINTS = [
    Point("annotation", ("source", "unit"), "signed", (None, 2)),
    Point("decoder.0.h", ("target", "unit"), "signed", (None, 2)),
    Point("attention", ("target", "source"), "probability", (None, None)),
]


class Runner:
    target_tokens = ("<unk>", "<s>", "</s>", " x", "y")


def step(index: int, token: int, forced=None, given=False, attends=True) -> Step:
    weights = np.array([0.5, 0.25, 0.25], np.float32) if attends else None
    points = {"decoder.0.h": np.full(2, index, np.float32)}
    if attends:
        points["attention"] = weights
    top = [(token, 1 / 3), (0, 0.1)]
    return Step(index, token, 1 / 3, top, weights, forced, given, points)


FOUND = {"annotation": np.arange(6, dtype=np.float32).reshape(3, 2)}
BEAM = Beam(0, [BeamNode(0, -1, 3, -1 / 3, True, False), BeamNode(1, -1, 2, -2.0, False, False)])
BEST, OTHER = Written([3, 2], "x", -2 / 3, -1 / 3), Written([4], "y", -1.0, -1.0)
LAST = End([3, 2], "x", -2 / 3, -1 / 3, True, [BEST, OTHER])


@pytest.fixture
def teller() -> Teller:
    return Teller("toy", Runner, SOURCE, POINTS)


def test_every_item_is_told_under_its_name(teller):
    items = [FOUND, BEAM, step(0, 3), LAST]
    assert [teller.told(item)[0] for item in items] == ["start", "beam", "step", "done"]
    for item in items:
        json.dumps(teller.told(item)[1], allow_nan=False)


def test_the_start_tells_the_source_and_its_points(teller):
    told = teller.start(FOUND)
    assert told["source_tokens"] == ["a", "b", "</s>"]
    assert told["source_spans"] == [[0, 1], [2, 3], [3, 3]]
    assert told["copied"] == [1]
    assert list(told["points"]) == ["annotation"]
    assert decode(told["points"]["annotation"]["data"]).tolist() == FOUND["annotation"].tolist()


def test_a_step_tells_its_points_without_the_axis_it_is_one_index_of(teller):
    told = teller.step(step(1, 4, forced=2, given=True))
    assert (told["index"], told["token"], told["token_id"]) == (1, "y", 4)
    assert (told["forced"], told["given"]) == (2, True)
    assert told["top"][1] == {"token": "<unk>", "token_id": 0, "probability": 0.1}
    assert decode(told["attention"]).tolist() == [0.5, 0.25, 0.25]
    assert told["points"]["attention"]["axes"] == ["source"]
    assert told["points"]["decoder.0.h"]["axes"] == ["unit"]
    assert decode(told["points"]["decoder.0.h"]["data"]).tolist() == [1, 1]


def test_the_whole_is_what_its_model_says_and_puts_the_steps_side_by_side(teller):
    told = teller.whole([FOUND, BEAM, step(0, 3), step(1, 2, forced=1), LAST])
    assert Translation.model_validate(told).model_dump() == told
    assert decode(told["attention"]).shape == (2, 3)
    assert decode(told["points"]["decoder.0.h"]["data"]).tolist() == [[0, 0], [1, 1]]
    assert told["points"]["decoder.0.h"]["axes"] == ["target", "unit"]
    assert list(told["points"]) == [point.name for point in POINTS]
    assert told["forced"] == [[1, 1]]
    assert told["target_tokens"] == [" x", "</s>"]
    assert [h["tokens"] for h in told["hypotheses"]] == [[" x", "</s>"], ["y"]]
    assert [node["id"] for node in told["tree"]] == [0, 1]


def test_a_network_without_attention_has_none_to_tell(teller):
    told = teller.whole([FOUND, step(0, 3, attends=False), LAST])
    assert told["attention"] is None
    assert teller.step(step(0, 3, attends=False))["attention"] is None
    assert told["tree"] == []
