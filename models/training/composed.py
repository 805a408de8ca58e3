"""Composed pictures as the encoder's grids, made once: `python -m models.training.composed`.

Writes composed.f16, 49 cells of 1,280 float16 numbers a picture, and composed.jsonl, a line a
picture: its part, its sort, its captions, and which of their words name what region. Goes on where
an earlier run stopped. Training pictures are made of training photographs and training cut-outs
alone, those of the test of test photographs and cut-outs that were held out. `Composed` reads them.
"""

import argparse
import json
import tarfile
from collections import Counter
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from models import efficientnet, vision
from models.efficientnet import FEATURES, GRID
from models.subwords import END, Vocabulary
from models.training import composed_stamps
from models.training.__main__ import ROOT, data_folder
from models.training.composed_scenes import Material, Scene, cut_out, mosaic
from models.training.features import ARCHIVE
from models.training.pairs import IGNORED
from models.training.photographs import LONGEST, CaptionBatch, Captions

CELLS, LINES = "composed.f16", "composed.jsonl"
SORTS = {"cut-out": cut_out, "mosaic": mosaic}
BATCH = 16


def plan(train: int, test: int) -> list[tuple[str, str, str]]:
    """Part, sort and seed of each picture: cut-out scenes for the test, and so many of either sort
    for training, interleaved. More for training can be added to them later."""
    held_out = [("test", "cut-out", f"test {k}") for k in range(test)]
    return held_out + [("train", sort, str(k)) for k in range(train) for sort in SORTS]


def materials(data: Captions, archive: tarfile.TarFile, stamps: Path) -> dict[str, Material]:
    """What either part is made of."""
    members = {Path(m.name).name: m for m in archive if m.name.endswith(".jpg")}
    normal = data.vocabulary.tokenizer.normalizer.normalize_str
    table = composed_stamps.table()
    words = (
        w for name in data.split["train"] for c in data.captions[name] for w in normal(c).split()
    )
    counts = Counter(words)

    def photograph(name: str):
        return vision.read(archive.extractfile(members[name]).read()).image

    return {
        part: Material(
            sorted(data.split[part]),
            {name: [normal(text) for text in data.captions[name]] for name in data.split[part]},
            photograph,
            tuple(stamp for stamp in table if stamp.part == part),
            stamps,
            counts,
        )
        for part in ("train", "test")
    }


def to_json(part: str, sort: str, seed: str, scene: Scene) -> str:
    """A picture as a line, without its pixels."""
    line = {
        "part": part,
        "sort": sort,
        "seed": seed,
        "photographs": scene.photographs,
        "regions": [asdict(region) for region in scene.regions],
        "captions": [sentence.text for sentence in scene.captions],
        "marks": [sentence.marks for sentence in scene.captions],
    }
    return json.dumps(line)


def open_cells(file: Path, count: int, mode: str = "r") -> np.memmap:
    """Cells (picture, 49, 1280) as float16."""
    return np.memmap(file, np.float16, mode, shape=(count, GRID * GRID, FEATURES))


@torch.no_grad()
def encode(folder: Path, stamps: Path, out: Path, pictures: list[tuple[str, str, str]]) -> None:
    """Compose and encode what is not there yet: a line is written when its row is complete.
    Raises `ValueError` where other pictures are there."""
    out.mkdir(parents=True, exist_ok=True)
    file, lines = out / CELLS, out / LINES
    text = lines.read_text("utf-8") if lines.exists() else ""
    there = [json.loads(line) for line in text.splitlines()]
    if [(one["part"], one["sort"], one["seed"]) for one in there] != pictures[: len(there)]:
        raise ValueError(f"{lines} is of other pictures: remove it and {file.name}")
    first = len(there)
    with file.open("ab") as grown:
        grown.truncate(len(pictures) * GRID * GRID * FEATURES * 2)
    cells = open_cells(file, len(pictures), "r+")
    encoder = efficientnet.load()
    with tarfile.open(folder / ARCHIVE) as archive, lines.open("a", encoding="utf-8") as log:
        material = materials(Captions(folder), archive, stamps)
        for start in tqdm(range(first, len(pictures), BATCH), mininterval=5):
            some = pictures[start : start + BATCH]
            scenes = [SORTS[sort](material[part], seed) for part, sort, seed in some]
            x = torch.stack([vision.to_tensor(scene.image) for scene in scenes])
            found = encoder(x).flatten(2).transpose(1, 2)  # (B, 49, 1280)
            cells[start : start + len(some)] = found.half().numpy()
            cells.flush()
            for made, scene in zip(some, scenes, strict=True):
                log.write(to_json(*made, scene) + "\n")
            log.flush()


class Composed:
    """The composed pictures that `encode` wrote to a folder: as far as it got.

    `parts` has the rows of train and of test. `batch` gives a `CaptionBatch` with `cover` (T, B,
    49): for a word that names something, the share of each cell that it fills.
    """

    def __init__(self, features: Path, vocabulary: Vocabulary):
        text = (features / LINES).read_text("utf-8")
        self.pictures = [json.loads(line) for line in text.splitlines()]
        self.cells = open_cells(features / CELLS, len(self.pictures))
        self.vocabulary = vocabulary

    @cached_property
    def parts(self) -> dict[str, list[int]]:
        """Rows of each part."""
        found: dict[str, list[int]] = {"train": [], "test": []}
        for row, picture in enumerate(self.pictures):
            found[picture["part"]].append(row)
        return found

    def grids(self, rows: list[int]) -> Tensor:
        """Cells (P, 49, 1280) float32."""
        return torch.from_numpy(self.cells[rows].astype(np.float32))

    def batch(self, rows: list[int]) -> CaptionBatch:
        """Pictures with all their captions."""
        owners, targets, marks = [], [], []
        for k, row in enumerate(rows):
            picture = self.pictures[row]
            regions = torch.tensor([region["cover"] for region in picture["regions"]])
            encoded = self.vocabulary.encode_many(picture["captions"])
            for ids, named in zip(encoded, picture["marks"], strict=True):
                cut = ids if len(ids) <= LONGEST else [*ids[: LONGEST - 1], END]
                for word, numbers in named:
                    if word < len(cut) - 1:
                        # Two things do not hide one another: what is hidden is not counted.
                        marks.append((word, len(owners), regions[numbers].sum(0)))
                owners.append(k)
                targets.append(cut)
        longest = max(map(len, targets))
        target = torch.tensor([ids + [IGNORED] * (longest - len(ids)) for ids in targets]).t()
        cover = torch.zeros(longest, len(targets), self.cells.shape[1])
        for word, column, share in marks:
            cover[word, column] = share
        return CaptionBatch(self.grids(rows), torch.tensor(owners), target.contiguous(), cover)

    def epoch(self, number: int, seed: int, pictures: int):
        """Batches of so many training pictures in random order, for an epoch of any length: when
        all have been shown they are shown again in another order. Raises `ValueError` where there
        are not so many."""
        random = Random(f"{seed} {number}")
        rows = self.parts["train"].copy()
        if not 0 < pictures <= len(rows):
            raise ValueError(f"{pictures} pictures at a time of {len(rows)}")
        while True:
            random.shuffle(rows)
            for first in range(0, len(rows) - pictures + 1, pictures):
                yield self.batch(sorted(rows[first : first + pictures]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m models.training.composed", description=__doc__)
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--stamps", type=Path, default=composed_stamps.FOLDER)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "features")
    parser.add_argument("--train", type=int, default=3000, help="pictures of either sort")
    parser.add_argument("--test", type=int, default=600)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    encode(asked.data, asked.stamps, asked.out, plan(asked.train, asked.test))
