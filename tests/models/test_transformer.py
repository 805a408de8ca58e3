import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.checkpoint import CheckpointError
from models.transformer import (
    Cache,
    Transformer,
    TransformerConfig,
    attend,
    attention_of,
    scores_of,
)
from tests.models.stacks import SIZES, STACKS, across, drawn, numbers, recorded, stack

TIGHT = 1e-11  # float64 against float64: sums in another order
TOLERANCE = 1e-5  # float32 against float64, absolute
ALL = pytest.mark.parametrize("name", STACKS)
OWN = pytest.mark.parametrize("name", [name for name in STACKS if name != "across"])
CAUSAL = pytest.mark.parametrize("name", ["gpt", "llama", "across"])
BOTH_WAYS = pytest.mark.parametrize("name", ["original", "bert", "unplaced"])


# -- the two forms of attention ----------------------------------------------------------------


def readable(q, k, v, mask=None):
    spread = q.shape[1] // k.shape[1]
    k, v = (x.repeat_interleave(spread, dim=1) for x in (k, v))
    return attention_of(q, k, mask) @ v


def masks(B: int, H: int, T: int, S: int) -> dict[str, torch.Tensor | None]:
    free = numbers(2, B, H, T, S).bool()
    lengths = torch.arange(1, B + 1)
    return {
        "none": None,
        "causal": torch.ones(T, S, dtype=torch.bool).tril(S - T)[None, None],
        "padded": (torch.arange(S) < S - lengths[:, None])[:, None, None],
        "of all heads": free[:, :1],
        "of each head": free,
    }


@pytest.mark.parametrize("G", [4, 2, 1])
@pytest.mark.parametrize("kind", ["none", "causal", "padded", "of all heads", "of each head"])
def test_the_readable_form_is_the_fused_one(kind, G):
    for T, S in ((1, 1), (6, 6), (1, 9), (7, 4), (5, 40)):
        q, k, v = drawn(3, 4, T, 6), drawn(3, G, S, 6, seed=1), drawn(3, G, S, 6, seed=2)
        mask = masks(3, 4, T, S)[kind]
        for dtype, atol in ((torch.float64, TIGHT), (torch.float32, 1e-6)):
            parts = [x.to(dtype) for x in (q, k, v)]
            fused = attend(*parts, mask)
            torch.testing.assert_close(fused, readable(*parts, mask), atol=atol, rtol=0)


def test_causal_stands_for_the_lower_triangle():
    q, k, v = drawn(2, 4, 9, 6), drawn(2, 2, 9, 6, seed=1), drawn(2, 2, 9, 6, seed=2)
    triangle = torch.ones(9, 9, dtype=torch.bool).tril()
    expected = readable(q, k, v, triangle)
    torch.testing.assert_close(attend(q, k, v, causal=True), expected, atol=TIGHT, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_row_that_may_look_nowhere_is_zero_in_both_forms(dtype):
    q, k, v = (drawn(2, 4, 6, 6, seed=seed, dtype=dtype) for seed in range(3))
    mask = torch.ones(2, 4, 6, 6, dtype=torch.bool)
    mask[0, 1, 2] = mask[1, :, 5] = False
    weights, fused = attention_of(q, k, mask), attend(q, k, v, mask)
    for one in (weights, fused):
        assert torch.all(one[0, 1, 2] == 0)
        assert torch.all(one[1, :, 5] == 0)
        assert torch.isfinite(one).all()
    torch.testing.assert_close(fused, weights @ v, atol=1e-6, rtol=0)


sizes = st.integers(1, 9)


@settings(max_examples=20)
@given(sizes, sizes, st.integers(0, 99), st.floats(0.1, 30))
def test_weights_are_a_distribution_over_what_may_be_looked_at(T, S, seed, scale):
    q, k = drawn(2, 3, T, 4, seed=seed) * scale, drawn(2, 3, S, 4, seed=seed + 1)
    mask = numbers(2, 2, 3, T, S, seed=seed).bool()
    mask[..., 0] = True
    weights = attention_of(q, k, mask)
    assert torch.all(weights >= 0)
    assert torch.all(weights[~mask] == 0)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, T).double(), atol=TIGHT, rtol=0)
    scores = scores_of(q, k, mask)
    assert torch.all((scores == -math.inf) == ~mask)
    torch.testing.assert_close(weights, scores.softmax(-1), atol=TIGHT, rtol=0)


def test_scores_are_products_over_the_root_of_the_width():
    q, k = drawn(3, 4), drawn(5, 4, seed=1)
    expected = torch.tensor([[float(a @ b) / 2 for b in k] for a in q], dtype=torch.float64)
    torch.testing.assert_close(scores_of(q, k), expected, atol=TIGHT, rtol=0)


# -- what a pass may not depend on ---------------------------------------------------------------


