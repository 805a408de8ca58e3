"""Read a stranger's file of weights: which format it is, then that format's own reader.

Formats are told by their first bytes, never by the name. There is no fallback: what is not one of
these is refused, and nothing else tries to read it.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.importing import archive, numpy_file, safetensors_file, torch_file, torch_legacy
from models.importing.refused import Refused
from models.importing.source import Source, opened


@dataclass(frozen=True)
class ForeignFile:
    """What a file held: tensors as they were found, and the plain data beside them.

    `tensors` are C-contiguous, finite, bfloat16 widened to float32; integers and truth values are
    kept as they are. Tied tensors may share memory. `extras` holds only str, int, float, bool,
    None, and lists and dicts of those, with keys that are str; sets and tuples are lists, and what
    is not finite is its name, "inf". `left_out` names what was not taken, such as "optimizer".
    """

    format: str  # "pt", "safetensors" or "npz"
    tensors: dict[str, np.ndarray]
    extras: dict = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


# How files begin that people take for weights, and what they are.
_BEGINNINGS = (
    (b"<", "a web page: the download gave a page in place of the file"),
    (b"version https://git-lfs", "a pointer of Git LFS: the file itself was not fetched"),
    (b"\x89HDF", "an HDF5 file of Keras"),
    (b"GGUF", "a GGUF file"),
    (b"\x1f\x8b", "packed with gzip: unpack it first"),
    (b"\xfd7zXZ", "packed with xz: unpack it first"),
    (b"7z\xbc\xaf", "packed with 7-Zip: unpack it first"),
    (b"\x93NUMPY", "a single array of numpy: save all by name with numpy.savez"),
)
_KNOWN = "Give a .safetensors file, a .pt or .pth of torch.save, or an .npz of numpy.savez."


def read_foreign(path: Path) -> ForeignFile:
    """Read a .safetensors, .pt, .pth or .npz file. Raises `Refused`, naming what is wrong."""
    with opened(Path(path)) as source:
        return read_source(source)


def read_source(source: Source) -> ForeignFile:
    """The same of a file that is open."""
    if safetensors_file.looks_so(source):
        return ForeignFile("safetensors", *safetensors_file.read(source))
    if torch_legacy.looks_so(source):
        return ForeignFile("pt", *torch_legacy.read(source))
    if archive.looks_so(source):
        return _of_archive(source)
    raise _unknown(source.read(0, min(source.size, 64)))


def _of_archive(source: Source) -> ForeignFile:
    entries = archive.entries(source)
    root = torch_file.root_of(entries)
    if root is not None:
        return ForeignFile("pt", *torch_file.read(source, entries, root))
    if all(name.endswith(".npy") for name in entries):
        return ForeignFile("npz", *numpy_file.read(source, entries))
    raise Refused(
        "unknown_format", "The archive is neither of torch.save nor of numpy.savez.", _KNOWN
    )


def _unknown(beginning: bytes) -> Refused:
    if not beginning:
        return Refused("unknown_format", "The file is empty.", _KNOWN)
    if beginning[0] == 0x80:
        return Refused(
            "unsafe_file",
            "This is a bare pickle, not of torch.save: whoever reads it runs what it says.",
            "Save the weights with torch.save(model.state_dict(), PATH), or as safetensors.",
        )
    for start, what in _BEGINNINGS:
        if beginning.lstrip().startswith(start):
            return Refused("unknown_format", f"This is {what}.", _KNOWN)
    return Refused("unknown_format", "This is no file of weights that is known here.", _KNOWN)
