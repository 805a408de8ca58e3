import math

import pytest

from models.training.label_figures import confusion, figures
from models.training.simple_labels import MostFrequent, NaiveBayes, bayes, grams


def test_grams_are_counted_up_to_the_longest_with_marks_at_the_edges():
    assert grams("ab", 2, True) == {
        ("^",): 1, ("a",): 1, ("b",): 1, ("$",): 1, ("^", "a"): 1, ("a", "b"): 1, ("b", "$"): 1,
    }  # fmt: skip
    assert grams("aa", 1, False) == {("a",): 2}


def test_naive_bayes_agrees_with_its_formula_by_hand():
    model = NaiveBayes([("aab", 0), ("b", 1), ("b", 1)], 2, 1, False)
    alpha = 0.5
    # label 0: share 1/3, a (2 + .5) / 4, b (1 + .5) / 4; label 1: 2/3, a .5 / 3, b 2.5 / 3
    known = ({"a": 2.5 / 4, "b": 1.5 / 4}, {"a": 0.5 / 3, "b": 2.5 / 3})
    scores = [
        [math.log(share) + sum(math.log(of[letter]) for letter in text) for text in ("a", "abb")]
        for share, of in zip((1 / 3, 2 / 3), known, strict=True)
    ]
    expected = [int(scores[1][k] > scores[0][k]) for k in range(2)]
    assert expected == [0, 1]
    assert model.label(["a", "abb"], alpha) == expected
    assert model.label(["z"], alpha) == [1]  # nothing known: the more frequent label


def test_settings_are_those_that_validation_likes_best():
    parts = {
        "train": [("ab", 0), ("ba", 1)] * 5,
        "validation": [("ab", 0), ("ba", 1)],
        "test": [("ba", 1), ("ab", 0)],
    }
    share = lambda found, true: sum(a == b for a, b in zip(found, true, strict=True)) / len(true)
    guesses, settings = bayes(parts, 2, (1, 2), False, share)
    assert guesses == [1, 0]
    assert settings["longest"] == 2  # single letters are the same in both


def test_a_word_gets_its_most_frequent_tag_and_a_stranger_that_of_rare_words():
    model = MostFrequent([(["can", "can", "Can", "a", "eel", "swim"], [0, 0, 1, 2, 3, 3])])
    assert [model.tag(word) for word in ("can", "Can", "A", "carp")] == [0, 1, 2, 3]


def test_figures_are_those_counted_by_hand():
    truth, guesses = [0, 0, 0, 1], [0, 0, 1, 1]
    assert confusion(guesses, truth, 3).tolist() == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    found = figures(guesses, truth, 3)
    assert found["accuracy"] == 0.75
    assert found["macro_recall"] == pytest.approx((2 / 3 + 1) / 2, abs=1e-4)
    # F1: of 0, 2 * 2 / (3 + 2); of 1, 2 * 1 / (1 + 2); label 2 does not occur
    assert found["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2, abs=1e-4)
