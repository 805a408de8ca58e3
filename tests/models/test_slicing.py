"""Slices: a part is that of the whole, in numbers or bytes; what cannot be cut says why."""

import numpy as np
import pytest
import torch

from models.slicing import BadSlice, Slice
from models.trace import UnknownPoint
from models.transformer_runner import read_stack
from tests.models.readings import IDS, H, L, cut, one_text


@pytest.fixture(scope="module")
def reading():
    return read_stack(one_text(), IDS)


def test_a_part_is_the_part_of_the_whole(reading):
    whole = cut(reading, "blocks.*.attention")
    assert whole.shape == (L, H, len(IDS), len(IDS))
    part = reading.slice(
        Slice("blocks.*.attention", {"layer": 2, "head": (1, 3), "query": 7, "key": (2, 9)})
    )
    assert part.axes == ("head", "key")
    np.testing.assert_allclose(part.data, whole[2, 1:3, 7, 2:9], atol=1e-6)


def test_bytes_stand_for_squares_to_half_a_step(reading):
    whole = cut(reading, "blocks.0.attention")
    found = reading.slice(Slice("blocks.0.attention", form="u1"))
    assert (found.scale, found.data.dtype) == ("sqrt", np.uint8)
    assert np.abs(found.data / 255 - np.sqrt(whole)).max() <= 0.5 / 255 + 1e-6


def test_bytes_of_real_numbers_lie_between_the_ends_that_are_told(reading):
    whole = cut(reading, "blocks.0.mlp")
    found = reading.slice(Slice("blocks.0.mlp", form="u1"))
    value = found.low + found.data / 255 * (found.high - found.low)
    assert found.scale == "linear"
    assert np.abs(value - whole).max() <= 0.51 / 255 * (found.high - found.low)


def test_a_pooled_cell_is_the_largest_weight_in_it(reading):
    whole = cut(reading, "blocks.1.attention")
    found = reading.slice(Slice("blocks.1.attention", form="u1", size=5))  # 12 tokens: 3 a cell
    assert found.pooled == 3
    largest = whole.reshape(H, 4, 3, 4, 3).max(axis=(2, 4))
    assert np.abs(found.data / 255 - np.sqrt(largest)).max() <= 0.5 / 255 + 1e-6


def test_pooling_counts_cells_that_are_not_full(reading):
    found = reading.slice(Slice("blocks.1.attention", form="u1", size=8))  # 12 tokens: 2 a cell
    assert found.data.shape == (H, 6, 6)
    found = reading.slice(
        Slice("blocks.1.attention", {"query": (0, 11), "key": (0, 7)}, form="u1", size=4)
    )
    assert found.data.shape == (H, 4, 3)


def test_the_likeliest_of_some_tokens_are_told_by_their_own_numbers(reading):
    whole = cut(reading, "blocks.*.lens")[:, :, 4:9]
    found = reading.slice(Slice("blocks.*.lens", {"token": (4, 9)}, top=2))
    best = torch.tensor(whole).topk(2)
    np.testing.assert_array_equal(found.data, best.values)
    np.testing.assert_array_equal(found.token_ids, best.indices + 4)


def test_the_likeliest_tokens_come_with_their_numbers(reading):
    whole = cut(reading, "blocks.0.lens")
    found = reading.slice(Slice("blocks.0.lens", {"time": (2, 6)}, top=3))
    assert found.axes == ("time", "token")
    np.testing.assert_allclose(found.data, np.sort(whole[2:6])[:, :-4:-1], atol=1e-7)
    np.testing.assert_array_equal(found.token_ids, np.argsort(-whole[2:6])[:, :3])


@pytest.mark.parametrize(
    "asked",
    [
        Slice("blocks.*.attention", form="u1", size=5),
        Slice("blocks.*.lens", {"layer": (0, 2), "time": 3}, top=4),
        Slice("blocks.2.q", {"head": 1}),
        Slice("embedding"),
    ],
    ids=lambda asked: asked.point,
)
def test_how_many_numbers_a_slice_holds_is_known_before_it_is_cut(reading, asked):
    assert reading.numbers(asked) == reading.slice(asked).data.size


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        (Slice("blocks.0.attention", {"layer": 0}), "no axis 'layer'"),
        (Slice("blocks.0.attention", {"query": 12}), "0 to 11"),
        (Slice("blocks.0.attention", {"query": (4, 4)}), "0 to 11"),
        (Slice("blocks.0.attention", {"key": (-1, 4)}), "0 to 11"),
        (Slice("blocks.0.scores", form="u1"), "infinity"),
        (Slice("blocks.0.attention", form="f8"), "f4 or u1"),
        (Slice("blocks.0.q", form="u1", size=4), "query and a key"),
        (Slice("blocks.0.attention", size=4), "u1"),
        (Slice("blocks.0.q", top=4), "token axis"),
    ],
)  # fmt: skip
def test_a_slice_that_cannot_be_cut_says_why(reading, asked, word):
    with pytest.raises(BadSlice, match=word):
        reading.slice(asked)


@pytest.mark.parametrize("name", ["blocks.3.q", "blocks.*.x", "*", "blocks.0", "blocks.*.*.q", ""])
def test_an_unknown_point_is_named(reading, name):
    with pytest.raises(UnknownPoint):
        reading.slice(Slice(name))
