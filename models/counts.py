"""Counts of characters in their contexts, and the mixture that predicts with them.

Interpolated Witten-Bell smoothing (Witten and Bell 1991; Chen and Goodman 1998, section 2.4): the
distribution of order n after a history h of n - 1 characters is

    p_n(w | h) = (count(h w) + back(h) * p_{n-1}(w | h')) / (count(h) + back(h))

where h' is h without its first character, p_0 is uniform, and back(h) is the number of different
characters that were seen after h: the more there were, the more is left to the shorter history.
Where h was never seen, p_n is p_{n-1}.

Counts that hardly change a prediction can be left out (`pruned`, the difference of Seymore and
Rosenfeld 1996). What they counted is then added to back(h), so count(h) is the sum of what was
kept, and the formula stays as it is.

An order lies in sorted arrays of n-grams packed into 64-bit integers, so it costs one sort of the
text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


def packed(tokens: np.ndarray, n: int, base: int) -> np.ndarray:
    """Every n-gram as one integer: (N,) -> (N - n + 1,)."""
    codes = np.zeros(len(tokens) - n + 1, np.int64)
    for k in range(n):
        codes = codes * base + tokens[k : len(tokens) - n + 1 + k]
    return codes


def check_fits(vocab_size: int, order: int) -> None:
    """Refuse n-grams that do not fit in 63 bits. Raises ValueError."""
    if vocab_size**order >= 2**63:
        raise ValueError(f"{vocab_size} symbols: order {order} does not fit in 64 bits")


@dataclass(frozen=True)
class Counts:
    """The n-grams of one order: the characters after a history lie side by side."""

    grams: np.ndarray  # (N,) int64, sorted: history * V + character
    counts: np.ndarray  # (N,) int64
    histories: np.ndarray  # (M,) int64, sorted
    first: np.ndarray  # (M + 1,): where the grams of each history begin, and N
    back: np.ndarray  # (M,): what the shorter history counts for

    @cached_property
    def total(self) -> np.ndarray:
        """Counts of each history: (M,)."""
        return np.add.reduceat(self.counts, self.first[:-1])

    @property
    def of(self) -> np.ndarray:
        """The history of each gram, by its place: (N,)."""
        return np.repeat(np.arange(len(self.histories)), np.diff(self.first))

    def find(self, histories: np.ndarray) -> np.ndarray:
        """Place of each history, -1 where it never occurred."""
        if not len(self.histories):
            return np.full(len(histories), -1)
        at = np.minimum(np.searchsorted(self.histories, histories), len(self.histories) - 1)
        return np.where(self.histories[at] == histories, at, -1)

    def probability(self, grams: np.ndarray, lower: np.ndarray, base: int) -> np.ndarray:
        """Of the last character of each gram after the others, where `lower` is that of the order
        below."""
        if not len(self.grams):
            return lower
        at = np.minimum(np.searchsorted(self.grams, grams), len(self.grams) - 1)
        count = np.where(self.grams[at] == grams, self.counts[at], 0)
        row = self.find(grams // base)
        return np.where(row >= 0, mixed(count, self.total[row], self.back[row], lower), lower)


def mixed(count, total, back, lower):
    """The formula above."""
    return (count + back * lower) / (total + back)


def count_order(tokens: np.ndarray, n: int, base: int) -> Counts:
    """Everything that occurs in a text."""
    grams, counts = np.unique(packed(tokens, n, base), return_counts=True)
    histories, first, distinct = np.unique(grams // base, return_index=True, return_counts=True)
    return Counts(grams, counts, histories, np.append(first, len(grams)), distinct)


def count_orders(tokens: np.ndarray, order: int, base: int) -> list[Counts]:
    """Orders 1 to `order` of a text."""
    check_fits(base, order)
    return [count_order(tokens, n, base) for n in range(1, order + 1)]


def pruned(orders: Sequence[Counts], least: Sequence[float], base: int) -> list[Counts]:
    """Without the n-grams that save less than so many nats on the text that was counted.

    `least` has one number an order. What an n-gram saves is its count times the logarithm of its
    probability over that of the order below. One that occurred once is left out in any case,
    where `least` is more than 0; the beginning of one that stays, stays.
    """
    saved, lower = [], np.full(len(orders[0].grams), 1 / base)
    for n, one in enumerate(orders, 1):
        if n > 1:
            below = np.searchsorted(orders[n - 2].grams, one.grams % base ** (n - 1))
            lower = probability[below]  # noqa: F821
        row = one.of
        probability = mixed(one.counts, one.total[row], one.back[row], lower)
        saved.append(one.counts * np.log(probability / lower))
    kept: list[Counts] = []
    beginnings = np.zeros(0, np.int64)
    for one, gain, bound in zip(orders[::-1], saved[::-1], least[::-1], strict=True):
        stays = (gain > bound) & (one.counts > 1) if bound > 0 else np.ones(len(gain), bool)
        stays[np.searchsorted(one.grams, beginnings)] = True
        kept.append(_only(one, stays))
        beginnings = kept[-1].histories
    return kept[::-1]


def _only(one: Counts, stays: np.ndarray) -> Counts:
    """Some of the grams; what the others counted is left to the order below."""
    row, M = one.of, len(one.histories)
    here = np.bincount(row[stays], minlength=M)
    dropped = np.bincount(row[~stays], one.counts[~stays], M).astype(np.int64)
    some = here > 0
    first = np.append(0, np.cumsum(here[some]))
    back = (one.back + dropped)[some]
    return Counts(one.grams[stays], one.counts[stays], one.histories[some], first, back)


def after(
    orders: Sequence[Counts], windows: np.ndarray, lengths: np.ndarray, base: int
) -> tuple[np.ndarray, np.ndarray]:
    """What follows each history, and how much of it each order says.

    `windows` (B, N - 1) holds the last characters before each place, the latest last; of each row
    only the last `lengths` (B,) are there. Returns probabilities (B, base), and the weights
    (B, N + 1) of orders 0 (uniform) to N in the mixture, which sum to 1: an order whose history
    was never seen has none. A row does not depend on the others.
    """
    B, N = len(windows), len(orders)
    p = np.full((B, base), 1 / base)
    weights = np.zeros((B, N + 1))
    weights[:, 0] = 1
    code = np.zeros(B, np.int64)
    for n, one in enumerate(orders, 1):
        if n > 1:
            code = code + windows[:, 1 - n] * base ** (n - 2)
        found = one.find(code)
        rows = np.flatnonzero((found >= 0) & (lengths >= n - 1))
        found = found[rows]
        begin, many = one.first[found], one.first[found + 1] - one.first[found]
        place = np.repeat(begin - np.append(0, np.cumsum(many)[:-1]), many) + np.arange(many.sum())
        count = np.zeros((len(rows), base))
        count[np.repeat(np.arange(len(rows)), many), one.grams[place] % base] = one.counts[place]
        total, back = one.total[found][:, None], one.back[found][:, None]
        p[rows] = mixed(count, total, back, p[rows])
        weights[rows] *= back / (total + back)
        weights[rows, n] = (total / (total + back))[:, 0]
    return p, weights
