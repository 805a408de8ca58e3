"""Readings: what a pass leaves behind equals what a plain pass makes."""

import math

import numpy as np
import pytest
import torch

from models.slicing import Slice
from models.transformer_lm import TransformerLM, TransformerLMConfig
from models.transformer_runner import TooLong, read_pair, read_stack
from tests.models.readings import IDS, D, H, L, V, cut, one_text, two_texts
from tests.models.stacks import lively


@pytest.fixture(scope="module")
def language():
    return one_text()


@pytest.fixture(scope="module")
def pair():
    return two_texts()


@pytest.fixture
def reading(language):
    return read_stack(language, IDS)


def test_weights_times_values_are_what_the_heads_of_the_pass_give(reading):
    weights, values = cut(reading, "blocks.1.attention"), cut(reading, "blocks.1.v")
    mixed = weights @ values.repeat(2, axis=0)  # two heads of queries to one of values
    np.testing.assert_allclose(mixed, cut(reading, "blocks.1.heads"), atol=1e-5)


def test_the_stream_is_the_sum_of_what_every_part_adds(reading):
    stream = cut(reading, "embedding").copy()
    for layer in range(L):
        stream += cut(reading, f"blocks.{layer}.attended")
        np.testing.assert_allclose(stream, cut(reading, f"blocks.{layer}.middle"), atol=1e-4)
        stream += cut(reading, f"blocks.{layer}.mlp")
        np.testing.assert_allclose(stream, cut(reading, f"blocks.{layer}.residual"), atol=1e-4)


def test_each_part_reads_the_normed_stream_and_makes_of_it_what_its_weights_make(language, reading):
    block = language.blocks[1]
    read = torch.from_numpy(cut(reading, "blocks.1.read"))
    stream = torch.from_numpy(cut(reading, "blocks.0.residual"))
    np.testing.assert_allclose(read, block.attention_norm(stream), atol=1e-5)
    heads = block.attention.query(read).unflatten(-1, (H, D // H)).transpose(0, 1)
    np.testing.assert_allclose(cut(reading, "blocks.1.q"), heads, atol=1e-5)
    hidden = torch.from_numpy(cut(reading, "blocks.1.mlp.hidden"))
    expected = block.mlp.activation(
        block.mlp.up(torch.from_numpy(cut(reading, "blocks.1.mlp.read")))
    )
    np.testing.assert_allclose(hidden, expected, atol=1e-5)
    np.testing.assert_allclose(cut(reading, "blocks.1.mlp"), block.mlp.down(hidden), atol=1e-5)


def test_the_lens_on_the_last_layer_is_what_the_network_predicts(language, reading):
    logits = language.logits(torch.tensor([IDS]))[0]
    np.testing.assert_allclose(cut(reading, f"blocks.{L - 1}.logits"), logits, atol=1e-4)
    np.testing.assert_allclose(cut(reading, f"blocks.{L - 1}.lens")[-1], reading.next(), atol=1e-6)


def test_the_lens_on_the_embedding_reads_the_stream_before_the_first_block(language, reading):
    stream = torch.from_numpy(cut(reading, "embedding"))
    expected = language.lens(stream).softmax(-1)
    np.testing.assert_allclose(cut(reading, "embedding.lens"), expected, atol=1e-6)


def test_the_embedding_is_tokens_and_positions(language, reading):
    tokens = language.token_embedding(torch.tensor(IDS)).numpy()
    np.testing.assert_allclose(
        tokens + cut(reading, "positions"), cut(reading, "embedding"), atol=1e-6
    )


def test_the_probability_of_each_given_token_is_the_networks_own(language, reading):
    probabilities = language.logits(torch.tensor([IDS]))[0].softmax(-1)
    given = reading.given(IDS).numpy()
    assert math.isnan(given[0])
    expected = [probabilities[k, token] for k, token in enumerate(IDS[1:])]
    np.testing.assert_allclose(given[1:], expected, atol=1e-6)


def test_scores_are_scaled_products_and_masked_ones_minus_infinity(reading):
    scores = cut(reading, "blocks.0.scores", at={"head": 3})
    q, k = cut(reading, "blocks.0.q")[3], cut(reading, "blocks.0.k")[1]
    expected = q @ k.T / math.sqrt(D / H)
    expected[np.triu_indices(len(IDS), 1)] = -np.inf
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_what_was_not_kept_is_recorded_when_it_is_first_asked_for(reading):
    before = reading.bytes
    cut(reading, "blocks.0.q")
    assert reading.bytes == before
    cut(reading, "blocks.0.mlp")
    assert reading.bytes == before + 4 * L * len(IDS) * D


def test_values_heads_and_the_stream_take_one_more_pass(language, monkeypatch):
    found, passes = read_stack(language, IDS), []
    monkeypatch.setattr(
        found, "_run", lambda record, run=found._run: passes.append(1) or run(record)
    )
    for point in ("blocks.0.v", "blocks.*.heads", "blocks.1.lens", "embedding", "blocks.2.v"):
        cut(found, point)
    assert len(passes) == 1


def test_a_long_text_is_predicted_in_stretches_that_fit_together():
    config = TransformerLMConfig(V, 150, D, L, H, 20)
    reading = read_stack(lively(TransformerLM(config)), (IDS * 13)[:150])
    logits = reading.heard[""].lens(reading.recorded("blocks.2.residual"))
    np.testing.assert_allclose(cut(reading, "blocks.2.logits"), logits, atol=1e-5)
    part = cut(reading, "blocks.2.logits", at={"time": (60, 131), "token": 3})
    np.testing.assert_allclose(part, logits[60:131, 3], atol=1e-5)
    top = reading.slice(Slice("blocks.2.logits", {"time": (60, 131)}, top=1))
    np.testing.assert_array_equal(top.token_ids[:, 0], logits[60:131].argmax(-1))


def test_a_text_longer_than_the_context_is_not_read(language):
    with pytest.raises(TooLong, match="17 tokens, at most 16"):
        read_stack(language, [1] * 17)


# -- two texts ------------------------------------------------------------------------------------


def test_rows_of_the_decoder_are_the_steps_that_write_the_target(pair):
    source, target = [5, 6, 7, 2], [4, 8, 3]
    found = read_pair(pair, source, target)
    logits = pair(torch.tensor([source]), torch.tensor([[1, *target]]))[0]
    np.testing.assert_allclose(cut(found, "decoder.blocks.1.logits"), logits, atol=1e-4)
    assert cut(found, "decoder.blocks.*.cross.attention").shape == (2, H, 4, 4)
    whole = read_pair(pair, source, [*target, 2])  # it ends: there is no step after the last
    np.testing.assert_allclose(cut(whole, "decoder.blocks.1.logits"), logits, atol=1e-4)


def test_nothing_written_yet_is_one_step(pair):
    found = read_pair(pair, [5, 6, 2], [])
    assert cut(found, "decoder.blocks.0.attention").shape == (H, 1, 1)
    assert cut(found, "encoder.blocks.0.attention").shape == (H, 3, 3)
