"""The proof holds for what is right, and finds what is wrong."""

import numpy as np
import pytest
import torch
from torch import nn

from models.cells import Recurrent
from models.doctor.diagnosis import Stack
from models.doctor.names import modules, stack
from models.doctor.proof import digits, prove
from tests.models.doctor.practice import FUSED, E, H, held, seeded

X = np.sin(np.arange(40 * E).reshape(40, E) ** 1.3).astype(np.float32)


def found(layer: nn.Module) -> tuple[Stack, dict]:
    tensors = held(layer)
    shapes = {name: value.shape for name, value in tensors.items()}
    return stack(modules(shapes)[0], shapes), tensors


class SwappedGates(Recurrent):
    """An LSTM whose first two blocks of rows are taken for each other: f, i, g, o."""

    def step(self, direction, from_x, before):
        H = self.hidden_size
        order = torch.cat([torch.arange(H, 2 * H), torch.arange(H), torch.arange(2 * H, 4 * H)])
        now = nn.functional.linear(before[0], direction.weight_hh, direction.bias_hh) + from_x
        i, f, g, o = now[order].chunk(4)
        c = f.sigmoid() * before[1] + i.sigmoid() * g.tanh()
        return {"h": o.sigmoid() * c.tanh(), "c": c}


class BiasAtTheWrongPlace(Recurrent):
    """A GRU that takes r outside of W_hn h + b_hn's bias."""

    def step(self, direction, from_x, before):
        now = super().step(direction, from_x, before)
        b = direction.bias_hh[2 * self.hidden_size :]
        h = nn.functional.linear(before[0], direction.weight_hh)[2 * self.hidden_size :]
        n = (from_x[2 * self.hidden_size :] + now["r"] * h + b).tanh()
        return {"h": (1 - now["z"]) * n + now["z"] * before[0]}


@pytest.mark.parametrize("cell", FUSED)
@pytest.mark.parametrize("bias", [True, False])
def test_every_layer_and_direction_agrees_to_thirteen_digits(cell, bias):
    layer = seeded(FUSED[cell], E, H, 2, bias=bias, bidirectional=True)
    proofs = prove(found(layer)[0], cell, held(layer), X)
    letters = "hc" if cell == "lstm" else "h"
    directions = ["rnn.0", "rnn.0.reverse", "rnn.1", "rnn.1.reverse"]
    assert [(one.layer, one.quantity) for one in proofs] == [
        (d, x) for d in directions for x in letters
    ]
    assert min(one.digits for one in proofs) > 13


def test_a_wrong_order_of_gates_leaves_no_digits():
    layer = seeded(nn.LSTM, E, H)
    right = prove(*_with("lstm", layer))
    wrong = prove(*_with("lstm", layer), recurrent=SwappedGates)
    assert min(one.digits for one in right) > 13
    assert max(one.digits for one in wrong) < 1


def test_a_bias_at_the_wrong_place_leaves_no_digits():
    wrong = prove(*_with("gru", seeded(nn.GRU, E, H)), recurrent=BiasAtTheWrongPlace)
    assert max(one.digits for one in wrong) < 2


def _with(cell: str, layer: nn.Module):
    return found(layer)[0], cell, held(layer), X


def test_digits_are_those_of_the_largest_value():
    assert digits(0.0, 1.0) == 16
    assert digits(1e-6, 1.0) == 6
    assert digits(2.0, 1.0) == 0
    assert digits(float("nan"), 1.0) == 0


def test_the_proof_draws_no_random_numbers():
    layer = seeded(nn.LSTM, E, H)
    before = torch.random.get_rng_state()
    prove(*_with("lstm", layer))
    assert torch.equal(before, torch.random.get_rng_state())
