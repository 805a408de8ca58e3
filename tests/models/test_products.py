import pytest
import torch
from torch.nn import functional as F

from models import kernels
from models.products import ROWS, Products

TOLERANCE = 1e-5  # float32 against float64, absolute, for sums of a hundred terms near 1


@pytest.fixture(autouse=True)
def compiled():
    if not kernels.warm_up():
        pytest.skip("there is no compiler here: every product is torch's own")


def weights(N: int, K: int, half: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(N * K)
    weight, bias = torch.randn(N, K, generator=generator), torch.randn(N, generator=generator)
    return (weight.half().float() if half else weight), bias


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("rows", [1, 2, 5, 8, ROWS, ROWS + 1])
@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (128, 64), (300, 100)])
def test_a_product_is_that_of_float64(shape, rows, half):
    weight, bias = weights(*shape, half)
    x = torch.randn(rows, shape[1], generator=torch.Generator().manual_seed(rows))
    for b in (bias, None):
        expected = F.linear(x.double(), weight.double(), None if b is None else b.double())
        found = Products()(x, weight, b)
        torch.testing.assert_close(found.double(), expected, atol=TOLERANCE, rtol=1e-5)


def test_a_row_has_the_same_bits_whatever_stands_beside_it():
    weight, bias = weights(200, 90)
    products = Products()
    x = torch.randn(9, 90, generator=torch.Generator().manual_seed(1))
    together = products(x, weight, bias)
    for k in range(len(x)):
        assert torch.equal(products(x[k : k + 1], weight, bias)[0], together[k])


def test_two_views_of_one_weight_are_two_weights():
    weight, _ = weights(40, 20)
    left, right = weight.tensor_split([8], dim=1)
    products, x = Products(), torch.ones(1, 20)
    for _ in range(2):  # packed, then from what was packed
        a, b = products(x[:, :8], left), products(x[:, 8:], right)
        torch.testing.assert_close(a + b, F.linear(x, weight), atol=TOLERANCE, rtol=0)


def test_the_same_weight_with_another_bias_is_not_taken_for_it():
    weight, bias = weights(40, 20)
    products, x = Products(), torch.ones(1, 20)
    difference = products(x, weight, bias) - products(x, weight)
    torch.testing.assert_close(difference[0], bias, atol=TOLERANCE, rtol=0)


def test_a_weight_that_is_packed_again_is_not_mixed_up_with_one_that_is_gone():
    products, x = Products(), torch.ones(1, 20)
    for k in range(20):  # freed memory would be used again
        weight = torch.full((40, 20), float(k))
        assert products(x, weight)[0, 0] == 20 * k


def test_until_the_kernels_are_compiled_the_product_is_torchs_own(monkeypatch):
    weight, bias = weights(40, 20)
    x = torch.randn(3, 20)
    monkeypatch.setattr(kernels, "ready", lambda: False)
    assert torch.equal(Products()(x, weight, bias), F.linear(x, weight, bias))
