"""Trainings that are watched while they run: small recipes whose runs are made of frames.

A recipe has declared parameters and a generator. The generator trains a small network a piece at
a time, a few milliseconds each: a piece that has something to show yields a `Frame`, every other
piece yields None, and whoever runs it may do something else between two of them. Nothing is
written anywhere; when the generator is closed its network is gone. The same parameters give the
same frames on the same machine.

A frame with the epoch e shows the network after e epochs: frame 0 is the network before it has
learned anything.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from torch import nn

from models.trace import Point

FRAMES = 120  # of a run, at most
DENSE = 40  # the first epochs: each has a frame
TYPES = {"integer": int, "number": float, "choice": str}


class BadParameter(ValueError):
    """A parameter that a recipe does not have or that cannot be this; `hint` says what would be
    right."""

    def __init__(self, message: str, hint: str):
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Parameter:
    """Something about a training that can be chosen."""

    name: str
    default: int | float | str
    help: str
    lowest: int | float | None = None
    highest: int | float | None = None
    choices: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """`integer`, `number` or `choice`."""
        return next(name for name, kind in TYPES.items() if isinstance(self.default, kind))

    @property
    def bounds(self) -> str:
        """What would be right, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        article = "an integer" if self.type == "integer" else "a number"
        return f"{article} from {self.lowest} to {self.highest}"

    def check(self, value) -> int | float | str:
        """The value as it is used. Raises `BadParameter`."""
        kind = TYPES[self.type]
        fits = value in self.choices if self.choices else self._is_number(value)
        if not fits:
            shown = f"{value!r:.60}"
            raise BadParameter(f"{self.name} is {shown}.", f"{self.name} is {self.bounds}.")
        return kind(value)

    def _is_number(self, value) -> bool:
        if type(value) not in (int, float) or not math.isfinite(value):
            return False
        if self.type == "integer" and value != int(value):
            return False
        return self.lowest <= value <= self.highest


@dataclass(frozen=True)
class Frame:
    """What there is to see at one moment of a run, or, as `Recipe.fixed`, all along it.

    `arrays` are float32 by the names of the recipe's points; `texts` are lists of text.
    """

    epoch: int
    figures: dict[str, float]
    arrays: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    texts: dict[str, list[str]] = field(default_factory=dict)


Parameters = Mapping[str, int | float | str]


@dataclass(frozen=True)
class Recipe:
    """A training that can be asked for by its name."""

    name: str
    help: str
    checkpoint: str  # of the same kind and recipe, trained before
    parameters: tuple[Parameter, ...]
    points: tuple[Point, ...]  # what the arrays of its frames are
    fixed: Callable[[Parameters], Frame]  # what does not change while it trains
    run: Callable[[Parameters], Iterator[Frame | None]]

    def check(self, asked: Mapping) -> dict[str, int | float | str]:
        """All parameters as they are used, those not asked for by default. Raises
        `BadParameter`."""
        known = {one.name: one for one in self.parameters}
        for name in asked:
            if name not in known:
                shown = name if name.isprintable() and len(name) < 60 else "one of them"
                raise BadParameter(
                    f"{self.name} has no parameter {shown}.",
                    f"Its parameters are: {', '.join(known)}.",
                )
        return {name: one.check(asked.get(name, one.default)) for name, one in known.items()}


def kept_epochs(epochs: int, most: int = FRAMES) -> list[int]:
    """The epochs of a run that have a frame: 0 and the last among them, `most` of them at most.

    Each of the first ones, then ever fewer: most of what there is to see happens early.
    """
    if epochs < most:
        return list(range(epochs + 1))
    dense = min(DENSE, most // 2)
    sparse = most - dense  # those from `dense` on to the last epoch
    ratio = (epochs / dense) ** (1 / (sparse - 1))
    found = list(range(dense))
    for k in range(sparse):
        # at least one epoch after the one before, and no later than leaves room for the rest
        wanted = max(round(dense * ratio**k), found[-1] + 1)
        found.append(min(wanted, epochs - (sparse - 1 - k)))
    return found


def finite(loss: float, epoch: int) -> float:
    """A loss that can be gone on from. Raises `FloatingPointError`."""
    if not math.isfinite(loss):
        raise FloatingPointError(f"the loss after {epoch} epochs is {loss}")
    return loss


def gradient_norm(network: nn.Module) -> float:
    """The length of all gradients together."""
    return nn.utils.get_total_norm([p.grad for p in network.parameters()]).item()
