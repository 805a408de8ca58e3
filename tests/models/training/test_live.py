"""What every recipe promises: declared parameters, few frames, the same ones every time."""

import numpy as np
import pytest
import torch

from models import airline
from models.checkpoint import read_checkpoint
from models.forecaster import Forecaster, ForecasterConfig
from models.training import hello, live_airline, live_hello
from models.training.live import DENSE, FRAMES, BadParameter, Parameter, finite, kept_epochs
from models.training.live_recipes import RECIPES

HELLO = RECIPES["hello-rnn"]
SHORT = {"epochs": 3, "seed": 5}


def frames(recipe, **asked) -> list:
    return [frame for frame in recipe.run(recipe.check(asked)) if frame is not None]


@pytest.mark.parametrize("epochs", [1, 2, 50, 119, 120, 121, 160, 200, 2000, 3000])
def test_the_epochs_that_are_kept_rise_from_0_to_the_last_and_are_dense_at_first(epochs):
    kept = kept_epochs(epochs)
    assert kept[0] == 0
    assert kept[-1] == epochs
    assert len(kept) == min(FRAMES, epochs + 1)
    gaps = np.diff(kept)
    assert gaps.min() == 1
    assert (gaps[: DENSE - 1] == 1).all()
    if epochs >= 2000:
        assert gaps[-1] > 40


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_same_parameters_give_the_same_frames_and_another_seed_others(recipe):
    one, two = frames(recipe, **SHORT), frames(recipe, **SHORT)
    other = frames(recipe, **{**SHORT, "seed": 6})
    assert [frame.epoch for frame in one] == [0, 1, 2, 3]
    for a, b in zip(one, two, strict=True):
        assert (a.epoch, a.figures, a.texts) == (b.epoch, b.figures, b.texts)
        for name in a.arrays:
            np.testing.assert_array_equal(a.arrays[name], b.arrays[name])
    assert one[-1].figures["loss"] != other[-1].figures["loss"]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_array_is_a_declared_point_and_every_run_learns(recipe):
    asked = recipe.check({"epochs": 12})
    points = {point.name: point for point in recipe.points}
    found = [recipe.fixed(asked), *frames(recipe, epochs=12)]
    for frame in found:
        for name, values in frame.arrays.items():
            assert values.dtype == np.float32
            assert len(points[name].axes) == values.ndim
            assert np.isfinite(values).all()
    assert found[-1].figures["loss"] < found[1].figures["loss"]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_losses_between_two_frames_are_told_with_the_later_one(recipe):
    found = frames(recipe, epochs=130)
    epochs = 0
    for frame in found:
        losses = frame.arrays["losses"]
        epochs += len(losses)
        assert frame.epoch == epochs - 1
        assert losses[-1] == np.float32(frame.figures["loss"])
    assert epochs == 131


def test_hello_ends_with_the_very_weights_of_its_checkpoint(root):
    """Stored as float16, so to half a step of it: 5e-4 of the number, and 1e-4 for another BLAS."""
    asked = HELLO.check({})
    network, symbols, text = live_hello.build(asked)
    for _ in live_hello.train(network, symbols, text, asked["epochs"], asked["learning_rate"]):
        pass
    stored = read_checkpoint(root / "checkpoints" / "hello-rnn")
    assert symbols == stored.vocabulary
    for name, weight in network.state_dict().items():
        torch.testing.assert_close(weight, stored.weights[name].float(), rtol=5e-4, atol=1e-4)


def test_hello_shows_the_probability_of_the_right_next_character_and_what_it_writes():
    last = frames(HELLO)[-1]
    network, symbols, losses = hello.train()
    text = hello.batch()[1]
    with torch.no_grad():
        given = network(text[:-1])[0].softmax(-1)
    for sentence in range(3):
        for at in range(14):
            expected = given[at, sentence, text[at + 1, sentence]].item()
            assert last.arrays["right"][sentence, at] == pytest.approx(expected, abs=1e-5)
    assert last.figures["loss"] < losses[-1]
    assert last.figures["loss"] == pytest.approx(-np.log(last.arrays["right"]).mean(), abs=1e-5)
    assert [line.rstrip() for line in last.texts["written"]] == list(hello.SENTENCES)
    for line in last.texts["written"]:
        assert line == hello.greedy(network, symbols, line.split()[0], live_hello.LENGTH)


def test_forecasts_are_those_of_the_network_in_thousands_of_passengers():
    """Frame 0 against a network made by hand: 1e-3 of a thousand passengers."""
    asked = RECIPES["airline-gru"].check({"window": 7, "hidden_size": 3, "epochs": 1})
    first = next(RECIPES["airline-gru"].run(asked))
    config = ForecasterConfig("gru", 3, window=7)
    network = Forecaster(config).initialize(torch.Generator().manual_seed(0))
    values = airline.series()
    low, high = values[:96].min(), values[:96].max()
    with torch.no_grad():
        for at in (0, 60, 136):
            x = (values[at : at + 7] - low) / (high - low)
            expected = network(x[None, :, None]).item() * (high - low) + low
            assert first.arrays["predictions"][at] == pytest.approx(expected.item(), abs=1e-3)
    error = first.arrays["predictions"][-24:] - values[-24:].numpy()
    assert first.figures["test_rmse"] == pytest.approx(np.sqrt((error**2).mean()), abs=1e-3)
    error = first.arrays["predictions"][: 96 - 7] - values[7:96].numpy()
    assert first.figures["train_rmse"] == pytest.approx(np.sqrt((error**2).mean()), abs=1e-3)


def test_a_scale_undone_by_other_numbers_bends_every_forecast():
    recipe, last = RECIPES["airline-rnn"], {}
    for scale in live_airline.SCALES:
        last[scale] = frames(recipe, scale=scale, epochs=20)[-1]
    low, high = 104, 413  # of the training part
    bent = (last["maximum"].arrays["predictions"] - low) / high * (high - low) + low
    np.testing.assert_allclose(last["mixed"].arrays["predictions"], bent, atol=1e-2)
    assert last["mixed"].figures["loss"] == last["maximum"].figures["loss"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"epochs": 0}, "an integer from 1 to 1000"),
        ({"epochs": 2.5}, "an integer from 1 to 1000"),
        ({"epochs": True}, "an integer"),
        ({"learning_rate": float("nan")}, "a number from 0.0001 to 1.0"),
        ({"learning_rate": "fast"}, "a number"),
        ({"seed": -1}, "an integer from 0"),
        ({"depth": 2}, "hidden_size, epochs"),
        ({"\ud800": 2}, "hidden_size, epochs"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_with_what_can(asked, told):
    with pytest.raises(BadParameter) as refused:
        HELLO.check(asked)
    assert told in refused.value.hint


def test_parameters_come_back_as_they_are_used():
    assert HELLO.check({"learning_rate": 1, "epochs": 50.0}) == {
        "hidden_size": 12, "epochs": 50, "learning_rate": 1.0, "seed": 0,
    }  # fmt: skip
    assert type(HELLO.check({"epochs": 50.0})["epochs"]) is int
    choice = Parameter("scale", "a", "of two", choices=("a", "b"))
    assert choice.check("b") == "b"
    with pytest.raises(BadParameter):
        choice.check("c")


def test_a_loss_that_is_no_number_ends_a_run():
    assert finite(0.5, 3) == 0.5
    with pytest.raises(FloatingPointError, match="after 3 epochs"):
        finite(float("nan"), 3)
