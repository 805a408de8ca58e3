"""Counts and their mixture against counting in dictionaries, and against what closed forms give."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.counts import Counts, after, count_orders, pruned
from models.training.ngram import cross_entropy

tokens = st.lists(st.integers(0, 3), min_size=8, max_size=60)


def windows(text, order: int) -> tuple[np.ndarray, np.ndarray]:
    """What stands before each place of a text: (T + 1, order - 1), and how much of it is there."""
    behind = order - 1
    padded = [0] * behind + list(text)
    rows = [padded[t : t + behind] for t in range(len(text) + 1)]
    return np.array(rows, np.int64).reshape(-1, behind), np.arange(len(text) + 1)


def test_a_text_of_two_letters_gives_the_fractions_that_one_works_out_by_hand():
    orders = count_orders(np.array([0, 0, 1, 0, 0]), 2, 2)  # a a b a a
    p, weights = after(orders, np.array([[0], [1]]), np.array([1, 1]), 2)
    alone = (4 + 2 / 2) / (5 + 2)  # of a: 4 of 5, two kinds
    assert p[0] == pytest.approx([(2 + 2 * alone) / (3 + 2), (1 + 2 * (1 - alone)) / (3 + 2)])
    assert p[1] == pytest.approx([(1 + alone) / 2, (1 - alone) / 2])  # after b: once, one kind
    assert weights[0] == pytest.approx([2 / 7 * 2 / 5, 5 / 7 * 2 / 5, 3 / 5])
    assert weights[1] == pytest.approx([2 / 7 / 2, 5 / 7 / 2, 1 / 2])


@given(tokens, tokens, st.sampled_from([0.0, 0.5]))
def test_probabilities_and_weights_sum_to_one_after_any_history(train, text, least):
    orders = pruned(count_orders(np.array(train), 4, 5), [0, least, least, least], 5)
    p, weights = after(orders, *windows(text, 4), 5)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-12)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-12)
    assert p.min() > 0


@given(tokens, tokens)
def test_the_whole_distribution_holds_the_probabilities_that_the_baseline_is_measured_by(
    train, test
):
    p, _ = after(count_orders(np.array(train), 4, 4), *windows(test, 4), 4)
    nats = -np.log(p[np.arange(len(test)), test]).mean()
    expected = cross_entropy(np.array(train), np.array(test), 4, 4)[-1]
    assert nats == pytest.approx(expected, abs=1e-12)


@given(tokens)
def test_an_order_has_weight_where_its_history_was_seen_and_nowhere_else(text):
    train = np.array([0, 1, 2, 0, 1, 3, 0, 1])
    _, weights = after(count_orders(train, 3, 4), *windows(text, 3), 4)
    seen = {tuple(train[k : k + 2].tolist()) for k in range(len(train) - 2)}
    for t in range(2, len(text) + 1):
        assert (weights[t, 3] > 0) == (tuple(text[t - 2 : t]) in seen)


def test_a_row_does_not_depend_on_its_neighbours():
    generator = np.random.default_rng(0)
    orders = count_orders(generator.integers(0, 6, 400), 4, 6)
    histories, lengths = generator.integers(0, 6, (40, 3)), generator.integers(0, 4, 40)
    together = after(orders, histories, lengths, 6)
    for b in range(40):
        alone = after(orders, histories[b : b + 1], lengths[b : b + 1], 6)
        for found, expected in zip(alone, together, strict=True):
            np.testing.assert_array_equal(found[0], expected[b])


# -- leaving out -------------------------------------------------------------------------------


def counted(one: Counts) -> Counter:
    return Counter(dict(zip(one.grams.tolist(), one.counts.tolist(), strict=True)))


def test_nothing_is_left_out_where_nothing_has_to_be_saved():
    orders = count_orders(np.random.default_rng(0).integers(0, 5, 300), 3, 5)
    for one, same in zip(orders, pruned(orders, [0, 0, 0], 5), strict=True):
        for field in ("grams", "counts", "histories", "first", "back"):
            np.testing.assert_array_equal(getattr(one, field), getattr(same, field))


def test_what_stays_keeps_its_count_and_what_goes_counts_for_the_shorter_history():
    text = np.random.default_rng(1).choice(4, 900, p=[0.6, 0.2, 0.15, 0.05])
    whole = count_orders(text, 4, 4)
    some = pruned(whole, [0, 0.5, 1, 1], 4)
    assert len(some[-1].grams) < len(whole[-1].grams)
    for one, kept in zip(whole, some, strict=True):
        assert counted(kept).items() <= counted(one).items()
        row = one.find(kept.histories)
        np.testing.assert_array_equal(
            kept.total + kept.back, one.total[row] + one.back[row]
        )  # the denominators
    for shorter, longer in zip(some[:-1], some[1:], strict=True):  # a tree: beginnings stay
        assert set(longer.histories.tolist()) <= set(shorter.grams.tolist())


def test_a_context_that_tells_something_stays_and_one_that_tells_nothing_goes():
    generator = np.random.default_rng(2)
    letters = generator.integers(0, 3, 2000)  # 2 is always followed by 3; the rest is chance
    text = np.array([n for one in letters for n in ([2, 3] if one == 2 else [one])])
    kept = pruned(count_orders(text, 3, 4), [0, 100, 100], 4)
    assert 2 * 4 + 3 in kept[1].grams
    assert 0 * 4 + 1 not in kept[1].grams
    assert len(kept[2].grams) < 3
