"""Multi30k: English image descriptions and their French translations, and BLEU on them."""

import gzip
import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from random import Random

from sacrebleu.metrics import BLEU

from models import subwords
from models.subwords import Vocabulary

Pair = tuple[str, str]
COPIED = "\ue000"  # stands for a word to be copied: no vocabulary has it
BEAM = 5  # width of the search that the figures are measured with
LENGTHS = ((1, 8), (9, 11), (12, 14), (15, 18), (19, 99))  # words of the English sentence


def bleu(written: Sequence[str], references: Sequence[str]) -> float:
    """Corpus BLEU of detokenised, cased text (Post 2018, arXiv:1804.08771)."""
    return BLEU().corpus_score(list(written), [list(references)]).score


def _signature(written: Sequence[str], references: Sequence[str]):
    metric = BLEU()
    metric.corpus_score(list(written), [list(references)])  # it is known after a score
    return metric.get_signature()


class Multi30k:
    """English image descriptions with their French translations (Elliott et al. 2016).

    Training reads each sentence in other pieces every epoch (BPE-dropout; Provilkov, Emelianenko,
    Voita 2020, arXiv:1910.13267; on the source alone, so that a text is written in one way), some
    without the full stop, and some with a word that both sides share replaced by `<unk>` on both,
    which teaches to copy what is not known.
    """

    MERGES_DROPPED, STOP_DROPPED, COPY_TAUGHT = 0.1, 0.1, 0.1
    source_language, target_language = "en", "fr"

    def __init__(self, folder: Path, source_size: int, target_size: int):
        self.folder = folder / "multi30k"
        self.sizes = source_size, target_size
        self.hashes: dict[str, str] = {}

    def part(self, name: str) -> list[Pair]:
        """`train`, `val`, `test_2016_flickr`, `test_2017_flickr` or `test_2017_mscoco`."""
        sides = []
        for language in (self.source_language, self.target_language):
            raw = (self.folder / f"{name}.{language}.gz").read_bytes()
            self.hashes[f"multi30k/{name}.{language}.gz"] = hashlib.sha256(raw).hexdigest()
            sides.append(gzip.decompress(raw).decode("utf-8").split("\n")[:-1])
        return list(zip(*sides, strict=True))

    @cached_property
    def training(self) -> list[Pair]:
        return self.part("train")

    @cached_property
    def vocabularies(self) -> tuple[Vocabulary, Vocabulary]:
        """Of the source and of the target, learned from the training part alone."""
        sources, targets = zip(*self.training, strict=True)
        return (
            subwords.source_pieces(sources, self.sizes[0]),
            subwords.target_pieces(targets, self.sizes[1]),
        )

    def epoch(self, number: int, seed: int) -> list[tuple[list[int], list[int]]]:
        """Token numbers of every training pair, cut anew for this epoch."""
        random = Random(f"{seed} {number}")
        texts = [self._varied(*pair, random) for pair in self.training]
        sources, targets = zip(*texts, strict=True)
        read, write = self.vocabularies
        read.tokenizer.model.dropout = self.MERGES_DROPPED
        sides = read.encode_many(sources), write.encode_many(targets)
        read.tokenizer.model.dropout = None
        return [
            (source, target)
            for source, target in zip(*sides, strict=True)
            if len(source) <= 60 and len(target) <= 70
        ]

    @cached_property
    def validation(self) -> list[Pair]:
        return self.part("val")

    def score(self, write: Callable[[list[str]], list[str]]) -> float:
        """BLEU of a way to translate many sentences, on validation."""
        sources, references = zip(*self.validation, strict=True)
        return bleu(write(list(sources)), references)

    def figures(self, translate: Callable[[str, int], str]) -> dict:
        """What the card tells: BLEU on the three test sets and by length on the first.

        `translate(text, beam_size)` writes one sentence.
        """
        test = self.part("test_2016_flickr")
        sources, references = zip(*test, strict=True)
        written = [translate(source, BEAM) for source in sources]
        found = {
            "bleu": round(bleu(written, references), 2),
            "bleu_greedy": round(bleu([translate(s, 1) for s in sources], references), 2),
            "bleu_test": "test_2016_flickr",
            "bleu_beam": BEAM,
            "bleu_signature": str(_signature(written, references)),
            "length_unit": "words",  # of the source, between spaces
            "bleu_by_length": [],
        }
        for low, high in LENGTHS:
            rows = [k for k, s in enumerate(sources) if low <= len(s.split()) <= high]
            if not rows:
                continue
            figure = bleu([written[k] for k in rows], [references[k] for k in rows])
            longest = max(len(sources[k].split()) for k in rows)
            found["bleu_by_length"].append(
                {"from": low, "to": min(high, longest), "sentences": len(rows),
                 "bleu": round(figure, 2)}
            )  # fmt: skip
        for name in ("test_2017_flickr", "test_2017_mscoco"):
            others, references = zip(*self.part(name), strict=True)
            figure = bleu([translate(source, BEAM) for source in others], references)
            found[f"bleu_{name}"] = round(figure, 2)
        return found

    def _varied(self, source: str, target: str, random: Random) -> Pair:
        source, target = source.strip(), target.strip()
        if random.random() < self.STOP_DROPPED and source.endswith(".") and target.endswith("."):
            source, target = source[:-1], target[:-1]
        if random.random() < self.COPY_TAUGHT:
            source, target = _copy(source, target, random)
        return source, target


def _copy(source: str, target: str, random: Random) -> Pair:
    """Replace one word that both sides have exactly once by the mark of a copied word."""
    words, others = source.split(" "), target.split(" ")
    shared = [w for w in words if len(w) > 2 and words.count(w) == 1 and others.count(w) == 1]
    if not shared:
        return source, target
    word = random.choice(shared)
    mark = COPIED + "." * word.endswith(".")
    return (
        " ".join(mark if w == word else w for w in words),
        " ".join(mark if w == word else w for w in others),
    )