@OWN
@settings(max_examples=8)
@given(st.integers(1, 8), st.integers(0, 99))
def test_what_stands_in_padding_never_matters(name, length, seed):
    built, tokens = stack(name), numbers(13, 2, 9, seed=seed)
    real = torch.arange(9) < torch.tensor([[length], [9]])
    other = torch.where(real, tokens, (tokens + 5) % 13)
    one, two = built(tokens, real=real), built(other, real=real)
    assert torch.equal(one[real], two[real])


@OWN
def test_a_row_of_a_padded_batch_is_what_it_is_by_itself(name):
    built, tokens, lengths = stack(name).double(), numbers(13, 4, 9), [3, 9, 1, 5]
    real = torch.arange(9) < torch.tensor(lengths)[:, None]
    whole = built(tokens, real=real)
    for row, n in enumerate(lengths):
        alone = built(tokens[row : row + 1, :n])
        torch.testing.assert_close(whole[row, :n], alone[0], atol=TIGHT, rtol=0)


@CAUSAL
@pytest.mark.parametrize("t", [1, 4, 8])
def test_a_later_token_changes_nothing_before_it(name, t):
    built, tokens = stack(name), numbers(13, 2, 9)
    changed = tokens.clone()
    changed[:, t:] = (tokens[:, t:] + 1) % 13
    one, other = (built(text, **across(name, 2)) for text in (tokens, changed))
    assert torch.equal(one[:, :t], other[:, :t])
    assert not torch.allclose(one[:, t], other[:, t], atol=1e-3)


@CAUSAL
def test_a_text_that_is_cut_short_gives_the_same_beginning(name):
    built, tokens = stack(name).double(), numbers(13, 2, 9)
    told = {key: value.double() for key, value in across(name, 2).items()}
    whole = built(tokens, **told)
    for T in range(1, 9):
        short = built(tokens[:, :T], **told)
        torch.testing.assert_close(whole[:, :T], short, atol=TIGHT, rtol=0)


@BOTH_WAYS
def test_a_stack_that_looks_both_ways_sees_later_tokens(name):
    built, tokens = stack(name), numbers(13, 1, 9)
    changed = tokens.clone()
    changed[:, -1] = (tokens[:, -1] + 1) % 13
    assert not torch.allclose(built(tokens)[:, 0], built(changed)[:, 0], atol=1e-4)


@settings(max_examples=8)
@given(st.permutations(range(8)))
def test_without_positions_a_stack_that_looks_both_ways_sees_a_set(order):
    order = list(order)
    built, tokens = stack("unplaced").double(), numbers(13, 2, 8)
    found = built(tokens[:, order])
    torch.testing.assert_close(found, built(tokens)[:, order], atol=TIGHT, rtol=0)


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary"])
def test_with_positions_the_order_matters_unless_they_are_left_out(positions):
    built, tokens = stack("unplaced", positions=positions).double(), numbers(13, 2, 8)
    order = torch.tensor([3, 0, 1, 7, 6, 5, 2, 4])
    apart = built(tokens[:, order]) - built(tokens)[:, order]
    assert apart.abs().max() > 1e-2
    nowhere = torch.full((8,), -1)
    one, other = (built(text, positions=nowhere) for text in (tokens, tokens[:, order]))
    torch.testing.assert_close(other, one[:, order], atol=TIGHT, rtol=0)


@pytest.mark.parametrize("positions", ["learned", "sinusoidal"])
def test_a_position_left_out_adds_nothing(positions):
    built = stack("unplaced", positions=positions, embedding_scale=3.0)
    tokens = numbers(13, 2, 3)
    found = built.embed(tokens, torch.tensor([-1, 4, -1]))
    rows = built.token_embedding.weight[tokens] * 3.0
    assert torch.equal(found[:, [0, 2]], rows[:, [0, 2]])
    torch.testing.assert_close(
        found[:, 1], rows[:, 1] + built.position_table(torch.tensor([4])), atol=1e-6, rtol=0
    )


def test_rotary_positions_know_distances_alone():
    built, tokens = stack("llama"), numbers(13, 2, 8)
    one, other = built(tokens), built(tokens, positions=torch.arange(8) + 5)
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_tokens_may_be_read_in_another_order_at_their_own_positions():
    built, tokens = stack("bert").double(), numbers(13, 2, 8)
    order = torch.tensor([3, 0, 1, 7, 6, 5, 2, 4])
    found = built(tokens[:, order], positions=order)
    torch.testing.assert_close(found, built(tokens)[:, order], atol=TIGHT, rtol=0)


