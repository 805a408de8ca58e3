"""The two forms of attention, readable and fused: the same weights, of what may be looked at."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.transformer import attend, attention_of, scores_of
from tests.models.stacks import drawn, numbers

TIGHT = 1e-11  # float64 against float64: sums in another order


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
