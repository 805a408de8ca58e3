import json

import pytest
import torch

from models import airline as months
from models.airline import TEST
from models.forecaster import ForecastRunner
from models.kinds import open_checkpoint
from models.training import airline


@pytest.fixture
def quick(monkeypatch):
    """A recipe of a moment: two windows, two seeds, a hundred epochs."""
    monkeypatch.setattr(airline, "EPOCHS", 100)
    monkeypatch.setattr(airline, "SEEDS", 2)
    monkeypatch.setattr(airline.measure, "__defaults__", ((2, 3), 2))
    monkeypatch.setattr(airline.train, "__defaults__", (100,))


def test_training_lowers_the_loss_and_the_scale_is_that_of_the_training_part():
    (network,), losses = airline.train("rnn_tanh", 2, [0], epochs=60)
    assert losses[-1, 0] < 0.2 * losses[0, 0]
    assert (network.config.low, network.config.high) == (104, 413)


def test_the_figures_are_those_of_the_months_of_each_part():
    (network,), _ = airline.train("gru", 4, [1], epochs=3)
    runner, values = ForecastRunner(network), months.series()
    found = airline.figures(network)
    errors = torch.stack([runner.predict(values[None, k - 4 : k])[0] for k in range(120, 144)])
    expected = (errors - values[TEST]).square().mean().sqrt().item()
    assert found["test"] == pytest.approx(expected, rel=1e-5)
    ahead = runner.ahead(values[:120], 24) - values[TEST]
    assert found["test_fed_back"] == pytest.approx(ahead.square().mean().sqrt().item(), rel=1e-5)


def test_forecasts_without_a_network_have_the_same_figures():
    found = airline.baselines()
    assert found["naive"]["test"] == pytest.approx(51.78, abs=0.01)
    assert found["seasonal_naive"]["test"] == pytest.approx(49.99, abs=0.01)
    last = torch.full((24,), 337.0)
    fed = months.rmse(last, months.series()[TEST])
    assert found["naive"]["test_fed_back"] == pytest.approx(fed)


def test_the_network_kept_is_the_best_of_the_validation_part(tmp_path, quick):
    airline.make("airline-rnn", tmp_path / "airline-rnn", tmp_path / "run")
    lines = (tmp_path / "run" / "seeds.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 4
    best = min(rows, key=lambda row: row["validation"])
    about = json.loads((tmp_path / "airline-rnn" / "config.json").read_text())
    assert (about["config"]["window"], about["training"]["seed"]) == (best["window"], best["seed"])
    assert about["figures"]["rmse"]["validation"] == pytest.approx(best["validation"], rel=0.02)
    runner = open_checkpoint(tmp_path / "airline-rnn")
    assert airline.figures(runner.network)["test"] == pytest.approx(
        about["figures"]["rmse"]["test"], abs=0.01
    )


def test_a_run_goes_on_where_it_was_left(tmp_path, quick, monkeypatch):
    file = tmp_path / "seeds.jsonl"
    first = airline.measure("rnn_tanh", file)
    asked = []

    def train(cell, window, seeds):
        asked.append(window)
        return [], None

    monkeypatch.setattr(airline, "train", train)
    assert airline.measure("rnn_tanh", file, (2, 3, 4)) == first
    assert asked == [4]
