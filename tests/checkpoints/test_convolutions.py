"""The convolutional models that come with the repository: what they compute is what they say."""

import math

import pytest

from models.training.samples import write_on
from tests.checkpoints.test_shipped import FOLDERS, about, card, opened, stored
from tests.oracle_convolution import by_torch

HERE = [folder for folder in FOLDERS if about(folder)["kind"] == "char_conv"]
EACH = pytest.mark.parametrize("folder", HERE, ids=lambda folder: folder.name)
TOLERANCE = 1e-5  # float32 against float64, absolute; relative to what grows past 1


@EACH
def test_every_unit_of_a_trace_is_that_of_torchs_own_convolutions_on_the_weights_file(folder):
    runner, told = opened(folder), about(folder)
    weights = stored(folder)
    tokens = runner.characters.encode(write_on(runner, told["prompt"], 290, seed=3))
    values, after, _ = runner.trace(tokens, None, 0, len(tokens))
    points, logits = by_torch(runner.config, weights, tokens)
    assert values.keys() == points.keys()
    for name, expected in points.items():
        size = max(1.0, expected.abs().max().item())
        assert (values[name].double() - expected).abs().max() <= TOLERANCE * size, name
    assert (after.double() - logits.softmax(-1)).abs().max() <= TOLERANCE


@EACH
def test_the_card_states_the_figures_of_the_config_and_counting_is_worse(folder):
    told, text = about(folder), card(folder)
    figures = told["figures"]
    for name in ("test_nats", "test_bits", "validation_nats", "ngram_test_nats"):
        assert f"{figures[name]:.3f}" in text, name
    assert figures["test_bits"] == pytest.approx(figures["test_nats"] / math.log(2), abs=2e-4)
    assert figures["test_nats"] < figures["ngram_test_nats"]
    assert f"{told['parameters']:,} parameters" in text


@EACH
def test_the_sample_on_the_card_begins_with_what_the_checkpoint_writes(folder):
    told, runner = about(folder), opened(folder)
    sample = write_on(runner, told["prompt"], 40, temperature=0.7, seed=1)
    assert f"```\n{sample}" in card(folder)
