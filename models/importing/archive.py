"""Zip archives read by hand: only what torch.save and numpy.savez write, and nothing loose in them.

The entries must fill the file: the first local header is its first byte, each entry begins where
the one before ends, and behind the last comes the central directory, then the end record. So
nothing overlaps, nothing is counted twice and nothing hides, and a bomb has no room. Local headers,
descriptors and the central directory must say the same. Nothing is ever extracted to a disk.
Layout: PKWARE's APPNOTE.TXT, section 4.3.
"""

import re
import struct
import zlib
from dataclasses import dataclass

import numpy as np

from models.importing.refused import Refused, damaged
from models.importing.source import Source

MAX_ENTRIES = 16_384
MAX_NAME_BYTES = 300
MAX_GROWTH = 10  # times the file: what deflated entries may come to, all together
GROWTH_FLOOR = 1 << 20  # bytes that are always granted

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_DESCRIPTORS = {16: struct.Struct("<4s3I"), 24: struct.Struct("<4sI2Q")}  # by their length

_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _DESCRIBED, _UTF8 = 0x1, 0x8, 0x800  # flags; described: sizes stand behind the data
_FLAGS = _DESCRIBED | _UTF8 | 0x6  # 0x6: how hard a deflating writer tried
_ZIP64 = 0x0001
# Extra fields that say nothing of sizes or names: padding of torch, times, owners.
_HARMLESS = {0x4246, 0x5455, 0x5855, 0x7875}
_UNIX, _TYPES, _PLAIN = 3, 0o170000, 0o100000
_NAME = re.compile(r"(?!/)(?![A-Za-z]:/)[^\\]+(?<!/)")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """One file in the archive: where its bytes lie, and what they must come to."""

    name: str
    offset: int  # of its data; of its local header until that was read
    stored: int  # bytes in the archive
    size: int  # bytes in the end
    crc: int
    flags: int
    deflated: bool


def looks_so(source: Source) -> bool:
    """Whether the file begins as a zip archive does."""
    return source.size >= 22 and source.read(0, 4) in (b"PK\x03\x04", b"PK\x05\x06")


def entries(source: Source) -> dict[str, Entry]:
    """The entries by name, every header checked, no data read. Raises `Refused`."""
    start, size, count = _end(source)
    central, at = source.read(start, size), 0
    listed: dict[str, Entry] = {}
    for _ in range(count):
        entry, at = _central(central, at)
        if entry.name in listed:
            raise damaged(f"The archive holds {entry.name[:80]!a} twice.")
        listed[entry.name] = entry
    if at != len(central):
        raise damaged("The central directory has more bytes than its entries.")
    total = sum(entry.size for entry in listed.values())
    if total > max(GROWTH_FLOOR, MAX_GROWTH * source.size):
        raise Refused(
            "too_large_file",
            f"The archive of {source.size} bytes would come to {total}.",
            f"Save it uncompressed: more than {MAX_GROWTH} times the file is not unpacked.",
        )
    in_order = sorted(listed.values(), key=lambda entry: entry.offset)
    if in_order[0].offset != 0:
        raise damaged("There are bytes before the first entry of the archive.")
    nexts = [entry.offset for entry in in_order[1:]] + [start]
    found = {e.name: _local(source, e, after) for e, after in zip(in_order, nexts, strict=True)}
    return {name: found[name] for name in listed}


def read(source: Source, entry: Entry, most: int) -> bytes:
    """The bytes of an entry, at most so many, its checksum verified. Raises `Refused`."""
    if entry.size > most:
        raise Refused(
            "too_large_file",
            f"{entry.name} has {entry.size} bytes, at most {most} are read.",
            "Save the weights alone.",
        )
    if entry.deflated:
        return inflated(source, entry).tobytes()
    raw = source.read(entry.offset, entry.size)
    if zlib.crc32(raw) != entry.crc:
        raise _wrong_checksum(entry)
    return raw


