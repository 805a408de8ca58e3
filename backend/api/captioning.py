"""What is told of a caption; what every written text tells is in `telling`."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, Field

from backend.api import telling
from backend.api.telling import rounded
from backend.arrays import Array

TOKEN = "token"  # the axis that a step is one index of


class Image(BaseModel):
    key: str = Field(description="names the picture while it is remembered")
    width: int = Field(description="pixels, upright")
    height: int


class Grid(BaseModel):
    rows: int
    columns: int


class Familiarity(BaseModel):
    distance: float = Field(description="of the picture from the training pictures")
    share: float = Field(description="of validation pictures that lie farther")


class Confidence(BaseModel):
    mean_log_probability: float = Field(description="nats a token")
    share: float = Field(description="of validation captions that were less likely")


class Caption(telling.Told):
    image: Image
    grid: Grid
    familiarity: Familiarity | None = Field(description="null where it was not measured")
    confidence: Confidence | None = Field(description="null where it was not measured")
    tokens: list[str]
    token_ids: list[int]
    attention: Array | None = Field(description="(token, row, column)")
    cells: list[tuple[int, int] | None] = Field(
        description="row and column of the one cell a token was written from; null: from all"
    )
    forced: list[list[int]] = Field(description="step, row, column")


class Teller(telling.Teller):
    """Turns what a describer yields into what is told of it."""

    axis, names = TOKEN, ("tokens", "token_ids")

    def __init__(self, id: str, runner, seen, familiarity: dict | None, points: Sequence):
        super().__init__(id, runner, points)
        self.grid, self.confidence = runner.grid, runner.confidence
        self.seen, self.familiarity = seen, familiarity

    def place(self, position: int | None) -> list[int] | None:
        """Row and column of a cell."""
        return None if position is None else list(divmod(position, self.grid["column"]))

    def start(self, found: dict[str, np.ndarray]) -> dict:
        """The picture, with its points."""
        return {
            **super().start(found),
            **told_of(self.seen, self.grid, self.familiarity),
        }

    def step(self, step) -> dict:
        """One token of the caption."""
        return {**super().step(step), "cell": self.place(step.chosen)}

    def done(self, end) -> dict:
        """How it came out, and how sure the network was."""
        confidence = self.confidence(end.log_probability / len(end.token_ids))
        return {**super().done(end), "confidence": shortened(confidence)}

    def tokens_told(self, steps: Sequence) -> dict:
        """What the whole answer tells of each token, one beside the other."""
        cells = [self.place(step.chosen) for step in steps]
        return {**super().tokens_told(steps), "cells": cells}


def told_of(seen, grid: dict[str, int], familiarity: dict | None) -> dict:
    """What is told of a picture that was read."""
    return {
        "image": {"key": seen.key, "width": seen.width, "height": seen.height},
        "grid": {"rows": grid["row"], "columns": grid["column"]},
        "familiarity": shortened(familiarity),
    }


def shortened(figures: dict[str, float] | None) -> dict[str, float] | None:
    """Figures with seven digits."""
    return figures and {name: rounded(value) for name, value in figures.items()}
