"""A checkpoint's folder as one .zip: its known files, bounded, at the root or in one folder.

A .pt of torch is a .zip as well; what tells the two apart is a config.json. Names of entries are
looked up and never joined to a path. Sizes are checked before anything is unpacked, and while it
is, so that a small file cannot become a large one.
"""

import io
import json
import stat
import zipfile
import zlib
from pathlib import Path

from backend.errors import Invalid, TooLarge

MAX_ENTRIES = 64
MAX_DIRECTORY_BYTES = 64 << 10
MAX_TEXT_BYTES = 8 << 20
MAX_CARD_BYTES = 256 << 10
MAX_RATIO = 200  # unpacked over packed, of a whole .zip: what honest texts and weights stay below
WEIGHTS = "model.safetensors"
TEXTS = (
    "config.json",
    "vocabulary.json",
    "README.md",
    "tokenizer.json",
    "source.tokenizer.json",
    "target.tokenizer.json",
    "tokenizer_config.json",
    "generation_config.json",
    "vocab.json",
    "merges.txt",
)
MARK, END = b"PK\x03\x04", b"PK\x05\x06"


def _small_directory(path: Path) -> bool:
    """Whether the list of entries is short: it is read whole, before it can be looked at."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != MARK:
            return False
        file.seek(max(0, size - 22 - (1 << 16)))
        tail = file.read()
    at = tail.rfind(END)
    if at < 0 or len(tail) < at + 22:
        return False
    entries = int.from_bytes(tail[at + 10 : at + 12], "little")
    length = int.from_bytes(tail[at + 12 : at + 16], "little")
    large = tail[max(0, at - 20) : at].startswith(b"PK\x06\x07")  # of the form for large files
    return not large and entries <= MAX_ENTRIES and length <= MAX_DIRECTORY_BYTES


def found_in(path: Path) -> dict[str, zipfile.ZipInfo]:
    """The known files of a checkpoint's folder in a .zip; {} where it is something else."""
    if not _small_directory(path):
        return {}
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return {}
    configs = [e.filename for e in entries if e.filename.split("/")[-1] == "config.json"]
    if len(configs) != 1 or configs[0].count("/") > 1:
        return {}
    folder = configs[0].removesuffix("config.json")
    known = {folder + name: name for name in (*TEXTS, WEIGHTS)}
    return {known[e.filename]: e for e in entries if e.filename in known}


def unpack(path: Path, into: Path, most: int) -> None:
    """Write the known files of a .zip into a folder; at most so many bytes of weights.

    Raises `Invalid` or `TooLarge`, naming the file.
    """
    entries = found_in(path)
    if WEIGHTS not in entries:
        raise _damaged(f"There is a config.json and no {WEIGHTS} beside it.")
    into.mkdir()
    unpacked = 0
    with zipfile.ZipFile(path) as archive:
        for name, entry in entries.items():
            limit = {WEIGHTS: most, "README.md": MAX_CARD_BYTES}.get(name, MAX_TEXT_BYTES)
            kind = stat.S_IFMT(entry.external_attr >> 16)
            packed = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            if entry.flag_bits & 1 or kind not in (0, stat.S_IFREG) or not packed:
                raise _damaged(f"{name} must be a plain file, stored or deflated, not encrypted.")
            unpacked += entry.file_size
            if entry.file_size > limit or unpacked > MAX_RATIO * path.stat().st_size:
                raise TooLarge(
                    f"{name} is {entry.file_size} bytes, at most {limit} are read.",
                    "Leave out what is not needed to run the network.",
                    "too_large_file",
                )
            try:
                _copy(archive, entry, into / name)
            except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as e:
                raise _damaged(f"{name} cannot be unpacked: {e}.") from e


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, to: Path) -> None:
    left = entry.file_size
    with archive.open(entry) as source, io.FileIO(to, "x") as target:
        while piece := source.read(min(1 << 20, left + 1)):
            left -= len(piece)
            if left < 0:
                raise ValueError("it is longer than it says")
            view = memoryview(piece)
            while view:
                view = view[target.write(view) :]
    if left:
        raise ValueError("it is shorter than it says")


def read_about(folder: Path) -> dict:
    """The config.json of an unpacked folder. Raises `Invalid`."""
    try:
        about = json.loads((folder / "config.json").read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged(f"config.json is not JSON: {str(error)[:120]}.") from error
    if not isinstance(about, dict):
        raise _damaged("config.json is not an object.")
    return about


def _damaged(message: str) -> Invalid:
    return Invalid(message, "Pack the folder of one checkpoint again.", "damaged_file")
