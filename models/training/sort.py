"""Distinct letters to the same letters in order: a task whose attention can be read by eye.

Each letter that is written stands once in the source, so a head that looks for it points at one
place, and the map of a text is a permutation. Texts are drawn from a seed without end; a hash of
the letters, in whatever order they come, decides which of them are for training.
"""

from collections.abc import Callable
from functools import cached_property
from hashlib import blake2b
from random import Random
from string import ascii_lowercase

from models import subwords
from models.subwords import Vocabulary

SHORTEST, LONGEST = 2, 12  # letters of a text
TEST_SHARE, VALIDATION_SHARE = 5, 2  # percent of all sets of letters
EPOCH = 20_000  # texts
FIGURES = 2_000  # texts a figure is measured on
LENGTHS = ((2, 4), (5, 6), (7, 8), (9, 10), (11, 12))  # letters
SPLITS = ("train", "validation", "test")


def in_order(text: str) -> str:
    """What is to be written for a text."""
    return "".join(sorted(text))


def part_of(text: str) -> str:
    """`train`, `validation` or `test`: the same for any order of the same letters."""
    number = int.from_bytes(blake2b(in_order(text).encode(), digest_size=4).digest(), "big") % 100
    if number < TEST_SHARE:
        return "test"
    return "validation" if number < TEST_SHARE + VALIDATION_SHARE else "train"


def texts(seed: int | str, count: int, split: str = "train") -> list[str]:
    """Distinct letters in random order, as many of each length as of any other. Raises `ValueError`
    for a split that is not there."""
    if split not in SPLITS:
        raise ValueError(f"{split!r} is not one of {', '.join(SPLITS)}")
    rng, found = Random(f"{seed} {split}"), []
    while len(found) < count:
        length = rng.randint(SHORTEST, LONGEST)
        text = "".join(rng.sample(ascii_lowercase, length))
        if part_of(text) == split:
            found.append(text)
    return found


class Sorting:
    """Pairs of `texts` and the same letters in order, a letter a token."""

    source_language, target_language = "letters", "letters in order"

    def __init__(self):
        self.hashes: dict[str, str] = {}  # made by code: there is no file

    @cached_property
    def vocabularies(self) -> tuple[Vocabulary, Vocabulary]:
        """The letters, on both sides; a source is read in lower case."""
        return subwords.characters(ascii_lowercase, lower=True), subwords.characters(
            ascii_lowercase
        )

    def epoch(self, number: int, seed: int) -> list[tuple[list[int], list[int]]]:
        """Token numbers of an epoch's pairs."""
        sources = texts(f"{seed} {number}", EPOCH)
        read, write = self.vocabularies
        targets = write.encode_many([in_order(text) for text in sources])
        return list(zip(read.encode_many(sources), targets, strict=True))

    def score(self, write: Callable[[list[str]], list[str]]) -> float:
        """Share of validation texts that come out in order."""
        sources = texts(0, FIGURES, "validation")
        right = [a == in_order(b) for a, b in zip(write(sources), sources, strict=True)]
        return sum(right) / len(right)

    def figures(self, translate) -> dict:
        """What the card tells, of letters that were never trained on together: the share of texts
        in order, by length too; the share of steps at which the likeliest key is the letter that is
        written, and the mean weight on that letter."""
        rows, hits, weights = [], [], []
        for text in texts(0, FIGURES, "test"):
            *steps, end = translate.items(text)
            rows.append((len(text), end.text == in_order(text)))
            for letter, step in zip(end.text, steps, strict=False):  # the end mark is no letter
                at = text.find(letter)
                hits.append(int(step.attention.argmax()) == at)
                weights.append(float(step.attention[at]) if at >= 0 else 0.0)
        figures = {
            "exact_test": "test",
            "exact_pairs": len(rows),
            "exact": _share([right for _, right in rows]),
            "looks": _share(hits),
            "looks_weight": _share(weights),
            "looks_steps": len(hits),
            "length_unit": "characters",  # of the source
            "exact_by_length": [],
        }
        for low, high in LENGTHS:
            some = [right for length, right in rows if low <= length <= high]
            if some:
                figures["exact_by_length"].append(
                    {"from": low, "to": high, "sentences": len(some), "exact": _share(some)}
                )
        return figures


def _share(of: list) -> float:
    return round(sum(of) / max(1, len(of)), 4)
