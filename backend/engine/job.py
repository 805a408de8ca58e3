"""What is asked of the engine, what it answers with, and what it runs.

Every token has an absolute index, prefix included. The token at index t is drawn with
`sampling.uniform(seed, t)`, so a generation that starts from the first n tokens of another, with
the same seed, goes on exactly as the other did.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from backend.engine.columns import Columns

Candidate = tuple[int, float, float]  # token id, probability, probability it was drawn with


class Stepper(Protocol):
    """One step of a network for many rows at once."""

    state: np.ndarray  # float32 (capacity, ...)
    layout: list[tuple[str, int, int]]  # where each point lies in a captured row

    def reset(self, slot: int) -> None:
        """Put a row back to the state before the first token."""

    def step(self, slots: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read one token a row: int64 (B,), (B,) -> captured (B, width), logits (B, V).

        Both are float32 and may be overwritten by the next call. A row's numbers must not depend
        on the other rows or on how many there are.
        """


class Runner(Protocol):
    """A model as the engine sees it. `device`, where it has one, names the thread that runs it."""

    stepper: Stepper
    vocab_size: int


@dataclass(frozen=True)
class Job:
    """One generation. Raises `ValueError` for what no generation can be."""

    model_id: str
    runner: Runner
    prefix: tuple[int, ...]
    max_new_tokens: int
    temperature: float = 1.0
    top_k: int = 0  # 0: off
    top_p: float = 1.0  # 1: off
    seed: int = 0
    points: tuple[str, ...] | None = None  # None: all, (): none
    start: int = 0  # steps with a smaller index are computed and not reported

    def __post_init__(self):
        if not self.prefix:
            raise ValueError("prefix is empty, expected at least one token")
        for index, token in enumerate(self.prefix):
            if not 0 <= token < self.runner.vocab_size:
                raise ValueError(
                    f"prefix[{index}] is {token}, expected 0..{self.runner.vocab_size - 1}"
                )
        if self.max_new_tokens < 0:
            raise ValueError(f"max_new_tokens is {self.max_new_tokens}, expected 0 or more")
        if not 0 < self.temperature < float("inf"):
            raise ValueError(f"temperature is {self.temperature}, expected more than 0")
        if self.top_k < 0:
            raise ValueError(f"top_k is {self.top_k}, expected 0 (off) or more")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}, expected more than 0 and at most 1")
        if not 0 <= self.start <= len(self.prefix):
            raise ValueError(f"start is {self.start}, expected 0..{len(self.prefix)}")

    @property
    def length(self) -> int:
        """Tokens in all, prefix included."""
        return len(self.prefix) + self.max_new_tokens

    @property
    def kept(self) -> Columns:
        """What is copied out of each step. Raises `ValueError` for points the model has not."""
        return Columns(self.runner.stepper.layout, self.runner.vocab_size, self.points)


@dataclass(slots=True)
class Step:
    """One token and what the network held after reading it.

    `probability` and `top` belong to the distribution the token came from, so the step at index
    0, which nothing came before, has None and []. `probability` is the model's own, at
    temperature 1; the third number of a candidate is its probability after temperature, top-k
    and top-p, the one that was drawn from.
    """

    index: int
    token_id: int
    prefix: bool
    probability: float | None
    top: list[Candidate]  # the five most likely, the likeliest first
    columns: Columns = field(repr=False)
    row: np.ndarray | None = field(repr=False)  # float32, the points side by side (`columns`)

    @property
    def capture(self) -> dict[str, np.ndarray]:
        """The points asked for, by name, as views of `row`."""
        row = self.row
        return {name: row[start:stop] for name, start, stop in self.columns.layout}


@dataclass(slots=True)
class End:
    """The generation is complete."""

    next: list[Candidate]  # the five most likely tokens that would have come next
