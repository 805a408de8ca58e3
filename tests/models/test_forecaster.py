import json
from typing import get_args

import pytest
import torch

from models.airline import series
from models.cells import CellName
from models.checkpoint import CheckpointError
from models.forecaster import Forecaster, ForecasterConfig, ForecastRunner
from models.kinds import open_checkpoint
from models.trace import Point, UnknownPoint
from tests.toys.numbers import FORECASTERS, forecaster, write_forecaster


@pytest.mark.parametrize("id", FORECASTERS)
def test_it_declares_its_kind_its_tasks_and_its_points(tmp_path, id):
    write_forecaster(tmp_path / id, id)
    runner = open_checkpoint(tmp_path / id)
    assert (runner.kind, runner.tasks) == ("forecaster", ("forecast",))
    assert all(isinstance(point, Point) for point in runner.points)
    assert [point.name for point in runner.points][-1] == "prediction"


@pytest.mark.parametrize("id", FORECASTERS)
def test_what_is_written_computes_what_was_written(tmp_path, id):
    network = write_forecaster(tmp_path / id, id)
    runner = open_checkpoint(tmp_path / id)
    window = series()[:8]
    scale = network.config.scale
    expected = scale.undo(network(scale.apply(window)[None, :, None]))[0, 0]
    torch.testing.assert_close(runner.predict(window[None])[0], expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("id", FORECASTERS)
def test_its_points_are_those_of_torch_step_by_step(id):
    network = forecaster(FORECASTERS[id])
    runner, window = ForecastRunner(network), series()[:9]
    found = runner.look(window)
    hidden, _ = network.rnn(network.config.scale.apply(window)[None, :, None])
    last = f"rnn.{network.config.num_layers - 1}.h"
    torch.testing.assert_close(found[last], hidden[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(
        found["prediction"], network.output(hidden[0])[:, 0], rtol=0, atol=1e-5
    )
    assert list(runner.look(window, ["prediction"])) == ["prediction"]
    with pytest.raises(UnknownPoint, match=r"crystal.*prediction"):
        runner.look(window, ["crystal"])


def test_each_fitted_value_comes_from_the_true_window_before_it():
    runner = ForecastRunner(forecaster(FORECASTERS["toy-forecast-gru"]))
    values, W = series(), runner.config.window
    fitted = runner.fitted(values)
    assert fitted.shape == (144 - W,)
    for k in (0, 50, 143 - W):
        torch.testing.assert_close(fitted[k], runner.predict(values[None, k : k + W])[0])


def test_far_ahead_it_reads_its_own_forecasts():
    runner = ForecastRunner(forecaster(FORECASTERS["toy-forecast-lstm"]))
    values, W = series(), runner.config.window
    ahead = runner.ahead(values, 3)
    one = runner.predict(values[None, -W:])
    two = runner.predict(torch.cat([values, one])[None, -W:])
    torch.testing.assert_close(ahead[:2], torch.cat([one, two]))
    assert runner.ahead(values, 0).shape == (0,)


@pytest.mark.parametrize("cell", get_args(CellName))
def test_a_seed_fixes_the_start(cell):
    def start(seed):
        generator = torch.Generator().manual_seed(seed)
        return Forecaster(ForecasterConfig(cell)).initialize(generator).state_dict()

    assert all(value.equal(start(1)[name]) for name, value in start(1).items())
    assert not start(1)["output.weight"].equal(start(2)["output.weight"])
    assert all(value.abs().max() <= 0.5 for value in start(1).values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": "crystal"}, "cell is 'crystal', expected one of rnn_tanh, lstm, gru"),
        ({"window": 0}, r"window is 0, expected an integer 1\.\.4096"),
        ({"hidden_size": 2.5}, "hidden_size is 2.5"),
        ({"low": "cold"}, "low is 'cold', expected a finite number"),
        ({"low": 9.0, "high": 9.0}, "high is 9.0, expected more than low, 9.0"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_config_that_cannot_be_is_refused_by_name(tmp_path, change, message):
    write_forecaster(tmp_path / "toy", "toy-forecast-rnn")
    path = tmp_path / "toy" / "config.json"
    about = json.loads(path.read_text())
    about["config"] |= change
    path.write_text(json.dumps(about))
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(tmp_path / "toy")


def test_weights_of_another_size_are_refused_by_name(tmp_path):
    write_forecaster(tmp_path / "toy", "toy-forecast-rnn")
    path = tmp_path / "toy" / "config.json"
    path.write_text(path.read_text().replace('"hidden_size": 4', '"hidden_size": 5'))
    with pytest.raises(CheckpointError, match=r"rnn\.weight_ih_l0 has shape \(4, 1\)"):
        open_checkpoint(tmp_path / "toy")
