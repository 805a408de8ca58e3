"""The compiled pass against `sampling`, which says what the numbers are."""

import numpy as np
import pytest

from models import choosing, kernels, sampling
from models.choosing import Settings, choose


@pytest.fixture(scope="module", autouse=True)
def compiled():
    assert kernels.warm_up()
    assert choosing.warm_up()


def settings(B, temperature=1.0, top_k=0, top_p=1.0, seed=0):
    return Settings(
        np.broadcast_to(np.float64(temperature), B).copy(),
        np.broadcast_to(np.int64(top_k), B).copy(),
        np.broadcast_to(np.float64(top_p), B).copy(),
        np.broadcast_to(np.uint64(seed), B).copy(),
    )


def logits(B, V, scale=3.0):
    return np.random.default_rng(B * V).normal(0, scale, (B, V)).astype(np.float32)


def draw_all(B):
    return np.full(B, -1)


@pytest.mark.parametrize("top_k", [0, 1, 3, 40, 1000])
@pytest.mark.parametrize("top_p", [1.0, 0.9, 0.3, 1e-9])
@pytest.mark.parametrize("temperature", [1.0, 0.2, 1.7])
def test_it_is_what_sampling_says(temperature, top_k, top_p):
    B, V = 40, 97
    x, positions = logits(B, V), np.arange(B)
    fast = choose(x, settings(B, temperature, top_k, top_p, 9), positions, draw_all(B))
    u = np.array([sampling.uniform(9, n) for n in range(B)])
    tokens, own, drawn = sampling.draw(
        x, np.full(B, temperature), np.full(B, top_k), np.full(B, top_p), u
    )
    ids = sampling.top(own, 5)
    rows = np.arange(B)[:, None]
    assert fast.sound.all()
    assert np.array_equal(fast.tokens, tokens)
    assert np.array_equal(fast.ids, ids)
    assert np.array_equal(fast.probability, own[rows[:, 0], tokens])
    assert np.array_equal(fast.own, own[rows, ids])
    assert np.array_equal(fast.drawn, drawn[rows, ids])


def test_both_roads_answer_in_the_same_form(monkeypatch):
    x, wanted = logits(6, 4), settings(6, 0.7, seed=3)
    x[2, 1] = np.nan
    forced = np.array([-1, 3, -1, -1, 0, -1])
    fast = choose(x, wanted, np.arange(6), forced)
    monkeypatch.setattr(choosing, "_compiled", False)
    slow = choose(x, wanted, np.arange(6), forced)
    sound = fast.sound
    assert np.array_equal(sound, slow.sound)
    for one, other in zip(fast[1:], slow[1:], strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_allclose(one[sound], other[sound], rtol=2e-7)


def test_seeds_of_64_bits_and_far_positions_draw_what_uniform_says():
    for seed in (0, 1, 2**53 - 1, 2**64 - 1):
        for position in (0, 7, 10**6):
            flat = np.zeros((1, 1 << 12), np.float32)
            found = choose(flat, settings(1, seed=seed), np.array([position]), draw_all(1))
            assert found.tokens[0] == int(sampling.uniform(seed, position) * (1 << 12))


def test_a_forced_token_has_the_probability_the_model_gives_it():
    x = logits(3, 10)
    forced = choose(x, settings(3, 0.5, top_k=1), np.arange(3), np.array([4, 5, 6]))
    exact = np.exp(x.astype(np.float64))
    exact /= exact.sum(axis=1, keepdims=True)
    assert forced.tokens.tolist() == [4, 5, 6]
    np.testing.assert_allclose(forced.probability, exact[range(3), [4, 5, 6]], rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_is_told_and_the_others_do_not_change(bad):
    x = logits(5, 20)
    before = choose(x, settings(5), np.arange(5), draw_all(5))
    x[3, 7] = bad
    after = choose(x, settings(5), np.arange(5), draw_all(5))
    assert after.sound.tolist() == [True, True, True, False, True]
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one[after.sound], other[after.sound])


def test_a_row_is_bitwise_the_same_alone_and_in_a_crowd():
    x = logits(61, 65)
    crowd = choose(x, settings(61, 0.8, 20, 0.9, 4), np.arange(61), draw_all(61))
    for b in (0, 17, 60):
        alone = choose(x[b : b + 1], settings(1, 0.8, 20, 0.9, 4), np.array([b]), draw_all(1))
        for one, other in zip(alone, crowd, strict=True):
            assert np.array_equal(one[0], other[b])


def test_equal_chances_are_listed_in_the_order_of_ids():
    found = choose(np.zeros((1, 8), np.float32), settings(1), np.array([0]), draw_all(1))
    assert found.ids[0].tolist() == [0, 1, 2, 3, 4]


def test_a_vocabulary_smaller_than_the_list_of_candidates_is_listed_whole():
    found = choose(logits(2, 3), settings(2), np.arange(2), draw_all(2))
    assert found.ids.shape == (2, 3)
    np.testing.assert_allclose(found.own.sum(axis=1), 1, rtol=1e-6)
