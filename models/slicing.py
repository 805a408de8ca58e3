"""Slices: a point of a reading and where to cut it. Nothing else of the point is made."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from models.reading import Reading

POOLED_AXES = ("query", "key")


class BadSlice(ValueError):
    """A slice that cannot be cut, and what would be right."""


@dataclass(frozen=True)
class Slice:
    """What is asked for of a reading."""

    point: str  # `*` stands for every layer, whose axis comes first
    at: Mapping[str, int | tuple[int, int]] = field(default_factory=dict)  # index, or start, stop
    form: str = "f4"  # or u1: a byte a number
    size: int = 0  # of u1: queries and keys are pooled by their largest, to so many at most
    top: int = 0  # of the tokens: so many of the likeliest


@dataclass(frozen=True)
class Sliced:
    """What was cut.

    A byte b stands for (b / 255)^2 where `scale` is `sqrt`, or small weights would vanish, and for
    low + b / 255 (high - low) where it is `linear`.
    """

    point: str
    axes: tuple[str, ...]
    range: str
    scale: str
    low: float
    high: float
    pooled: int  # tokens a cell
    data: np.ndarray
    token_ids: np.ndarray | None = None  # beside the data, of `top`


def shape(reading: "Reading", asked: Slice) -> tuple[list[str], dict[str, range]]:
    """The points of a slice and what it takes of each axis. Raises `BadSlice`."""
    names = reading.names(asked.point)
    point = reading.points[names[0]]
    known = reading.lengths(names[0])
    sizes = {a: known.get(a, n) for a, n in zip(point.axes, point.shape, strict=True)}
    if "*" in asked.point:
        sizes = {"layer": len(names)} | sizes
    taken = {axis: range(size) for axis, size in sizes.items()}
    for axis, where in asked.at.items():
        if axis not in sizes:
            raise BadSlice(f"{asked.point} has no axis {axis!r}; it has {', '.join(sizes)}")
        size = sizes[axis]
        start, stop = (where, where + 1) if isinstance(where, int) else where
        if not 0 <= start < stop <= size:
            wrong = where if isinstance(where, int) else f"[{start}, {stop}]"
            raise BadSlice(f"{axis} {wrong} is not in {asked.point}: its {axis} goes from 0 "
                           f"to {size - 1}, and a stretch of it is [start, stop]")  # fmt: skip
        taken[axis] = range(start, stop)
    if asked.form not in ("f4", "u1"):
        raise BadSlice(f"form is {asked.form!r}, expected f4 or u1")
    if asked.form == "u1" and names[0].endswith(".scores"):
        raise BadSlice("scores may be -infinity, which no byte stands for; ask for f4")
    if asked.size and (asked.form != "u1" or not sizes.keys() >= set(POOLED_AXES)):
        raise BadSlice("size pools maps of a query and a key in bytes (u1) alone")
    if asked.top and ("token" not in sizes or asked.form == "u1"):
        raise BadSlice("top takes the largest of a token axis, as f4")
    layers = taken.pop("layer", None)
    return (names if layers is None else [names[k] for k in layers]), taken


def numbers(reading: "Reading", asked: Slice) -> int:
    """How many numbers a slice holds, before it is cut."""
    names, taken = shape(reading, asked)
    sizes = {axis: len(where) for axis, where in taken.items()}
    if asked.size:
        pooled = _pooled(sizes, asked.size)
        sizes |= {axis: -(-sizes[axis] // pooled) for axis in POOLED_AXES}
    if asked.top:
        sizes["token"] = min(asked.top, sizes["token"])
    return len(names) * math.prod(sizes.values())


def _pooled(sizes: Mapping[str, int], size: int) -> int:
    return max(1, -(-max(sizes[axis] for axis in POOLED_AXES) // size))


@torch.no_grad()
def cut(reading: "Reading", asked: Slice) -> Sliced:
    """Cut a point. Raises `UnknownPoint` and `BadSlice`."""
    names, taken = shape(reading, asked)
    point = reading.points[names[0]]
    pooled, ids = 1, None
    if asked.size:
        pooled = _pooled({a: len(w) for a, w in taken.items()}, asked.size)
    if names[0].endswith(".attention"):
        data = reading.maps(names, taken, np.uint8 if asked.form == "u1" else np.float32, pooled)
    else:
        if asked.top:
            best = [reading.largest(name, taken, asked.top) for name in names]
            values = [one for one, _ in best]
            ids = np.stack([places.cpu().numpy() for _, places in best])
        else:
            values = [reading.value(name, taken) for name in names]
        data = np.stack([value.float().cpu().numpy() for value in values])
    axes = ["layer", *point.axes]
    for axis in [axis for axis, where in asked.at.items() if isinstance(where, int)]:
        one = (slice(None),) * axes.index(axis) + (0,)
        data, ids = data[one], None if ids is None else ids[one]
        axes.remove(axis)
    if "*" not in asked.point:
        data, ids = data[0], None if ids is None else ids[0]
        axes.remove("layer")
    scale, low, high = "linear", 0.0, 1.0
    if asked.form == "u1" and data.dtype == np.uint8:  # maps are made as bytes
        scale = "sqrt"
    elif asked.form == "u1":
        data, scale, low, high = _bytes(data, point.range)
    elif point.range != "probability":
        finite = data[np.isfinite(data)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return Sliced(asked.point, tuple(axes), point.range, scale, low, high, pooled, data, ids)


def _bytes(data: np.ndarray, range: str) -> tuple[np.ndarray, str, float, float]:
    """The numbers as bytes, and the scale, low and high that `Sliced` tells."""
    if range == "probability":
        return np.rint(np.sqrt(data.clip(0, 1)) * 255).astype(np.uint8), "sqrt", 0.0, 1.0
    low, high = float(data.min()), float(data.max())
    spread = (high - low) or 1.0
    return np.rint((data - low) / spread * 255).astype(np.uint8), "linear", low, high
