"""Files of weights made byte by byte, as torch.save, numpy.savez and safetensors write them.

Every builder has knobs for what a file may lie about; without them the file is a good one.
"""

import json
import struct
import zlib
from dataclasses import dataclass, field

# -- pickle: opcodes of protocol 2 -------------------------------------------------------------

STOP, MARK, NONE, TRUE, FALSE = b".", b"(", b"N", b"\x88", b"\x89"
REDUCE, BUILD, NEWOBJ, PERSISTENT = b"R", b"b", b"\x81", b"Q"
LIST, DICT, TUPLE = b"]", b"}", b")"


def text(value: str) -> bytes:
    """BINUNICODE."""
    raw = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value: int) -> bytes:
    """BININT, or LONG1 where that is too small."""
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def named(module: str, name: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{name}\n".encode()


def several(*values: bytes) -> bytes:
    """A tuple."""
    return MARK + b"".join(values) + b"t"


def mapping(items: dict[str, bytes]) -> bytes:
    """A dict."""
    return DICT + MARK + b"".join(text(key) + value for key, value in items.items()) + b"u"


def call(module: str, name: str, *args: bytes) -> bytes:
    """A function called with arguments."""
    return named(module, name) + several(*args) + REDUCE


def storage(
    key: str = "0", kind: str = "FloatStorage", count: int = 6, device: str = "cpu", *more: bytes
) -> bytes:
    """The persistent id of a storage."""
    return several(
        text("storage"), named("torch", kind), text(key), text(device), number(count), *more
    ) + PERSISTENT  # fmt: skip


def tensor(
    numbers: bytes | None = None,
    offset: int = 0,
    shape: tuple[int, ...] = (2, 3),
    stride: tuple[int, ...] = (3, 1),
    rebuild: str = "_rebuild_tensor_v2",
) -> bytes:
    """A tensor of the storage `numbers`."""
    return call(
        "torch._utils",
        rebuild,
        storage() if numbers is None else numbers,
        number(offset),
        several(*map(number, shape)),
        several(*map(number, stride)),
        FALSE,
        call("collections", "OrderedDict"),
    )


def pickled(value: bytes, protocol: int = 2) -> bytes:
    """A whole pickle."""
    return b"\x80" + bytes([protocol]) + value + STOP


# -- zip ---------------------------------------------------------------------------------------

NUMBERS = struct.pack("<6f", 0.5, -1.0, 2.0, 3.25, -4.5, 6.0)


@dataclass
class Part:
    """An entry of an archive; `local` and `central` replace what its headers say by name."""

    name: str
    data: bytes
    deflated: bool = False
    local: dict = field(default_factory=dict)
    central: dict = field(default_factory=dict)
    before: bytes = b""  # bytes in front of the local header
    described: bytes | None = None  # the data descriptor; with it the sizes are left away


LOCAL = ("version", "flags", "method", "time", "date", "crc", "stored", "size")
CENTRAL = (
    "made", "version", "flags", "method", "time", "date", "crc", "stored", "size",
    "name_size", "extra_size", "comment_size", "disk", "internal", "attributes", "offset",
)  # fmt: skip


def archive(parts: list[Part], before: bytes = b"", after: bytes = b"", **end: int) -> bytes:
    """A zip archive; `end` replaces what the end record says, by name."""
    body, directory = bytearray(before), bytearray()
    for part in parts:
        body += part.before
        offset, raw = len(body), part.data
        if part.deflated:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            raw = packer.compress(raw) + packer.flush()
        told = {
            "made": 0, "version": 20, "flags": 0, "method": 8 if part.deflated else 0, "time": 0,
            "date": 33, "crc": zlib.crc32(part.data), "stored": len(raw), "size": len(part.data),
            "internal": 0, "attributes": 0, "disk": 0, "comment_size": 0, "offset": offset,
            "name": part.name.encode(), "extra": b"",
        }  # fmt: skip
        if part.described is not None:
            told["flags"] |= 8
        here = told | ({"crc": 0, "stored": 0, "size": 0} if part.described is not None else {})
        here |= part.local
        body += b"PK\x03\x04" + struct.pack("<5H3I", *(here[name] for name in LOCAL))
        body += struct.pack("<2H", len(here["name"]), len(here["extra"]))
        body += here["name"] + here["extra"] + raw + (part.described or b"")
        there = told | part.central
        there["name_size"], there["extra_size"] = len(there["name"]), len(there["extra"])
        directory += b"PK\x01\x02" + struct.pack("<6H3I5H2I", *(there[name] for name in CENTRAL))
        directory += there["name"] + there["extra"]
    record = {"disk": 0, "other": 0, "here": len(parts), "count": len(parts)}
    record |= {"length": len(directory), "start": len(body), "comment": 0} | end
    return bytes(body + directory) + b"PK\x05\x06" + struct.pack("<4H2IH", *record.values()) + after


def descriptor(data: bytes, signature: bytes = b"PK\x07\x08") -> bytes:
    """What stands behind the data of an entry whose header left its sizes away."""
    return signature + struct.pack("<3I", zlib.crc32(data), len(data), len(data))


# -- torch.save --------------------------------------------------------------------------------


def pt_parts(value: bytes | None = None, storages: dict[str, bytes] | None = None) -> list[Part]:
    """The entries of a torch.save file; without a value a dict of one tensor, "weight"."""
    value = mapping({"weight": tensor()}) if value is None else value
    storages = {"0": NUMBERS} if storages is None else storages
    return [
        Part("archive/data.pkl", pickled(value)),
        Part("archive/byteorder", b"little"),
        *(Part(f"archive/data/{key}", raw) for key, raw in storages.items()),
        Part("archive/version", b"3\n"),
    ]


def pt(value: bytes | None = None, storages: dict[str, bytes] | None = None) -> bytes:
    """A torch.save file of PyTorch 1.6 and later."""
    return archive(pt_parts(value, storages))


MAGIC = number(0x1950A86A20F9469CFC6C)


def legacy(
    value: bytes | None = None,
    keys: bytes | None = None,
    tail: bytes | None = None,
    machine: bytes | None = None,
    protocol: int = 1001,
) -> bytes:
    """A torch.save file from before PyTorch 1.6."""
    value = mapping({"weight": tensor(legacy_storage())}) if value is None else value
    keys = LIST + MARK + text("0") + b"e" if keys is None else keys
    tail = struct.pack("<q", 6) + NUMBERS if tail is None else tail
    machine = mapping({"little_endian": TRUE}) if machine is None else machine
    head = (MAGIC, number(protocol), machine, value, keys)
    return b"".join(map(pickled, head)) + tail


def legacy_storage(count: int = 6, view: bytes = NONE, key: str = "0") -> bytes:
    """The persistent id of a storage in such a file."""
    return storage(key, "FloatStorage", count, "cpu", view)


# -- numpy.savez -------------------------------------------------------------------------------


def npy(
    descr: str = "'<f4'",
    shape: str = "(2, 3)",
    data: bytes = NUMBERS,
    header: str | None = None,
    fortran: str = "False",
    version: int = 1,
    length: int | None = None,
) -> bytes:
    """A .npy file."""
    told = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"
    raw = (told if header is None else header).encode()
    raw += b" " * (-(len(raw) + 11) % 64) + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(raw) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + raw + data


def npz(*arrays: bytes, deflated: bool = False) -> bytes:
    """An .npz file of arrays a, b, c..."""
    names = (f"{chr(ord('a') + i)}.npy" for i in range(len(arrays)))
    return archive([Part(n, raw, deflated) for n, raw in zip(names, arrays, strict=True)])


# -- safetensors -------------------------------------------------------------------------------


def safetensors(
    header: dict | str | bytes | None = None, data: bytes = NUMBERS, length: int | None = None
) -> bytes:
    """A safetensors file; without a header one tensor, "weight"."""
    if header is None:
        header = {"weight": place()}
    raw = json.dumps(header) if isinstance(header, dict) else header
    raw = raw.encode() if isinstance(raw, str) else raw
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def place(dtype="F32", shape=(2, 3), offsets=(0, 24)) -> dict:
    """What a header says of one tensor."""
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}
