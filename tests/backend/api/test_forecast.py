import numpy as np
import pytest
import torch

from backend.settings import Settings
from models import airline
from tests.backend.serving import assert_error, decode, in_process
from tests.toys import CONFIGS, write_toy
from tests.toys.numbers import FORECASTERS, write_forecaster

TOLERANCE = 1e-5  # of the scaled numbers, float32
UNITS = TOLERANCE * 300  # of the series: the toys' scale spans 300


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecasters")
    networks = {id: write_forecaster(folder / id, id) for id in FORECASTERS}
    write_toy(folder / "toy-gru", CONFIGS["toy-gru"])
    settings = Settings(
        checkpoints=folder, device="cpu", max_series_values=150, max_forecast_steps=30
    )
    with in_process(settings) as client:
        yield client, networks


def ask(toys, id: str = "toy-forecast-gru", **body):
    return toys[0].post(f"/api/checkpoints/{id}/forecast", json=body)


@pytest.mark.parametrize("id", FORECASTERS)
def test_the_numbers_are_those_of_torch(toys, id):
    answer = ask(toys, id, series=None, at=100, steps=6)
    assert answer.status_code == 200, answer.text
    found, network = answer.json(), toys[1][id]
    values, W, scale = airline.series(), network.config.window, network.config.scale
    x, _ = airline.windows(values, W)
    expected = scale.undo(network(scale.apply(x))[:, 0])
    fitted = decode(found["fitted"])
    assert np.isnan(fitted[:W]).all()
    np.testing.assert_allclose(fitted[W:], expected, atol=UNITS, rtol=0)
    read = scale.apply(values[100 - W : 100])
    for _ in range(6):
        read = torch.cat([read, network(read[None, -W:, None])[0]])
    ahead = decode(found["forecast"])
    np.testing.assert_allclose(ahead, scale.undo(read[W:]), atol=UNITS, rtol=0)
    assert ahead[0] == pytest.approx(fitted[100], abs=UNITS)
    assert decode(found["series"]).tolist() == values.tolist()
    assert (found["at"], found["window"], found["first"]) == (100, W, "1949-01")
    assert found["parts"]["test"] == [120, 144]


@pytest.mark.parametrize("id", FORECASTERS)
def test_the_arithmetic_of_the_forecast_comes_to_the_forecast(toys, id):
    found = ask(toys, id, at=60, steps=1).json()
    output, layers = found["output"], FORECASTERS[id].num_layers
    h = decode(found["points"][f"rnn.{layers - 1}.h"]["data"])
    assert h.shape == (found["window"], FORECASTERS[id].hidden_size)
    assert decode(output["state"]).tolist() == h[-1].tolist()
    prediction = decode(output["weight"]) @ h[-1] + output["bias"]
    assert prediction == pytest.approx(output["prediction"], abs=TOLERANCE)
    value = output["low"] + prediction * (output["high"] - output["low"])
    assert value == pytest.approx(output["value"], abs=UNITS)
    assert value == pytest.approx(decode(found["forecast"])[0], abs=UNITS)
    assert decode(found["points"]["prediction"]["data"])[-1] == pytest.approx(prediction, abs=1e-5)


def test_a_series_of_ones_own_is_read_to_its_end_and_has_no_months(toys):
    series = [100.0 + k for k in range(20)]
    found = ask(toys, series=series, steps=0, points=[]).json()
    assert decode(found["series"]).tolist() == series
    assert (found["at"], found["first"], found["parts"]) == (20, None, None)
    assert decode(found["forecast"]).shape == (0,)
    assert found["points"] == {}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"steps": 31}, 413, "at most 30"),
        ({"steps": -1}, 422, "steps"),
        ({"series": [1.0] * 151}, 413, "at most 150"),
        ({"series": [1.0] * 7}, 422, "series has 7 values, and this network reads 8"),
        ({"series": []}, 422, "series has 0 values"),
        ({"series": [1e13] * 9}, 422, "series.0"),
        ({"series": ["12"] * 9}, 422, "series.0"),
        ({"at": 7}, 422, "at is 7"),
        ({"at": 145}, 422, "at is 145"),
        ({"points": ["rnn.0.c"]}, 422, "rnn.0.c"),
        ({"window": 3}, 422, "window"),
    ],
)
def test_what_cannot_be_forecast_is_refused_by_name(toys, body, status, words):
    assert words in assert_error(ask(toys, **body), status)["message"]


def test_nan_is_no_value(toys):
    answer = toys[0].post(
        "/api/checkpoints/toy-forecast-gru/forecast", content=b'{"series": [NaN, 1, 2]}'
    )
    assert_error(answer, 422)


def test_who_cannot_forecast_says_who_can(toys):
    error = assert_error(ask(toys, "toy-gru"), 422, "wrong_task")
    assert error["checkpoints"] == sorted(FORECASTERS)
