"""Writes GGUF files, whole ones and such as nobody should believe; and reads blocks slowly."""

import struct

import numpy as np

U32, I32, F32, BOOL, TEXT, LIST, U64 = 4, 5, 6, 7, 8, 9, 10
NUMBERS = {U32: "I", I32: "i", F32: "f", BOOL: "?", U64: "Q"}
TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 8}


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def value(kind: int, what) -> bytes:
    """A value without its type; of a list, `what` is (type of its items, items)."""
    if kind == TEXT:
        return text(what)
    if kind == LIST:
        inner, items = what
        head = struct.pack("<IQ", inner, len(items))
        return head + b"".join(value(inner, item) for item in items)
    return struct.pack(f"<{NUMBERS[kind]}", what)


def field(name: str, kind: int, what) -> bytes:
    return text(name) + struct.pack("<I", kind) + value(kind, what)


def line(name: str, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
    """A line of the table of tensors; `shape` as numpy counts."""
    sizes = struct.pack(f"<{len(shape)}Q", *reversed(shape))
    return text(name) + struct.pack("<I", len(shape)) + sizes + struct.pack("<IQ", kind, offset)


def whole(
    fields: list[bytes],
    lines: list[bytes],
    data: bytes,
    version: int = 3,
    counts: tuple[int, int] | None = None,
    align: int = 32,
) -> bytes:
    """A file of fields, lines and data; `counts` are told in place of the true ones."""
    tensors, told = counts or (len(lines), len(fields))
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, told) + b"".join(fields + lines)
    return head + b"\0" * (-len(head) % align) + data


def file(
    fields: list[bytes],
    tensors: dict[str, tuple[np.ndarray, str]],
    align: int = 32,
    version: int = 3,
) -> bytes:
    """A file of tensors, each stored in one of TYPES."""
    lines, data = [], b""
    for name, (values, kind) in tensors.items():
        data += b"\0" * (-len(data) % align)
        lines.append(line(name, values.shape, TYPES[kind], len(data)))
        data += pack(values, kind)
    return whole(fields, lines, data, version, align=align)


def pack(values: np.ndarray, kind: str) -> bytes:
    """Weights as bytes, a block at a time."""
    if kind == "F32":
        return values.astype("<f4").tobytes()
    if kind == "F16":
        return values.astype("<f2").tobytes()
    make = {"Q4_0": _q4_0, "Q4_1": _q4_1, "Q8_0": _q8_0}[kind]
    return b"".join(make(block) for block in values.reshape(-1, 32).astype(float))


def _half(number: float) -> bytes:
    return struct.pack("<e", number)


def _packed(numbers: list[int]) -> bytes:
    return bytes(numbers[k] | numbers[k + 16] << 4 for k in range(16))


def _clip(number: float, low: int, high: int) -> int:
    return int(min(max(round(number), low), high))


def _q4_0(block) -> bytes:
    d = max(abs(block)) / 7 or 1.0
    return _half(d) + _packed([_clip(x / d, -8, 7) + 8 for x in block])


def _q4_1(block) -> bytes:
    m = min(block)
    d = (max(block) - m) / 15 or 1.0
    return _half(d) + _half(m) + _packed([_clip((x - m) / d, 0, 15) for x in block])


def _q8_0(block) -> bytes:
    d = max(abs(block)) / 127 or 1.0
    return _half(d) + struct.pack("<32b", *(_clip(x / d, -127, 127) for x in block))


def unpack(raw: bytes, kind: str) -> list[float]:
    """The weights of bytes, one at a time and by the formulas alone."""
    sizes = {"F32": 4, "F16": 2, "Q4_0": 18, "Q4_1": 20, "Q8_0": 34}
    found = []
    for at in range(0, len(raw), sizes[kind]):
        block = raw[at : at + sizes[kind]]
        if kind in ("F32", "F16"):
            found += struct.unpack("<f" if kind == "F32" else "<e", block)
            continue
        d = struct.unpack("<e", block[:2])[0]
        if kind == "Q8_0":
            found += [d * q for q in struct.unpack("<32b", block[2:])]
            continue
        m = struct.unpack("<e", block[2:4])[0] if kind == "Q4_1" else -8 * d
        packed = block[-16:]
        found += [d * (byte & 15) + m for byte in packed] + [d * (byte >> 4) + m for byte in packed]
    return found
