from types import SimpleNamespace

import pytest
import torch

from models.calibration import Calibrated, read_calibration, share_below
from models.checkpoint import CheckpointError

QUANTILES = [-4.0, -2.0, -2.0, -1.0, 0.0]  # at shares 0, 1/4, 1/2, 3/4, 1


@pytest.mark.parametrize(
    ("value", "share"),
    [(-9.0, 0.0), (-4.0, 0.0), (-3.0, 1 / 8), (-1.5, 5 / 8), (-1.0, 3 / 4), (0.0, 1.0), (5.0, 1.0)],
)
def test_a_value_has_the_share_of_those_below_it_straight_between_quantiles(value, share):
    assert share_below(QUANTILES, value) == pytest.approx(share)


def test_a_checkpoint_may_say_what_was_usual_or_nothing():
    assert read_calibration({}) == {}
    assert read_calibration({"calibration": None}) == {}
    assert read_calibration({"calibration": {"distance": [0, 0.5]}}) == {"distance": [0, 0.5]}


@pytest.mark.parametrize(
    "found",
    [
        [1.0, 2.0],
        {"distance": 1.0},
        {"distance": [1.0]},
        {"distance": [2.0, 1.0]},
        {"distance": [1.0, float("nan")]},
        {"distance": [1.0, float("inf")]},
        {"distance": ["1", "2"]},
        {"distance": [False, True]},
        {"distance": [0.0] * 20_000},
    ],
)
def test_quantiles_that_make_no_sense_are_refused(found):
    with pytest.raises(CheckpointError, match="calibration"):
        read_calibration({"calibration": found})


class Runner(Calibrated):
    network = SimpleNamespace(distance=lambda cells: cells.mean((1, 2)))


def test_a_picture_that_lies_far_off_is_less_familiar_than_one_that_lies_near():
    runner = Runner()
    runner.calibration = {"distance": [0.0, 1.0, 2.0]}
    near, far = (runner.familiarity(torch.full((1, 4, 9), x)) for x in (0.5, 5.0))
    assert near == {"distance": 0.5, "share": 0.75}
    assert far == {"distance": 5.0, "share": 0.0}


def test_words_that_are_likelier_than_most_are_said_with_confidence():
    runner = Runner()
    runner.calibration = {"log_probability": QUANTILES}
    assert runner.confidence(-1.0) == {"mean_log_probability": -1.0, "share": 0.75}


def test_nothing_is_said_of_what_was_not_measured():
    assert Runner().familiarity(torch.zeros(1, 4, 9)) is None
    assert Runner().confidence(-1.0) is None
