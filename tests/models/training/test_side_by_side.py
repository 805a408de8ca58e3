from typing import get_args

import pytest
import torch
from torch.nn import functional as F

from models import airline
from models.airline import TRAIN, Scale
from models.cells import CellName
from models.forecaster import Forecaster, ForecasterConfig
from models.training.side_by_side import predict, stack, train

SEEDS, EPOCHS = (0, 7, 3), 12


def pairs():
    values = airline.series()
    return airline.part(Scale.fit(values[TRAIN]).apply(values), 5, TRAIN)


def alone(config: ForecasterConfig, seed: int) -> tuple[Forecaster, list[float]]:
    """A network trained by itself, with torch's own layer."""
    network = Forecaster(config).initialize(torch.Generator().manual_seed(seed))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    (x, y), losses = pairs(), []
    for _ in range(EPOCHS):
        loss = F.mse_loss(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return network, losses


@pytest.mark.parametrize("cell", get_args(CellName))
def test_each_network_learns_what_it_would_learn_alone(cell):
    config = ForecasterConfig(cell, 4, window=5)
    x, y = pairs()
    networks, losses = train(config, SEEDS, x, y, EPOCHS, 0.01)
    assert losses.shape == (EPOCHS, len(SEEDS))
    for k, seed in enumerate(SEEDS):
        expected, single = alone(config, seed)
        torch.testing.assert_close(losses[:, k], torch.tensor(single), rtol=1e-4, atol=1e-6)
        for name, value in expected.state_dict().items():
            found = networks[k].state_dict()[name]
            torch.testing.assert_close(found, value, rtol=0, atol=1e-4, msg=name)


@pytest.mark.parametrize("cell", get_args(CellName))
def test_what_they_say_is_what_each_says(cell):
    networks = [
        Forecaster(ForecasterConfig(cell, 3)).initialize(torch.Generator().manual_seed(seed))
        for seed in SEEDS
    ]
    x, _ = pairs()
    said = predict(cell, stack(networks), x)
    for k, network in enumerate(networks):
        torch.testing.assert_close(said[k], network(x)[:, 0], rtol=0, atol=1e-5)
