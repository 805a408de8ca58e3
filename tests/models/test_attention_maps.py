"""Maps made in stretches equal those made at once, whatever may be seen."""

import numpy as np
import pytest
import torch

from models import attention_maps
from models.attention_maps import Window, draw
from models.transformer import attention_of

H, G, T, S, D = 4, 2, 13, 9, 6


def seen(kind: str) -> torch.Tensor | None:
    if kind == "all":
        return None
    if kind == "causal":
        return torch.ones(T, S, dtype=torch.bool).tril()
    mask = torch.rand(T, S, generator=torch.Generator().manual_seed(1)) > 0.5
    mask[3] = False  # a query that may look nowhere
    mask[4:8] = False  # and a stretch of them
    return mask


@pytest.fixture(params=["all", "causal", "scattered"])
def made(request, monkeypatch):
    """q, k, the mask, and all weights, made at once; stretches are short."""
    monkeypatch.setattr(attention_maps, "STRETCH", 4 * S)
    generator = torch.Generator().manual_seed(0)
    q, k = (2 * torch.randn(n, t, D, generator=generator) for n, t in ((H, T), (G, S)))
    mask = seen(request.param)
    return q, k, mask, attention_of(q, k.repeat_interleave(H // G, 0), mask)


def drawn(made, dtype, heads=range(H), queries=range(T), keys=range(S), cells=1):
    q, k, mask, _ = made
    shape = len(heads), -(-len(queries) // cells), -(-len(keys) // cells)
    out = np.full(shape, 77, dtype)
    draw(out, q, k, mask if mask is None else Window(mask), heads, queries, keys, cells)
    return out


def test_weights_are_those_of_the_formula(made):
    np.testing.assert_allclose(drawn(made, np.float32), made[3], atol=1e-6)


def test_a_part_is_the_part_of_the_whole(made):
    part = drawn(made, np.float32, range(1, 3), range(2, 11), range(3, 8))
    np.testing.assert_allclose(part, made[3][1:3, 2:11, 3:8], atol=1e-6)


def test_a_pooled_byte_is_the_root_of_the_largest_weight(made):
    found = drawn(made, np.uint8, queries=range(1, T), keys=range(2, S), cells=3)
    whole = np.zeros((H, 12, 9))
    whole[:, :, :7] = made[3][:, 1:, 2:]  # the last cell of keys is not full
    largest = whole.reshape(H, 4, 3, 3, 3).max(axis=(2, 4))
    assert np.abs(found / 255 - np.sqrt(largest)).max() <= 0.5 / 255 + 1e-6
