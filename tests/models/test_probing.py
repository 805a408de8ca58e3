"""Scores of units on numbers whose answer is known beforehand."""

import numpy as np
import pytest

from models.char_rnn import CharRunner
from models.probing import auc, correlation, linear_reader, rank, score, states, strength
from models.text import Characters
from tests.toys import CONFIGS, SYMBOLS, network


def by_pairs(values, holds):
    """AUC as it is said: every character with the property against every one without."""
    yes, no = values[holds > 0.5], values[holds <= 0.5]
    wins = (yes[:, None] > no[None]) + 0.5 * (yes[:, None] == no[None])
    return wins.mean()


def test_auc_is_the_share_of_pairs_in_the_right_order_and_ties_count_half():
    random = np.random.default_rng(0)
    values = random.integers(0, 5, (60, 3)).astype(np.float32)
    holds = (random.random(60) < 0.3).astype(float)
    expected = [by_pairs(values[:, k], holds) for k in range(3)]
    np.testing.assert_allclose(auc(values, holds), expected, rtol=1e-12)


def test_correlation_is_numpys_and_nan_for_a_unit_that_never_changes():
    random = np.random.default_rng(1)
    values = random.normal(size=(50, 3)).astype(np.float32)
    values[:, 2] = 0.25
    numbers = random.normal(size=50)
    found = correlation(values, numbers)
    expected = [np.corrcoef(values[:, k], numbers)[0, 1] for k in range(2)]
    np.testing.assert_allclose(found[:2], expected, atol=1e-6)
    assert np.isnan(found[2])


def test_characters_of_which_nothing_is_known_are_left_out():
    values = np.array([[0.0], [1.0], [9.0]])
    assert score(values, np.array([0.0, 1.0, np.nan]), True) == pytest.approx(1)
    assert np.isnan(score(values, np.array([1.0, 1.0, np.nan]), True))


def test_a_unit_that_is_low_where_the_property_holds_is_as_good_as_one_that_is_high():
    np.testing.assert_allclose(strength(np.array([0.0, 0.5, 1.0]), True), [1, 0, 1])
    np.testing.assert_allclose(strength(np.array([-0.5, 0.25]), False), [0.5, 0.25])


def test_the_unit_that_was_planted_is_found_and_a_lucky_one_is_found_out():
    random = np.random.default_rng(2)
    one, other = (random.random((2, 300)) < 0.2).astype(float)
    first, second = random.normal(size=(2, 300, 40))
    first[:, 7] -= 6 * one  # knows it, upside down
    second[:, 7] -= 6 * other
    first[:, 3] += 8 * one  # knew it on the first text alone
    found = rank({"rnn.0.h": first}, {"rnn.0.h": second}, one, other, True)
    assert [unit.unit for unit in found[:2]] == [3, 7]
    assert found[0].chosen > 0.99
    assert abs(found[0].judged - 0.5) < 0.15
    assert found[1].judged < 0.01
    assert len(found) == 40


def test_a_linear_reader_finds_what_no_single_unit_holds():
    random = np.random.default_rng(3)
    first, second = random.normal(size=(2, 400, 6))
    one, other = first[:, 0] + first[:, 1], second[:, 0] + second[:, 1]
    told = linear_reader(first, one, second)
    assert np.corrcoef(told, other)[0, 1] > 0.999
    assert np.abs(correlation(second, other)).max() < 0.9


@pytest.mark.parametrize("id", ["toy-lstm", "toy-gru"])
def test_states_are_every_h_and_c_of_the_text(id):
    runner = CharRunner(network(CONFIGS[id]), Characters(SYMBOLS), capacity=1)
    found = states(runner, "abba")
    letters = "hc" if id == "toy-lstm" else "h"
    assert list(found) == [f"rnn.{layer}.{letter}" for layer in (0, 1) for letter in letters]
    assert all(value.shape == (4, CONFIGS[id].hidden_size) for value in found.values())
