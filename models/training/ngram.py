"""A character n-gram model: the honest baseline beside every recurrent figure.

The mathematics is that of `models.counts`: interpolated Witten-Bell smoothing.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from models.counts import Counts, check_fits, count_order, packed


def cross_entropies(orders: Sequence[Counts], test, vocab_size: int) -> Iterator[float]:
    """Mean nats per character of `test` (N,) under each order, from 1 on.

    The first characters of the test text are predicted from the history there is.
    """
    test = np.asarray(test)
    p = np.full(len(test), 1.0 / vocab_size)
    for n, one in enumerate(orders, 1):
        grams = packed(test, n, vocab_size)
        p = np.append(p[: n - 1], one.probability(grams, p[n - 1 :], vocab_size))
        yield float(-np.log(p).mean())


def cross_entropy(train, test, vocab_size: int, max_order: int = 8) -> list[float]:
    """Mean nats per character of `test` under orders 1..max_order trained on `train`.

    Both are (N,) integer arrays. `vocab_size ** max_order` must fit in 63 bits.
    """
    check_fits(vocab_size, max_order)
    train = np.asarray(train)
    orders = (count_order(train, n, vocab_size) for n in range(1, max_order + 1))
    return list(cross_entropies(orders, test, vocab_size))
