import subprocess
import sys
import threading

import numpy as np
import pytest

from models import kernels


def numbers(*shape: int, seed: int = 0, half: bool = False) -> np.ndarray:
    values = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return values.astype(np.float16).astype(np.float32) if half else values


def times(packed: kernels.Packed, x: np.ndarray, backwards: bool = False) -> np.ndarray:
    """x (B, K) times the packed matrix: (B, padded N)."""
    out = np.zeros((len(x), packed.N), np.float32)
    kernels.multiply(
        packed, x.reshape(-1), 0, x.shape[1], out.reshape(-1), packed.N, len(x), backwards
    )
    return out


@pytest.mark.parametrize("half", [False, True], ids=["float32", "float16"])
@pytest.mark.parametrize(("N", "K"), [(1, 1), (5, 3), (128, 64), (129, 65), (400, 100)])
def test_a_packed_product_is_the_product_and_zero_beyond_it(N, K, half, compiled):
    weight, x = numbers(N, K, half=half), numbers(13, K, seed=1)
    out = times(kernels.pack(weight, half and kernels.is_half(weight)), x)
    exact = x.astype(np.float64) @ weight.T.astype(np.float64)
    scale = np.abs(x) @ np.abs(weight).T  # of the terms that a sum is made of
    assert (np.abs(out[:, :N] - exact) <= 1e-6 * scale).all()
    assert not out[:, N:].any()


@pytest.mark.parametrize("half", [False, True], ids=["float32", "float16"])
def test_a_row_of_a_product_is_bitwise_the_same_whatever_the_batch(half, compiled):
    weight, x = numbers(300, 77, half=half), numbers(27, 77, seed=1)
    packed = kernels.pack(weight, half and kernels.is_half(weight))
    alone = np.concatenate([times(packed, row[None]) for row in x])
    for B in range(1, len(x) + 1):
        assert np.array_equal(times(packed, x[:B]), alone[:B])


def test_the_order_in_which_panels_are_read_changes_no_bit(compiled):
    packed, x = kernels.pack(numbers(500, 33), False), numbers(7, 33, seed=1)
    assert np.array_equal(times(packed, x), times(packed, x, backwards=True))


def test_weights_that_rest_as_float16_lose_nothing(compiled):
    weight, x = numbers(200, 50, half=True), numbers(9, 50, seed=1)
    if not kernels.is_half(weight):
        pytest.skip("this processor does not widen float16 by itself")
    packed = kernels.pack(weight, True)
    assert packed.data.nbytes * 2 == kernels.pack(weight, False).data.nbytes
    assert np.array_equal(times(packed, x), times(kernels.pack(weight, False), x))


def test_only_float16_numbers_rest_as_float16():
    weight = numbers(3, 3, half=True)
    for stranger in (0.1, 1e-9, 70000.0, np.nan):
        other = weight.copy()
        other[1, 1] = stranger
        assert not kernels.is_half(other)


@pytest.fixture(scope="module")
def elementwise():
    """tanh and sigmoid over an array, compiled."""
    numba = pytest.importorskip("numba")

    @numba.njit
    def both(x):
        tanh, sigmoid = np.empty_like(x), np.empty_like(x)
        for j in range(len(x)):
            tanh[j], sigmoid[j] = kernels.tanh(x[j]), kernels.sigmoid(x[j])
        return tanh, sigmoid

    return both


def test_tanh_and_sigmoid_are_right_to_a_few_units_of_float32(elementwise):
    x = np.concatenate([np.linspace(-20, 20, 1_000_001), np.logspace(-30, 1, 10_001)])
    x = x.astype(np.float32)
    tanh, sigmoid = elementwise(x)
    exact = np.tanh(x.astype(np.float64))
    assert np.abs(tanh - exact).max() <= 4e-7
    assert np.abs(tanh[exact != 0] / exact[exact != 0] - 1).max() <= 4e-7
    assert np.abs(sigmoid - 1 / (1 + np.exp(-x.astype(np.float64)))).max() <= 2e-7
    assert np.array_equal(elementwise(-x)[0], -tanh)  # odd
    assert np.abs(tanh).max() == 1
    assert (sigmoid.min(), sigmoid.max()) == (0, 1)


def test_tanh_and_sigmoid_let_nothing_slip_by(elementwise):
    extremes = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 0.0], np.float32)
    tanh, sigmoid = elementwise(extremes)
    assert np.array_equal(tanh, np.array([np.nan, 1, -1, 1, -1, 0], np.float32), equal_nan=True)
    assert np.array_equal(sigmoid, np.array([np.nan, 1, 0, 1, 0, 0.5], np.float32), equal_nan=True)


def test_after_warming_up_nothing_is_compiled_any_more(compiled):
    assert kernels.ready()
    assert kernels.warm_up()  # again, at once
    table = np.zeros((4, 8))  # float64: the kernels were not made for it
    with pytest.raises(TypeError, match="No matching definition"):
        kernels.look_up(table, np.zeros(1, np.int64), np.zeros(1, np.int64), 1, table)


def test_without_numba_the_kernels_are_never_ready(monkeypatch):
    monkeypatch.setattr(kernels, "numba", None)
    monkeypatch.setattr(kernels, "_ready", threading.Event())
    assert not kernels.warm_up()
    assert not kernels.ready()


WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = sys.modules["llvmlite"] = None  # importing them fails
import numpy as np, torch
from models import kernels, sampling
from models.cells import Recurrent
from models.stepper import Stepper
assert not kernels.warm_up()
recurrent = Recurrent("gru", torch.nn.GRU(3, 5).state_dict())
assert recurrent.run(torch.zeros(4, 1, 3)).output.shape == (4, 1, 5)
stepper = Stepper(recurrent, torch.eye(3), torch.zeros(3, 5), torch.zeros(3), 2)
capture, logits = stepper.step(np.array([1]), np.array([2]))
one = np.ones(1)
tokens, _, _ = sampling.draw(logits, one, np.zeros(1, int), one, one / 2)
assert tokens.tolist() == [1]
"""


def test_without_numba_everything_still_works(root):
    subprocess.run([sys.executable, "-c", WITHOUT_NUMBA], cwd=root, check=True, timeout=120)
