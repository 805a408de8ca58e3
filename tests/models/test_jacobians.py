"""Jacobians of a step against autograd, and their radii against numpy, in float64. Tolerance 1e-10
where the matrix is taken apart, 1% where Arnoldi's method stops before the end."""

import numpy as np
import pytest
import torch

from models.cells import GATES, gates
from models.jacobians import DENSE, Jacobians, arnoldi, jacobians

CELLS = ("rnn_tanh", "rnn_relu", "lstm", "gru")
S = 3


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def step(cell: str, w, b, from_x, state):
    """A step by the formulas: h (H), and of an LSTM c (H) behind it, to the same."""
    H = w.shape[1]
    found = gates(cell, from_x, w @ state[:H] + b)
    if cell == "lstm":
        c = found["f"] * state[H:] + found["i"] * found["g"]
        return torch.cat([found["o"] * c.tanh(), c])
    if cell == "gru":
        return (1 - found["z"]) * found["n"] + found["z"] * state
    return found["a"].tanh() if cell == "rnn_tanh" else found["a"].relu()


def build(cell: str, H: int, scale: float = 1.0):
    """Jacobians of S steps from random states, and what autograd needs to check them."""
    w = scale * normal(GATES[cell] * H, H) / H**0.5
    b, from_x = normal(len(w), seed=1), normal(S, len(w), seed=2)
    before = 0.5 * normal(S, H * (1 + (cell == "lstm")), seed=3)
    after = torch.stack([step(cell, w, b, x, s) for x, s in zip(from_x, before, strict=True)])
    from_h = before[:, :H] @ w.T + b
    made = jacobians(cell, w, from_x, from_h, before.split(H, 1), after.split(H, 1))
    return made, w, b, from_x, before


@pytest.mark.parametrize("cell", CELLS)
def test_a_jacobian_and_its_transpose_are_those_of_autograd(cell):
    made, w, b, from_x, before = build(cell, 5)
    dense = made.dense()
    for k in range(S):
        expected = torch.autograd.functional.jacobian(
            lambda s, x=from_x[k]: step(cell, w, b, x, s), before[k]
        )
        torch.testing.assert_close(dense[k], expected, atol=1e-12, rtol=0)
    u = normal(S, made.n, seed=4)
    back = torch.einsum("skn,sk->sn", dense, u)
    torch.testing.assert_close(made.transposed(u), back, atol=1e-12, rtol=0)


@pytest.mark.parametrize("cell", CELLS)
def test_radius_and_stretch_of_a_small_cell_are_those_of_numpy(cell):
    made = build(cell, 6)[0]
    dense = made.dense().numpy()
    radius = np.abs(np.linalg.eigvals(dense)).max(-1)
    stretch = np.linalg.svd(dense, compute_uv=False)[:, 0]
    np.testing.assert_allclose(made.spectral_radius(), radius, rtol=1e-10)
    np.testing.assert_allclose(made.largest_singular_value(), stretch, rtol=1e-7)


@pytest.mark.parametrize("cell", CELLS)
def test_radius_and_stretch_of_a_large_cell_are_those_of_numpy_to_a_hundredth(cell):
    made = build(cell, DENSE + 4)[0]
    dense = made.dense().numpy()
    radius = np.abs(np.linalg.eigvals(dense)).max(-1)
    stretch = np.linalg.svd(dense, compute_uv=False)[:, 0]
    np.testing.assert_allclose(made.spectral_radius(), radius, rtol=1e-2)
    np.testing.assert_allclose(made.largest_singular_value(), stretch, rtol=1e-3)


def test_arnoldi_finds_an_eigenvalue_that_stands_alone_to_many_digits():
    matrix = torch.diag(torch.linspace(-0.5, 0.5, 200, dtype=torch.float64))
    matrix[0, 0] = -3.0
    found = arnoldi(lambda v: v @ matrix.T, normal(1, 200), 20)
    assert found.item() == pytest.approx(3.0, rel=1e-12)


def test_a_linear_cell_of_one_unit_has_its_weight_for_a_jacobian():
    w = torch.tensor([[-1.7]], dtype=torch.float64)
    one = torch.ones(1, 1, dtype=torch.float64)
    made = jacobians("rnn_relu", w, one, 2 * one, (one,), (3 * one,))
    assert made.spectral_radius().item() == pytest.approx(1.7)
    assert made.largest_singular_value().item() == pytest.approx(1.7)


def test_the_road_of_the_cell_state_alone_is_the_forget_gate():
    made = build("lstm", 5)[0]
    only_c = made.dense()[:, 5:, 5:]
    torch.testing.assert_close(only_c, torch.diag_embed(made.keep), atol=1e-15, rtol=0)


def test_what_is_no_number_has_a_radius_that_is_none():
    bad = torch.tensor([[float("nan")], [0.5]], dtype=torch.float64)
    made = Jacobians(torch.ones(1, 1, dtype=torch.float64), torch.zeros_like(bad), bad, None)
    assert made.spectral_radius().isnan().tolist() == [True, False]
