import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.scans import by_doubling, in_order, scan

TOLERANCE = 1e-5  # float32 against float64, of the largest value


def drawn(T: int, seed: int, shut: float = 0.0):
    """Gates (some of them shut), updates and a first c, in float64."""
    generator = torch.Generator().manual_seed(seed)
    f = torch.rand(T, 2, 3, generator=generator, dtype=torch.float64)
    f *= torch.rand(T, 2, 3, generator=generator) >= shut
    update = torch.randn(T, 2, 3, generator=generator, dtype=torch.float64)
    return f, update, torch.randn(2, 3, generator=generator, dtype=torch.float64)


def by_hand(f, update, c):
    found = []
    for gate, new in zip(f, update, strict=True):
        c = gate * c + new
        found.append(c)
    return torch.stack(found)


@pytest.mark.parametrize("order", [in_order, by_doubling])
@given(T=st.integers(1, 70), seed=st.integers(0, 10**6), shut=st.sampled_from([0.0, 0.3, 1.0]))
def test_both_orders_give_every_c(order, T, seed, shut):
    drawing = drawn(T, seed, shut)
    expected = by_hand(*drawing)
    found = order(*(value.float() for value in drawing)).double()
    assert (found - expected).abs().max() <= TOLERANCE * max(1.0, expected.abs().max().item())


@pytest.mark.parametrize("order", [in_order, by_doubling])
def test_gates_that_stay_open_lose_no_digits_over_a_long_text(order):
    T = 3000
    f, update, c = torch.ones(T, 1, 1), torch.full((T, 1, 1), 0.25), torch.zeros(1, 1)
    assert torch.equal(order(f, update, c)[:, 0, 0], 0.25 * torch.arange(1, T + 1))


@pytest.mark.parametrize("order", [in_order, by_doubling])
def test_what_is_not_a_number_spreads_forwards_only(order):
    f, update, c = (value.float() for value in drawn(9, 1))
    update[4, 0, 0] = torch.nan
    found = order(f, update, c)
    assert found[4:, 0, 0].isnan().all()
    assert not found[:4].isnan().any()
    assert not found[:, 1].isnan().any()


def test_what_went_in_is_left_as_it_was():
    drawing = drawn(6, 2)
    before = [value.clone() for value in drawing]
    by_doubling(*drawing)
    scan(*drawing)
    assert all(torch.equal(a, b) for a, b in zip(drawing, before, strict=True))
