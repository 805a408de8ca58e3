"""Lines such as `dbca.abcd.`: distinct letters in random order and a stop, then the same in order.

The stop is a symbol like the letters, and comes after all of them. Texts are drawn from a seed
without end. A hash of the letters, in whatever order they come, decides which of them are for
training.
"""

from hashlib import blake2b
from random import Random
from string import ascii_lowercase

import torch
from torch import Tensor

STOP = "."
SYMBOLS = [STOP, *ascii_lowercase]
NUMBERS = {symbol: number for number, symbol in enumerate(SYMBOLS)}
SHORTEST, LONGEST = 2, 12  # letters of a text
TEST_SHARE, VALIDATION_SHARE = 5, 2  # percent of all sets of letters
SPLITS = ("train", "validation", "test")
IGNORED = -100  # a target that is not asked for


def in_order(text: str) -> str:
    """What is to be written for a text."""
    return "".join(sorted(text))


def part_of(text: str) -> str:
    """`train`, `validation` or `test`: the same for any order of the same letters."""
    number = int.from_bytes(blake2b(in_order(text).encode(), digest_size=4).digest(), "big") % 100
    if number < TEST_SHARE:
        return "test"
    return "validation" if number < TEST_SHARE + VALIDATION_SHARE else "train"


def texts(
    seed: int | str,
    count: int,
    split: str = "train",
    lengths: tuple[int, int] = (SHORTEST, LONGEST),
) -> list[str]:
    """Distinct letters in random order, short texts more often than long ones: only there do
    letters follow each other that are far apart. Raises `ValueError` for a split that is not
    there."""
    if split not in SPLITS:
        raise ValueError(f"{split!r} is not one of {', '.join(SPLITS)}")
    rng, found = Random(f"{seed} {split}"), []
    while len(found) < count:
        length = min(rng.randint(*lengths), rng.randint(*lengths))
        text = "".join(rng.sample(ascii_lowercase, length))
        if part_of(text) == split:
            found.append(text)
    return found


def by_length(texts: list[str]) -> dict[int, list[str]]:
    """Texts by how many letters they have, the shortest first."""
    found: dict[int, list[str]] = {}
    for text in sorted(texts, key=len):
        found.setdefault(len(text), []).append(text)
    return found


def numbers(lines: list[str]) -> Tensor:
    """Lines of one length -> the numbers of their symbols, (N, T)."""
    return torch.tensor([[NUMBERS[symbol] for symbol in line] for line in lines])


def encode(texts: list[str]) -> tuple[Tensor, Tensor]:
    """Texts -> what is read and what comes next, both (N, 2 * LONGEST + 1). Only what stands behind
    the first stop is asked for, up to the second."""
    T = 2 * LONGEST + 1
    tokens = torch.full((len(texts), T + 1), NUMBERS[STOP])
    targets = torch.full((len(texts), T), IGNORED)
    for row, text in enumerate(texts):
        line = numbers([f"{text}{STOP}{in_order(text)}{STOP}"])[0]
        tokens[row, : len(line)] = line
        targets[row, len(text) : len(line) - 1] = line[len(text) + 1 :]
    return tokens[:, :-1], targets
