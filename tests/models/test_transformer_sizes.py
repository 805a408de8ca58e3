"""How stacks start, which sizes they may have, and that gradients reach all of them."""

import math
from dataclasses import replace

import pytest
import torch

from models.checkpoint import CheckpointError
from models.transformer import Transformer, TransformerConfig
from tests.models.stacks import SIZES, STACKS, across, drawn, numbers, stack

ALL = pytest.mark.parametrize("name", STACKS)


def started(config: TransformerConfig, seed: int) -> Transformer:
    return Transformer(config).initialize(torch.Generator().manual_seed(seed))


@ALL
def test_a_seed_fixes_the_start_and_leaves_the_global_generator_out_of_it(name):
    torch.manual_seed(1)
    one = started(STACKS[name], 5).state_dict()
    torch.manual_seed(2)
    two = started(STACKS[name], 5).state_dict()
    other = started(STACKS[name], 6).state_dict()
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert all(not torch.equal(one[key], other[key]) for key in one if one[key].dim() == 2)


def test_what_writes_to_the_stream_starts_smaller_by_the_depth():
    config = replace(STACKS["gpt"], hidden_size=64, num_layers=8, mlp_size=128)
    for name, value in started(config, 0).named_parameters():
        if value.dim() == 2:
            small = name.endswith((".output.weight", ".down.weight"))
            expected = 0.02 / 4 if small else 0.02  # sqrt(2 * 8) = 4
            # The embedding of 13 tokens has 832 numbers: their spread is known to 2.5%.
            assert value.std().item() == pytest.approx(expected, rel=0.1), name
        elif name.endswith("bias"):
            assert torch.all(value == 0), name
        else:
            assert torch.all(value == 1), name


def test_dropout_acts_while_training_only():
    built, tokens = stack("gpt", dropout=0.5), numbers(13, 2, 6)
    assert torch.equal(built(tokens), stack("gpt")(tokens))
    built.train()
    torch.manual_seed(0)
    one, other = built(tokens), built(tokens)
    assert not torch.equal(one, other)


def test_gradients_reach_every_parameter():
    for name in STACKS:
        built = stack(name).requires_grad_(True)
        (built(numbers(13, 2, 6), **across(name, 2)) * drawn(2, 6, 12).float()).sum().backward()
        for key, value in built.named_parameters():
            if key.endswith("key.bias") and STACKS[name].positions != "rotary":
                continue  # it adds the same to every score of a row: softmax does not see it
            assert value.grad.abs().max() > 1e-7, (name, key)


COUNTS = ("vocab_size", "context", "hidden_size", "num_layers", "num_heads", "mlp_size")
SWITCHES = ("causal", "cross", "norm_first", "embedding_norm", "final_norm", "gated", "bias")
NUMBERS = ("norm_eps", "rotary_base", "embedding_scale")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(({name: 0}, f"{name} is 0, expected an integer 1") for name in COUNTS),
        *(({name: 1 << 40}, f"{name} is {1 << 40}, expected an integer") for name in COUNTS),
        *(({name: "12"}, f"{name} is '12', expected an integer") for name in COUNTS),
        *(({name: True}, f"{name} is True, expected an integer") for name in COUNTS),
        *(({name: 2.0}, rf"{name} is 2\.0, expected an integer") for name in COUNTS),
        *(({name: 1}, f"{name} is 1, expected true or false") for name in SWITCHES),
        *(({name: None}, f"{name} is None, expected true or false") for name in SWITCHES),
        *(({name: 0}, f"{name} is 0, expected a number between") for name in NUMBERS),
        *(({name: -1.0}, rf"{name} is -1\.0, expected a number between") for name in NUMBERS),
        *(({name: math.nan}, f"{name} is nan, expected a number between") for name in NUMBERS),
        *(({name: math.inf}, f"{name} is inf, expected a number between") for name in NUMBERS),
        *(({name: "1"}, f"{name} is '1', expected a number between") for name in NUMBERS),
        *(({name: True}, f"{name} is True, expected a number between") for name in NUMBERS),
        ({"num_kv_heads": -1}, r"num_kv_heads is -1, expected an integer 0\.\.256"),
        ({"head_size": 4096}, r"head_size is 4096, expected an integer 0\.\.1024"),
        ({"positions": "alibi"}, "positions is 'alibi', expected one of learned, sinusoidal, rot"),
        ({"positions": ["none"]}, r"positions is \['none'\], expected one of"),
        ({"norm": "batch"}, "norm is 'batch', expected one of layer, rms"),
        ({"activation": "tanh"}, "activation is 'tanh', expected one of gelu, gelu_tanh, relu, s"),
        ({"activation": None}, "activation is None, expected one of"),
        ({"dropout": 1.5}, r"dropout is 1\.5, expected a number 0\.\.1"),
        ({"dropout": math.nan}, "dropout is nan, expected a number"),
        ({"num_heads": 5}, "hidden_size 12 is no multiple of num_heads 5"),
        ({"num_kv_heads": 3}, "num_heads 4 is no multiple of num_kv_heads 3"),
        ({"num_kv_heads": 8}, "num_heads 4 is no multiple of num_kv_heads 8"),
        ({"positions": "rotary"}, "rotary positions need even heads, found 3"),
        ({"positions": "rotary", "head_size": 5}, "rotary positions need even heads, found 5"),
    ],
)
def test_a_size_that_no_stack_has_is_refused_with_what_is_expected(change, message):
    with pytest.raises(CheckpointError, match=message):
        replace(STACKS["gpt"], **change).check()


@ALL
def test_the_sizes_of_every_family_are_those_of_a_stack(name):
    config = STACKS[name]
    config.check()
    assert TransformerConfig(**config.to_dict()) == config


def test_heads_are_as_wide_as_told_or_share_the_stream():
    config = TransformerConfig(**SIZES, num_heads=4)
    assert (config.head_width, config.key_heads) == (3, 4)
    config = TransformerConfig(**SIZES, num_heads=5, head_size=7, num_kv_heads=1)
    config.check()
    assert (config.head_width, config.key_heads) == (7, 1)
    weights = Transformer(config).blocks[0].attention
    assert weights.query.weight.shape == (35, 12)
    assert weights.key.weight.shape == weights.value.weight.shape == (7, 12)
    assert weights.output.weight.shape == (12, 35)
