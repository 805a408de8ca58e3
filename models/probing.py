"""Which unit of a network knows a property of the text: every unit scored against it.

Source: Karpathy, Johnson, Fei-Fei 2015 (arXiv:1506.02078), who found such cells by looking. Here
every unit is scored. For a property that is yes or no the score is the area under the ROC curve
(AUC): the chance that a character with the property has the higher value of two, one with it and
one without; 0.5 is no better than a coin, and below it the unit is low where the property holds.
For a number it is Pearson's correlation. The best of a thousand units looks good by luck alone, so
a unit is chosen on one text and judged on another.
"""

from dataclasses import dataclass

import numpy as np
import torch

PENALTY = 1e-3  # of the linear reader's squared weights, a character


@dataclass(frozen=True)
class Found:
    """A unit with its score on the text it was chosen on and on one it was not."""

    point: str
    unit: int
    chosen: float
    judged: float


def auc(values: np.ndarray, holds: np.ndarray) -> np.ndarray:
    """Values (T, U), a property (T,) of zeros and ones -> AUC (U,); equal values count half.
    NaN where every character is alike in it."""
    yes, no = values[holds > 0.5], values[holds <= 0.5]
    if not len(yes) or not len(no):
        return np.full(values.shape[1], np.nan)
    found = np.empty(values.shape[1])
    for unit in range(values.shape[1]):
        without = np.sort(no[:, unit])
        below = np.searchsorted(without, yes[:, unit], "left")
        up_to = np.searchsorted(without, yes[:, unit], "right")
        found[unit] = (below + up_to).mean() / (2 * len(without))
    return found


def correlation(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Values (T, U), a property (T,) -> Pearson's r (U,); NaN where one of them never changes."""
    x = values - values.mean(0, dtype=np.float64)
    y = numbers - numbers.mean()
    spread = np.sqrt((x**2).sum(0) * (y**2).sum())
    return np.divide(y @ x, spread, out=np.full(x.shape[1], np.nan), where=spread > 0)


def score(values: np.ndarray, numbers: np.ndarray, yes_or_no: bool) -> np.ndarray:
    """Every unit of values (T, U) against a property (T,), characters with NaN left out."""
    told = np.isfinite(numbers)
    return (auc if yes_or_no else correlation)(values[told], numbers[told])


def strength(scores: np.ndarray, yes_or_no: bool) -> np.ndarray:
    """How good a score is in either direction: 0 for nothing, 1 for perfect."""
    return np.abs(2 * scores - 1) if yes_or_no else np.abs(scores)


def rank(first: dict, second: dict, one: np.ndarray, other: np.ndarray, yes_or_no: bool):
    """Units by their strength on the first text, best first, each judged on the second.

    `first`, `second`: values (T, U) by the name of their point; `one`, `other`: the property (T,)
    of each text. A unit that never changes comes last.
    """
    found = []
    for point, values in first.items():
        chosen = score(values, one, yes_or_no)
        judged = score(second[point], other, yes_or_no)
        found += [Found(point, k, float(chosen[k]), float(judged[k])) for k in range(len(chosen))]
    order = np.nan_to_num(strength(np.array([unit.chosen for unit in found]), yes_or_no), nan=-1.0)
    return [found[k] for k in np.argsort(-order, kind="stable")]


def linear_reader(first: np.ndarray, one: np.ndarray, second: np.ndarray) -> np.ndarray:
    """What a weighted sum of all units says of the second text, (T,): least squares on the first
    with a small penalty, units standardised by the first."""
    told = np.isfinite(one)
    mean, deviation = first[told].mean(0), first[told].std(0) + 1e-6
    x = torch.from_numpy((first[told] - mean) / deviation).double()
    y = torch.from_numpy(one[told] - one[told].mean())
    gram = x.T @ x
    gram.diagonal().add_(PENALTY * len(x))
    weights = torch.linalg.solve(gram, x.T @ y)
    return ((second - mean) / deviation) @ weights.numpy()


def states(runner, text: str) -> dict[str, np.ndarray]:
    """The h and, of an LSTM, the c of every layer over a text: (T, H) by point."""
    tokens = runner.characters.encode(text)
    names = [point.name for point in runner.points if point.name[-1] in "hc"]
    points, _, _ = runner.trace(tokens, names, 0, len(tokens))
    return {name: value.numpy() for name, value in points.items()}
