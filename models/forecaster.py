"""A network that reads numbers: a window of a series goes in, the value after it comes out.

A `torch.nn` RNN, LSTM or GRU with its own parameter names under `rnn.`, whose input is one
number a step; one linear layer turns the state after the last step into the forecast. Unlike a
character model it has no vocabulary: its alphabet is a scale (`low`, `high`), with which series
are brought to about 0..1 and forecasts brought back.
"""

import math
from collections.abc import Collection
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import get_args

import torch
from torch import Tensor, nn

from models.airline import Scale
from models.cells import LAYERS, CellName, Recurrent
from models.checkpoint import (
    CheckpointError,
    CheckpointFiles,
    check_choice,
    check_sizes,
    config_of,
    fill,
)
from models.trace import Point, choose


@dataclass(frozen=True)
class ForecasterConfig:
    """Everything that fixes the shapes of a forecaster, and its scale."""

    cell: CellName
    hidden_size: int = 4
    num_layers: int = 1
    window: int = 12  # steps that it reads before it forecasts
    low: float = 0.0  # the value that is 0 to the network
    high: float = 1.0  # the value that is 1 to the network

    @property
    def scale(self) -> Scale:
        """From values to what the network reads, and back."""
        return Scale(self.low, self.high - self.low)

    def check(self) -> None:
        """Refuse sizes and scales that no checkpoint of this kind has."""
        check_choice(self, "cell", get_args(CellName))
        check_sizes(self, {"hidden_size": (1, 8192), "num_layers": (1, 16), "window": (1, 4096)})
        for name in ("low", "high"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not math.isfinite(value):
                raise CheckpointError(f"{name} is {value!r}, expected a finite number")
        if self.low >= self.high:
            raise CheckpointError(f"high is {self.high}, expected more than low, {self.low}")

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return asdict(self)


class Forecaster(nn.Module):
    """The value after a window. `forward` maps scaled x (B, T, 1) to scaled y (B, 1)."""

    kind = "forecaster"
    tasks = ("forecast",)

    def __init__(self, config: ForecasterConfig):
        super().__init__()
        self.config = config
        self.rnn = LAYERS[config.cell](1, config.hidden_size, config.num_layers, batch_first=True)
        self.output = nn.Linear(config.hidden_size, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scaled windows (B, T, 1) -> the scaled value after each (B, 1)."""
        hidden, _ = self.rnn(x)  # (B, T, H)
        return self.output(hidden[:, -1])

    @torch.no_grad()
    def initialize(self, generator: torch.Generator) -> "Forecaster":
        """Seeded start, as `torch.nn` starts: every number uniform in +-1/sqrt(hidden_size)."""
        bound = self.config.hidden_size**-0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        return self


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs a forecaster. Raises `CheckpointError`, naming the tensor."""
    config = config_of(ForecasterConfig, files.about)
    with torch.device("meta"):
        network = Forecaster(config)
    fill(network, files.weights)
    return ForecastRunner(network.to(device))


class ForecastRunner:
    """A forecaster at work, in the units of the series."""

    kind, tasks = Forecaster.kind, Forecaster.tasks

    def __init__(self, network: Forecaster):
        self.network, self.config = network, network.config
        self.recurrent = Recurrent(network.config.cell, dict(network.rnn.state_dict()))

    @cached_property
    def points(self) -> list[Point]:
        """The points of the layers, then the prediction after each step (scaled)."""
        return [*self.recurrent.points, Point("prediction", ("time",), "real", (None,))]

    @torch.no_grad()
    def predict(self, windows: Tensor) -> Tensor:
        """Windows (B, T), in the units of the series -> the value after each (B,)."""
        scale = self.config.scale
        x = scale.apply(windows).to(self.network.output.weight.device)
        return scale.undo(self.network(x[:, :, None])[:, 0]).cpu()

    def fitted(self, values: Tensor) -> Tensor:
        """One step ahead, each from the true values before it: (N,) -> (N - window,)."""
        return self.predict(values.unfold(0, self.config.window, 1)[:-1])

    def ahead(self, values: Tensor, steps: int) -> Tensor:
        """`steps` values after the last, each forecast read as if it had been true: (steps,)."""
        read = values[-self.config.window :]
        for _ in range(steps):
            after = self.predict(read[None, -self.config.window :])
            read = torch.cat([read, after])
        return read[len(read) - steps :]

    @torch.no_grad()
    def look(self, window: Tensor, points: Collection[str] | None = None) -> dict[str, Tensor]:
        """The points of one window (T,), given in the units of the series.

        float32 (T, H) by name; `prediction` is (T,), scaled. Raises `UnknownPoint`.
        """
        known = [point.name for point in self.points]
        asked = choose(points, known)
        names = [name for name in known if name in asked]
        device = self.network.output.weight.device
        x = self.config.scale.apply(window).to(device)[:, None, None]  # (T, 1, 1)
        run = self.recurrent.run(x, None, [name for name in names if name != "prediction"])
        found = {name: value[:, 0] for name, value in run.points.items()}
        found["prediction"] = self.network.output(run.output[:, 0])[:, 0]
        return {name: found[name] for name in names}
