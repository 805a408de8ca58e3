"""What passes with a cache show of each token: its row of every point that is asked for.

A text that is written grows by a token a step, and with it its row of a map: weights of token t lie
over t + 1 keys. Nothing is made for a token that nobody looks at.
"""

from collections.abc import Callable, Collection

import numpy as np
import torch
from torch import Tensor

from models.trace import Point
from models.transformer import Transformer, attention_of, scores_of

STEP_AXES = ("query", "time", "key")  # the first of them that a point has counts written tokens


def step_axis(point: Point) -> str | None:
    """The axis of a point that a written token is one index of; None where writing changes nothing:
    in an encoder, and in keys and values of another text."""
    fixed = ".cross." in point.name and point.name.endswith((".k", ".v"))
    if fixed or point.name.startswith("encoder."):
        return None
    return next(axis for axis in STEP_AXES if axis in point.axes)


class Rows:
    """The rows of what one stack did in its last pass, of the points named.

    `record` goes to the pass. `lens` maps the stream to logits.
    """

    def __init__(
        self,
        stack: Transformer,
        names: Collection[str],
        lens: Callable[[Tensor], Tensor],
    ):
        self.stack, self.names, self._lens = stack, names, lens
        self._wanted = {source for name in names for source in self._sources(name)}
        self._found: dict[str, Tensor] = {}

    @staticmethod
    def _stream(base: str) -> str:
        """The stream that logits are made from."""
        return base if base.endswith("embedding") else f"{base}.residual"

    def _sources(self, name: str) -> list[str]:
        """What a pass has to record for a point."""
        base, _, kind = name.rpartition(".")
        if kind in ("attention", "scores"):
            return [f"{base}.q", f"{base}.k"]
        if kind in ("logits", "lens"):
            return [self._stream(base)]
        return [name]

    def record(self, name: str, value: Tensor) -> None:
        """Keep what is wanted of the first text."""
        if name in self._wanted:
            self._found[name] = value[0]

    @torch.no_grad()
    def row(self, t: int, position: int) -> dict[str, np.ndarray]:
        """The points of token t of the pass, which is at `position` of its text."""
        return {name: self._row(name, t, position).float().cpu().numpy() for name in self.names}

    def _row(self, name: str, t: int, position: int) -> Tensor:
        base, _, kind = name.rpartition(".")
        if kind in ("attention", "scores"):
            q, k = self._found[f"{base}.q"][:, t], self._found[f"{base}.k"]  # (H, d), (G, S, d)
            if not base.endswith(".cross"):
                k = k[:, : position + 1]
            if len(q) != len(k):
                k = k.repeat_interleave(len(q) // len(k), 0)
            make = attention_of if kind == "attention" else scores_of
            return make(q[:, None], k)[:, 0]  # (H, S)
        if kind in ("logits", "lens"):
            logits = self._lens(self._found[self._stream(base)][t])
            return logits if kind == "logits" else logits.softmax(-1)
        if kind == "positions":
            device = self.stack.token_embedding.weight.device
            return self.stack.position_table(torch.tensor([position], device=device))[0]
        value = self._found[name]
        if kind in ("k", "v"):  # these hold what was read before as well
            return value[:, position]
        return value[:, t] if value.dim() == 3 else value[t]
