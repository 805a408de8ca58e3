"""A text that a transformer has read, and everything that can be seen of it, made when it is asked.

A pass on the fused attention leaves queries and keys behind (`Reading`); a map is made from them
for the heads and the queries that somebody looks at, and nothing else. What was not kept (values,
the stream, what the feed-forward parts add) is recorded by a second pass when it is first asked
for. `models.slicing` asks for parts of it and cuts them.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, takewhile
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from models.attention_maps import Window, draw
from models.slicing import Slice, Sliced, cut, numbers
from models.trace import Point, UnknownPoint
from models.transformer import Transformer, scores_of

KEPT = ("q", "k")  # of every attention, by the first pass
# Who asks for one of these asks for the others soon: one more pass brings them all.
TOGETHER = ("v", "heads", "residual", "embedding")
CHUNK = 64  # rows of logits made at once: a vocabulary may be large


def points_of(stack: Transformer, lens: Callable | None = None) -> list[Point]:
    """What there is to see of one stack."""
    config, P = stack.config, stack.prefix
    D, d = config.hidden_size, config.head_width
    H, G, V = config.num_heads, config.key_heads, config.vocab_size
    stream = (("time", "unit"), "real", (None, D))
    points = [Point(f"{P}embedding", *stream)]
    if config.positions in ("learned", "sinusoidal"):
        points.append(Point(f"{P}positions", *stream))
    per_token = [] if lens is None else [("logits", "real"), ("lens", "probability")]
    points += [Point(f"{P}embedding.{x}", ("time", "token"), r, (None, V)) for x, r in per_token]

    def attention(name: str) -> list[Point]:
        of_keys = (("head", "key", "unit"), "real", (G, None, d))
        return [
            Point(f"{name}.read", *stream),
            Point(f"{name}.q", ("head", "query", "unit"), "real", (H, None, d)),
            Point(f"{name}.k", *of_keys),
            Point(f"{name}.v", *of_keys),
            Point(f"{name}.scores", ("head", "query", "key"), "real", (H, None, None)),
            Point(f"{name}.attention", ("head", "query", "key"), "probability", (H, None, None)),
            Point(f"{name}.heads", ("head", "query", "unit"), "real", (H, None, d)),
            Point(f"{name}.attended", *stream),
            Point(f"{name}.middle", *stream),
        ]

    for layer in range(config.num_layers):
        name = f"{P}blocks.{layer}"
        points += attention(name)
        if config.cross:
            points += attention(f"{name}.cross")
        hidden = Point(f"{name}.mlp.hidden", ("time", "unit"), "real", (None, config.mlp_size))
        points += [Point(f"{name}.mlp.read", *stream), hidden, Point(f"{name}.mlp", *stream)]
        points.append(Point(f"{name}.residual", *stream))
        points += [Point(f"{name}.{x}", ("time", "token"), r, (None, V)) for x, r in per_token]
    return points


@dataclass(frozen=True)
class Heard:
    """A stack, how its attentions are masked, and how its stream is turned into logits."""

    stack: Transformer
    positions: Tensor | None  # (T,), as `Transformer.forward` takes them
    mask: Tensor | None  # (T, T), True where a query may look
    across: Tensor | None = None  # (T, S), the same of the other text
    lens: Callable[[Tensor], Tensor] | None = None

    @cached_property
    def window(self) -> Window | None:
        """`mask` as maps are made with it."""
        return None if self.mask is None else Window(self.mask)

    @cached_property
    def window_across(self) -> Window | None:
        """`across` as maps are made with it."""
        return None if self.across is None else Window(self.across)


class Reading:
    """One text, or a text and what was written of it, read once.

    `run(record)` makes the pass and returns the last stream (T, D); it may be called again.
    """

    def __init__(
        self,
        run: Callable[[Callable[[str, Tensor], None]], Tensor],
        heard: Sequence[Heard],
        points: Sequence[Point],
        unembed: Callable[[Tensor], Tensor] | None = None,
    ):
        self.points = {point.name: point for point in points}
        self.heard = {one.stack.prefix: one for one in heard}
        self._run, self._unembed, self._lock = run, unembed, Lock()
        self._found: dict[str, Tensor] = {}
        self._kinds: set[str] = set()
        self.output = self._record(KEPT)  # (T, D)

    @torch.no_grad()
    def _record(self, kinds: Sequence[str]) -> Tensor:
        def record(name: str, value: Tensor) -> None:
            if name.rpartition(".")[2] in kinds:
                self._found[name] = value[0]

        output = self._run(record)[0]
        self._kinds.update(kinds)
        return output

    @property
    def bytes(self) -> int:
        """Memory that what was recorded takes."""
        return 4 * (self.output.numel() + sum(x.numel() for x in list(self._found.values())))

    def lengths(self, name: str) -> dict[str, int]:
        """Sizes of the axes of a point that are as long as a text."""
        heard = self.heard[self._prefix(name)]
        across = ".cross." in name
        first = f"{heard.stack.prefix}blocks.0"
        T = self._found[f"{first}.q"].shape[1]
        S = self._found[f"{first}.cross.k" if across else f"{first}.k"].shape[1]
        return {"time": T, "query": T, "key": S}

    def _prefix(self, name: str) -> str:
        return max((p for p in self.heard if name.startswith(p)), key=len)

    def names(self, pattern: str) -> list[str]:
        """The points that a name with at most one `*` stands for, by layer."""
        before, star, after = pattern.partition("*")
        layers = (f"{before}{layer}{after}" for layer in count()) if star else iter([pattern])
        found = list(takewhile(self.points.__contains__, layers))
        if not found:
            raise UnknownPoint(f"there is no point {pattern!r}")
        return found

    def numbers(self, asked: Slice) -> int:
        """How many numbers a slice holds, before it is cut. Raises as `slice` does."""
        return numbers(self, asked)

    def slice(self, asked: Slice) -> Sliced:
        """Cut a point. Raises `UnknownPoint` and `BadSlice`."""
        return cut(self, asked)

    # -- what is cut ------------------------------------------------------------------------

    def recorded(self, name: str) -> Tensor:
        """A point of the pass itself, whole: all but scores, weights, logits and positions."""
        kind = name.rpartition(".")[2]
        with self._lock:
            if kind not in self._kinds:
                self._record(TOGETHER if kind in TOGETHER else [kind])
        return self._found[name]

    def value(self, name: str, taken: Mapping[str, range]) -> Tensor:
        """A part of a point, with every axis still there."""
        base, _, kind = name.rpartition(".")
        where = {axis: slice(span.start, span.stop) for axis, span in taken.items()}
        if kind == "scores":
            return self._scores(base, where)
        if kind in ("lens", "logits"):
            # A copy, or a few tokens would hold on to all.
            parts = [part[:, where["token"]].clone() for part in self._predicted(name, taken)]
            return torch.cat(parts)
        if kind == "positions":
            heard = self.heard[self._prefix(name)]
            T = self.lengths(name)["time"]
            at = torch.arange(T) if heard.positions is None else heard.positions
            whole = heard.stack.position_table(at.to(self.output.device)) * (at >= 0)[:, None].to(
                self.output.device
            )
        else:
            whole = self.recorded(name)
        return whole[tuple(where[axis] for axis in self.points[name].axes)]

    def _predicted(self, name: str, taken: Mapping[str, range]) -> Iterator[Tensor]:
        """Logits or probabilities of all tokens, some rows at a time."""
        base, _, kind = name.rpartition(".")
        lens = self.heard[self._prefix(name)].lens
        stream = self.recorded(base if base.endswith("embedding") else f"{base}.residual")
        first, stop = taken["time"].start, taken["time"].stop
        for start in range(first, stop, CHUNK):
            logits = lens(stream[start : min(start + CHUNK, stop)])
            yield logits if kind == "logits" else logits.softmax(-1)

    def largest(self, name: str, taken: Mapping[str, range], most: int) -> tuple[Tensor, Tensor]:
        """The largest of the tokens and their numbers, (T, most) each."""
        tokens = taken["token"]
        best = [
            part[:, tokens.start : tokens.stop].topk(min(most, len(tokens)))
            for part in self._predicted(name, taken)
        ]
        values, places = zip(*best, strict=True)
        return torch.cat(values), torch.cat(places) + tokens.start

    def _scores(self, base: str, where: Mapping[str, slice]) -> Tensor:
        heard = self.heard[self._prefix(base)]
        mask = heard.across if base.endswith(".cross") else heard.mask
        q, k = self.recorded(f"{base}.q"), self.recorded(f"{base}.k")
        k = k.repeat_interleave(len(q) // len(k), 0)[where["head"]]  # to all heads of queries
        if mask is not None:
            mask = mask[where["query"], where["key"]]
        return scores_of(q[where["head"], where["query"]], k[:, where["key"]], mask)

    def maps(
        self, names: Sequence[str], taken: Mapping[str, range], dtype: type, cells: int
    ) -> np.ndarray:
        """Weights of attentions, (layer, head, query, key): those asked for, no more."""
        heads, queries, keys = (taken[axis] for axis in ("head", "query", "key"))
        pooled = [-(-len(span) // cells) for span in (queries, keys)]
        out = np.empty((len(names), len(heads), *pooled), dtype)
        for layer, name in enumerate(names):
            base = name.rpartition(".")[0]
            heard = self.heard[self._prefix(base)]
            window = heard.window_across if base.endswith(".cross") else heard.window
            q, k = self.recorded(f"{base}.q"), self.recorded(f"{base}.k")
            draw(out[layer], q, k, window, heads, queries, keys, cells)
        return out

    # -- what comes next ---------------------------------------------------------------------

    @torch.no_grad()
    def next(self, at: int = -1) -> Tensor:
        """Probabilities (V,) of the token after the one at a place."""
        return self._unembed(self.output[at]).softmax(-1)

    @torch.no_grad()
    def given(self, ids: Sequence[int]) -> Tensor:
        """Probability (T,) of each token given those before it, NaN for the first."""
        found = [torch.full((1,), math.nan, device=self.output.device)]
        wanted = torch.tensor(ids[1:], device=self.output.device)
        for start in range(0, len(wanted), CHUNK):
            after = wanted[start : start + CHUNK]
            logits = self._unembed(self.output[start : start + len(after)])
            found.append(logits.softmax(-1).gather(1, after[:, None])[:, 0])
        return torch.cat(found)
