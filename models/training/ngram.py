"""A character n-gram model: the honest baseline beside every recurrent figure.

Interpolated Witten-Bell smoothing (Witten and Bell 1991; Chen and Goodman 1998, section 2.4):

    p_n(w | h) = (count(h w) + distinct(h) * p_{n-1}(w | h')) / (count(h) + distinct(h))

with p_0 uniform over the alphabet. Counts live in sorted arrays of n-grams packed into 64-bit
integers, so an order costs one sort of the corpus.
"""

import numpy as np


def _pack(tokens: np.ndarray, n: int, base: int) -> np.ndarray:
    """Every n-gram as one integer: (N,) -> (N - n + 1,)."""
    codes = np.zeros(len(tokens) - n + 1, np.int64)
    for k in range(n):
        codes = codes * base + tokens[k : len(tokens) - n + 1 + k]
    return codes


def _count(keys: np.ndarray, counts: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Count of each query, 0 where it never occurred."""
    at = np.minimum(np.searchsorted(keys, query), len(keys) - 1)
    return np.where(keys[at] == query, counts[at], 0)


def cross_entropy(train, test, vocab_size: int, max_order: int = 8) -> list[float]:
    """Mean nats per character of `test` under orders 1..max_order trained on `train`.

    Both are (N,) integer arrays. The first `max_order - 1` characters of the test text are
    predicted from the history there is. `vocab_size ** max_order` must fit in 63 bits.
    """
    train, test = np.asarray(train), np.asarray(test)
    if vocab_size**max_order >= 2**63:
        raise ValueError(f"{vocab_size} symbols: order {max_order} does not fit in 64 bits")
    p = np.full(len(test), 1.0 / vocab_size)
    figures = []
    for n in range(1, max_order + 1):
        grams, gram_counts = np.unique(_pack(train, n, vocab_size), return_counts=True)
        histories, first, distinct = np.unique(
            grams // vocab_size, return_index=True, return_counts=True
        )
        history_counts = np.add.reduceat(gram_counts, first)
        query = _pack(test, n, vocab_size)
        c = _count(grams, gram_counts, query)
        total = _count(histories, history_counts, query // vocab_size)
        kinds = _count(histories, distinct, query // vocab_size)
        lower = p[n - 1 :]
        seen = total > 0
        p = p.copy()
        p[n - 1 :] = np.where(seen, (c + kinds * lower) / np.maximum(total + kinds, 1), lower)
        figures.append(float(-np.log(p).mean()))
    return figures
