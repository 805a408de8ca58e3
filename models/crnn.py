"""A network that reads a line of text in a picture: convolutions, recurrent layers, CTC.

Source: Shi, Bai, Yao 2015 (arXiv:1507.05717). Seven convolutions in the manner of VGG turn a grey
picture into a row of vectors, one a column of about four pixels: what is left of the height is
averaged. Recurrent layers read the row in both directions, with a linear map after each, and a last
map scores the symbols and a blank in every column:

    v_t = mean over the height of conv(picture)        u_t = W_l [forward h_t; backward h_t] + b_l
    p_t = softmax(W u_t + b)

The text is what is left of the likeliest symbols when repetitions are merged and blanks dropped
(Graves et al. 2006, connectionist temporal classification). The height is averaged as in Baek et
al. 2019 (arXiv:1904.01906); in the first paper it is read away by the convolutions alone.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from models import lines
from models.cells import LAYERS, Recurrent
from models.checkpoint import (
    CheckpointError,
    CheckpointFiles,
    check_choice,
    check_sizes,
    config_of,
    fill,
)
from models.listed import mark_of
from models.trace import Point, choose

NARROWEST = 16  # pixels: of fewer nothing is left after the convolutions
LIKELY = 5  # symbols of a column that are told


@dataclass(frozen=True)
class CRNNConfig:
    """Everything that fixes the shapes."""

    cell: str  # lstm or gru
    channels: tuple[int, ...]  # of the four stages of convolutions
    hidden_size: int  # of one direction
    linear_size: int  # numbers between the recurrent layers
    num_layers: int
    classes: int  # symbols, the blank among them
    height: int = 64  # pixels of a picture

    def __post_init__(self):
        if isinstance(self.channels, list):
            object.__setattr__(self, "channels", tuple(self.channels))

    def check(self) -> None:
        """Refuse sizes that no checkpoint of this kind has, before memory is taken for them."""
        check_choice(self, "cell", LAYERS)
        channels = self.channels
        if not isinstance(channels, tuple) or len(channels) != 4:
            raise CheckpointError(f"channels is {channels!r}, expected four integers")
        if any(type(one) is not int or not 1 <= one <= 4096 for one in channels):
            raise CheckpointError(f"channels is {channels!r}, expected integers 1..4096")
        bounds = {
            "hidden_size": (1, 8192),
            "linear_size": (1, 8192),
            "num_layers": (1, 16),
            "classes": (2, 1 << 17),
            "height": (32, 512),
        }
        check_sizes(self, bounds)

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return {**asdict(self), "channels": list(self.channels)}


class FixedNorm(nn.Module):
    """Batch normalisation by the means and variances that training left."""

    def __init__(self, channels: int):
        super().__init__()
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.register_buffer(name, torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """x (B, C, H, W) -> the same shape."""
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias)


def features(channels: Sequence[int]) -> nn.Sequential:
    """The convolutions. Their numbers in the row are part of the names of the weights."""
    a, b, c, d = channels
    wide = {"kernel_size": 3, "padding": 1}
    return nn.Sequential(
        *(nn.Conv2d(1, a, **wide), nn.ReLU(), nn.MaxPool2d(2)),  # H / 2, W / 2
        *(nn.Conv2d(a, b, **wide), nn.ReLU(), nn.MaxPool2d(2)),  # H / 4, W / 4
        *(nn.Conv2d(b, c, **wide), nn.ReLU()),
        *(nn.Conv2d(c, c, **wide), nn.ReLU(), nn.MaxPool2d((2, 1))),  # H / 8, W / 4
        *(nn.Conv2d(c, d, bias=False, **wide), FixedNorm(d), nn.ReLU()),
        *(nn.Conv2d(d, d, bias=False, **wide), FixedNorm(d), nn.ReLU(), nn.MaxPool2d((2, 1))),
        *(nn.Conv2d(d, d, kernel_size=2), nn.ReLU()),  # H / 16 - 1, W / 4 - 1
    )


class CRNN(nn.Module):
    """`forward` maps pictures (B, 1, H, W) to logits (T, B, classes), T = W // 4 - 1."""

    kind = "crnn"
    tasks = ("read",)

    def __init__(self, config: CRNNConfig):
        super().__init__()
        self.config = config
        H, U, layer = config.hidden_size, config.linear_size, LAYERS[config.cell]
        widths = [config.channels[-1], *[U] * (config.num_layers - 1)]
        self.features = features(config.channels)
        self.rnn = nn.ModuleList(layer(width, H, bidirectional=True) for width in widths)
        self.linear = nn.ModuleList(nn.Linear(2 * H, U) for _ in widths)
        self.output = nn.Linear(U, config.classes)

    def look(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 1, H, W) -> a vector a column, (T, B, C)."""
        return self.features(pictures).mean(2).permute(2, 0, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 1, H, W), -1 black to 1 white -> logits (T, B, classes)."""
        x = self.look(pictures)
        for rnn, linear in zip(self.rnn, self.linear, strict=True):
            x = linear(rnn(x)[0])
        return self.output(x)


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs such a checkpoint. Raises `CheckpointError`, naming what is wrong."""
    config = config_of(CRNNConfig, files.about)
    symbols = files.vocabulary
    if symbols is None:
        raise CheckpointError("vocabulary.json is missing")
    if len(symbols) != config.classes:
        raise CheckpointError(
            f"vocabulary.json holds {len(symbols)} symbols, config.json says {config.classes}"
        )
    with torch.device("meta"):
        network = CRNN(config)
    fill(network, files.weights)
    return LineReader(network, symbols)


@dataclass(frozen=True)
class Character:
    """One symbol that was read: the columns that it was merged from."""

    symbol: str
    start: int
    stop: int
    probability: float  # the highest of them


@dataclass(frozen=True)
class LineRead:
    """A picture that was read."""

    pixels: np.ndarray  # (height, W) grey, as the network saw it
    centres: np.ndarray  # (T,) of each column, in pixels from the left
    token_ids: list[int]  # the likeliest of each column
    probabilities: np.ndarray  # (T, classes)
    characters: list[Character]
    text: str
    points: dict[str, np.ndarray]


class LineReader:
    """What the server runs: it reads a line of text in a picture."""

    kind, tasks = CRNN.kind, CRNN.tasks

    def __init__(self, network: CRNN, symbols: Sequence[str]):
        self.network, self.config, self.symbols = network, network.config, list(symbols)
        blanks = [k for k, symbol in enumerate(symbols) if mark_of(symbol) == "padding"]
        self.blank = blanks[0] if blanks else 0
        self.layers = [Recurrent(self.config.cell, dict(one.state_dict())) for one in network.rnn]
        C, U = self.config.channels[-1], self.config.linear_size
        self.points = [Point("features.v", ("time", "unit"), "real", (None, C))]
        for number, layer in enumerate(self.layers):
            self.points += [
                Point(_name(p.name, number), p.axes, p.range, p.shape) for p in layer.points
            ]
            self.points.append(Point(f"linear.{number}.u", ("time", "unit"), "real", (None, U)))
        shape = (None, self.config.classes)
        self.points.append(Point("probabilities", ("time", "token"), "probability", shape))

    def picture(self, text: str) -> Image.Image:
        """A text drawn as a line. Raises `lines.NotDrawn`."""
        return lines.draw(text)

    def columns(self, width: int, height: int) -> int:
        """How many columns a picture of such sides is read in."""
        return max(NARROWEST, round(width * self.config.height / height)) // 4 - 1

    @torch.no_grad()
    def read(self, image: Image.Image, points: Collection[str] | None = None) -> LineRead:
        """Read a picture, with the points asked for (None: all). Raises `UnknownPoint`, and
        `PictureError` for a picture that is too wide."""
        wanted = choose(points, (point.name for point in self.points))
        pixels = lines.fit(image, self.config.height, NARROWEST)  # (height, W)
        grey = torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1.0)
        x = self.network.look(grey[None, None])  # (T, 1, C)
        found = {"features.v": x}
        for number, (layer, linear) in enumerate(
            zip(self.layers, self.network.linear, strict=True)
        ):
            asked = [p.name for p in layer.points if _name(p.name, number) in wanted]
            run = layer.run(x.contiguous(), None, asked)
            found |= {_name(name, number): value for name, value in run.points.items()}
            x = found[f"linear.{number}.u"] = linear(run.output)  # (T, 1, U)
        found["probabilities"] = self.network.output(x).softmax(-1)
        p = found["probabilities"][:, 0].numpy()  # (T, classes)
        token_ids = p.argmax(-1).tolist()
        characters = self.merge(token_ids, p)
        return LineRead(
            pixels,
            4.0 * np.arange(len(p)) + 4.0,  # two poolings by 2, then two columns seen at once
            token_ids,
            p,
            characters,
            "".join(one.symbol for one in characters),
            {name: value[:, 0].numpy() for name, value in found.items() if name in wanted},
        )

    def merge(self, token_ids: Sequence[int], probabilities: np.ndarray) -> list[Character]:
        """What columns say: repetitions merged, blanks dropped."""
        found, at = [], 0
        for number, group in groupby(token_ids):
            stop = at + len(list(group))
            if number != self.blank:
                best = float(probabilities[at:stop, number].max())
                found.append(Character(self.symbols[number], at, stop, best))
            at = stop
        return found


def _name(name: str, layer: int) -> str:
    """`rnn.0.reverse.h` of a layer's own -> `rnn.1.reverse.h` of the second."""
    return f"rnn.{layer}{name[len('rnn.0') :]}"
