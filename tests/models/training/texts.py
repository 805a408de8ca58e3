"""Small texts that networks of the tests are trained and measured on."""

import torch

from models.training.corpus import Corpus


def cycle(n: int = 2400) -> Corpus:
    """A text in which every character but a few follows from the one before."""
    text = torch.arange(n) % 5
    text[::97] = 5
    return Corpus("toy.txt.gz", "0" * 64, list("abcdef"), text)


def doubled(n: int = 4000) -> Corpus:
    """A text in which every second character repeats the one before."""
    tokens = torch.randint(4, (n,), generator=torch.Generator().manual_seed(3))
    tokens[1::2] = tokens[0::2]
    return Corpus("toy.txt.gz", "ab" * 32, list("abc\n"), tokens)