def inflated(source: Source, entry: Entry) -> np.ndarray:
    """The bytes (uint8) of a deflated entry: exactly as many as it says, never one more."""
    out, done, crc = np.empty(entry.size, np.uint8), 0, 0
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    for start in range(0, entry.stored, _CHUNK):
        pending = source.read(entry.offset + start, min(_CHUNK, entry.stored - start))
        while pending:
            try:
                part = stream.decompress(pending, min(_CHUNK, entry.size - done + 1))
            except zlib.error as error:
                raise damaged(f"{entry.name} does not inflate: {error}.") from error
            if done + len(part) > entry.size:
                raise damaged(f"{entry.name} inflates to more than the {entry.size} bytes it says.")
            out[done : done + len(part)] = np.frombuffer(part, np.uint8)
            done, crc = done + len(part), zlib.crc32(part, crc)
            pending = stream.unconsumed_tail
    if not stream.eof or stream.unused_data or done != entry.size:
        raise damaged(f"{entry.name} does not inflate to the {entry.size} bytes it says.")
    if crc != entry.crc:
        raise _wrong_checksum(entry)
    return out


def _wrong_checksum(entry: Entry) -> Refused:
    if entry.crc == 0:
        return Refused(
            "damaged_file",
            f"{entry.name} was saved without a checksum, or is damaged.",
            "Save it again after torch.serialization.set_crc32_options(True).",
        )
    return damaged(f"{entry.name} does not have the checksum that the archive gives for it.")


def _end(source: Source) -> tuple[int, int, int]:
    """Where the central directory starts, its bytes, its entries; from the end of the file."""
    at = source.size - _END.size
    magic, disk, other, here, count, size, start, comment = _END.unpack(source.read(at, _END.size))
    if magic != b"PK\x05\x06" or comment:
        raise damaged("The archive does not end with its end record: it was cut short or added to.")
    if disk or other or here != count:
        raise damaged("The archive is one part of several.")
    if not 1 <= count <= MAX_ENTRIES:
        raise Refused(
            "too_large_file" if count else "damaged_file",
            f"The archive holds {count} entries, 1 to {MAX_ENTRIES} are read.",
            "Save the weights alone.",
        )
    if start + size != at:  # torch writes the wide end record whether it is needed or not
        _check_end64(source, at, start, size, count)
    return start, size, count


def _check_end64(source: Source, at: int, start: int, size: int, count: int) -> None:
    wide = start + size
    if wide + _END64.size + _LOCATOR.size != at:
        raise damaged("The central directory does not lie where the end record says.")
    magic, length, *_, disk, other, here, entries_, size64, start64 = _END64.unpack(
        source.read(wide, _END64.size)
    )
    locator = _LOCATOR.unpack(source.read(wide + _END64.size, _LOCATOR.size))
    if (magic, length, disk, other) != (b"PK\x06\x06", _END64.size - 12, 0, 0):
        raise damaged("There is something else than the wide end record before the end.")
    if (here, entries_, size64, start64) != (count, count, size, start) or locator != (
        b"PK\x06\x07",
        0,
        wide,
        1,
    ):
        raise damaged("The two end records of the archive do not agree.")


def _central(central: bytes, at: int) -> tuple[Entry, int]:
    """The entry at this place of the central directory, and the place behind it."""
    if at + _CENTRAL.size > len(central):
        raise damaged("The central directory is shorter than its entries.")
    (
        magic, made, _, flags, method, _, _, crc, stored, size,
        name_size, extra_size, comment_size, disk, _, attributes, offset,
    ) = _CENTRAL.unpack_from(central, at)  # fmt: skip
    at += _CENTRAL.size
    after = at + name_size + extra_size + comment_size
    if magic != b"PK\x01\x02" or disk or comment_size or after > len(central):
        raise damaged("The central directory holds something else than entries.")
    name = _name(central[at : at + name_size], flags)
    if flags & _ENCRYPTED:
        raise Refused("unsafe_file", f"{name} is encrypted.", "Save it without a password.")
    if flags & ~_FLAGS or method not in (_STORED, _DEFLATED):
        raise damaged(f"{name} is packed in a way that torch.save and numpy.savez do not use.")
    if method == _STORED and stored != size:
        raise damaged(f"{name} is stored as it is, and yet {size} bytes are {stored}.")
    if _extra(name, central[at + name_size : at + name_size + extra_size]) is not None:
        raise damaged(f"{name} gives its size in 64 bits in an archive that has no need of it.")
    if made >> 8 == _UNIX and (attributes >> 16) & _TYPES not in (0, _PLAIN):
        raise Refused("unsafe_file", f"{name} is a link or a folder.", "Save plain files alone.")
    return Entry(name, offset, stored, size, crc, flags, method == _DEFLATED), after


