"""A checkpoint of captions at work: it looks at the cells of a picture and writes (`writing`).

Soft attention takes the mean of all cells. Hard attention looks at one: the likeliest, or, with a
seed, one that is drawn from the weights. The draw of a step depends on the seed and the number of
the step alone, so that a caption that is taken up again, or made to look elsewhere before, goes on
with the same numbers. A search takes the likeliest cell: its paths are then comparable.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from models.beam import Beam
from models.calibration import Calibrated, read_calibration
from models.captioner import Captioner, CaptionerConfig
from models.checkpoint import CheckpointError, CheckpointFiles, config_of, fill
from models.efficientnet import FEATURES, GRID
from models.products import Products
from models.sampling import uniform
from models.subwords import Vocabulary
from models.trace import Point, choose
from models.writing import End, Look, Step, check, memory_points, points_of, write

FILE = "target.tokenizer.json"


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs a checkpoint of captions. Raises `CheckpointError`, naming what is wrong."""
    config = config_of(CaptionerConfig, files.about)
    if (config.grid, config.feature_size) != (GRID, FEATURES):
        raise CheckpointError(
            f"the encoder gives {GRID} x {GRID} cells of {FEATURES} features, "
            f"config.json says {config.grid} x {config.grid} of {config.feature_size}"
        )
    if FILE not in files.tokenizers:
        raise CheckpointError(f"{FILE} is missing")
    vocabulary = Vocabulary.read(files.tokenizers[FILE])
    if len(vocabulary) != config.target_size:
        raise CheckpointError(
            f"{FILE} holds {len(vocabulary)} tokens, config.json says target_size "
            f"{config.target_size}"
        )
    calibration = read_calibration(files.about)
    with torch.device("meta"):
        network = Captioner(config)
    fill(network, files.weights)
    return Describer(network, vocabulary, calibration)


def likeliest(index: int, weights: Tensor) -> Tensor:
    """The cell of the greatest weight in each row (B, S)."""
    return weights.argmax(-1)


def drawn(seed: int) -> Look:
    """Cells that are drawn from the weights."""

    def look(index: int, weights: Tensor) -> Tensor:
        sums = weights.double().cumsum(-1)  # (B, S)
        found = torch.searchsorted(sums, uniform(seed, index) * sums[:, -1:], right=True)
        return found[:, 0].clamp(max=weights.shape[1] - 1)

    return look


class Describer(Calibrated):
    """What the server runs: `picture_points` of the cells of a picture, and its `caption`."""

    kind, tasks = Captioner.kind, Captioner.tasks

    def __init__(
        self,
        network: Captioner,
        target: Vocabulary,
        calibration: Mapping[str, list[float]] | None = None,
    ):
        self.network, self.target, self.calibration = network, target, calibration or {}
        self.attends = self.forces = network.attention is not None
        self.hard = network.config.attention == "hard"
        network.linear = Products()
        if self.attends:
            network.attention.linear = network.linear
        self.target_tokens = target.tokens
        side = network.config.grid
        self.grid = {"row": side, "column": side}
        self.points = self._points()
        # The sizes of each but the token's: the network has the cells in one row.
        self._shapes = {p.name: [n for n in p.shape if n is not None] for p in self.points}

    def _points(self) -> list[Point]:
        C = self.network.config.context_size
        places, sizes = tuple(self.grid), tuple(self.grid.values())
        points = [
            Point("annotation", (*places, "unit"), "real", (*sizes, C)),
            *points_of(self.network, "token", self.grid, "real"),
        ]
        if self.network.gate is not None:
            points.append(Point("gate", ("token",), "unit", (None,)))
        return points

    def _shaped(self, found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: value.reshape(self._shapes[name]) for name, value in found.items()}

    @torch.no_grad()
    def picture_points(self, cells: Tensor, names: Collection[str] | None) -> dict[str, np.ndarray]:
        """The points asked for (None: all) that do not depend on what is written; cells (1, S, F),
        row by row of the grid."""
        wanted = choose(names, (point.name for point in self.points))
        found = memory_points(self.network, self.network.read(cells)[0])
        return self._shaped({name: found[name] for name in found if name in wanted})

    def caption(
        self,
        cells: Tensor,
        beam_size: int = 1,
        length_penalty: float = 1.0,
        max_new_tokens: int = 30,
        prefix: Sequence[int] = (),
        force: Mapping[int, int] | None = None,
        seed: int | None = None,
        points: Collection[str] | None = None,
    ) -> Iterator[Beam | Step | End]:
        """Write a caption: the steps of the search, of the text it found, and its end.

        `cells` are (1, S, F). `prefix` is written first, whatever its probability, and
        `max_new_tokens` after it at most. `force` maps a step to the cell that it has to look at.
        With a `seed` a hard network draws its cells. Raises ValueError for what cannot be done,
        and `UnknownPoint`.
        """
        check(self.network, self.target_tokens, cells.shape[1], prefix, force or {})
        if seed is not None and not (self.hard and beam_size == 1):
            raise ValueError("only a hard network draws its cells, and with a beam of one")
        look = likeliest if seed is None else drawn(seed)
        return self._write(
            cells,
            beam_size=beam_size,
            length_penalty=length_penalty,
            limit=len(prefix) + max_new_tokens,
            prefix=tuple(prefix),
            force=force or {},
            points=choose(points, (point.name for point in self.points)),
            look=look if self.hard else None,
        )

    def _write(self, cells: Tensor, **options) -> Iterator[Beam | Step | End]:
        with torch.no_grad():
            memory, state = self.network.read(cells)

        def text(token_ids: Sequence[int], looks: Sequence[int | None]) -> str:
            return self.target.join(token_ids)

        for item in write(self.network, memory, state, text, **options):
            if isinstance(item, Step):
                weights = item.attention
                if weights is not None:
                    weights = weights.reshape(tuple(self.grid.values()))
                item = replace(item, attention=weights, points=self._shaped(item.points))
            yield item
