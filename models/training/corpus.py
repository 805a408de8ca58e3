"""A text corpus: reading, the positional split that every figure is quoted on, and batches."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor


@dataclass(frozen=True)
class Corpus:
    """A text as symbol numbers, with where it came from."""

    file: str
    sha256: str
    symbols: list[str]
    tokens: Tensor  # (N,) int64

    def split(self, part: str) -> Tensor:
        """Tokens of `train`, `validation` or `test`: the last 5% is test, the 5% before it
        validation, the rest train."""
        n = len(self.tokens)
        cuts = {"train": (0.0, 0.9), "validation": (0.9, 0.95), "test": (0.95, 1.0)}
        first, last = cuts[part]
        return self.tokens[int(n * first) : int(n * last)]


def encode(text: str, symbols: list[str]) -> Tensor:
    """Text -> symbol numbers (N,); every character must be one of `symbols`."""
    index = {symbol: i for i, symbol in enumerate(symbols)}
    return torch.tensor([index[character] for character in text])


def read_corpus(folder: Path, file: str) -> Corpus:
    """Read a gzipped UTF-8 text. The alphabet is every character that occurs in it."""
    raw = (folder / file).read_bytes()
    text = gzip.decompress(raw).decode("utf-8")
    symbols = sorted(set(text))
    return Corpus(file, hashlib.sha256(raw).hexdigest(), symbols, encode(text, symbols))


def streams(tokens: Tensor, batch_size: int, offset: int = 0) -> Tensor:
    """Cut a text into `batch_size` streams read side by side: (N,) -> (steps, B).

    Row t + 1 of a stream follows row t in the text, so a recurrent state can be carried from
    chunk to chunk. `offset` drops the first characters, so that chunk borders move each epoch.
    """
    tokens = tokens[offset:]
    steps = len(tokens) // batch_size
    return tokens[: steps * batch_size].view(batch_size, steps).t().contiguous()  # (steps, B)
