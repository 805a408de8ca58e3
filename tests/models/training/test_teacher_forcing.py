from dataclasses import replace

import pytest
import torch

from models.decoder import BEGIN, END, UNKNOWN
from models.seq2seq import Seq2Seq, Seq2SeqConfig
from models.training import teacher_forcing
from models.training.pairs import IGNORED, Batch
from models.training.runs import bfloat16_products
from models.training.translation import inputs, loss
from tests.oracle_seq2seq import by_hand
from tests.toys.translators import TRANSLATORS, translator

ADDITIVE, PLAIN = TRANSLATORS["toy-additive"], TRANSLATORS["toy-plain"]
CONFIGS = {
    "additive gru": ADDITIVE,
    "additive gru, 2 layers": replace(ADDITIVE, encoder_layers=2),
    "none gru": PLAIN,
    "none lstm": replace(PLAIN, cell="lstm"),
    "additive lstm": replace(ADDITIVE, cell="lstm"),  # from here on by autograd alone
    "general lstm": TRANSLATORS["toy-general"],
    "dot gru": TRANSLATORS["toy-characters"],
}
ALL = pytest.mark.parametrize("name", CONFIGS)
FAST = pytest.mark.parametrize("name", ["additive gru", "none gru", "none lstm"])


def batch(config: Seq2SeqConfig, S: int = 6, T: int = 8, B: int = 3) -> tuple:
    """Sources, what the decoder reads, and a random weight for every logit."""
    generator = torch.Generator().manual_seed(4)
    source = torch.randint(config.source_size, (S, B), generator=generator)
    target = torch.randint(END, config.target_size, (T, B), generator=generator)
    target[0], target[3] = BEGIN, UNKNOWN
    return source, target, torch.randn(T, B, config.target_size, generator=generator)


def trainable(config: Seq2SeqConfig) -> Seq2Seq:
    return translator(config).train().requires_grad_(True)


def gradients(network: Seq2Seq, logits: torch.Tensor, weight: torch.Tensor) -> dict:
    """The gradient of a weighted sum of the logits, by parameter."""
    network.zero_grad()
    (logits.float() * weight).sum().backward()
    return {name: p.grad.clone() for name, p in network.named_parameters()}


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """How far one is from the other, as a share of the other's size."""
    one, other = one.double(), other.double()
    return ((one - other).norm() / other.norm().clamp(min=1e-12)).item()


@ALL
def test_logits_and_every_gradient_are_those_of_the_network_left_to_autograd(name):
    network = trainable(CONFIGS[name])
    source, target, weight = batch(CONFIGS[name])
    slow = network(source, None, target)
    expected = gradients(network, slow, weight)
    fast = teacher_forcing.forward(network, source, target)
    found = gradients(network, fast, weight)
    assert distance(fast, slow) < 1e-6
    assert expected.keys() == found.keys()
    for parameter in expected:
        assert distance(found[parameter], expected[parameter]) < 1e-5, parameter


@FAST
def test_every_gradient_is_that_of_the_oracle_in_float64(name):
    config = CONFIGS[name]
    network = trainable(config)
    source, target, weight = batch(config)
    found = gradients(network, teacher_forcing.forward(network, source, target), weight)
    exact = {k: v.detach().double().requires_grad_() for k, v in network.named_parameters()}
    for row in range(source.shape[1]):
        tokens = source[:, row].tolist(), target[:, row].tolist()
        _, logits = by_hand(config.cell, config.attention, exact, *tokens)
        (logits * weight[:, row]).sum().backward()
    for parameter, value in exact.items():
        assert distance(found[parameter], value.grad) < 1e-5, parameter


@ALL
def test_dropout_draws_the_same_masks_in_the_same_order(name):
    config = replace(CONFIGS[name], dropout=0.4)
    network = trainable(config)
    source, target, weight = batch(config)
    torch.manual_seed(7)
    slow = network(source, None, target)
    expected = gradients(network, slow, weight)
    torch.manual_seed(7)
    fast = teacher_forcing.forward(network, source, target)
    found = gradients(network, fast, weight)
    assert distance(fast, slow) < 1e-6
    assert all(distance(found[key], expected[key]) < 1e-5 for key in expected)
    torch.manual_seed(8)
    assert distance(teacher_forcing.forward(network, source, target), slow) > 1e-2


@ALL
def test_bfloat16_products_stay_near_those_in_float32(name):
    # A bfloat16 has 8 bits, 0.4% a factor. Where a gradient is what is left of terms that cancel,
    # its share is larger, so that single parameters have a looser bound than all together.
    network = trainable(CONFIGS[name])
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(0.4)
    source, target, weight = batch(CONFIGS[name])
    exact = teacher_forcing.forward(network, source, target)
    expected = gradients(network, exact, weight)
    mixed = teacher_forcing.forward(network, source, target, mixed=True)
    found = gradients(network, mixed, weight)
    assert distance(mixed, exact) < 0.02
    assert (distance(mixed, exact) > 0) == bfloat16_products("cpu")
    whole = (torch.cat([g.flatten() for g in made.values()]) for made in (found, expected))
    assert distance(*whole) < 0.03
    for parameter in expected:
        assert found[parameter].dtype == torch.float32
        assert distance(found[parameter], expected[parameter]) < 0.15, parameter


@FAST
def test_a_source_or_a_target_of_one_token_is_no_special_case(name):
    network = trainable(CONFIGS[name])
    source, target, weight = batch(CONFIGS[name], 1, 4, 1)
    for length in (1, 4):
        slow = network(source, None, target[:length])
        expected = gradients(network, slow, weight[:length])
        fast = teacher_forcing.forward(network, source, target[:length])
        found = gradients(network, fast, weight[:length])
        assert all(distance(found[key], expected[key]) < 1e-5 for key in expected)


def test_the_loss_is_the_mean_over_the_tokens_that_are_no_padding():
    network = translator(ADDITIVE)
    source, _, _ = batch(ADDITIVE)
    target = torch.tensor([[5, 6, 7], [8, END, 0], [END, IGNORED, END]])
    logits = network(source, None, inputs(target)).log_softmax(-1)
    told = [-logits[t, b, target[t, b]] for t in range(3) for b in range(3) if target[t, b] >= 0]
    assert len(told) == 8
    expected = torch.stack(told).mean()
    torch.testing.assert_close(loss(network, Batch(source, target)), expected, atol=1e-5, rtol=0)
    spread = -logits.mean(-1)[target >= 0].mean()  # label smoothing: a share to all tokens
    smooth = loss(network, Batch(source, target), smoothing=0.25)
    torch.testing.assert_close(smooth, 0.75 * expected + 0.25 * spread, atol=1e-5, rtol=0)
