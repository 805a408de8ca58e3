"""Beam search: keep the few likeliest beginnings, and see what becomes of each.

Every step extends each kept path by its likeliest tokens, and keeps the best of all extensions. A
path that takes the end mark leaves the beam as a hypothesis. The search ends when as many have
ended as the beam is wide, or at the length limit. Hypotheses are ranked by

    score = log p(y) / (number of tokens, the end mark included) ** length_penalty

(0: by probability alone, which favours short texts; 1: by the mean over the tokens). The model is
a function of rows, so the search serves whatever writes token by token; width 1 is greedy.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class BeamNode:
    """A token that the search looked at."""

    id: int
    parent: int  # -1: the root
    token_id: int
    log_probability: float  # of the whole path, in nats
    kept: bool  # went on, or ended as a hypothesis
    ended: bool


@dataclass(frozen=True)
class Beam:
    """One step of the search."""

    index: int  # of the token in the text
    nodes: list[BeamNode]


@dataclass(frozen=True)
class Hypothesis:
    """A whole text of the search."""

    token_ids: list[int]
    log_probability: float
    score: float
    ended: bool  # False: cut at the length limit


def score(log_probability: float, length: int, length_penalty: float) -> float:
    """The rank of a text of `length` tokens."""
    return log_probability / max(1, length) ** length_penalty


@dataclass
class _Path:
    token_ids: list[int]
    log_probability: float
    node: int


def search(
    step: Callable[[int, Any, Tensor], tuple[Tensor, Any]],
    select: Callable[[Any, Tensor], Any],
    state: Any,
    last: int,
    *,
    end: int,
    width: int,
    limit: int,
    length_penalty: float,
    prefix: tuple[int, ...] = (),
    log_probability: float = 0.0,
) -> Iterator[Beam | list[Hypothesis]]:
    """Search from a state of one row; yields a `Beam` a step, then the hypotheses, best first.

    `step(index, state, tokens (B,))` reads the last token of each path and returns log
    probabilities (B, V) and the new state; `select(state, rows)` takes rows of it. `prefix` has
    been read already, all but its last token, which is `last`, with `log_probability`.
    """
    paths = [_Path(list(prefix), log_probability, -1)]
    ended: list[Hypothesis] = []
    count = 0
    for index in range(len(prefix), limit):
        tokens = torch.tensor([path.token_ids[-1] if path.token_ids else last for path in paths])
        log_p, state = step(index, state, tokens)
        wide = min(width + 1, log_p.shape[1])  # one more, in case one of them is the end mark
        best = log_p.topk(wide)
        rows = [
            (path.log_probability + value, row, token)
            for row, path in enumerate(paths)
            for value, token in zip(
                best.values[row].tolist(), best.indices[row].tolist(), strict=True
            )
            if value > -math.inf
        ]
        rows.sort(key=lambda one: (-one[0], one[1], one[2]))
        nodes, alive, came_from = [], [], []
        for rank, (total, row, token) in enumerate(rows):
            path, ends = paths[row], token == end
            kept = rank < width if ends else len(alive) < width
            node = BeamNode(count, path.node, token, total, kept, ends and kept)
            if kept or rank < width * width:
                nodes.append(node)
                count += 1
            if kept and ends:
                ids = [*path.token_ids, token]
                ended.append(Hypothesis(ids, total, score(total, len(ids), length_penalty), True))
            elif kept:
                alive.append(_Path([*path.token_ids, token], total, node.id))
                came_from.append(row)
        yield Beam(index, nodes)
        paths = alive
        if len(ended) >= width or not paths:
            break
        state = select(state, torch.tensor(came_from))
    if len(ended) < width:
        ended += [
            Hypothesis(
                p.token_ids,
                p.log_probability,
                score(p.log_probability, len(p.token_ids), length_penalty),
                False,
            )
            for p in paths
        ]
    ended.sort(key=lambda one: (not one.ended, -one.score))
    yield ended[:width]
