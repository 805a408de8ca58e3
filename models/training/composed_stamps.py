"""Photographs of single things with the ground cut away, and the words that captions have for them.

The pictures are those of Debian's `tuxpaint-stamps-default` (GPL-2), read from where the package
puts them; none is kept here. `composed_stamps.tsv` says which of them are used, for training or
for the test, and what they show. A third is held out: every word of the test is trained on with
other pictures of the same thing.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

FOLDER = Path("/usr/share/tuxpaint/stamps")
TABLE = Path(__file__).with_suffix(".tsv")
FAINT = 20  # of 255: an alpha below it is no edge of the thing


@dataclass(frozen=True)
class Stamp:
    """A cut-out."""

    file: str  # without .png
    part: str  # train or test
    kind: str  # what it may be said to do, see `composed_sentences`
    look: str  # what stands in front of the name: a colour, a material; may be empty
    names: tuple[str, ...]


@cache
def table(file: Path = TABLE) -> tuple[Stamp, ...]:
    """All cut-outs, in the order of the file."""
    rows = [line.split("\t") for line in file.read_text("utf-8").splitlines()]
    return tuple(
        Stamp(file, part, kind, look, tuple(names.split("|")))
        for file, part, kind, look, names in (row for row in rows if row[0][:1] != "#")
    )


@cache
def picture(folder: Path, file: str) -> Image.Image:
    """RGBA, cut to the thing. Raises `FileNotFoundError` where the package is missing."""
    image = Image.open(folder / f"{file}.png").convert("RGBA")
    return image.crop(image.getchannel("A").point(lambda a: 255 * (a > FAINT)).getbbox())


def rivals(stamps: tuple[Stamp, ...]) -> dict[str, set[str]]:
    """For each name all names of the things that it may be used for: beside one of them it
    would not be clear what is meant."""
    found: dict[str, set[str]] = {}
    for stamp in stamps:
        for name in stamp.names:
            found.setdefault(name, set()).update(stamp.names)
    return found
