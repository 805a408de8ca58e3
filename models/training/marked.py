"""Where things are in real photographs: boxes that were marked by hand, in `marked.tsv`."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from models.efficientnet import GRID, SIDE
from models.training.composed_scenes import CELL, Box, box_mask, cover

TABLE = Path(__file__).with_suffix(".tsv")


@dataclass(frozen=True)
class Mark:
    """A thing in a photograph."""

    file: str
    words: frozenset[str]  # that a caption may use for it
    box: Box

    @cached_property
    def cover(self) -> np.ndarray:
        """The share of each cell that lies inside, (49,)."""
        return np.array(cover(box_mask(self.box)), np.float32)

    def holds(self, tolerance: float = 0.0) -> np.ndarray:
        """Whether the middle of each cell lies inside, or at most so many pixels from it, (49,)."""
        x0, y0, x1, y1 = self.box
        middle = np.arange(GRID) * CELL + CELL / 2
        columns = (middle >= x0 - tolerance) & (middle < x1 + tolerance)
        rows = (middle >= y0 - tolerance) & (middle < y1 + tolerance)
        return (rows[:, None] & columns).reshape(-1)


def marks(file: Path = TABLE) -> list[Mark]:
    """All marks, in the order of the file. Raises `ValueError` for a box that is none."""
    found = []
    for line in file.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        name, words, *numbers = line.split("\t")
        x0, y0, x1, y1 = map(int, numbers)
        if not (0 <= x0 < x1 <= SIDE and 0 <= y0 < y1 <= SIDE):
            raise ValueError(f"{name}: {x0}, {y0}, {x1}, {y1} is no box of {SIDE} pixels a side")
        found.append(Mark(name, frozenset(words.split("|")), (x0, y0, x1, y1)))
    return found
