import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import kernels, sampling

ROWS, V = 64, 40


def draw(logits, temperature=1.0, top_k=0, top_p=1.0, u=0.5):
    """`sampling.draw` with one setting for all rows."""
    logits = np.atleast_2d(np.asarray(logits, np.float32))
    full = lambda value: np.broadcast_to(np.asarray(value), len(logits))
    return sampling.draw(logits, full(temperature), full(top_k), full(top_p), full(u))


def softmax(logits):
    """In float64, row by row."""
    e = np.exp(np.asarray(logits, np.float64) - np.max(logits, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def logits(seed: int = 0, rows: int = ROWS) -> np.ndarray:
    return (3 * np.random.default_rng(seed).standard_normal((rows, V))).astype(np.float32)


def test_the_first_numbers_of_splitmix64_come_out():
    # Published outputs of the generator started at 0 and at 1234567.
    outputs = [sampling._mix((n + 1) * sampling.GAMMA & sampling.MASK) for n in range(3)]
    assert outputs == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert sampling._mix((1234567 + sampling.GAMMA) & sampling.MASK) == 6457827717110365317


def test_a_uniform_number_belongs_to_its_seed_and_position():
    assert sampling.uniform(7, 3) == sampling.uniform(7, 3)
    found = {sampling.uniform(seed, t) for seed in range(50) for t in range(50)}
    assert len(found) == 2500
    assert sampling.uniform(-1, 0) == sampling.uniform(2**64 - 1, 0)


@pytest.mark.parametrize("seed", [0, 1, 2**63, 123456789])
def test_uniform_numbers_are_spread_evenly_over_positions_and_over_seeds(seed):
    for found in (
        [sampling.uniform(seed, t) for t in range(10_000)],
        [sampling.uniform(seed + k, 5) for k in range(10_000)],
    ):
        assert 0 <= min(found) < 0.001
        assert 0.999 < max(found) < 1
        # five standard errors: of a mean 0.0029, of a share of a tenth 0.003, of r 0.01
        assert abs(np.mean(found) - 0.5) < 5 * 0.0029
        assert np.abs(np.histogram(found, 10, (0, 1))[0] / 10_000 - 0.1).max() < 5 * 0.003
        assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 5 * 0.01


def test_probabilities_are_the_softmax_and_what_is_drawn_from_has_the_temperature(road):
    x = logits()
    for temperature in (0.1, 0.8, 1.0, 3.0):
        _, probabilities, drawn = draw(x, temperature)
        assert probabilities.dtype == drawn.dtype == np.float32
        assert np.abs(probabilities - softmax(x)).max() <= 1e-6
        assert np.abs(drawn - softmax(x / np.float64(temperature))).max() <= 1e-6


def test_the_token_is_where_u_falls_in_the_cumulative_sum(road):
    x = np.log([[0.5, 0.25, 0.125, 0.125]])
    for u, token in [(0, 0), (0.499, 0), (0.501, 1), (0.749, 1), (0.751, 2), (0.876, 3)]:
        assert draw(x, u=u)[0].tolist() == [token]
    assert draw(x, u=math.nextafter(1, 0))[0].tolist() == [3]


def test_top_k_of_one_is_the_likeliest_and_the_lower_id_of_equals(road):
    x = logits()
    x[5] = 0.0
    x[6, [4, 9]] = 50.0
    tokens, _, drawn = draw(x, temperature=5.0, top_k=1, u=0.999)
    assert np.array_equal(tokens, x.argmax(axis=1))
    assert np.array_equal(drawn, np.eye(V, dtype=np.float32)[x.argmax(axis=1)])
    assert (tokens[5], tokens[6]) == (0, 4)


@pytest.mark.parametrize("k", [2, 5, V, V + 3])
def test_top_k_keeps_the_k_likeliest_in_proportion(k, road):
    x = logits()
    _, probabilities, drawn = draw(x, top_k=k)
    kept = np.sort(probabilities, axis=1)[:, -min(k, V) :]
    assert (np.count_nonzero(drawn, axis=1) == min(k, V)).all()
    expected = np.where(probabilities >= kept[:, :1], probabilities, 0)
    assert np.abs(drawn - expected / expected.sum(axis=1, keepdims=True)).max() <= 1e-6


def test_top_p_keeps_the_smallest_set_that_reaches_it(road):
    x = np.log([[0.1, 0.5, 0.3, 0.1]])
    for p, kept in [(0.01, [1]), (0.49, [1]), (0.51, [1, 2]), (0.79, [1, 2]), (0.81, [0, 1, 2])]:
        drawn = draw(x, top_p=p)[2][0]
        assert np.flatnonzero(drawn).tolist() == kept  # ties to the lower id
        assert drawn.sum() == pytest.approx(1, abs=1e-6)


@settings(max_examples=40)
@given(p=st.floats(0.001, 0.999), k=st.integers(0, V), T=st.floats(0.2, 4), seed=st.integers(0, 99))
def test_top_p_works_on_what_temperature_and_top_k_have_left(p, k, T, seed):
    row = logits(seed, 1)
    order = np.argsort(-row[0], kind="stable")[: k or V]
    left = softmax(row[0][order] / T)
    size = int(np.argmax(np.cumsum(left) >= p - 1e-12)) + 1
    drawn = draw(row, T, k, p)[2][0]
    found = np.flatnonzero(drawn)
    # at the edge of rounding one more or less is right as well
    if np.abs(np.cumsum(left) - p).min() > 1e-9:
        assert sorted(order[:size]) == found.tolist()
    assert (
        np.abs(drawn[order[: len(found)]] - left[: len(found)] / left[: len(found)].sum()).max()
        < 1e-6
    )


def test_tokens_come_as_often_as_their_probability_says(road):
    x = np.log([0.4, 0.3, 0.2, 0.06, 0.04])
    n = 20_000
    u = [sampling.uniform(11, t) for t in range(n)]
    tokens = draw(np.tile(x, (n, 1)), u=u)[0]
    shares = np.bincount(tokens, minlength=5) / n
    assert np.abs(shares - np.exp(x)).max() < 5 * math.sqrt(0.4 * 0.6 / n)  # five standard errors


@pytest.mark.parametrize("rows", [1, 7, ROWS])
def test_a_row_is_drawn_the_same_whatever_the_batch(rows, road):
    random = np.random.default_rng(4)
    x, temperature = logits(), random.uniform(0.2, 2, ROWS)
    top_k, top_p, u = random.integers(0, V, ROWS), random.uniform(0.1, 1, ROWS), random.random(ROWS)
    whole = sampling.draw(x, temperature, top_k, top_p, u)
    for start in range(0, ROWS, rows):
        s = slice(start, start + rows)
        part = sampling.draw(x[s], temperature[s], top_k[s], top_p[s], u[s])
        for a, b in zip(part, whole, strict=True):
            assert np.array_equal(a, b[s])


def test_the_compiled_form_and_that_of_numpy_agree(compiled, monkeypatch):
    random = np.random.default_rng(9)
    n = 500
    top_k = random.integers(0, V + 5, n) * random.integers(0, 2, n)
    top_p = np.where(random.random(n) < 0.5, 1.0, random.uniform(0.01, 1, n))
    arguments = (logits(1, n), random.uniform(0.05, 4, n), top_k, top_p, random.random(n))
    fast = sampling.draw(*arguments)
    monkeypatch.setattr(kernels, "ready", lambda: False)
    plain = sampling.draw(*arguments)
    assert np.array_equal(fast[0], plain[0])
    for a, b in zip(fast[1:], plain[1:], strict=True):
        assert np.array_equal(a == 0, b == 0)
        assert np.abs(a - b).max() <= 1e-7


def test_huge_logits_and_tiny_temperatures_do_not_overflow(road):
    x = np.array([[3e38, -3e38, 3e38], [-3e38, -3e38, -3e38]], np.float32)
    tokens, probabilities, drawn = draw(x, temperature=1e-300, u=0.9)
    assert probabilities.tolist() == drawn.tolist()
    assert np.abs(probabilities - [[0.5, 0, 0.5], [1 / 3] * 3]).max() <= 1e-7
    assert tokens.tolist() == [2, 2]


@pytest.mark.parametrize("stranger", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_not_finite_is_an_error_that_names_the_row(stranger, road):
    x = logits()
    x[17, 3] = stranger
    with pytest.raises(FloatingPointError, match="row 17 "):
        draw(x)


@pytest.mark.parametrize(
    ("setting", "values", "words"),
    [
        ("temperature", [0.0, -1.0, np.nan, np.inf], "use top_k=1"),
        ("top_p", [0.0, -0.1, 1.1, np.nan], "top_p must be"),
        ("top_k", [-1], "top_k must not be negative"),
        ("u", [-0.1, 1.0, np.nan], "u must be"),
    ],
)
def test_a_setting_out_of_range_is_refused_with_the_fix(setting, values, words, road):
    for value in values:
        with pytest.raises(ValueError, match=words):
            draw(logits(), **{setting: value})


def test_arrays_of_any_layout_and_float_kind_will_do(road):
    x = logits()
    wide = np.concatenate([x, x], axis=1)[:, :V]
    assert np.array_equal(draw(wide)[2], draw(x)[2])
    whole = np.ones(ROWS, np.float32)
    assert np.array_equal(
        sampling.draw(x, whole, np.zeros(ROWS, np.int32), whole, whole / 2)[0], draw(x)[0]
    )


def test_the_most_likely_come_first_and_ties_go_to_the_lower_id():
    p = np.array([[0.2, 0.3, 0.2, 0.3, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]], np.float32)
    assert sampling.top(p, 3).tolist() == [[1, 3, 0], [2, 0, 1]]
    assert sampling.top(p, 9).tolist() == [[1, 3, 0, 2, 4], [2, 0, 1, 3, 4]]
    x = softmax(logits()).astype(np.float32)
    assert np.array_equal(sampling.top(x, 5), np.argsort(-x, axis=1, kind="stable")[:, :5])
