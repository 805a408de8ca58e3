import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from models.attention import SCORES, Attention

D = 6  # of queries and annotations
TOLERANCE = 1e-6  # float32 sums in another order


def attention(score: str, seed: int = 0) -> Attention:
    """An attention whose parameters, the score vector too, are drawn from a seed."""
    built, generator = Attention(score, D, D, 4), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return built.requires_grad_(False)


def drawn(B: int, S: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """States (B, D) and annotations (B, S, D)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(B, D, generator=generator), torch.randn(B, S, D, generator=generator)


def look(built: Attention, state, annotations, mask=None, force=None):
    return built(state, built.keys(annotations), annotations, mask, force)


def mask_of(lengths: list[int], S: int) -> torch.Tensor:
    return torch.arange(S) < torch.tensor(lengths)[:, None]


scores = st.sampled_from(SCORES)
all_lengths = st.lists(st.integers(1, 9), min_size=1, max_size=4)


@settings(max_examples=30)
@given(scores, all_lengths, st.integers(0, 3), st.integers(0, 99))
def test_weights_sum_to_one_over_the_real_source_and_are_nothing_over_padding(
    score, lengths, extra, seed
):
    S = max(lengths) + extra
    mask = mask_of(lengths, S)
    found = look(attention(score, seed), *drawn(len(lengths), S, seed), mask)
    assert torch.all(found.weights[~mask] == 0)
    assert torch.all(found.energy[~mask] == -torch.inf)
    assert torch.all(found.weights[mask] >= 0)
    one = torch.ones(len(lengths))
    torch.testing.assert_close(found.weights.sum(-1), one, atol=TOLERANCE, rtol=0)


@settings(max_examples=30)
@given(scores, all_lengths, st.integers(1, 5), st.integers(0, 99))
def test_more_padding_changes_nothing_whatever_stands_in_it(score, lengths, extra, seed):
    S, built = max(lengths), attention(score, seed)
    state, annotations = drawn(len(lengths), S, seed)
    padded = torch.cat([annotations, torch.full((len(lengths), extra, D), 1e4)], dim=1)
    short = look(built, state, annotations, mask_of(lengths, S))
    long = look(built, state, padded, mask_of(lengths, S + extra))
    for one, other in (
        (long.weights[:, :S], short.weights),
        (long.energy[:, :S], short.energy),
        (long.context, short.context),
    ):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


def test_the_additive_score_is_the_formula_of_bahdanau():
    built, (state, annotations) = attention("additive"), drawn(2, 5)
    W, U, b = built.query.weight.double(), built.key.weight.double(), built.key.bias.double()
    expected = torch.empty(2, 5, dtype=torch.float64)
    for row in range(2):
        for j in range(5):
            hidden = (W @ state[row].double() + U @ annotations[row, j].double() + b).tanh()
            expected[row, j] = built.v.double() @ hidden
    found = look(built, state, annotations)
    torch.testing.assert_close(found.energy.double(), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.query, state @ built.query.weight.T, atol=1e-5, rtol=0)


def test_the_dot_score_is_torchs_own_attention_without_its_scale():
    built, (state, annotations) = attention("dot"), drawn(3, 7)
    mask = mask_of([7, 4, 1], 7)
    found = look(built, state, annotations, mask)
    expected = F.scaled_dot_product_attention(
        state[:, None], annotations, annotations, attn_mask=mask[:, None], scale=1.0
    )
    torch.testing.assert_close(found.context, expected[:, 0], atol=1e-5, rtol=0)
    assert found.query is None


def test_the_general_score_is_a_bilinear_form():
    built, (state, annotations) = attention("general"), drawn(3, 7)
    found = look(built, state, annotations)
    every = state[:, None].expand_as(annotations).contiguous()
    expected = F.bilinear(annotations, every, built.query.weight[None])[..., 0]
    torch.testing.assert_close(found.energy, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("score", SCORES)
def test_weights_are_the_softmax_of_the_energies_and_the_context_is_their_mean(score):
    state, annotations = drawn(3, 7)
    found = look(attention(score), state, annotations)
    torch.testing.assert_close(found.weights, found.energy.softmax(-1), atol=0, rtol=0)
    expected = torch.einsum("bs,bsc->bc", found.weights, annotations)
    torch.testing.assert_close(found.context, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("score", SCORES)
def test_force_puts_the_whole_weight_of_a_row_on_one_position_and_leaves_the_rest_alone(score):
    built, (state, annotations) = attention(score), drawn(3, 7)
    free = look(built, state, annotations)
    forced = look(built, state, annotations, force=torch.tensor([-1, 4, 0]))
    assert torch.equal(forced.energy, free.energy)
    assert torch.equal(forced.weights[0], free.weights[0])
    assert torch.equal(forced.context[0], free.context[0])
    for row, at in ((1, 4), (2, 0)):
        assert forced.weights[row].tolist() == [float(j == at) for j in range(7)]
        assert torch.equal(forced.context[row], annotations[row, at])


@pytest.mark.parametrize("score", SCORES)
def test_hard_attention_takes_one_annotation_whole_and_its_weights_stay_what_they_were(score):
    built, (state, annotations) = attention(score), drawn(3, 7)
    soft, at = look(built, state, annotations), torch.tensor([6, 0, 3])
    hard = built(state, built.keys(annotations), annotations, look=lambda weights: at)
    assert torch.equal(hard.weights, soft.weights)
    assert torch.equal(hard.energy, soft.energy)
    assert torch.equal(hard.context, annotations[torch.arange(3), at])
    assert torch.equal(hard.chosen, at)
    assert soft.chosen is None


def test_what_is_forced_is_what_hard_attention_is_left_with():
    built, (state, annotations) = attention("additive"), drawn(2, 5)
    likeliest = lambda weights: weights.argmax(-1)
    keys, force = built.keys(annotations), torch.tensor([2, 4])
    hard = built(state, keys, annotations, force=force, look=likeliest)
    assert hard.chosen.tolist() == [2, 4]
    assert torch.equal(hard.context, annotations[torch.arange(2), force])


def test_only_the_additive_score_has_keys_of_its_own():
    _, annotations = drawn(2, 3)
    assert attention("dot").keys(annotations) is annotations
    assert attention("general").keys(annotations) is annotations
    assert attention("additive").keys(annotations).shape == (2, 3, 4)


def test_a_score_nobody_knows_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"score is 'cosine', expected one of additive, dot, gen"):
        Attention("cosine", 4, 4)


def test_the_dot_score_of_two_widths_is_refused_with_both():
    with pytest.raises(ValueError, match=r"as wide as an annotation, found 4 and 6"):
        Attention("dot", 4, 6)
