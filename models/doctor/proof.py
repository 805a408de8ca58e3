"""Whether a file was understood: our explicit formulas against torch's own fused layer.

Every layer and direction reads the same probe twice. Once by `cells.Recurrent.step`, one step after
the other, the formulas from which every view shows its gates; once by `nn.LSTM`, `nn.GRU` or
`nn.RNN` with the same weights. In float64 they agree to about fifteen digits; a wrong order of
gates, a bias in the wrong place or a swapped direction leaves none.
"""

import math

import numpy as np
import torch
from torch import Tensor

from models.cells import LAYERS, Direction, Recurrent
from models.doctor.diagnosis import Proof, Stack

DIGITS = 16.0  # where two numbers are the same bit for bit
STEPS, FEWEST = 64, 8  # of the probe: what is wrong shows in a few
WORK = 3e8  # products of one layer, at most: the widest get fewer steps
MOST = 1 << 26  # numbers of a layer that are widened to float64


def weights_of(stack: Stack, tensors) -> dict[str, Tensor]:
    """The parameters of a stack under torch.nn's names."""
    return {
        own: torch.from_numpy(np.ascontiguousarray(tensors[name]))
        for own, name in stack.names.items()
    }


@torch.no_grad()
def explicit(recurrent: Recurrent, direction: Direction, x: Tensor) -> dict[str, Tensor]:
    """Step by step by our formulas: x (T, input) -> the letters of the state, (T, H) each."""
    letters = recurrent.state_letters
    state = x.new_zeros(len(letters), recurrent.hidden_size)
    from_x = recurrent.from_x(direction, x)
    order = range(len(x))
    found = {letter: x.new_empty(len(x), recurrent.hidden_size) for letter in letters}
    for t in reversed(order) if direction.reverse else order:
        now = recurrent.step(direction, from_x[t], state)
        state = torch.stack([now[letter] for letter in letters])
        for letter in letters:
            found[letter][t] = now[letter]
    return found


@torch.no_grad()
def fused(recurrent: Recurrent, direction: Direction, x: Tensor) -> dict[str, Tensor]:
    """The same by torch's layer. Its c is asked for step by step: it gives only the last."""
    with torch.device("meta"):
        layer = LAYERS[recurrent.cell](x.shape[1], recurrent.hidden_size, bias=recurrent.bias)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[: 4 if recurrent.bias else 2]
    own = {f"{name}_l0": getattr(direction, name) for name in names}
    layer.load_state_dict(own, assign=True)
    layer.eval()
    read = x.flip(0) if direction.reverse else x
    h, _ = layer(read[:, None])
    found = {"h": h[:, 0]}
    if recurrent.cell == "lstm":
        state, cells = None, []
        for row in read:
            _, state = layer(row[None, None], state)
            cells.append(state[1][0, 0])
        found["c"] = torch.stack(cells)
    return {k: v.flip(0) for k, v in found.items()} if direction.reverse else found


def digits(difference: float, largest: float) -> float:
    """Decimal digits of the largest value that are not touched by a difference."""
    if not math.isfinite(difference) or not math.isfinite(largest):
        return 0.0
    if difference == 0:
        return DIGITS
    return round(min(DIGITS, max(0.0, -math.log10(difference / max(largest, 1e-30)))), 1)


def prove(stack: Stack, cell: str, tensors, x: np.ndarray, recurrent=Recurrent) -> list[Proof]:
    """Compare every layer and direction of a stack over the first steps of a probe (T, input)."""
    weights = weights_of(stack, tensors)
    wide = max(value.numel() for value in weights.values()) <= MOST
    dtype = torch.float64 if wide else torch.float32
    ours = recurrent(cell, {name: value.to(dtype) for name, value in weights.items()})
    products = max(value.numel() for value in weights.values()) * 2
    steps = max(FEWEST, min(STEPS, int(WORK / products)))
    read, proofs = torch.from_numpy(x[:steps]).to(dtype), []
    for directions in ours.layers:
        outputs = []
        for direction in directions:
            mine, theirs = explicit(ours, direction, read), fused(ours, direction, read)
            outputs.append(theirs["h"])
            for letter in ours.state_letters:
                difference = float((mine[letter] - theirs[letter]).abs().max())
                largest = float(theirs[letter].abs().max())
                name = stack.called(direction.name)
                proofs.append(Proof(name, letter, difference, digits(difference, largest)))
        read = torch.cat(outputs, dim=-1)
    return proofs
