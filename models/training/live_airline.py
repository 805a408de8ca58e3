"""The forecasters of airline passengers while they learn: `airline-rnn`, `-lstm`, `-gru`.

All pairs of the training part in one batch, Adam, the mean squared error of the scaled numbers.
The scale is a parameter, because a wrong one teaches something:

    range     (v - min) / (max - min), and back with the same two numbers
    maximum   (v - min) / max, and back with the same two numbers: the numbers that are learned are
              smaller, and with them the loss, and the forecasts no better for it
    mixed     (v - min) / max, and back as if it had been `range`: every forecast is off, whatever
              the loss says
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from torch.nn import functional as F

from models import airline
from models.airline import Scale
from models.cells import CellName
from models.forecaster import Forecaster, ForecasterConfig
from models.trace import Point
from models.training.adam import Adam
from models.training.live import (
    Frame,
    Parameter,
    Parameters,
    Recipe,
    finite,
    gradient_norm,
    kept_epochs,
)

CELLS: dict[str, CellName] = {"rnn": "rnn_tanh", "lstm": "lstm", "gru": "gru"}
SCALES = ("range", "maximum", "mixed")


def parameters() -> tuple[Parameter, ...]:
    """What can be chosen."""
    return (
        Parameter("window", 12, "months that the network reads before it forecasts", 2, 36),
        Parameter("hidden_size", 4, "units of the layer", 1, 16),
        Parameter("epochs", 2000, "times that all windows are read", 1, 3000),
        Parameter("learning_rate", 0.01, "step size of Adam", 0.0001, 1.0),
        Parameter("seed", 0, "of the first weights", 0, (1 << 31) - 1),
        Parameter(
            "scale",
            "range",
            "how passengers become numbers near 0..1: divided by maximum minus minimum (range), by "
            "the maximum (maximum), or by the maximum and undone as if by the range (mixed)",
            choices=SCALES,
        ),
    )


def scales(name: str) -> tuple[Scale, Scale]:
    """How values are scaled, and how forecasts are brought back."""
    train = airline.series()[airline.TRAIN]
    right, wrong = Scale.fit(train), Scale.divided_by_maximum(train)
    return {"range": (right, right), "maximum": (wrong, wrong), "mixed": (wrong, right)}[name]


def fixed(asked: Parameters) -> Frame:
    """The series and its parts, and the errors of two forecasts that need no network."""
    values, test = airline.series(), airline.TEST
    figures = {
        "first_year": airline.FIRST_YEAR,
        "first_forecast": asked["window"],  # the month of the first prediction
        "train_stop": airline.TRAIN.stop,
        "test_start": test.start,
        "naive_rmse": airline.rmse(airline.naive(values, test), values[test]),
        "seasonal_rmse": airline.rmse(airline.seasonal_naive(values, test), values[test]),
    }
    return Frame(0, figures, {"series": values.numpy()})


def run(cell: CellName, asked: Parameters) -> Iterator[Frame | None]:
    """A frame after each epoch that has one, else None."""
    window, epochs = asked["window"], asked["epochs"]
    values = airline.series()
    forward, back = scales(asked["scale"])
    scaled = forward.apply(values)
    x, y = airline.part(scaled, window, airline.TRAIN)  # (N, window, 1), (N, 1)
    everything, _ = airline.windows(scaled, window)  # (144 - window, window, 1)
    config = ForecasterConfig(cell, asked["hidden_size"], window=window)
    network = Forecaster(config).initialize(torch.Generator().manual_seed(asked["seed"]))
    optimizer = Adam(network.parameters(), lr=asked["learning_rate"])

    kept = set(kept_epochs(epochs))
    losses: list[float] = []
    for epoch in range(epochs + 1):
        loss = F.mse_loss(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        losses.append(finite(loss.item(), epoch))
        if epoch in kept:
            yield _frame(network, epoch, values, back, everything, losses)
            losses = []
        else:
            yield None
        if epoch < epochs:
            optimizer.step()


@torch.no_grad()
def _frame(
    network: Forecaster,
    epoch: int,
    values: torch.Tensor,
    back: Scale,
    windows: torch.Tensor,
    losses: list[float],
) -> Frame:
    hidden, _ = network.rnn(windows)  # (N, window, H)
    predicted = back.undo(network.output(hidden[:, -1])[:, 0])  # (N,)
    first = len(values) - len(predicted)

    def error(which: slice) -> float:
        start = max(first, which.start)
        return airline.rmse(
            predicted[start - first : which.stop - first], values[start : which.stop]
        )

    return Frame(
        epoch,
        {
            "loss": losses[-1],
            "train_rmse": error(airline.TRAIN),
            "test_rmse": error(airline.TEST),
            "gradient_norm": gradient_norm(network),
        },
        {
            "losses": np.array(losses, np.float32),
            "predictions": predicted.numpy(),
            "rnn.0.h": hidden[-1].numpy(),  # of the last window
            "weight_hh_l0": network.rnn.weight_hh_l0.numpy().copy(),
        },
    )


def recipe(name: str) -> Recipe:
    """The recipe of a cell."""
    return Recipe(
        name=f"airline-{name}",
        help="The next month's airline passengers from the months before it.",
        checkpoint=f"airline-{name}",
        parameters=parameters(),
        points=(
            Point("series", ("time",), "real", (None,)),
            Point("losses", ("epoch",), "real", (None,)),
            Point("predictions", ("time",), "real", (None,)),
            Point("rnn.0.h", ("time", "unit"), "signed", (None, None)),
            Point("weight_hh_l0", ("gate and unit", "unit"), "real", (None, None)),
        ),
        fixed=fixed,
        run=partial(run, CELLS[name]),
    )


RECIPES = tuple(recipe(name) for name in CELLS)
