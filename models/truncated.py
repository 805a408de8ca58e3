"""How much of a text a language model needs: the same text with only its last characters given.

A window of the text is read as if it began there, so one pass over the window says what is expected
after 1, 2, 3 ... characters of it: every length of context is one look into the same pass. What
runs a model offers it as `following(windows)`, tokens (B, L) -> probabilities (B, L, V) of what
comes after each of them.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

STEPS = 4096  # tokens that are read between two looks at whether to go on


def parameters_of(runner) -> int:
    """Weights that a step costs; counts cost nothing."""
    return sum(weight.numel() for weight in getattr(runner.network, "parameters", tuple)())


def windows_of(count: int, longest: int) -> list[range]:
    """The places where windows of a text begin, in parts of about STEPS tokens."""
    each = max(1, STEPS // longest)
    return [range(first, min(first + each, count)) for first in range(0, count - 1, each)]


@torch.no_grad()
def expected(runner, tokens: Sequence[int], longest: int, starts: range) -> Tensor:
    """Windows from `starts` on -> (B, L): the probability of the token after 1, 2 ... of each.

    L = min(longest, tokens that the first of them has after it). NaN behind the end of the text.
    """
    T = len(tokens)
    L = min(longest, T - 1 - starts.start)
    text = torch.tensor([*tokens, *[0] * (L + 1)])
    place = torch.tensor(starts)[:, None] + torch.arange(L)  # (B, L)
    after = runner.following(text[place]).cpu()
    given = after.gather(2, text[place + 1][..., None])[..., 0]
    return torch.where(place + 1 < T, given, torch.nan)


def by_context(tokens: Sequence[int], lengths: Sequence[int], passes: Iterator[Tensor]) -> Tensor:
    """(lengths, T): the probability of each token given at most so many before it.

    `passes` are the answers of `expected` for all of `windows_of(T, max(lengths))` in turn. A token
    that has fewer before it is given all of them; the first has none, and is NaN.
    """
    T, longest = len(tokens), max(lengths)
    found = torch.full((len(lengths), T), torch.nan)
    for starts, given in zip(windows_of(T, longest), passes, strict=True):
        for row, length in enumerate(lengths):
            if not starts.start:
                some = min(length, T - 1, given.shape[1])
                found[row, 1 : some + 1] = given[0, :some]
            reached = min(T - length, starts.stop) - starts.start  # windows that reach so far
            if reached > 0:
                first = starts.start + length
                found[row, first : first + reached] = given[:reached, length - 1]
    return found
