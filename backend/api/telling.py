"""What is told of a text that is written token by token: piece by piece as events, or whole.

Probabilities and their logarithms are told with seven digits, as many as float32 holds.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, Field

from backend.api.trace import TracedPoint
from backend.arrays import Array, encode

EVENTS = {"dict": "start", "Beam": "beam", "Step": "step", "End": "done"}  # by class of the item


class Candidate(BaseModel):
    token: str
    token_id: int
    probability: float


class Hypothesis(BaseModel):
    text: str
    tokens: list[str]
    token_ids: list[int]
    log_probability: float
    score: float = Field(description="log probability over length to the power of length_penalty")


class Node(BaseModel):
    """A node of the beam search."""

    id: int
    parent: int = Field(description="-1: the root")
    step: int
    token: str
    token_id: int
    log_probability: float = Field(description="of the whole path")
    kept: bool
    ended: bool


class Told(BaseModel):
    """The whole answer; each route adds what it was written from and the tokens."""

    checkpoint: str
    text: str
    ended: bool = Field(description="false: cut at `max_new_tokens`")
    log_probability: float
    score: float
    probability: Array = Field(description="(token), of each token")
    top: list[list[Candidate]] = Field(description="the likeliest tokens of each step")
    given: list[bool] = Field(description="whether the token came from `prefix`")
    points: dict[str, TracedPoint]
    hypotheses: list[Hypothesis] = Field(description="the best first")
    tree: list[Node] = Field(description="the beam search, empty for `beam_size` 1")


def rounded(value: float) -> float:
    """Seven digits."""
    return float(f"{value:.7g}")


# The axis of a point that a step is one index of; None for points that no step changes.
StepAxis = Callable[[Any], str | None]


def along(axis: str) -> StepAxis:
    """That of points which have the axis."""
    return lambda point: axis if axis in point.axes else None


class Teller:
    """Turns what a runner yields into what is told of it. A route's own says what was read."""

    axis: ClassVar[str]  # that a step is one index of
    names: ClassVar[tuple[str, str]]  # of the written tokens and their numbers

    def __init__(self, id: str, runner, points: Sequence, step_axis: StepAxis | None = None):
        self.id = id
        self.tokens = runner.target_tokens
        self.step_axis = step_axis or along(self.axis)
        self.about = {point.name: point for point in points}

    def place(self, position: int | None) -> Any:
        """How an annotation that was looked at is told."""
        return position

    def told(self, item) -> tuple[str, dict]:
        """The event of one thing that was yielded: its name and what it tells."""
        name = EVENTS[type(item).__name__]
        return name, getattr(self, name)(item)

    def start(self, found: dict[str, np.ndarray]) -> dict:
        """What was read, with its points."""
        return {"checkpoint": self.id, "points": self._points(found)}

    def beam(self, beam) -> dict:
        """One step of the search."""
        nodes = [
            {
                "id": node.id,
                "parent": node.parent,
                "step": beam.index,
                "token": self.tokens[node.token_id],
                "token_id": node.token_id,
                "log_probability": rounded(node.log_probability),
                "kept": node.kept,
                "ended": node.ended,
            }
            for node in beam.nodes
        ]
        return {"index": beam.index, "nodes": nodes}

    def step(self, step) -> dict:
        """One token of the text."""
        return {
            "index": step.index,
            "token": self.tokens[step.token_id],
            "token_id": step.token_id,
            "probability": rounded(step.probability),
            "top": self._top(step),
            "attention": None if step.attention is None else encode(step.attention),
            "forced": self.place(step.forced),
            "given": step.given,
            "points": self._points(step.points, step=True),
        }

    def done(self, end) -> dict:
        """How it came out."""
        tokens, numbers = self.names
        return {
            "text": end.text,
            tokens: [self.tokens[k] for k in end.token_ids],
            numbers: list(end.token_ids),
            "ended": end.ended,
            "log_probability": rounded(end.log_probability),
            "score": rounded(end.score),
            "hypotheses": [
                {
                    "text": hypothesis.text,
                    "tokens": [self.tokens[k] for k in hypothesis.token_ids],
                    "token_ids": list(hypothesis.token_ids),
                    "log_probability": rounded(hypothesis.log_probability),
                    "score": rounded(hypothesis.score),
                }
                for hypothesis in end.hypotheses
            ],
        }

    def whole(self, items: Sequence) -> dict:
        """Everything at once; the points of the steps side by side along the text."""
        by_name: dict[str, list] = {name: [] for name in EVENTS.values()}
        for item in items:
            by_name[EVENTS[type(item).__name__]].append(item)
        (found,), beams, steps, (end,) = by_name.values()
        rows = [step.attention for step in steps]
        side_by_side = {
            name: self._together(name, [step.points[name] for step in steps])
            for name in steps[0].points
        }
        return {
            **self.start(found),
            **self.done(end),
            "attention": encode(np.stack(rows)) if rows[0] is not None else None,
            "probability": encode(np.array([step.probability for step in steps])),
            **self.tokens_told(steps),
            "points": self._points({**found, **side_by_side}),
            "tree": [node for beam in beams for node in self.beam(beam)["nodes"]],
        }

    def tokens_told(self, steps: Sequence) -> dict:
        """What the whole answer tells of each token, one beside the other."""
        return {
            "top": [self._top(step) for step in steps],
            "given": [step.given for step in steps],
            "forced": [
                [step.index, *np.atleast_1d(self.place(step.forced)).tolist()]
                for step in steps
                if step.forced is not None
            ],
        }

    def _top(self, step) -> list[dict]:
        return [
            {"token": self.tokens[k], "token_id": k, "probability": rounded(p)} for k, p in step.top
        ]

    def _together(self, name: str, rows: list[np.ndarray]) -> np.ndarray:
        """The rows of all steps. One that grew with the text ends in what is not looked at."""
        about = self.about[name]
        nothing = 0.0 if about.range == "probability" else -np.inf
        last = rows[-1].shape
        padded = [
            row
            if row.shape == last
            else np.pad(
                row,
                [(0, most - size) for most, size in zip(last, row.shape, strict=True)],
                constant_values=nothing,
            )
            for row in rows
        ]
        return np.stack(padded, about.axes.index(self.step_axis(about)))

    def _points(self, found: dict[str, np.ndarray], step: bool = False) -> dict:
        return {
            name: {
                "axes": [a for a in about.axes if not step or a != self.step_axis(about)],
                "range": about.range,
                "data": encode(found[name]),
            }
            for name, about in self.about.items()
            if name in found
        }
