"""What goes into a recurrent layer of `torch.nn` and what comes out: every tensor with its axes.

The layer is torch's own, with weights and an input of a seed, and it is run; nothing here is worked
out by a rule that could differ from what torch does.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

LAYERS: dict[str, type[nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
BOUNDS = {
    "input_size": (1, 8),
    "hidden_size": (1, 8),
    "num_layers": (1, 4),
    "length": (1, 8),
    "batch": (1, 5),
}


@dataclass(frozen=True)
class Shaped:
    """A tensor by its name, with a word for each axis."""

    name: str
    role: str  # input, state, weight, bias, output
    axes: tuple[str, ...]
    data: Tensor


@dataclass(frozen=True)
class Explored:
    """A layer that was run."""

    code: str  # the line that makes it
    tensors: list[Shaped]
    equal: dict[str, bool]  # which parts of what comes out are the same numbers


@torch.no_grad()
def explore(
    cell: str = "rnn",
    input_size: int = 3,
    hidden_size: int = 4,
    num_layers: int = 1,
    bidirectional: bool = False,
    batch_first: bool = False,
    length: int = 5,
    batch: int = 2,
    seed: int = 0,
) -> Explored:
    """Run one layer from a zero state. Sizes lie in BOUNDS."""
    options = {}
    if num_layers > 1:
        options["num_layers"] = num_layers
    options |= {"batch_first": True} if batch_first else {}
    options |= {"bidirectional": True} if bidirectional else {}
    generator = torch.Generator().manual_seed(seed)
    layer = LAYERS[cell](input_size, hidden_size, **options)
    for parameter in layer.parameters():
        parameter.uniform_(-(hidden_size**-0.5), hidden_size**-0.5, generator=generator)
    outside = ("batch", "time") if batch_first else ("time", "batch")
    sizes = {"time": length, "batch": batch}
    x = torch.randn(*(sizes[axis] for axis in outside), input_size, generator=generator)
    output, state = layer(x)
    h = state[0] if cell == "lstm" else state  # (layers * directions, B, H)
    directions = 2 if bidirectional else 1
    stacked = "layer and direction" if bidirectional else "layer"
    wide = "direction and unit" if bidirectional else "unit"
    tensors = [Shaped("input", "input", (*outside, "input"), x)]
    for name, value in layer.named_parameters():
        rows = "unit" if cell == "rnn" else "gate and unit"
        if name.startswith("bias"):
            tensors.append(Shaped(name, "bias", (rows,), value.detach()))
            continue
        first = "_l0" in name
        columns = "unit" if "_hh_" in name else "input" if first else wide
        tensors.append(Shaped(name, "weight", (rows, columns), value.detach()))
    tensors += [
        Shaped("output", "output", (*outside, wide), output),
        Shaped("h_n", "state", (stacked, "batch", "unit"), h),
    ]
    if cell == "lstm":
        tensors.append(Shaped("c_n", "state", (stacked, "batch", "unit"), state[1]))
    along = output.transpose(0, 1) if batch_first else output  # (T, B, directions * H)
    H = hidden_size
    equal = {"last_output": torch.equal(along[-1, :, :H], h[-directions])}
    if bidirectional:
        equal["last_output_backward"] = torch.equal(along[-1, :, H:], h[-1])
        equal["first_output_backward"] = torch.equal(along[0, :, H:], h[-1])
    words = "".join(f", {name}={value}" for name, value in options.items())
    code = f"torch.nn.{LAYERS[cell].__name__}({input_size}, {hidden_size}{words})"
    return Explored(code, tensors, equal)
