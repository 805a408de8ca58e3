"""What trained labellers are held against: naive Bayes on n-grams, and a word's most frequent tag.

Naive Bayes is multinomial with add-`alpha` counts (Manning, Raghavan, Schütze 2008, chapter 13):
a label's score is the log of its share plus, for each n-gram of the text, the log of the n-gram's
share among those of the label. `alpha` and the longest n are chosen on validation.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np

ALPHAS = (0.01, 0.03, 0.1, 0.3, 1.0)


def grams(units: Sequence[str], longest: int, edges: bool) -> Counter:
    """Counts of the n-grams of 1..longest units; at the edges a mark stands where asked."""
    row = ["^", *units, "$"] if edges else list(units)
    return Counter(
        tuple(row[k : k + n]) for n in range(1, longest + 1) for k in range(len(row) - n + 1)
    )


class NaiveBayes:
    """Labels of sequences of units (characters, words)."""

    def __init__(self, examples: Iterable[tuple], labels: int, longest: int, edges: bool):
        self.longest, self.edges = longest, edges
        counted = [(grams(units, longest, edges), label) for units, label in examples]
        self.index: dict[tuple, int] = {}
        for bag, _ in counted:
            for gram in bag:
                self.index.setdefault(gram, len(self.index))
        self.counts = np.zeros((labels, len(self.index)))
        self.shares = np.zeros(labels)
        for bag, label in counted:
            self.shares[label] += 1
            for gram, count in bag.items():
                self.counts[label, self.index[gram]] += count
        self.shares = np.log(self.shares / self.shares.sum())

    def label(self, texts: Iterable[Sequence[str]], alpha: float, flat: bool = False) -> list[int]:
        """The likeliest label of each text; n-grams never seen in training say nothing. `flat`: all
        labels are equally likely before a text is read."""
        smooth = self.counts + alpha
        weights = np.log(smooth / smooth.sum(1, keepdims=True))
        start = np.zeros_like(self.shares) if flat else self.shares
        found = []
        for units in texts:
            bag = grams(units, self.longest, self.edges)
            known = [(self.index[gram], count) for gram, count in bag.items() if gram in self.index]
            score = start.copy()
            for at, count in known:
                score += count * weights[:, at]
            found.append(int(score.argmax()))
        return found


def bayes(parts: dict[str, list[tuple]], labels: int, longest: Iterable[int], edges: bool, score):
    """Guesses of the test part by the settings that `score(guesses, truth)` likes best on
    validation, and these settings: longest, alpha, flat."""
    truth = [label for _, label in parts["validation"]]
    best = (-1.0,)
    for n in longest:
        model = NaiveBayes(parts["train"], labels, n, edges)
        for alpha, flat in product(ALPHAS, (False, True)):
            found = model.label([units for units, _ in parts["validation"]], alpha, flat)
            best = max(best, (score(found, truth), n, alpha, flat))
    _, n, alpha, flat = best
    model = NaiveBayes(parts["train"], labels, n, edges)
    guesses = model.label([units for units, _ in parts["test"]], alpha, flat)
    return guesses, {"longest": n, "alpha": alpha, "flat": flat}


class MostFrequent:
    """A word's most frequent tag in training, as it is typed, else in small letters; of words never
    seen the most frequent tag of words that occur once."""

    def __init__(self, sentences: Iterable[tuple[list[str], list[int]]]):
        exact, small = defaultdict(Counter), defaultdict(Counter)
        for words, tags in sentences:
            for word, tag in zip(words, tags, strict=True):
                exact[word][tag] += 1
                small[word.lower()][tag] += 1
        once = Counter(next(iter(c)) for c in exact.values() if c.total() == 1)
        once = once or Counter(c.most_common(1)[0][0] for c in exact.values())
        self.rare = once.most_common(1)[0][0]
        self.exact = {word: c.most_common(1)[0][0] for word, c in exact.items()}
        self.small = {word: c.most_common(1)[0][0] for word, c in small.items()}

    def tag(self, word: str) -> int:
        return self.exact.get(word, self.small.get(word.lower(), self.rare))
