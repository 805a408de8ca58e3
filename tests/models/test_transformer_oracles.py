"""A stack of blocks against `torch.nn`'s own layers, and every point of it against the formulas."""

from dataclasses import replace

import pytest
import torch

from models.transformer import MultiHead, Pass, Transformer, attention_of
from tests.models.stacks import STACKS, across, drawn, lively, numbers, recorded, stack
from tests.oracle_transformer import as_torch, by_hand, layer_weights, torch_attention

TIGHT = 1e-11  # float64 against float64: sums in another order
TOLERANCE = 1e-5  # where tables of positions, which rest in float32, are turned or added


def heads(cross: bool = False, **changes) -> tuple[MultiHead, object]:
    """Attention of three heads in float64, and torch's own with the same weights."""
    config = replace(STACKS["original"], **changes)
    built = lively(MultiHead(config)).double()
    weights = {f"one.{key}": value for key, value in built.state_dict().items()}
    return built, torch_attention(weights, "one", config.num_heads)


def looked(built: MultiHead, x, run: Pass = Pass(), across: bool = False):  # noqa: B008
    """What attention adds, and the weights of each head."""
    points: dict = {}
    out = built(x, "b", replace(run, record=points.__setitem__), across)
    mask = run.memory_mask if across else run.mask
    return out, attention_of(points["b.q"], points["b.k"], mask)


@pytest.mark.parametrize("hidden", ["nothing", "the future", "padding", "of each head"])
def test_attention_and_its_weights_are_those_of_torch(hidden):
    built, theirs = heads()
    x, T = drawn(2, 7, 12), 7
    mask, told = None, {}  # what is True in one is False in the other
    if hidden == "the future":
        mask = torch.ones(T, T, dtype=torch.bool).tril()[None, None]
        told = {"attn_mask": ~mask[0, 0]}
    if hidden == "padding":
        mask = (torch.arange(T) < torch.tensor([[7], [4]]))[:, None, None]
        told = {"key_padding_mask": ~mask[:, 0, 0]}
    if hidden == "of each head":
        mask = numbers(2, 2, 3, T, T).bool() | torch.eye(T, dtype=torch.bool)
        told = {"attn_mask": ~mask.flatten(0, 1)}
    out, weights = looked(built, x, Pass(mask=mask))
    expected, each = theirs(x, x, x, need_weights=True, average_attn_weights=False, **told)
    torch.testing.assert_close(out, expected, atol=TIGHT, rtol=0)
    torch.testing.assert_close(weights, each, atol=TIGHT, rtol=0)


def test_attention_across_is_that_of_torch_with_keys_and_values_of_the_memory():
    built, theirs = heads()
    x, memory = drawn(2, 5, 12), drawn(2, 8, 12, seed=4)
    real = torch.arange(8) < torch.tensor([[8], [3]])
    out, weights = looked(built, x, Pass(memory=memory, memory_mask=real[:, None, None]), True)
    expected, each = theirs(
        x, memory, memory, key_padding_mask=~real, need_weights=True, average_attn_weights=False
    )
    torch.testing.assert_close(out, expected, atol=TIGHT, rtol=0)
    torch.testing.assert_close(weights, each, atol=TIGHT, rtol=0)
    assert torch.all(weights[1, :, :, 3:] == 0)


NORMS = pytest.mark.parametrize("norm_first", [False, True], ids=["post-norm", "pre-norm"])
WITH = pytest.mark.parametrize("activation", ["relu", "gelu"])


@NORMS
@WITH
@pytest.mark.parametrize("final_norm", [False, True])
def test_a_whole_encoder_is_that_of_torch(norm_first, activation, final_norm):
    changes = {"norm_first": norm_first, "activation": activation, "final_norm": final_norm}
    built = stack("unplaced", **changes).double()
    theirs = as_torch(built.config.to_dict(), built.state_dict())
    tokens = numbers(13, 3, 8)
    real = torch.arange(8) < torch.tensor([[8], [5], [1]])
    x = built.embed(tokens, torch.arange(8))
    torch.testing.assert_close(built(tokens), theirs(x), atol=TIGHT, rtol=0)
    expected = theirs(x, src_key_padding_mask=~real)
    found = built(tokens, real=real)
    # What comes out at padding is nobody's; torch may leave it out.
    torch.testing.assert_close(found[real], expected[real], atol=TIGHT, rtol=0)


