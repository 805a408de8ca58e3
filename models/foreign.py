"""What a family of foreign networks is read from: what its config says, and its tensors.

A family is a function of a `Said` and a `Box`: it returns our config, and the weights by our names.
What it does not know how to compute it refuses, by name, before memory is taken for a tensor.
"""

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from models.checkpoint import CheckpointError
from models.resting import DTYPES
from models.transformer import TransformerConfig

ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}
Read = tuple[TransformerConfig, dict[str, Tensor]]  # our config, and weights by our names


class Said:
    """What a config.json says, or what stands where it says nothing."""

    def __init__(self, about: Mapping):
        self.about = about

    def size(self, name: str, default: int | None = None) -> int:
        """A positive integer."""
        value = self.about.get(name)
        value = default if value is None else value
        if type(value) is not int or not 1 <= value <= 1 << 30:
            raise CheckpointError(f"config.json: {name} is {value!r}, expected a positive integer")
        return value

    def number(self, name: str, default: float) -> float:
        """A positive number."""
        value = self.about.get(name, default)
        if type(value) not in (int, float) or not 0 < value < 1e9:
            raise CheckpointError(f"config.json: {name} is {value!r}, expected a positive number")
        return float(value)

    def only(self, name: str, supported) -> None:
        """Refuse a field that is there with another value than the one that is supported."""
        value = self.about.get(name, supported)
        if value != supported:
            raise CheckpointError(
                f"config.json: {name} is {value!r:.80}; supported is {supported!r} alone"
            )

    def activation(self, name: str, default: str) -> str:
        """Our name of an activation."""
        value = self.about.get(name, default)
        if not isinstance(value, str) or value not in ACTIVATIONS:
            raise CheckpointError(
                f"config.json: {name} is {value!r:.80}, expected one of {', '.join(ACTIVATIONS)}"
            )
        return ACTIVATIONS[value]


class Box:
    """Tensors by name, each loaded when it is taken, and taken once."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], load: Callable[[str], Tensor]):
        self._shapes = {_modern(name): tuple(shape) for name, shape in shapes.items()}
        self._names = {_modern(name): name for name in shapes}
        self._load = load

    def __contains__(self, name: str) -> bool:
        return name in self._shapes

    def prefix(self, prefix: str) -> str:
        """What the names of a stack begin with: this where any name does, else nothing."""
        return prefix if any(name.startswith(prefix) for name in self._shapes) else ""

    def take(self, name: str, *shape: int) -> Tensor:
        """A finite float32 tensor of a shape. Raises `CheckpointError`, naming what was found."""
        if name not in self._shapes:
            raise CheckpointError(f"{name} {shape} is missing from the weights")
        found = self._shapes.pop(name)
        if found != shape:
            raise CheckpointError(f"{name} has shape {found}, expected {shape}")
        value = self._load(self._names[name])
        if value.dtype not in DTYPES:
            raise CheckpointError(f"{name} is {value.dtype}, expected 16 to 64-bit floats")
        value = value.to(torch.float32, copy=True)  # what was loaded may be a view of the file
        if not torch.isfinite(value).all():
            raise CheckpointError(f"{name} holds NaN or infinity, expected finite float32 numbers")
        return value

    def same(self, name: str, as_what: str, value: Tensor) -> None:
        """Take a second copy of a tensor, where there is one, and refuse one that differs."""
        if name in self and not torch.equal(self.take(name, *value.shape), value):
            raise CheckpointError(f"{name} differs from {as_what}; supported is one table for both")

    def finish(self, unused: str) -> list[str]:
        """The names that were not taken. Raises for one that no part of the pattern names."""
        left = sorted(self._shapes)
        for name in left:
            if not re.fullmatch(unused, name):
                raise CheckpointError(f"{name} {self._shapes[name]} is not part of this network")
        return left


def _modern(name: str) -> str:
    """The oldest files of BERT call a norm's weight and bias gamma and beta."""
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
        "LayerNorm.beta", "LayerNorm.bias"
    )


def pair(box: Box, theirs: str, ours: str, *shape: int) -> dict[str, Tensor]:
    """A weight of a shape, and a bias as long as its rows."""
    return {
        f"{ours}.weight": box.take(f"{theirs}.weight", *shape),
        f"{ours}.bias": box.take(f"{theirs}.bias", shape[0]),
    }