@ALL
def test_what_is_not_allowed_is_not_looked_at(name):
    built, tokens = stack(name), numbers(13, 2, 8)
    allowed = torch.ones(8, 8, dtype=torch.bool)
    allowed[4:, 2] = False  # nobody from token 4 on may look at token 2
    changed = tokens.clone()
    changed[:, 2] = (tokens[:, 2] + 1) % 13
    one = stack(name, num_layers=1)  # in one layer there is no way around
    told = across(name, 2)
    first, second = (one(text, allowed=allowed, **told) for text in (tokens, changed))
    assert torch.equal(first[:, 4:], second[:, 4:])
    assert not torch.allclose(first[:, 2], second[:, 2], atol=1e-3)
    whole = torch.ones(8, 8, dtype=torch.bool)
    torch.testing.assert_close(
        built(tokens, allowed=whole, **told), built(tokens, **told), atol=TOLERANCE, rtol=1e-5
    )


# -- step by step --------------------------------------------------------------------------------


@CAUSAL
@settings(max_examples=8)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.booleans())
def test_reading_in_parts_with_a_cache_is_reading_at_once(name, parts, padded):
    built, T = stack(name, context=20).double(), sum(parts)
    tokens = numbers(13, 3, T)
    told = {key: value.double() for key, value in across(name, 3).items()}
    if told:
        told["memory_mask"] = (torch.arange(5) < torch.tensor([[5], [2], [4]]))[:, None, None]
    real = torch.arange(T) >= torch.tensor([[0], [1], [2]]) if padded else None
    expected = built(tokens, real=real, **told)
    cache, found, at = Cache(), [], 0
    for n in parts:
        seen = None if real is None else real[:, : at + n]
        found.append(built(tokens[:, at : at + n], real=seen, cache=cache, **told))
        at += n
        assert cache.length == at
    torch.testing.assert_close(torch.cat(found, dim=1), expected, atol=TIGHT, rtol=0)


def test_keys_and_values_of_the_other_text_are_made_once():
    built, told = stack("across"), across("across", 2)
    calls = []
    built.blocks[0].cross.key.register_forward_hook(lambda *_: calls.append(1))
    cache, tokens = Cache(), numbers(13, 2, 5)
    for t in range(5):
        built(tokens[:, t : t + 1], cache=cache, **told)
    assert len(calls) == 1


@CAUSAL
def test_rows_of_a_cache_can_be_taken_in_any_order_and_number(name):
    built, tokens = stack(name).double(), numbers(13, 3, 6)
    told = {key: value.double() for key, value in across(name, 3).items()}
    cache = Cache()
    built(tokens[:, :5], cache=cache, **told)
    rows = torch.tensor([2, 0, 2, 2])
    taken = cache.take(rows)
    told = {key: value[rows] for key, value in told.items()}
    found = built(tokens[rows, 5:], cache=taken, **told)
    expected = built(tokens[rows], **told)[:, 5:]
    torch.testing.assert_close(found, expected, atol=TIGHT, rtol=0)
    assert (cache.length, taken.length) == (5, 6)  # a step of one leaves the other where it was


# -- heads switched off ------------------------------------------------------------------------


def without(built: Transformer, layer: int, part: str, head: int) -> Transformer:
    """The same network with the columns of a head in the output map set to zero."""
    other = Transformer(built.config)
    other.load_state_dict({key: value.clone() for key, value in built.state_dict().items()})
    d = built.config.head_width
    with torch.no_grad():
        getattr(other.blocks[layer], part).output.weight[:, head * d : (head + 1) * d] = 0
    return other.eval().requires_grad_(False)


@ALL
def test_a_head_switched_off_is_a_head_whose_columns_of_the_output_map_are_zero(name):
    built, tokens, told = stack(name), numbers(13, 2, 7), across(name, 2)
    parts = ("attention", "cross") if built.config.cross else ("attention",)
    for part in parts:
        point = "blocks.1" if part == "attention" else "blocks.1.cross"
        points, found = recorded(built, tokens, heads_off={point: frozenset({1})}, **told)
        expected = without(built, 1, part, 1)(tokens, **told)
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
        assert not torch.allclose(found, built(tokens, **told), atol=1e-3)
        z = points[f"{point}.heads"]
        assert torch.all(z[:, 1] == 0)
        assert torch.all(z[:, 0] != 0)


def test_with_all_heads_off_only_the_bias_of_the_output_map_is_added():
    built = stack("gpt")
    off = {"blocks.0": frozenset(range(4))}
    points, _ = recorded(built, numbers(13, 2, 5), heads_off=off)
    bias = built.blocks[0].attention.output.bias.expand(2, 5, 12)
    assert torch.equal(points["blocks.0.attended"], bias)


def test_no_head_is_off_unless_it_is_named():
    built, tokens = stack("gpt"), numbers(13, 2, 5)
    assert torch.equal(built(tokens, heads_off={"blocks.9": frozenset({0})}), built(tokens))
    assert torch.equal(built(tokens, heads_off={"blocks.0": frozenset()}), built(tokens))


# -- starts and sizes --------------------------------------------------------------------------


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
