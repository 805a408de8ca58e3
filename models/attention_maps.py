"""Maps of attention, made a stretch of queries at a time where somebody looks.

A stretch stays in the processor's cache from the products of queries and keys to the bytes that
are sent: the map itself is written once. Keys that no query of a stretch may look at are left out,
which spares a causal stack almost half of the work.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

STRETCH = 1 << 16  # weights that are made at once


class Window:
    """Which keys queries may look at, by a mask (T, S) that is True there."""

    def __init__(self, mask: Tensor):
        seen, hidden = mask.any(-1), ~mask
        # Added to scores: -infinity takes part in a sum faster than `masked_fill_` looks.
        self.wall = torch.zeros(mask.shape, device=mask.device).masked_fill_(hidden, -math.inf)
        self.blind = None if seen.all() else ~seen  # queries that may look nowhere
        S = mask.shape[1]
        first = hidden.byte().argmax(-1)
        last = S - mask.flip(-1).byte().argmax(-1)
        # All keys before `free` are seen, none from `reach` on.
        self.free = torch.where(hidden.any(-1), first, S).tolist()
        self.reach = torch.where(seen, last, 0).tolist()


def stretches(
    q: Tensor, k: Tensor, window: Window | None, queries: range, keys: range, cells: int = 1
) -> Iterator[tuple[int, Tensor]]:
    """Weights of one head, softmax(q k^T / sqrt(d)), for q (T, d) and k (S, d).

    Yields the first query of each stretch and its weights for `keys`, (queries, keys); the last
    keys may be missing: they have none. Stretches begin at multiples of `cells` queries.
    """
    S = len(k)
    rows = max(1, STRETCH // (S * cells)) * cells
    q, k = q / math.sqrt(q.shape[-1]), k.T
    for start in range(queries.start, queries.stop, rows):
        part = slice(start, min(start + rows, queries.stop))
        free = S if window is None else min(window.free[part])
        reach = S if window is None else max(window.reach[part])
        weights = q[part] @ k[:, :reach]
        if free < reach:
            weights[:, free:] += window.wall[part, free:reach]
        weights = weights.softmax(-1)
        if window is not None and window.blind is not None:
            weights.masked_fill_(window.blind[part, None], 0.0)
        yield start, weights[:, keys.start : keys.stop]


def pool(weights: Tensor, cells: int) -> Tensor:
    """The largest of each square of `cells` queries and keys, (..., T, S)."""
    for axis in (-2, -1):
        rest = -weights.shape[axis] % cells
        if rest:
            shape = list(weights.shape)
            shape[axis] = rest
            weights = torch.cat([weights, weights.new_zeros(shape)], axis)
        weights = weights.unflatten(axis, (-1, cells)).amax(axis)
    return weights


def draw(
    out: np.ndarray,
    q: Tensor,
    k: Tensor,
    window: Window | None,
    heads: Sequence[int],
    queries: range,
    keys: range,
    cells: int = 1,
) -> None:
    """Write the maps of some heads into `out` (heads, queries, keys).

    q (H, T, d), k (G, S, d), where H is a multiple of G. Numbers that are bytes stand for 255 times
    the square root of the largest weight of `cells` x `cells`.
    """
    shared = len(q) // len(k)  # heads of queries to one of keys
    for row, head in enumerate(heads):
        for start, weights in stretches(q[head], k[head // shared], window, queries, keys, cells):
            made = (weights if cells == 1 else pool(weights, cells)).cpu().numpy()
            if out.dtype == np.uint8:
                made = np.sqrt(made)
                made *= 255
                np.rint(made, out=made)
            at = (start - queries.start) // cells
            rows, columns = made.shape
            out[row, at : at + rows, :columns] = made
            out[row, at : at + rows, columns:] = 0