def _name(raw: bytes, flags: int) -> str:
    try:
        name = raw.decode("utf-8" if flags & _UTF8 else "ascii")
    except UnicodeDecodeError:
        name = ""
    wrong = len(raw) > MAX_NAME_BYTES or not name.isprintable() or not _NAME.fullmatch(name)
    if wrong or any(part in ("", ".", "..") for part in name.split("/")):
        raise Refused(
            "unsafe_file",
            f"The archive holds an entry with the name {raw[:80]!a}.",
            "Names are relative, with / between folders and without .. in them.",
        )
    return name


def _extra(name: str, raw: bytes) -> tuple[int, int] | None:
    """The sizes (size, stored) of a zip64 field, where there is one; other fields are harmless."""
    sizes, at = None, 0
    while at < len(raw):
        kind, length = struct.unpack_from("<2H", raw, at) if at + 4 <= len(raw) else (0, 1 << 16)
        at += 4 + length
        if at > len(raw) or kind not in (_HARMLESS | {_ZIP64}):
            raise damaged(f"{name} has an extra field that is not known.")
        if kind == _ZIP64:
            if length != 16 or sizes is not None:
                raise damaged(f"{name} has a field of 64-bit sizes that is not two sizes.")
            sizes = struct.unpack_from("<2Q", raw, at - 16)
    return sizes


def _local(source: Source, entry: Entry, after: int) -> Entry:
    """The entry with the place of its data; its local header must say what the directory says."""
    magic, _, flags, method, _, _, crc, stored, size, name_size, extra_size = _LOCAL.unpack(
        source.read(entry.offset, _LOCAL.size)
    )
    name = entry.name.encode()
    offset = entry.offset + _LOCAL.size + name_size + extra_size
    end = offset + entry.stored
    if magic != b"PK\x03\x04" or name_size != len(name) or end > after:
        raise damaged("The entries of the archive overlap, or are not where it says.")
    raw = source.read(entry.offset + _LOCAL.size, name_size + extra_size)
    wide = _extra(entry.name, raw[name_size:])
    if wide is not None and (stored, size) == (0xFFFF_FFFF, 0xFFFF_FFFF):
        size, stored = wide
    told, expected = (crc, stored, size), (entry.crc, entry.stored, entry.size)
    if flags & _DESCRIBED and told == (0, 0, 0):
        told = _descriptor(source, end, after - end)
        end = after
    same = raw[:name_size] == name and flags == entry.flags and told == expected
    if not same or (method == _DEFLATED) != entry.deflated or method not in (_STORED, _DEFLATED):
        raise damaged(f"{entry.name}: its header and the central directory do not agree.")
    if end != after:
        raise damaged(f"There are bytes behind {entry.name} that belong to no entry.")
    return Entry(entry.name, offset, entry.stored, entry.size, entry.crc, flags, entry.deflated)


def _descriptor(source: Source, at: int, length: int) -> tuple[int, int, int]:
    """CRC, stored bytes and size, as they stand behind the data."""
    if length not in _DESCRIPTORS:
        raise damaged("There are bytes between the entries of the archive.")
    magic, crc, stored, size = _DESCRIPTORS[length].unpack(source.read(at, length))
    if magic != b"PK\x07\x08":
        raise damaged("There is something else than a data descriptor between two entries.")
    return crc, stored, size
