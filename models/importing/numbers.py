"""Numbers out of bytes: the element types that are known, read, widened and checked.

All of them are little-endian. numpy has no bfloat16: it is the upper half of a float32, so it
becomes one, and no number changes.
"""

import math
import zlib

import numpy as np

from models.importing.refused import Refused, damaged
from models.importing.source import Source

# Element type -> bytes each. Quantised, complex and 8-bit floats are not here, on purpose.
SIZES = {
    "float16": 2,
    "bfloat16": 2,
    "float32": 4,
    "float64": 8,
    "uint8": 1,
    "int8": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "bool": 1,
}
MAX_TENSORS = 4096
MAX_AXES = 8
MAX_NAME = 512  # characters
_CHUNK = 1 << 20  # bytes looked at in one go: the temporaries stay small

# Where all bits of the exponent are set, the number is NaN or infinite.
_EXPONENTS = {
    "float16": (np.uint16, 0x7C00),
    "float32": (np.uint32, 0x7F80_0000),
    "float64": (np.uint64, 0x7FF0_0000_0000_0000),
}


def load(
    source: Source, offset: int, count: int, kind: str, crc: int | None = None, before: bytes = b""
) -> np.ndarray:
    """`count` numbers of an element type in SIZES, as a flat array; bfloat16 as float32.

    With `crc` the bytes, behind those of `before`, must have this CRC-32. Raises `Refused`.
    """
    source.check(offset, count * SIZES[kind])  # before memory is taken
    found = zlib.crc32(before)
    numbers = np.empty(count, {"bfloat16": np.uint32, "bool": np.uint8}.get(kind, kind))
    step = _CHUNK // SIZES[kind]
    for start in range(0, count, step):  # in parts, so that what was read is still in the cache
        part = numbers[start : start + step]
        if kind == "bfloat16":
            raw = source.read(offset + 2 * start, 2 * part.size)
            np.left_shift(np.frombuffer(raw, "<u2"), 16, out=part, dtype=np.uint32)
        else:
            raw = memoryview(part.view(np.uint8))
            source.fill(offset + start * part.itemsize, raw)
        if crc is not None:
            found = zlib.crc32(raw, found)
    if crc is not None and found != crc:
        raise damaged("The numbers do not have the checksum that the file gives for them.")
    if kind == "bfloat16":
        return numbers.view(np.float32)
    return as_bool(numbers) if kind == "bool" else numbers


def as_bool(numbers: np.ndarray) -> np.ndarray:
    """Bytes as truth values; any byte but 0 and 1 is refused."""
    if numbers.size and numbers.max() > 1:
        raise Refused(
            "unusable_tensor", "A tensor of truth values holds other bytes than 0 and 1.",
            "Save it again.",
        )  # fmt: skip
    return numbers.view(np.bool_)


def check_finite(name: str, numbers: np.ndarray) -> None:
    """Refuse NaN and infinity, naming the tensor and the first place. `numbers` C-contiguous."""
    if numbers.dtype.name not in _EXPONENTS:
        return
    unsigned, mask = _EXPONENTS[numbers.dtype.name]
    bits, step = numbers.reshape(-1).view(unsigned), _CHUNK // numbers.itemsize
    mask = unsigned(mask)
    for start in range(0, bits.size, step):
        wrong = (bits[start : start + step] & mask) == mask
        if wrong.any():
            place = np.unravel_index(start + int(wrong.argmax()), numbers.shape)
            raise Refused(
                "unusable_tensor",
                f"{name}{list(map(int, place)) or ''} is {numbers[place]}: weights must be finite.",
                "Take a checkpoint from before the training went wrong.",
            )


def check_shape(name: str, shape, bounded: bool = True) -> tuple[int, ...]:
    """The shape as a tuple of sizes, none negative and not too many. Raises `Refused`."""
    if not isinstance(shape, list | tuple) or len(shape) > MAX_AXES:
        raise damaged(f"The shape of {name} is not a list of at most {MAX_AXES} sizes.")
    for size in shape:
        if type(size) is not int or not 0 <= size < 1 << 40:  # True is an int too
            shown = str(size)[:40] if type(size) is int else type(size).__name__
            raise damaged(f"The shape of {name} holds a size that is none: {shown}.")
    if bounded and math.prod(shape) >= 1 << 40:
        raise damaged(f"{name} has shape {tuple(shape)}, more numbers than any file holds.")
    return tuple(shape)


def check_name(name) -> str:
    """A tensor's name: some characters, none that is invisible or half of one."""
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
        raise damaged(f"A tensor's name is not a text of 1 to {MAX_NAME} characters.")
    if not name.isprintable():
        raise damaged(f"The name {name[:80]!a} holds characters that cannot be seen.")
    return name


def check_kind(name: str, kind: str | None, found: str) -> str:
    """The element type, or `Refused` saying which there are."""
    if kind not in SIZES:
        raise Refused(
            "unusable_tensor",
            f"{name} is {found}; weights are read as float16, bfloat16, float32 or float64.",
            "Convert it before saving, for example with .float().",
        )
    return kind
