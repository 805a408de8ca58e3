"""Written dates to ISO, a character a token: fresh pairs every epoch, and how many come right."""

from collections.abc import Callable
from functools import cached_property

from models import subwords
from models.subwords import Vocabulary
from models.training import dates

EPOCH = 40_000  # pairs
FIGURES = 2_000  # pairs a figure is measured on
LENGTHS = ((1, 10), (11, 15), (16, 20), (21, 30), (31, dates.LONGEST))  # characters of the source


class Dates:
    """Pairs of `dates`. The day of a training pair is in no test, nor is a held-out form."""

    source_language, target_language = "en, ru", "ISO 8601"

    def __init__(self):
        self.hashes: dict[str, str] = {}  # made by code: there is no file

    @cached_property
    def vocabularies(self) -> tuple[Vocabulary, Vocabulary]:
        """Characters of both sides; a source is read in lower case."""
        alphabet = "".join(dates.alphabet()).lower()
        return subwords.characters(alphabet, lower=True), subwords.characters("-0123456789")

    def epoch(self, number: int, seed: int) -> list[tuple[list[int], list[int]]]:
        """Token numbers of an epoch's pairs."""
        texts = dates.pairs(f"{seed} {number}", EPOCH)
        sides = zip(*texts, strict=True)
        read, write = self.vocabularies
        sources, targets = next(sides), next(sides)
        return list(zip(read.encode_many(sources), write.encode_many(targets), strict=True))

    def score(self, write: Callable[[list[str]], list[str]]) -> float:
        """Share of validation dates that come out exactly."""
        sources, references = zip(*dates.pairs(0, FIGURES, "validation"), strict=True)
        return _share(write(list(sources)), references)

    def figures(self, translate: Callable[[str, int], str]) -> dict:
        """What the card tells: the share that is exact, on forms never trained on, on forms that
        were (both with days never trained on), and by length on the second."""
        found = {"exact_test": "test_forms", "exact_pairs": FIGURES}
        for name, split in (("exact", "test_forms"), ("exact_seen_forms", "test")):
            sources, references = zip(*dates.pairs(0, FIGURES, split), strict=True)
            written = [translate(source, 1) for source in sources]
            found[name] = round(_share(written, references), 4)
        found["length_unit"] = "characters"  # of the source
        found["exact_by_length"] = []
        for low, high in LENGTHS:
            rows = [k for k, source in enumerate(sources) if low <= len(source) <= high]
            if not rows:
                continue
            exact = _share([written[k] for k in rows], [references[k] for k in rows])
            found["exact_by_length"].append(
                {"from": low, "to": high, "sentences": len(rows), "exact": round(exact, 4)}
            )
        return found


def _share(written, references) -> float:
    return sum(a == b for a, b in zip(written, references, strict=True)) / len(references)
