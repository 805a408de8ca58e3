"""A GGUF file: what it says of itself, and its tensors, read by hand with bounds.

Layout, versions 2 and 3, little-endian: `GGUF`, version, number of tensors, number of fields; the
fields (name, type, value); the table of tensors (name, sizes from the fastest axis on, type,
offset); then, at the next multiple of `general.alignment`, the data. Nothing is believed: every
count is held against the bytes that are left before anything is made for it, tensors must lie in
the data and not upon each other, and numbers must be finite.

Weights in blocks of 32 (`Q4_0`, `Q4_1`, `Q8_0`) are d * q or d * q + m, with d and m in float16.
"""

import mmap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.checkpoint import CheckpointError

MAX_BYTES = 8 << 30
MAX_HEAD = 64 << 20  # bytes before the data
MAX_FIELDS = 4096
MAX_TENSORS = 4096
MAX_STRING = 1 << 20  # bytes
MAX_LIST = 1 << 20  # items
MAX_AXES = 4
BLOCK = 32  # weights that share a scale
NUMBERS = {0: "<u1", 1: "<i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 7: "?",
           10: "<u8", 11: "<i8", 12: "<f8"}  # fmt: skip
STRING, LIST = 8, 9


def _f32(raw: np.ndarray) -> np.ndarray:
    return raw.view("<f4")


def _f16(raw: np.ndarray) -> np.ndarray:
    return raw.view("<f2").astype(np.float32)


def _scale(blocks: np.ndarray, at: int) -> np.ndarray:
    """The float16 at a byte of each block (N, bytes) -> (N, 1)."""
    return blocks[:, at : at + 2].copy().view("<f2").astype(np.float32)


def _nibbles(packed: np.ndarray) -> np.ndarray:
    """(N, 16) bytes -> (N, 32): the low halves, then the high ones."""
    return np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)


def _q4_0(raw: np.ndarray) -> np.ndarray:
    blocks = raw.reshape(-1, 18)
    return (_nibbles(blocks[:, 2:]) - 8) * _scale(blocks, 0)


def _q4_1(raw: np.ndarray) -> np.ndarray:
    blocks = raw.reshape(-1, 20)
    return _nibbles(blocks[:, 4:]) * _scale(blocks, 0) + _scale(blocks, 2)


def _q8_0(raw: np.ndarray) -> np.ndarray:
    blocks = raw.reshape(-1, 34)
    return blocks[:, 2:].view(np.int8).astype(np.float32) * _scale(blocks, 0)


@dataclass(frozen=True)
class Type:
    """How weights are stored."""

    name: str
    together: int  # weights in a block
    bytes: int  # of a block
    read: Callable[[np.ndarray], np.ndarray]  # bytes -> float32


TYPES = {
    0: Type("F32", 1, 4, _f32),
    1: Type("F16", 1, 2, _f16),
    2: Type("Q4_0", BLOCK, 18, _q4_0),
    3: Type("Q4_1", BLOCK, 20, _q4_1),
    8: Type("Q8_0", BLOCK, 34, _q8_0),
}
OTHERS = {6: "Q5_0", 7: "Q5_1", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K",
          15: "Q8_K", 30: "BF16"}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A line of the table of tensors."""

    type: Type
    shape: tuple[int, ...]  # as torch counts: the fastest axis last
    start: int  # bytes from the beginning of the file
    stop: int


class Reader:
    """Steps through the head of a file; every step is held against what is left."""

    def __init__(self, raw: mmap.mmap | bytes):
        self.raw, self.at = raw, 0

    def take(self, count: int, what: str) -> bytes:
        """The next bytes."""
        if count > len(self.raw) - self.at:
            raise CheckpointError(f"the file ends inside {what}")
        if self.at + count > MAX_HEAD:
            raise CheckpointError(f"what comes before the data is more than {MAX_HEAD} bytes")
        self.at += count
        return self.raw[self.at - count : self.at]

    def numbers(self, dtype: str, count: int, what: str) -> np.ndarray:
        """The next numbers, of one of numpy's types."""
        return np.frombuffer(self.take(count * np.dtype(dtype).itemsize, what), dtype)

    def number(self, dtype: str, what: str):
        """The next number."""
        return self.numbers(dtype, 1, what)[0].item()

    def count(self, most: int, what: str) -> int:
        """The next count, which may not be more than so many."""
        found = self.number("<u8", what)
        if found > most:
            raise CheckpointError(f"{what} is {found}, at most {most} can be")
        return found

    def string(self, what: str) -> str:
        """The next text, its length first."""
        raw = self.take(self.count(MAX_STRING, f"the length of {what}"), what)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise CheckpointError(f"{what} is not UTF-8: {error}") from error

    def value(self, what: str):
        """The next value of a field: a number, a text, an array of numbers or a list of texts."""
        kind = self.number("<u4", what)
        if kind in NUMBERS:
            return self.number(NUMBERS[kind], what)
        if kind == STRING:
            return self.string(what)
        if kind != LIST:
            raise CheckpointError(f"{what} has the type {kind}, which no field has")
        inner = self.number("<u4", what)
        count = self.count(MAX_LIST, f"the length of {what}")
        if inner in NUMBERS:
            return self.numbers(NUMBERS[inner], count, what)
        if inner != STRING:
            raise CheckpointError(f"{what} is a list of the type {inner}, which is not supported")
        if 8 * count > len(self.raw) - self.at:  # each has its length
            raise CheckpointError(f"the file ends inside {what}")
        return [self.string(what) for _ in range(count)]


