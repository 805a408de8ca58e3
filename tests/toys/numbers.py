"""Toys that read numbers and forecast the next."""

from pathlib import Path

import torch

from models.forecaster import Forecaster, ForecasterConfig
from tests.toys import about, lively, write

FORECASTERS = {
    "toy-forecast-rnn": ForecasterConfig("rnn_tanh", 4, 1, 2, 100.0, 400.0),
    "toy-forecast-lstm": ForecasterConfig("lstm", 3, 2, 5, 100.0, 400.0),
    "toy-forecast-gru": ForecasterConfig("gru", 4, 1, 8, 100.0, 400.0),
}


def forecaster(config: ForecasterConfig, seed: int = 0) -> Forecaster:
    """A network with weights of a seed."""
    return lively(Forecaster(config), 0.8, torch.Generator().manual_seed(seed))


def write_forecaster(folder: Path, id: str, seed: int = 0) -> Forecaster:
    """Write a checkpoint folder of one of FORECASTERS; returns the network it was written from."""
    built = forecaster(FORECASTERS[id], seed)
    said = {**about(built.config, "A toy that forecasts"), "kind": "forecaster", "figures": {}}
    write(folder, said, {}, built.state_dict(), seed)
    return built
