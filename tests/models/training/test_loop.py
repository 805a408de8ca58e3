from dataclasses import dataclass

import pytest
import torch
from torch import nn

from models.training.loop import train_epochs
from models.training.runs import follow_mean


@dataclass(frozen=True)
class Recipe:
    epochs: int = 3
    learning_rate: float = 0.1
    warmup: int = 2
    clip: float = 1.0
    seed: int = 1


def slope() -> nn.Linear:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    return network


def towards(network: nn.Linear, aim: float, steps):
    """Losses that draw the weight to an aim; of each epoch as many as it says."""

    def losses(epoch: int):
        count = steps[epoch]
        return ((network.weight - aim).square().sum() for _ in range(count)), count

    return losses


def test_the_running_mean_goes_its_share_of_the_way():
    torch.manual_seed(0)
    mean, now = nn.Linear(3, 2), nn.Linear(3, 2)
    expected = 0.75 * mean.weight + 0.25 * now.weight
    follow_mean(mean.requires_grad_(False), now, 0.75, 10**6)
    torch.testing.assert_close(mean.weight, expected, atol=1e-6, rtol=0)


def test_the_running_mean_follows_quickly_at_first_and_slowly_then():
    mean, network = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        network.weight.fill_(1.0)
        for step, moved in ((0, 0.9), (10, 9 / 20), (10**6, 0.01)):
            mean.weight.fill_(0.0)
            follow_mean(mean, network, 0.99, step)
            assert mean.weight.item() == pytest.approx(moved)


def test_the_best_epoch_is_kept_and_of_equals_the_later(tmp_path):
    network, scores = slope(), iter([0.5, 0.9, 0.7])
    seen = []

    def score(mean):
        seen.append(mean.weight.item())
        return next(scores)

    losses = towards(network, 5.0, [10, 10, 10])
    weights, progress, ended = train_epochs(network, Recipe(), tmp_path, losses, score)
    assert ended
    assert progress["best"] == 0.9
    assert weights["weight"].item() == pytest.approx(seen[1])
    assert 0 < seen[0] < seen[1] < seen[2] < 5

    again = slope()
    weights, _, _ = train_epochs(
        again, Recipe(), tmp_path / "level", towards(again, 5.0, [10, 10, 10]), lambda mean: 0.5
    )
    assert weights["weight"].item() == pytest.approx(seen[2])


def test_epochs_may_have_different_numbers_of_steps(tmp_path):
    network = slope()
    losses = towards(network, 1.0, [4, 7, 2])
    _, progress, _ = train_epochs(network, Recipe(), tmp_path, losses, lambda mean: 0.0)
    assert progress["step"] == 13
    assert [one["epoch"] for one in progress["history"]] == [1, 2, 3]
