import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.positions import rotary, rotate, sinusoidal
from tests.models.stacks import drawn

LONG = sinusoidal(601, 8).double()
TOLERANCE = 1e-6  # a table rests in float32, whose sines are right to 6e-8


def test_the_table_is_its_closed_form():
    table = sinusoidal(200, 12)
    assert table.dtype == torch.float32
    for p in (0, 1, 7, 199):
        for i in range(6):
            angle = p / 10000 ** (2 * i / 12)
            assert table[p, 2 * i].item() == pytest.approx(math.sin(angle), abs=TOLERANCE)
            assert table[p, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=TOLERANCE)


def test_a_table_of_an_odd_width_ends_with_a_sine_that_has_no_cosine():
    table = sinusoidal(9, 5)
    assert table.shape == (9, 5)
    expected = [math.sin(p / 10000 ** (4 / 5)) for p in range(9)]
    assert table[:, 4].tolist() == pytest.approx(expected, abs=TOLERANCE)


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_row_of_the_table_is_an_earlier_one_turned_by_their_distance(p, k):
    table = LONG
    for i in range(4):
        angle = k / 10000 ** (2 * i / 8)
        turn = torch.tensor(
            [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]],
            dtype=torch.float64,
        )
        pair = table[:, 2 * i : 2 * i + 2]
        torch.testing.assert_close(pair[p + k], turn @ pair[p], atol=TOLERANCE, rtol=0)


def test_near_rows_of_the_table_are_alike_and_their_product_depends_on_distance_alone():
    table = sinusoidal(64, 32).double()
    products = table @ table.T
    for k in (0, 1, 5, 20):
        along = products.diagonal(k)
        torch.testing.assert_close(along, along[:1].expand_as(along), atol=1e-5, rtol=0)
    assert products[0, 0] > products[0, 1] > products[0, 2]


def turned(x, positions, base=10000.0):
    return rotate(x, rotary(torch.as_tensor(positions), x.shape[-1], base))


@settings(max_examples=40)
@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 1500), st.integers(0, 9))
def test_the_product_of_a_turned_query_and_key_depends_on_their_distance_alone(p, s, shift, seed):
    q, k = drawn(2, 8, seed=seed)
    one, two, both = (
        [turned(x.view(1, 1, 1, 8), [at + by]).flatten() for x, at in ((q, p), (k, s))]
        for by in (0, shift, 2 * shift)
    )
    # Angles are float32: at position 2,000 they are right to 1e-4.
    assert float(one[0] @ one[1]) == pytest.approx(float(two[0] @ two[1]), abs=5e-3)
    assert float(one[0] @ one[1]) == pytest.approx(float(both[0] @ both[1]), abs=5e-3)


def test_turning_keeps_the_length_and_leaves_position_0_as_it_is():
    x = drawn(2, 3, 50, 8)
    found = turned(x, range(50))
    torch.testing.assert_close(found.norm(dim=-1), x.norm(dim=-1), atol=1e-5, rtol=0)
    assert torch.equal(found[:, :, 0], x[:, :, 0])
    assert not torch.allclose(found[:, :, 1], x[:, :, 1], atol=1e-2)


@pytest.mark.parametrize("base", [100.0, 10000.0, 500000.0])
def test_turning_is_a_product_of_complex_numbers(base):
    x = drawn(1, 2, 12, 6)
    positions = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144]
    found = turned(x, positions, base)
    for t, p in enumerate(positions):
        for i in range(3):
            for head in range(2):
                number = complex(x[0, head, t, i], x[0, head, t, i + 3])
                angle = p * base ** (-2 * i / 6)
                number *= complex(math.cos(angle), math.sin(angle))
                assert found[0, head, t, i].item() == pytest.approx(number.real, abs=1e-4)
                assert found[0, head, t, i + 3].item() == pytest.approx(number.imag, abs=1e-4)


def test_the_first_pair_of_columns_turns_by_one_radian_a_position_and_each_later_one_more_slowly():
    cos, sin = rotary(torch.arange(2), 8, 10000.0)
    angles = torch.atan2(sin, cos)[1]
    assert angles[:4].tolist() == pytest.approx([1.0, 0.1, 0.01, 0.001], abs=TOLERANCE)
    assert torch.equal(angles[:4], angles[4:])
