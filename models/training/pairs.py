"""Batches of pairs of token sequences."""

from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

IGNORED = -100  # a target that is padding


@dataclass(frozen=True)
class Batch:
    """Sentences whose sources have the same number of tokens, so that no source is padded."""

    source: Tensor  # (S, B)
    target: Tensor  # (T, B), ends with </s>, padded with IGNORED


def batches(
    pairs: list[tuple[list[int], list[int]]], size: int, random: Random, least: int = 16
) -> list[Batch]:
    """Token numbers in batches of `size`, in random order.

    The rest of a length is cut to a multiple of `least`: products of ever new shapes cost more
    than the few pairs that an epoch leaves out.
    """
    by_length: dict[int, list] = {}
    for pair in pairs:
        by_length.setdefault(len(pair[0]), []).append(pair)
    made = []
    for same in by_length.values():
        random.shuffle(same)
        del same[len(same) - len(same) % least :]
        same.sort(key=lambda pair: len(pair[1]))
        made += [_batch(same[k : k + size]) for k in range(0, len(same), size)]
    random.shuffle(made)
    return made


def _batch(pairs: list[tuple[list[int], list[int]]]) -> Batch:
    source = torch.tensor([source for source, _ in pairs]).t().contiguous()
    longest = max(len(target) for _, target in pairs)
    padded = [target + [IGNORED] * (longest - len(target)) for _, target in pairs]
    return Batch(source, torch.tensor(padded).t().contiguous())
