"""What is told of a translation; what every written text tells is in `telling`."""

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from backend.api import telling
from backend.arrays import Array

TARGET = "target"  # the axis that a step is one index of


class Translation(telling.Told):
    source_tokens: list[str]
    source_spans: list[list[int]] = Field(description="start and stop in `text`, in characters")
    copied: list[int] = Field(description="source positions that the vocabulary has not")
    target_tokens: list[str]
    target_ids: list[int]
    attention: Array | None = Field(
        description="(target, source); of many heads the mean over those of the last layer"
    )
    forced: list[list[int]] = Field(description="target step, source position")


class Teller(telling.Teller):
    """Turns what a translator yields into what is told of it."""

    axis, names = TARGET, ("target_tokens", "target_ids")

    def __init__(
        self, id: str, runner, source, points: Sequence, step_axis: telling.StepAxis | None = None
    ):
        super().__init__(id, runner, points, step_axis)
        self.source = source

    def start(self, found: dict[str, np.ndarray]) -> dict:
        """The source, with its points."""
        source = self.source
        return {
            **super().start(found),
            "source_tokens": list(source.tokens),
            "source_spans": [list(span) for span in source.spans],
            "copied": list(source.copied),
        }
