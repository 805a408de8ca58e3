"""torch.save since PyTorch 1.6: a zip archive of a pickle and one file for each storage.

Entries: NAME/data.pkl, NAME/data/KEY for each storage, NAME/version, and in newer files
NAME/byteorder. TorchScript and exported programs are zip archives too; they hold code.
"""

import numpy as np

from models.importing import archive, pickles
from models.importing.archive import Entry
from models.importing.numbers import SIZES, load
from models.importing.opcodes import SAVE_STATE_DICT
from models.importing.refused import Refused, damaged
from models.importing.source import Source
from models.importing.standins import Named, StorageMark
from models.importing.state import choose
from models.importing.tensors import gather

MAX_PICKLE_BYTES = 4 << 20
_CODE = ("constants.pkl", "code/", "serialized_exported_program.json", "models/", "archive_format")


def read(source: Source, entries: dict[str, Entry], root: str):
    """Tensors, extras and what was left out, of an archive whose pickle is `root`/data.pkl."""
    for name in entries:
        if name.partition("/")[0] != root:
            raise damaged(f"{name[:80]!a} does not lie in {root[:80]!a} as all else does.")
    _check_small(source, entries, f"{root}/byteorder", {b"little"}, "byte order")
    _check_small(source, entries, f"{root}/version", {b"2\n", b"3\n", b"4\n"}, "version")
    raw = archive.read(source, entries[f"{root}/data.pkl"], MAX_PICKLE_BYTES)
    storages: dict[str, StorageMark] = {}

    def persistent(told: tuple) -> StorageMark:
        mark = storage_mark(told, 5)
        entry = entries.get(f"{root}/data/{mark.key}")
        if entry is None:
            raise damaged(f"The archive does not hold the storage {mark.key[:80]!a}.")
        if entry.deflated or entry.size != mark.count * SIZES[mark.kind]:
            raise damaged(
                f"{entry.name} has {entry.size} bytes, and {mark.count} numbers of {mark.kind} "
                f"need {mark.count * SIZES[mark.kind]}."
            )
        if storages.setdefault(mark.key, mark) != mark:
            raise damaged(f"The storage {mark.key[:80]!a} is two things at once.")
        return mark

    root_value, end = pickles.load(raw, 0, persistent)
    if end != len(raw):
        raise damaged("There are bytes behind the end of the pickle.")
    marks, extras, left_out = choose(root_value)

    def storage(mark: StorageMark, name: str) -> np.ndarray:
        entry = entries[f"{root}/data/{mark.key}"]
        return load(source, entry.offset, mark.count, mark.kind, entry.crc)

    return gather(marks, storage, source.size), extras, left_out


def root_of(entries: dict[str, Entry]) -> str | None:
    """The folder with the pickle; None where there is no one such. Raises `Refused` for code."""
    if any(name.partition("/")[2].startswith(_CODE) for name in entries):
        raise Refused(
            "unsafe_file",
            "This is TorchScript or an exported program: it holds code to run.",
            SAVE_STATE_DICT,
        )
    roots = [name.partition("/")[0] for name in entries if name.endswith("/data.pkl")]
    return roots[0] if len(roots) == 1 and f"{roots[0]}/data.pkl" in entries else None


def storage_mark(told: tuple, length: int) -> StorageMark:
    """('storage', its class, its key, its device, its numbers), checked. Raises `Refused`."""
    if len(told) != length or told[0] != "storage":
        raise damaged("The pickle names a storage in a way that torch does not.")
    _, kind, key, device, count = told[:5]
    if not isinstance(kind, Named) or kind.kind is None:
        raise damaged("The pickle names a storage of no element type.")
    if type(key) is not str or type(device) is not str or len(key) > 200:
        raise damaged("The pickle names a storage without key or device.")
    if device == "meta":
        raise Refused(
            "unusable_tensor", "A tensor is on the device meta: it has no numbers.",
            "Save it from the processor or from a GPU.",
        )  # fmt: skip
    if type(count) is not int or not 0 <= count < 1 << 40:
        raise damaged("The pickle names a storage without its size.")
    return StorageMark(key, kind.kind, count)


def _check_small(source: Source, entries, name: str, known: set[bytes], what: str) -> None:
    if name not in entries:
        return
    found = archive.read(source, entries[name], 64)
    if found not in known:
        raise Refused(
            "unusable_tensor" if what == "byte order" else "unknown_format",
            f"The file has the {what} {found[:20]!r}, "
            f"expected {' or '.join(map(repr, sorted(known)))}.",
            "Save it again with a current PyTorch on a little-endian machine.",
        )