@NORMS
@WITH
def test_a_whole_decoder_is_that_of_torch(norm_first, activation):
    built = stack("across", num_kv_heads=0, norm_first=norm_first, activation=activation).double()
    theirs = as_torch(built.config.to_dict(), built.state_dict())
    tokens, memory = numbers(13, 3, 8), drawn(3, 6, 12)
    real = torch.arange(6) < torch.tensor([[6], [2], [5]])
    x = built.embed(tokens, torch.arange(8))
    later = torch.ones(8, 8, dtype=torch.bool).triu(1)
    expected = theirs(x, memory, tgt_mask=later, memory_key_padding_mask=~real)
    found = built(tokens, memory=memory, memory_mask=real[:, None, None])
    torch.testing.assert_close(found, expected, atol=TIGHT, rtol=0)


@NORMS
@WITH
@pytest.mark.parametrize("name", ["unplaced", "across"])
def test_one_block_is_a_layer_of_torch(name, norm_first, activation):
    built = stack(name, num_kv_heads=0, norm_first=norm_first, activation=activation).double()
    config, weights = built.config, built.state_dict()
    theirs = as_torch(config.to_dict(), weights).layers[1]
    own = layer_weights(weights, "blocks.1", config.cross)
    assert all(torch.equal(theirs.state_dict()[key], value) for key, value in own.items())
    x, memory = drawn(2, 6, 12), drawn(2, 4, 12, seed=1)
    found = built.blocks[1](x, "one", Pass(memory=memory, causal=config.causal))
    if config.cross:
        later = torch.ones(6, 6, dtype=torch.bool).triu(1)
        expected = theirs(x, memory, tgt_mask=later)
    else:
        expected = theirs(x)
    torch.testing.assert_close(found, expected, atol=TIGHT, rtol=0)


@pytest.mark.parametrize("name", STACKS)
def test_every_point_of_a_pass_is_that_of_the_formulas(name):
    built, config = stack(name).double(), STACKS[name].to_dict()
    tokens = numbers(13, 2, 9)
    told = {key: value.double() for key, value in across(name, 2).items()}
    found, stream = recorded(built, tokens, **told)
    for row in range(2):
        memory = told["memory"][row] if told else None
        expected, last = by_hand(config, built.state_dict(), tokens[row].tolist(), "", memory)
        torch.testing.assert_close(stream[row], last, atol=TOLERANCE, rtol=0)
        drawn_weights = {key for key in expected if key.endswith(".attention")}
        assert found.keys() == expected.keys() - drawn_weights
        for key, value in found.items():
            torch.testing.assert_close(value[row], expected[key], atol=TOLERANCE, rtol=0, msg=key)
        for key in drawn_weights:
            start = key.removesuffix("attention")
            q, k = found[f"{start}q"][row], found[f"{start}k"][row]
            k = k.repeat_interleave(len(q) // len(k), dim=0)
            S = k.shape[1]
            mask = None
            if built.config.causal and "cross" not in key:
                mask = torch.ones(9, S, dtype=torch.bool).tril()
            weights = attention_of(q, k, mask)
            torch.testing.assert_close(weights, expected[key], atol=TOLERANCE, rtol=0)


def test_points_are_told_in_the_order_of_the_pass_under_the_prefix_of_the_stack():
    built = Transformer(replace(STACKS["across"], num_layers=1), "decoder.")
    points, _ = recorded(lively(built), numbers(13, 1, 4), **across("across", 1))
    attention = ("read", "q", "k", "v", "heads", "attended", "middle")
    assert list(points) == [
        "decoder.embedding",
        *(f"decoder.blocks.0.{one}" for one in attention),
        *(f"decoder.blocks.0.cross.{one}" for one in attention),
        "decoder.blocks.0.mlp.read",
        "decoder.blocks.0.mlp.hidden",
        "decoder.blocks.0.mlp",
        "decoder.blocks.0.residual",
    ]
    assert points["decoder.blocks.0.q"].shape == (1, 3, 4, 4)
    assert points["decoder.blocks.0.k"].shape == (1, 1, 4, 4)  # all heads share them
    assert points["decoder.blocks.0.cross.v"].shape == (1, 1, 5, 4)


def test_the_residual_stream_is_the_sum_of_what_the_parts_add_where_norms_come_first():
    points, _ = recorded(stack("gpt").double(), numbers(13, 2, 7))
    added = points["embedding"]
    for layer in range(2):
        added = added + points[f"blocks.{layer}.attended"] + points[f"blocks.{layer}.mlp"]
        torch.testing.assert_close(points[f"blocks.{layer}.residual"], added, atol=TIGHT, rtol=0)
