"""CIDEr-D of single captions, as a reward: Vedantam, Zitnick, Parikh 2015 (arXiv:1411.5726).

    g_n(c)   counts of the n-grams of c, each times log(documents / documents that hold it)
    CIDEr-D  10 / 4 sum over n = 1..4 of the mean over the references s of
             exp(-(|c| - |s|)^2 / 72) min(g_n(c), g_n(s)) . g_n(s) / (|g_n(c)| |g_n(s)|)

A document is the set of references of one picture, and the frequencies come from all pictures that
are given. The length is the number of bigrams, as the authors' code counts it. Captions are
sequences of any tokens; with the end mark among them, a caption that breaks off is not rewarded
for its missing end. The published figure on a test set is measured by a library
(`caption_figures`); this one is called for every caption that is drawn in training.
"""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

Tokens = Sequence[Hashable]
ORDERS = 4
SPREAD = 6.0  # of the penalty of length, in tokens


def ngrams(tokens: Tokens) -> list[Counter]:
    """Counts of the n-grams for n = 1..4."""
    return [
        Counter(tuple(tokens[k : k + n]) for k in range(len(tokens) - n + 1))
        for n in range(1, ORDERS + 1)
    ]


class Cider:
    """Scores captions against the references of pictures, by their names."""

    def __init__(self, references: Mapping[str, Sequence[Tokens]]):
        self.counts = {name: [ngrams(one) for one in some] for name, some in references.items()}
        seen: Counter = Counter()
        for some in self.counts.values():
            seen.update({gram for one in some for grams in one for gram in grams})
        all_of_them = math.log(len(self.counts))
        self.weight = {gram: all_of_them - math.log(count) for gram, count in seen.items()}
        self.rarest = all_of_them
        self.vectors: dict[str, list] = {}

    def _vector(self, counts: list[Counter]):
        """Weighted counts and their length for each n, and the number of bigrams."""
        vector = [
            {gram: count * self.weight.get(gram, self.rarest) for gram, count in grams.items()}
            for grams in counts
        ]
        norms = [math.sqrt(sum(value * value for value in grams.values())) for grams in vector]
        return vector, norms, sum(counts[1].values())

    def score(self, name: str, tokens: Tokens) -> float:
        """CIDEr-D of one caption, 0 to 10."""
        if name not in self.vectors:
            self.vectors[name] = [self._vector(one) for one in self.counts[name]]
        own, own_norms, length = self._vector(ngrams(tokens))
        total = 0.0
        for vector, norms, other in self.vectors[name]:
            alike = 0.0
            for n in range(ORDERS):
                if own_norms[n] and norms[n]:
                    theirs = vector[n]
                    dot = sum(
                        min(v, theirs[g]) * theirs[g] for g, v in own[n].items() if g in theirs
                    )
                    alike += dot / (own_norms[n] * norms[n])
            total += math.exp(-((length - other) ** 2) / (2 * SPREAD**2)) * alike
        return 10.0 / ORDERS * total / len(self.vectors[name])
