"""What a pass of a stack may not depend on, with a cache or without, and heads switched off."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.transformer import Cache, Transformer
from tests.models.stacks import STACKS, across, numbers, recorded, stack

TIGHT = 1e-11  # float64 against float64: sums in another order
TOLERANCE = 1e-5  # float32 against float64, absolute
ALL = pytest.mark.parametrize("name", STACKS)
OWN = pytest.mark.parametrize("name", [name for name in STACKS if name != "across"])
CAUSAL = pytest.mark.parametrize("name", ["gpt", "llama", "across"])
BOTH_WAYS = pytest.mark.parametrize("name", ["original", "bert", "unplaced"])


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
