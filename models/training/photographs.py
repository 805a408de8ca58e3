"""Flickr8k: photographs as the encoder's grids, five captions each, the published split."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models import subwords
from models.subwords import END, Vocabulary
from models.training.features import open_grids
from models.training.pairs import IGNORED

CAPTIONS, SPLIT = "photos/flickr8k-captions.tsv.gz", "photos/flickr8k-split.tsv"
LEAST = 5  # times that a word has to occur in the training captions
LONGEST = 30  # words of a training caption


@dataclass(frozen=True)
class CaptionBatch:
    """Some photographs, each with all its captions."""

    cells: Tensor  # (P, S, F) float32
    photograph: Tensor  # (B,) which of them a caption belongs to
    target: Tensor  # (T, B), ends with </s>, padded with IGNORED
    # (T, B, S): the share of each cell that lies inside the object which a word names; zeros where
    # a word names none that is known
    cover: Tensor | None = None

    def longest_first(self) -> "CaptionBatch":
        """The same captions, the longest first: see `Decoder.follow`."""
        order = (self.target != IGNORED).sum(0).argsort(descending=True, stable=True)
        cover = None if self.cover is None else self.cover[:, order]
        return CaptionBatch(self.cells, self.photograph[order], self.target[:, order], cover)


def join(one: CaptionBatch, other: CaptionBatch) -> CaptionBatch:
    """Two batches as one; a batch without a cover names nothing that is known."""
    T = max(len(one.target), len(other.target))
    targets, covers = [], []
    for part in (one, other):
        (length, B), S = part.target.shape, part.cells.shape[1]
        more = T - length
        targets.append(F.pad(part.target, (0, 0, 0, more), value=IGNORED))
        cover = torch.zeros(length, B, S) if part.cover is None else part.cover
        covers.append(F.pad(cover, (0, 0, 0, 0, 0, more)))
    return CaptionBatch(
        torch.cat([one.cells, other.cells]),
        torch.cat([one.photograph, other.photograph + len(one.cells)]),
        torch.cat(targets, dim=1),
        torch.cat(covers, dim=1),
    )


class Captions:
    """Five captions a photograph and the published split: Hodosh, Young, Hockenmaier 2013."""

    def __init__(self, folder: Path):
        self.hashes: dict[str, str] = {}
        lines = self._lines(folder, SPLIT)
        self.split: dict[str, list[str]] = {}
        for line in lines:
            name, part = line.split("\t")
            self.split.setdefault(part, []).append(name)
        self.captions: dict[str, list[str]] = {}
        for line in self._lines(folder, CAPTIONS):
            name, caption = line.split("\t")
            self.captions.setdefault(name, []).append(caption)

    def _lines(self, folder: Path, file: str) -> list[str]:
        raw = (folder / file).read_bytes()
        self.hashes[file] = hashlib.sha256(raw).hexdigest()
        text = gzip.decompress(raw) if file.endswith(".gz") else raw
        return text.decode("utf-8").splitlines()

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Words of the training captions."""
        texts = [text for name in self.split["train"] for text in self.captions[name]]
        return subwords.words(texts, LEAST)


class Flickr8k(Captions):
    """The photographs with their captions. `features` is what `training.features` wrote."""

    def __init__(self, folder: Path, features: Path):
        super().__init__(folder)
        names = (features / "names.txt").read_text("utf-8").split()
        self.rows = {name: row for row, name in enumerate(names)}
        done = int((features / "done.txt").read_text())
        if done < len(names):
            raise FileNotFoundError(2, "unfinished", str(features / "grids.f16"))
        self.grids = open_grids(features / "grids.f16", len(names))

    @cached_property
    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each feature over the training cells, float32 (F,)."""
        rows = sorted(self.rows[name] for name in self.split["train"])
        total, squares, count = 0.0, 0.0, 0
        for first in range(0, len(rows), 200):
            cells = self.grids[rows[first : first + 200], 0].astype(np.float32)
            cells = cells.reshape(-1, cells.shape[-1])
            total = total + cells.sum(0, dtype=np.float64)
            squares = squares + np.square(cells).sum(0, dtype=np.float64)
            count += len(cells)
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 1e-6))
        return torch.from_numpy(mean).float(), torch.from_numpy(deviation).float()

    @cached_property
    def pooled(self) -> Tensor:
        """The features of each training photograph, averaged over its cells, float32 (N, F)."""
        rows = [self.rows[name] for name in self.split["train"]]
        means = [self.grids[row, 0].mean(0, dtype=np.float32) for row in rows]
        return torch.from_numpy(np.stack(means))

    def cells(self, names: list[str], mirrored: bool | list[bool] = False) -> Tensor:
        """Cells (P, S, F) of photographs, or of their mirror images."""
        sides = mirrored if isinstance(mirrored, list) else [mirrored] * len(names)
        found = [self.grids[self.rows[n], int(s)] for n, s in zip(names, sides, strict=True)]
        return torch.from_numpy(np.stack(found).astype(np.float32))

    def names(self, number: int, seed: int, photographs: int):
        """So many training photographs at a time in random order, and which of them to mirror."""
        random = Random(f"{seed} {number}")
        names = self.split["train"].copy()
        random.shuffle(names)
        for first in range(0, len(names), photographs):
            some = names[first : first + photographs]
            yield some, [random.random() < 0.5 for _ in some]

    def epoch(self, number: int, seed: int, photographs: int):
        """Batches of so many training photographs, each with its captions, in random order."""
        for some, mirrored in self.names(number, seed, photographs):
            yield self.batch(some, mirrored)

    def batch(self, names: list[str], mirrored: bool | list[bool] = False) -> CaptionBatch:
        """Photographs with all their captions."""
        owners, targets = [], []
        for k, name in enumerate(names):
            for ids in self.vocabulary.encode_many(self.captions[name]):
                owners.append(k)
                targets.append(ids if len(ids) <= LONGEST else [*ids[: LONGEST - 1], END])
        longest = max(map(len, targets))
        padded = [ids + [IGNORED] * (longest - len(ids)) for ids in targets]
        return CaptionBatch(
            self.cells(names, mirrored),
            torch.tensor(owners),
            torch.tensor(padded).t().contiguous(),
        )
