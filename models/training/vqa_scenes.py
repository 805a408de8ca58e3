"""Drawn scenes for training: their grids from the encoder, made once, and questions about them.

10,000 scenes of 49 fine cells with 448 float16 numbers are 440 MB in one file that is mapped into
memory; a seed is its row. Drawing and encoding take about five minutes on one core, and go on where
an earlier run stopped.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from models import efficientnet, vision
from models.efficientnet import FINE_FEATURES, GRID
from models.questions import ANSWERS, Asked, questions, vocabulary
from models.scenes import SIDE, Scene, Thing, arrange, draw
from models.subwords import END

SPLITS = {  # seeds
    "test": range(1_000),
    "validation": range(1_000, 2_000),
    "train": range(2_000, 10_000),
}
COUNT = 10_000
BATCH = 16
FILE, DONE = "scenes.f16", "scenes-done.txt"
CELL = SIDE / GRID  # pixels
COVERED = 0.25  # share of a cell that a box covers where the cell counts as of the thing


@dataclass(frozen=True)
class QuestionBatch:
    """Questions about some scenes, and where the things that they are about lie."""

    cells: Tensor  # (P, S, F) float32
    scene: Tensor  # (B,) which of them a question is about
    ids: Tensor  # (T, B), padded with the end mark
    lengths: Tensor  # (B,)
    answer: Tensor  # (B,) numbers of ANSWERS
    named: Tensor  # (B, S) 1 for the cells of the one thing that is named; else 0
    found: Tensor  # (B, S) 1 for the cells of the one thing that it is answered from; else 0
    centres: Tensor  # (B, S) 1 for the cell with the centre of each thing that counts
    counts: Tensor  # (B,) True where things are counted or looked for
    asked: list[Asked]


class DrawnScenes:
    """Scenes, their grids and their questions. `folder` is where the grids are kept, and made if
    they are not."""

    split = SPLITS

    def __init__(self, folder: Path):
        extract(folder)
        self.grids = open_grids(folder / FILE)
        self.vocabulary = vocabulary()

    def cells(self, seeds: Sequence[int]) -> Tensor:
        """Cells (P, S, F) of scenes."""
        return torch.from_numpy(self.grids[list(seeds)].astype(np.float32))

    @cached_property
    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each feature over the training cells, float32 (F,)."""
        total, squares, count = 0.0, 0.0, 0
        for first in range(0, len(SPLITS["train"]), 500):
            cells = self.grids[SPLITS["train"][first : first + 500]].astype(np.float32)
            cells = cells.reshape(-1, cells.shape[-1])
            total = total + cells.sum(0, dtype=np.float64)
            squares = squares + np.square(cells).sum(0, dtype=np.float64)
            count += len(cells)
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 1e-6))
        return torch.from_numpy(mean).float(), torch.from_numpy(deviation).float()

    def steps(self, scenes: int) -> int:
        """Batches of so many scenes in an epoch."""
        return -(-len(SPLITS["train"]) // scenes)

    def epoch(self, number: int, seed: int, scenes: int) -> Iterator[QuestionBatch]:
        """Batches of so many training scenes in random order, with questions of this epoch."""
        order = list(SPLITS["train"])
        Random(f"{seed} {number}").shuffle(order)
        for first in range(0, len(order), scenes):
            yield self.batch(order[first : first + scenes], f"{seed} {number}")

    def part(self, name: str, scenes: int = 50) -> Iterator[QuestionBatch]:
        """Batches of all scenes of a split, with the same questions every time."""
        for first in range(0, len(SPLITS[name]), scenes):
            yield self.batch(list(SPLITS[name][first : first + scenes]), 0)

    def batch(self, seeds: list[int], question_seed: int | str) -> QuestionBatch:
        """Questions of every kind about the scenes of these seeds."""
        owners, asked, named, found, centres = [], [], [], [], []
        for k, seed in enumerate(seeds):
            scene = arrange(seed)
            for one in questions(scene, question_seed):
                owners.append(k)
                asked.append(one)
                named.append(_all(scene, one.named, covered))
                found.append(_all(scene, one.found if one.named else (), covered))
                centres.append(_all(scene, one.found, centre))
        rows = [torch.tensor(ids) for ids in self.vocabulary.encode_many([a.text for a in asked])]
        return QuestionBatch(
            self.cells(seeds),
            torch.tensor(owners),
            torch.nn.utils.rnn.pad_sequence(rows, padding_value=END),
            torch.tensor([len(row) for row in rows]),
            torch.tensor([ANSWERS.index(one.answer) for one in asked]),
            torch.from_numpy(np.stack(named)),
            torch.from_numpy(np.stack(found)),
            torch.from_numpy(np.stack(centres)),
            torch.tensor([not one.named for one in asked]),
            asked,
        )


class Unseen:
    """The same questions without the pictures: every cell is the mean of all."""

    def __init__(self, data: DrawnScenes):
        self.data, self.vocabulary, self.statistics = data, data.vocabulary, data.statistics
        self.steps = data.steps

    def epoch(self, *which) -> Iterator[QuestionBatch]:
        """As in `DrawnScenes`."""
        return self.hide(self.data.epoch(*which))

    def part(self, *which) -> Iterator[QuestionBatch]:
        """As in `DrawnScenes`."""
        return self.hide(self.data.part(*which))

    def hide(self, batches: Iterable[QuestionBatch]) -> Iterator[QuestionBatch]:
        """Batches with nothing to see."""
        for one in batches:
            yield replace(one, cells=self.statistics[0].expand(one.cells.shape))


def _nothing() -> np.ndarray:
    return np.zeros(GRID * GRID, np.float32)


def _all(scene: Scene, numbers: tuple[int, ...], cells: Callable[[Thing], np.ndarray]):
    return sum((cells(scene.things[n]) for n in numbers), _nothing())


def covered(thing: Thing) -> np.ndarray:
    """1 for the cells (S,) that the thing's box covers to a share of COVERED, else 0."""
    left, top, right, bottom = thing.box
    edge = np.arange(GRID) * CELL

    def overlap(low: float, high: float) -> np.ndarray:
        return np.clip(np.minimum(high, edge + CELL) - np.maximum(low, edge), 0, CELL) / CELL

    shares = overlap(top, bottom)[:, None] * overlap(left, right)[None]
    return (shares >= COVERED).astype(np.float32).ravel()


def centre(thing: Thing) -> np.ndarray:
    """1 for the cell (S,) that has the thing's centre, else 0."""
    found = _nothing()
    found[int(thing.y // CELL) * GRID + int(thing.x // CELL)] = 1
    return found


def open_grids(file: Path, mode: str = "r") -> np.memmap:
    """Grids (scene, 49, 448) as float16."""
    return np.memmap(file, np.float16, mode, shape=(COUNT, GRID * GRID, FINE_FEATURES))


@torch.no_grad()
def extract(folder: Path) -> None:
    """Draw and encode every scene that is not in the file yet."""
    folder.mkdir(parents=True, exist_ok=True)
    file, done = folder / FILE, folder / DONE
    first = int(done.read_text()) if done.exists() and file.exists() else 0
    if first == COUNT:
        return
    grids = open_grids(file, "r+" if file.exists() else "w+")
    encoder = efficientnet.load()
    for start in tqdm(range(first, COUNT, BATCH), "drawn scenes", mininterval=5):
        images = [draw(seed)[0] for seed in range(start, min(start + BATCH, COUNT))]
        pixels = torch.stack([vision.to_tensor(image) for image in images])
        grids[start : start + len(images)] = encoder.fine_cells(pixels).half().numpy()
        grids.flush()
        done.write_text(str(start + len(images)))
