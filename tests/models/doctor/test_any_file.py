"""Whatever a file holds, the doctor answers; and what it calls usable opens."""

import json
import random

import numpy as np
import pytest
import torch

from models.doctor import NotUsable, convert, diagnose
from models.doctor.doctor import opened
from tests.models.doctor.practice import SYMBOLS, V, Written, held, seeded

TOLD = {"vocabulary": SYMBOLS, "labels": ["x", "y"], "task": "tag", "input": "symbols"}
TOLD |= {"nonlinearity": "relu", "scale": [0, 1], "between": "tanh"}
ODD = [None, True, -1, 3.5, float("nan"), "", "abc", [[]], [None], {"0": "a"}, 10**400, SYMBOLS[1:]]
NAMES = ["weight_hh_l0", "rnn.weight_hh_l1", "x.weight", "rnn.weight_ih", "a.weight_hr_l0", "", "."]
NAMES += ["weight_hh_l" + "9" * 30, "rnn.weight_hh_l0_reverse", "optimizer.state", "{name}.weight"]


def spoiled(tensors: dict, rng: random.Random) -> dict:
    """The same with something done to one tensor."""
    name = rng.choice(list(tensors))
    value = tensors.pop(name)
    sizes = [rng.choice([0, 1, 2, 7, V, 28]) for _ in range(rng.randrange(4))]
    made = [
        dict,
        lambda: {name: np.zeros(sizes, np.float32)},
        lambda: {name: value.astype(rng.choice([np.int64, np.bool_, np.float16, np.float64]))},
        lambda: {rng.choice(NAMES): value},
        lambda: {name: value.T.copy()},
        lambda: {name: np.full_like(value, rng.choice([np.nan, np.inf, 1e38, 0]))},
        lambda: {name: value[: len(value) // 2]},
        lambda: {name: value, f"other.{name}": value},
    ]
    return tensors | rng.choice(made)()


@pytest.mark.parametrize("seed", range(36))
def test_nothing_makes_the_doctor_fail(seed):
    rng = random.Random(seed)
    cell = ["lstm", "gru", "rnn_tanh"][seed % 3]
    tensors = dict(held(seeded(Written, cell, embedding=seed % 4 > 0, tied=seed % 4 == 1)))
    for _ in range(seed % 3 + 1):
        tensors = spoiled(tensors, rng) if tensors else tensors
    extras = {rng.choice(["vocab", "labels", "rnn_type"]): rng.choice(ODD)}
    answers = TOLD | {rng.choice(list(TOLD)): rng.choice(ODD)} if seed % 2 else TOLD
    with np.errstate(all="ignore"):
        diagnosis = diagnose(tensors, extras, answers, rng.choice([None, "", "abc"]))
    json.dumps(diagnosis.to_dict())
    if diagnosis.usable:
        runner = opened(convert(tensors, extras, answers))
        assert torch.isfinite(runner.network.output.weight).all()
    else:
        assert diagnosis.problems or diagnosis.questions
        with pytest.raises(NotUsable):
            convert(tensors, extras, answers)
