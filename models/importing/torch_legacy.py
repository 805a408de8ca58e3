"""torch.save before PyTorch 1.6: five pickles one after another, then the storages.

The pickles: a magic number, the protocol 1001, facts about the machine, the object, and the keys of
the storages in the order in which they follow, each as a count of 64 bits and its numbers. There is
no checksum.
"""

import numpy as np

from models.importing import pickles
from models.importing.numbers import SIZES, load
from models.importing.opcodes import SAVE_STATE_DICT
from models.importing.refused import Refused, damaged
from models.importing.source import Source
from models.importing.standins import StorageMark
from models.importing.state import choose
from models.importing.tensors import gather
from models.importing.torch_file import MAX_PICKLE_BYTES, storage_mark

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
_TOLD = b"\x8a\x0a" + MAGIC.to_bytes(10, "little") + b"."  # LONG1, ten bytes, STOP
_BEGINNING = 25  # bytes: protocol, perhaps a frame, the magic number


def looks_so(source: Source) -> bool:
    """Whether the file begins with torch's magic number."""
    head = source.read(0, min(source.size, _BEGINNING))
    return head[:1] == b"\x80" and _TOLD in head


def read(source: Source):
    """Tensors, extras and what was left out. Raises `Refused`."""
    head = source.read(0, min(source.size, MAX_PICKLE_BYTES))
    marks: dict[str, StorageMark] = {}

    def persistent(told: tuple) -> StorageMark:
        mark = storage_mark(told, 6)
        if marks.setdefault(mark.key, mark) != mark:
            raise damaged(f"The storage {mark.key[:80]!a} is two things at once.")
        view = told[5]
        if view is None:
            return mark
        whole = type(view) is tuple and len(view) == 3 and all(type(n) is int for n in view[1:])
        if not whole or min(view[1:]) < 0 or sum(view[1:]) > mark.count:
            raise damaged(f"The storage {mark.key[:80]!a} is a view without a place.")
        return StorageMark(mark.key, mark.kind, mark.count, view[1])

    magic, at = pickles.load(head, 0, _none)
    protocol, at = pickles.load(head, at, _none)
    machine, at = pickles.load(head, at, _none)
    if (magic, protocol) != (MAGIC, PROTOCOL) or not isinstance(machine, dict):
        raise damaged("The file does not say by which protocol of torch it was saved.")
    if machine.get("little_endian") is not True:
        raise Refused(
            "unusable_tensor",
            "The file was saved on a big-endian machine.",
            "Save it again with a current PyTorch on a little-endian machine.",
        )
    root, at = pickles.load(head, at, persistent)
    keys, at = pickles.load(head, at, _none)
    if not isinstance(keys, list) or len(keys) != len(marks) or set(map(str, keys)) != set(marks):
        raise damaged("The file lists other storages than its tensors need.")
    places = _places(source, at, [marks[key] for key in map(str, keys)])
    chosen, extras, left_out = choose(root)

    def storage(mark: StorageMark, name: str) -> np.ndarray:
        return load(source, places[mark.key], mark.count, mark.kind)

    return gather(chosen, storage, source.size), extras, left_out


def _places(source: Source, at: int, marks: list[StorageMark]) -> dict[str, int]:
    """Where the numbers of each storage begin; they must fill the rest of the file."""
    places = {}
    for mark in marks:
        count = int.from_bytes(source.read(at, 8), "little")
        if count != mark.count:
            raise damaged(f"A storage of {mark.count} numbers says that it has {count}.")
        places[mark.key] = at + 8
        at += 8 + count * SIZES[mark.kind]
        source.check(at, 0)
    if at != source.size:
        raise damaged(f"The storages end at byte {at}, the file has {source.size}.")
    return places


def _none(told: tuple):
    raise Refused("unsafe_file", "The head of the file names a storage.", SAVE_STATE_DICT)
