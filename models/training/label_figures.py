"""How well labels are given: accuracy, and recall and F1 as means over labels."""

from collections.abc import Sequence

import numpy as np


def confusion(guesses: Sequence[int], truth: Sequence[int], labels: int) -> np.ndarray:
    """Counts (label, guess)."""
    found = np.zeros((labels, labels), int)
    np.add.at(found, (np.asarray(truth), np.asarray(guesses)), 1)
    return found


def figures(guesses: Sequence[int], truth: Sequence[int], labels: int) -> dict[str, float]:
    """Shares 0..1: `accuracy`; `macro_recall` and `macro_f1`, in which every label that occurs
    counts the same."""
    counts = confusion(guesses, truth, labels)
    right, true, guessed = counts.diagonal(), counts.sum(1), counts.sum(0)
    occurs = true > 0
    f1 = 2 * right[occurs] / (true + guessed)[occurs]
    return {
        "accuracy": round(float(right.sum() / counts.sum()), 4),
        "macro_recall": round(float((right[occurs] / true[occurs]).mean()), 4),
        "macro_f1": round(float(f1.mean()), 4),
    }
