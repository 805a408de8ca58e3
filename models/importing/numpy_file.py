""".npz of numpy.savez: a zip archive of .npy files, stored or deflated.

A .npy is a magic number, a version, a header, and the numbers. The header is the text of a Python
dict, always of one form: it is matched, not parsed. Arrays of objects are pickles, and refused.
https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import math
import re

import numpy as np

from models.importing import archive
from models.importing.archive import Entry
from models.importing.numbers import (
    MAX_TENSORS,
    SIZES,
    as_bool,
    check_finite,
    check_kind,
    check_name,
    check_shape,
    load,
)
from models.importing.refused import Refused, damaged
from models.importing.source import Source

MAX_HEADER_BYTES = 10_000
KINDS = {
    "<f2": "float16", "<f4": "float32", "<f8": "float64", "|u1": "uint8", "|i1": "int8",
    "<i2": "int16", "<i4": "int32", "<i8": "int64", "|b1": "bool",
}  # fmt: skip
# {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, of Python 2 with 2L, 3L
_HEADER = re.compile(
    r"\{ *'descr': *'([^'\\]{1,40})', *'fortran_order': *(True|False), *"
    r"'shape': *\(((?: *\d{1,15}L? *,){0,40}(?: *\d{1,15}L?)? *)\) *,? *\}"
)
MAX_TEXTS = 65_536  # texts in all arrays of them
MAX_TEXT_BYTES = 8 << 20


def read(source: Source, entries: dict[str, Entry]) -> tuple[dict[str, np.ndarray], dict]:
    """The arrays of numbers by name, and as extras the arrays of texts. Raises `Refused`."""
    if len(entries) > MAX_TENSORS:
        raise Refused(
            "too_large_file",
            f"The file holds {len(entries)} arrays, at most {MAX_TENSORS} are read.",
            "Give a smaller network.",
        )
    tensors, extras, texts = {}, {}, 0
    for entry in entries.values():
        name = check_name(entry.name.removesuffix(".npy"))
        found = _array(source, entry, name)
        if isinstance(found, np.ndarray):
            tensors[name] = found
        else:
            extras[name] = found
            texts += entry.size
            if texts > MAX_TEXT_BYTES:
                raise _too_many_texts()
    return tensors, extras


def _array(source: Source, entry: Entry, name: str):
    whole = archive.inflated(source, entry) if entry.deflated else None
    head_size = min(entry.size, MAX_HEADER_BYTES + 12)
    head = source.read(entry.offset, head_size) if whole is None else whole[:head_size].tobytes()
    descr, fortran, shape, start = _header(name, head)
    if re.fullmatch(r"<U\d{1,4}", descr):
        return _texts(source, entry, name, int(descr[2:]), shape, start)
    kind = check_kind(name, KINDS.get(descr), f"an array of {descr[:40]}")
    count = math.prod(shape)
    if start + count * SIZES[kind] != entry.size:
        raise damaged(
            f"{name} is {kind} {shape}, {count * SIZES[kind]} bytes, "
            f"and there are {entry.size - start}."
        )
    if whole is None:
        # the checksum is that of header and numbers together
        numbers = load(source, entry.offset + start, count, kind, entry.crc, head[:start])
    else:
        flat = whole[start:]
        numbers = as_bool(flat) if kind == "bool" else _aligned(flat, kind)
    numbers = numbers.reshape(shape, order="F" if fortran else "C")
    numbers = np.ascontiguousarray(numbers).reshape(shape)  # a number alone stays one
    check_finite(name, numbers)
    return numbers


def _aligned(flat: np.ndarray, kind: str) -> np.ndarray:
    """Bytes as numbers; copied where they do not begin at a multiple of their size."""
    numbers = flat.view(np.dtype(kind).newbyteorder("<"))
    return numbers if numbers.flags.aligned else numbers.copy()


def _header(name: str, head: bytes) -> tuple[str, bool, tuple[int, ...], int]:
    """Element type, column order, shape, and where the numbers begin."""
    if len(head) < 10 or head[:6] != b"\x93NUMPY" or head[6] not in (1, 2, 3) or head[7] != 0:
        raise damaged(f"{name} is not an array of numpy.")
    width = 2 if head[6] == 1 else 4
    length = int.from_bytes(head[8 : 8 + width], "little")
    start = 8 + width + length
    if length > MAX_HEADER_BYTES or start > len(head):
        raise damaged(f"The header of {name} says it has {length} bytes.")
    text = head[8 + width : start].decode("latin-1")
    found = _HEADER.fullmatch(text.strip())
    if found is None:
        if "[(" in text:
            raise _no_numbers(name, text)
        raise damaged(f"The header of {name} is not what numpy writes: {text[:80]!a}.")
    descr, fortran, sizes = found.groups()
    if "O" in descr:
        raise _no_numbers(name, descr)
    shape = [int(size.rstrip("L")) for size in sizes.split(",") if size.strip()]
    return descr, fortran == "True", check_shape(name, shape), start


def _no_numbers(name: str, text: str) -> Refused:
    return Refused(
        "unsafe_file",
        f"{name} is an array of objects or records ({text[:60]!a}); objects are pickles, which "
        "can run code.",
        "Save arrays of numbers alone, and lists of texts as an array of texts.",
    )


def _too_many_texts() -> Refused:
    return Refused(
        "too_large_file",
        f"The file holds more than {MAX_TEXTS} texts, or {MAX_TEXT_BYTES} bytes of them.",
        "Save the weights and the vocabulary alone.",
    )


def _texts(source: Source, entry: Entry, name: str, width: int, shape: tuple, start: int):
    """An array of texts, such as a vocabulary, as a list (of lists); a text alone as one."""
    count = math.prod(shape)
    if count > MAX_TEXTS or entry.size > MAX_TEXT_BYTES:
        raise _too_many_texts()
    if start + 4 * width * count != entry.size or len(shape) > 2:
        raise damaged(f"{name} is {shape} texts of {width} characters, and they do not fill it.")
    raw = archive.read(source, entry, entry.size)[start:]
    codes = np.frombuffer(raw, "<u4")
    if codes.size and (codes.max() > 0x10FFFF or ((codes >= 0xD800) & (codes < 0xE000)).any()):
        raise damaged(f"{name} holds numbers that are no characters.")
    return np.frombuffer(raw, f"<U{width}").reshape(shape).tolist() if width else [""] * count
