import math
from collections import Counter, defaultdict
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.training.ngram import cross_entropy


def plain(train: list[int], test: list[int], V: int, max_order: int) -> list[float]:
    """The same model by counting in dictionaries, one character at a time."""
    counts: dict[tuple, Counter] = defaultdict(Counter)
    for n in range(max_order):
        for t in range(n, len(train)):
            counts[tuple(train[t - n : t])][train[t]] += 1

    def probability(history: tuple, token: int) -> float:
        lower = probability(history[1:], token) if history else 1 / V
        seen = counts.get(history)
        if not seen:
            return lower
        return (seen[token] + len(seen) * lower) / (seen.total() + len(seen))

    return [
        -sum(
            math.log(probability(tuple(test[max(0, t - n) : t]), test[t])) for t in range(len(test))
        )
        / len(test)
        for n in range(max_order)
    ]


tokens = st.lists(st.integers(0, 3), min_size=6, max_size=60)


@given(tokens, tokens)
def test_every_order_agrees_with_counting_in_dictionaries(train, test):
    figures = cross_entropy(np.array(train), np.array(test), 4, 4)
    assert figures == pytest.approx(plain(train, test, 4, 4), abs=1e-12)


def test_a_longer_text_agrees_with_counting_in_dictionaries():
    rng = np.random.default_rng(0)
    train, test = rng.integers(0, 20, 3000), np.tile(rng.integers(0, 20, 50), 8)
    figures = cross_entropy(train, test, 20, 6)
    assert figures == pytest.approx(plain(train.tolist(), test.tolist(), 20, 6), abs=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_probabilities_of_all_texts_of_a_length_sum_to_one(order):
    train = np.array([0, 1, 1, 2, 0, 1, 0, 0, 2, 1])
    total = sum(
        math.exp(-4 * cross_entropy(train, np.array(text), 3, order)[-1])
        for text in product(range(3), repeat=4)
    )
    assert total == pytest.approx(1, abs=1e-12)


def test_a_text_that_repeats_is_better_known_the_longer_the_history():
    text = np.array([0, 0, 1, 1, 2] * 40)
    figures = cross_entropy(text, text, 3, 4)
    assert figures == sorted(figures, reverse=True)
    assert figures[0] > 1
    assert figures[-1] < 0.2


def test_a_text_of_characters_never_seen_is_not_impossible():
    (figure,) = cross_entropy(np.zeros(8, int), np.array([1, 2, 1]), 3, 1)
    assert figure == pytest.approx(-math.log(1 / 3 / 9))  # (0 + 1 * 1/3) / (8 + 1)


def test_an_order_that_does_not_fit_in_64_bits_is_refused():
    text = np.zeros(20, int)
    assert len(cross_entropy(text, text, 200, 8)) == 8
    with pytest.raises(ValueError, match="256 symbols: order 8"):
        cross_entropy(text, text, 256, 8)
