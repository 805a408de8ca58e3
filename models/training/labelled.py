"""Texts with labels, as they lie in the data folder, cut into the parts every figure is quoted on.

Lines are counted from 1. Of names, every tenth line of each file is test and the line after it
validation; of sentences about films likewise in their one file; the treebank comes cut.
"""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from models.training.recipes import Source

NAMES = Source(
    "names",
    "Surnames of 18 languages",
    "github.com/spro/practical-pytorch, `data/names`, a file a language",
    "MIT",
)
FILMS = Source(
    "sentiment/movie-snippets.tsv.gz",
    "Sentences about films, each with the mean score of its human raters",
    "PyPI `vaderSentiment` 3.3.2 (Hutto and Gilbert 2014)",
    "MIT",
)
TREEBANK = Source(
    "pos/ud-ewt-{part}.tsv.gz",
    "Universal Dependencies, English Web Treebank: words and their universal tags",
    "github.com/UniversalDependencies/UD_English-EWT",
    "CC BY-SA 4.0",
)
UNDECIDED = 0.5  # sentences whose mean score is nearer to 0 than this have no label
SENTIMENTS = ["negative", "positive"]
PARTS = ("train", "validation", "test")
TREEBANK_PARTS = dict(zip(PARTS, ("train", "dev", "test"), strict=True))


@dataclass(frozen=True)
class Labelled:
    """Texts of each part with the numbers of their labels; of words, a tag a word."""

    source: Source
    sha256: str  # of the file, or of all of them one after the other
    labels: list[str]
    parts: dict[str, list[tuple]]  # (text, label) or (words, tags)
    left_out: int = 0  # texts that have no label


def part_of(line: int) -> str:
    """The part of a line, counted from 1."""
    if line % 10 == 0:
        return "test"
    return "validation" if line % 10 == 1 and line > 1 else "train"


def read_names(folder: Path) -> Labelled:
    """Surnames and their languages. Raises FileNotFoundError."""
    files = sorted((folder / NAMES.file).glob("*.txt"))
    if not files:
        raise FileNotFoundError(2, "no names", str(folder / NAMES.file))
    parts = {part: [] for part in PARTS}
    digest = hashlib.sha256()
    for label, path in enumerate(files):
        raw = path.read_bytes()
        digest.update(raw)
        for line, name in enumerate(raw.decode("utf-8").splitlines(), 1):
            if name.strip():
                parts[part_of(line)].append((name.strip(), label))
    return Labelled(NAMES, digest.hexdigest(), [path.stem for path in files], parts)


def read_films(folder: Path) -> Labelled:
    """Sentences and whether they speak well of their film. Raises FileNotFoundError."""
    raw = (folder / FILMS.file).read_bytes()
    parts, left_out = {part: [] for part in PARTS}, 0
    for line, row in enumerate(gzip.decompress(raw).decode("utf-8").splitlines(), 1):
        score, _, text = row.partition("\t")
        if abs(float(score)) < UNDECIDED:
            left_out += 1
        else:
            parts[part_of(line)].append((text, int(float(score) > 0)))
    digest = hashlib.sha256(raw).hexdigest()
    return Labelled(FILMS, digest, SENTIMENTS, parts, left_out)


def read_treebank(folder: Path) -> Labelled:
    """Sentences as lists of words, each with a tag. Raises FileNotFoundError."""
    digest, found = hashlib.sha256(), {}
    for part, name in TREEBANK_PARTS.items():
        raw = (folder / TREEBANK.file.format(part=name)).read_bytes()
        digest.update(raw)
        blocks = gzip.decompress(raw).decode("utf-8").strip("\n").split("\n\n")
        rows = [[line.split("\t") for line in block.splitlines()] for block in blocks]
        found[part] = [([w for w, _ in row], [t for _, t in row]) for row in rows if row]
    labels = sorted({tag for _, tags in found["train"] for tag in tags})
    number = {label: k for k, label in enumerate(labels)}
    parts = {
        part: [(words, [number[tag] for tag in tags]) for words, tags in sentences]
        for part, sentences in found.items()
    }
    return Labelled(TREEBANK, digest.hexdigest(), labels, parts)
