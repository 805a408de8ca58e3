"""What every text that is written tells; the items are made by hand."""

import numpy as np
import pytest

from backend.api.telling import Teller, rounded
from models.beam import Beam, BeamNode


class Runner:
    target_tokens = ("<unk>", "<s>", "</s>", " x", "y")


class Plain(Teller):
    axis, names = "token", ("tokens", "token_ids")


BEAM = Beam(0, [BeamNode(0, -1, 3, -1 / 3, True, False), BeamNode(1, -1, 2, -2.0, False, False)])


@pytest.fixture
def teller() -> Plain:
    return Plain("toy", Runner, [])


@pytest.mark.parametrize("value", [1 / 3, 1e-30, 0.0, -123.45678901, 1.0])
def test_seven_digits_are_as_many_as_a_float32_holds(value):
    assert np.float32(rounded(value)) == pytest.approx(np.float32(value), rel=1e-6)
    assert len(f"{abs(rounded(value)):g}".replace(".", "")) <= 12


def test_a_step_of_the_search_names_its_tokens_and_where_they_stand(teller):
    told = teller.beam(BEAM)
    assert told["index"] == 0
    assert told["nodes"][0] == {
        "id": 0,
        "parent": -1,
        "step": 0,
        "token": " x",
        "token_id": 3,
        "log_probability": -0.3333333,
        "kept": True,
        "ended": False,
    }


def test_a_place_is_told_as_its_number_unless_a_route_knows_better(teller):
    assert teller.place(5) == 5
    assert teller.place(None) is None
