"""Points: the named internal quantities of a network, and what they look like.

A point says its axes (words such as time, unit, token) and its range, and a view is chosen by
these alone. Names are dotted and end in the letter that the quantity has in the formulas:
`rnn.0.h`, `rnn.1.reverse.c`, `logits`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

RANGES = ("signed", "unit", "probability", "real")


@dataclass(frozen=True)
class Point:
    """One quantity that a network can show.

    `range` is `signed` (-1..1), `unit` (0..1), `probability` (0..1, sums to 1 over the last axis,
    or over row and column) or `real`. `shape` has one entry an axis; None means "as long as the
    text".
    """

    name: str
    axes: tuple[str, ...]
    range: str
    shape: tuple[int | None, ...]

    def __post_init__(self):
        if self.range not in RANGES:
            raise ValueError(f"{self.name}: range {self.range!r} is not one of {RANGES}")
        if len(self.axes) != len(self.shape):
            raise ValueError(f"{self.name}: {len(self.axes)} axes but {len(self.shape)} sizes")


class UnknownPoint(ValueError):
    """A point was asked for that the network does not have."""


def choose(asked: Collection[str] | None, known: Iterable[str]) -> frozenset[str]:
    """The names to capture: all that are known for None, else those asked.

    Raises `UnknownPoint` naming the first stranger and what there is.
    """
    known = list(known)
    if asked is None:
        return frozenset(known)
    strangers = sorted(set(asked) - set(known))
    if strangers:
        raise UnknownPoint(f"there is no point {strangers[0]!r}; there are: {', '.join(known)}")
    return frozenset(asked)
