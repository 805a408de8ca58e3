"""The linear recurrence of an LSTM's cell state, c[t] = f[t] * c[t - 1] + u[t], in two orders.

Dividing by the running product of f, or c = atanh(h / o), would be parallel too, and wrong: both
lose every digit where a gate closes or a cell saturates. Both orders here only multiply and add.
"""

import torch
from torch import Tensor


def scan(f: Tensor, update: Tensor, c: Tensor) -> Tensor:
    """c of every step, (T, B, H), from f and update (T, B, H) and the c before them (B, H).

    On a GPU, where a step costs a launch whatever its size, by doubling; else in order.
    """
    return (by_doubling if f.is_cuda else in_order)(f, update, c)


def in_order(f: Tensor, update: Tensor, c: Tensor) -> Tensor:
    """One step after the other: T small operations, and the fewest products."""
    cells = torch.empty_like(f)
    for t in range(len(f)):
        c = torch.addcmul(update[t], f[t], c, out=cells[t])
    return cells


def by_doubling(f: Tensor, update: Tensor, c: Tensor) -> Tensor:
    """In about log2(T) rounds over all steps: after the round of n, each has what the 2n steps
    that end with it make of zeros, and by what they multiply the c before them (Hillis and Steele
    1986, "Data parallel algorithms")."""
    cells, kept = update.clone(), f
    cells[0].addcmul_(f[0], c)
    n = 1
    while n < len(f):
        cells = torch.cat([cells[:n], torch.addcmul(cells[n:], kept[n:], cells[:-n])])
        kept = torch.cat([kept[:n], kept[n:] * kept[:-n]])
        n *= 2
    return cells