class Gguf:
    """What a GGUF file holds: `fields` by name, `entries` of tensors by name."""

    def __init__(self, raw: mmap.mmap | bytes):
        self._raw = raw
        reader = Reader(raw)
        if reader.take(4, "its first bytes") != b"GGUF":
            raise CheckpointError("this is no GGUF file: it does not begin with GGUF")
        version = reader.number("<u4", "the version")
        if version not in (2, 3):
            raise CheckpointError(f"the version is {version}; supported are 2 and 3, little-endian")
        tensors = reader.count(MAX_TENSORS, "the number of tensors")
        fields = reader.count(MAX_FIELDS, "the number of fields")
        self.fields: dict[str, object] = {}
        for _ in range(fields):
            name = reader.string("the name of a field")
            if name in self.fields:
                raise CheckpointError(f"the field {name!r:.80} is there twice")
            self.fields[name] = reader.value(f"the field {name!r:.80}")
        alignment = self.fields.get("general.alignment", 32)
        if type(alignment) is not int or alignment not in (1 << k for k in range(3, 17)):
            raise CheckpointError(f"general.alignment is {alignment!r:.80}, no power of two")
        listed = [self._line(reader, alignment) for _ in range(tensors)]
        start = -(-reader.at // alignment) * alignment
        self.entries = self._place(listed, start)

    @staticmethod
    def _line(reader: Reader, alignment: int) -> tuple[str, Type, tuple[int, ...], int, int]:
        name = reader.string("the name of a tensor")
        what = f"the tensor {name!r:.80}"
        axes = reader.number("<u4", what)
        if not 1 <= axes <= MAX_AXES:
            raise CheckpointError(f"{what} has {axes} axes, expected 1 to {MAX_AXES}")
        sizes = [reader.number("<u8", what) for _ in range(axes)]
        kind, offset = reader.number("<u4", what), reader.number("<u8", what)
        if kind not in TYPES:
            known = ", ".join(one.name for one in TYPES.values())
            raise CheckpointError(
                f"{what} has the type {OTHERS.get(kind, kind)}; supported are {known}"
            )
        found = TYPES[kind]
        weights = 1
        for size in sizes:
            weights *= size
            if not 1 <= weights <= MAX_BYTES:
                raise CheckpointError(f"{what} has the sizes {sizes}, more than any file holds")
        if sizes[0] % found.together:
            raise CheckpointError(f"{what} has rows of {sizes[0]}, no multiple of {found.together}")
        if offset % alignment:
            raise CheckpointError(f"{what} begins at {offset}, no multiple of {alignment}")
        length = weights // found.together * found.bytes
        return name, found, tuple(reversed(sizes)), offset, length

    def _place(self, listed: list, start: int) -> dict[str, Entry]:
        """Entries by name, none outside the file and none upon another."""
        entries, end, last = {}, 0, ""
        for name, kind, shape, offset, length in sorted(listed, key=lambda line: line[3]):
            if name in entries:
                raise CheckpointError(f"the tensor {name!r:.80} is there twice")
            if start + offset + length > len(self._raw):
                raise CheckpointError(
                    f"the tensor {name!r:.80} ends at byte {start + offset + length}, and the file "
                    f"at {len(self._raw)}"
                )
            if offset < end:
                raise CheckpointError(f"the tensors {last!r:.80} and {name!r:.80} overlap")
            entries[name] = Entry(kind, shape, start + offset, start + offset + length)
            end, last = offset + length, name
        return entries

    def tensor(self, name: str) -> Tensor:
        """A tensor in float32."""
        entry = self.entries[name]
        raw = np.frombuffer(self._raw[entry.start : entry.stop], np.uint8)
        with np.errstate(all="ignore"):  # what is not finite is told by who takes it
            values = entry.type.read(raw)
        return torch.from_numpy(
            np.ascontiguousarray(values, np.float32).reshape(entry.shape).copy()
        )


def open_gguf(path: Path) -> Gguf:
    """Read the head of a file. Raises `CheckpointError`, naming what is wrong."""
    try:
        size = path.stat().st_size
        if not 0 < size <= MAX_BYTES:
            raise CheckpointError(f"{path.name} holds {size} bytes, at most {MAX_BYTES} are read")
        with path.open("rb") as file:
            return Gguf(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path.name} is missing") from error
    except CheckpointError as error:
        raise CheckpointError(f"{path.name}: {error}") from error
