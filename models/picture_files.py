"""What a picture file says of itself, read by hand before a decoder sees it.

`sift` walks through the parts of a PNG, JPEG, WebP, GIF or BMP and gives back its size, the number
of its frames, how the camera was held, and the file with nothing in it but what the pixels of its
first frame depend on. Texts, colour profiles, thumbnails and other frames are left out unread: that
is where bombs are hidden. A walk has a bounded number of steps, so that it takes milliseconds
whatever the file says; what remains is still a stranger's, and for the decoder to doubt.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

PARTS = 10_000  # chunks, segments or blocks of a file that are walked through
PIECES = 70_000  # of up to 255 bytes, that the blocks of a GIF are cut into
SCANS = 30  # passes over a progressive JPEG; each takes as long as decoding all of it
ORIENTATION, SHORT = 0x0112, 3  # the EXIF tag, and the type of its value


class PictureError(ValueError):
    """Bytes that are not a picture that is read here, and why."""


@dataclass(frozen=True)
class Sifted:
    """A picture file by its own words."""

    format: str  # as Pillow names it
    width: int  # pixels, as stored
    height: int
    frames: int
    orientation: int  # of EXIF: 1 upright, 2 to 8 the other ways
    raw: bytes


def sift(raw: bytes) -> Sifted:
    """What a file says, without what it need not say. Raises `PictureError`."""
    if not raw:
        raise PictureError("there are no bytes")
    for start, walk in WALKS.items():
        if start.match(raw):
            try:
                return walk(raw)
            except (struct.error, IndexError) as error:
                raise PictureError("the picture is broken: the file ends too soon") from error
    raise PictureError(f"not a picture in one of {', '.join(FORMATS)}")


def _parts() -> Iterator[int]:
    """Counts the parts of a walk, and ends it where there are too many."""
    yield from range(PARTS)
    raise PictureError(f"the file has more than {PARTS} parts")


def orientation(exif: bytes) -> int:
    """The orientation in the first directory of EXIF, 1 where there is none that makes sense."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, at)
        for k in range(entries):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, at + 2 + 12 * k)
            if tag == ORIENTATION:
                return value if kind == SHORT and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


def _png(raw: bytes) -> Sifted:
    """Chunks: length, name, data, checksum."""
    at, kept, frames, turn, size = 8, [raw[:8]], 1, 1, None
    for _ in _parts():
        length, name = struct.unpack_from(">I4s", raw, at)
        data, end = at + 8, at + 12 + length
        if end > len(raw):
            raise PictureError("the picture is broken: the file ends in the middle of a chunk")
        if (name == b"IHDR") != (size is None):
            raise PictureError("the picture is broken: its header is not where it belongs")
        if name == b"IHDR":
            size = struct.unpack_from(">II", raw, data)
        elif name == b"acTL":
            (frames,) = struct.unpack_from(">I", raw, data)
        elif name == b"eXIf":
            turn = orientation(raw[data : end - 4])
        if name in PNG_KEPT:
            kept.append(raw[at:end])
        if name == b"IEND":
            return Sifted("PNG", *size, max(1, frames), turn, b"".join(kept))
        at = end


MARKER = re.compile(rb"\xff++([^\xff])", re.DOTALL)  # any number of 0xFF may stand before it
IN_SCAN = re.compile(rb"\xff[^\xff\x00\xd0-\xd7]", re.DOTALL)  # what ends the bits of a scan
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
BARE = {0x01, *range(0xD0, 0xD8)}  # markers without data
START, END, SCAN, EXIF, COMMENT = 0xD8, 0xD9, 0xDA, 0xE1, 0xFE
LEFT_OUT = {*range(0xE1, 0xF0), COMMENT} - {0xEE}  # but what says how colours are coded


def _jpeg(raw: bytes) -> Sifted:
    """Segments: 0xFF, marker, length, data; behind that of a scan its bits."""
    at, kept, turn, size, scans = 2, [raw[:2]], 1, None, 0
    for _ in _parts():
        found = MARKER.match(raw, at)
        if found is None:
            raise PictureError("the picture is broken: there is no segment where one belongs")
        marker, first = found[1][0], found.end() - 2
        if marker == END:
            kept.append(raw[first : first + 2])
            break
        if marker in BARE:
            at = found.end()
            continue
        (length,) = struct.unpack_from(">H", raw, found.end())
        data, at = found.end() + 2, found.end() + length
        if marker in FRAMES:
            if size is not None:
                raise PictureError("the picture is broken: it has two sizes")
            height, width = struct.unpack_from(">HH", raw, data + 1)
            size = width, height
        elif marker == EXIF:
            turn = orientation(raw[data:at]) if raw.startswith(b"Exif\0\0", data) else turn
        elif marker == SCAN:
            scans += 1
            if scans > SCANS:
                raise PictureError(f"the picture has more than {SCANS} scans")
            ended = IN_SCAN.search(raw, at)
            at = ended.start() if ended else len(raw)
        if marker not in LEFT_OUT:
            kept.append(raw[first:at])
        if at >= len(raw):  # nothing marks the end: perhaps all bits are there
            break
    if size is None:
        raise PictureError("the picture is broken: it has no size")
    return Sifted("JPEG", *size, 1, turn, b"".join(kept))


WEBP_KEPT = (b"VP8X", b"ANIM", b"ALPH", b"VP8 ", b"VP8L")
ALPHA, ANIMATED = 0x10, 0x02  # flags of a canvas that are kept: what they announce is


def _webp(raw: bytes) -> Sifted:
    """Chunks: name, length, data, padded to an even number."""
    (total,) = struct.unpack_from("<I", raw, 4)
    at, stop, kept, frames, turn, size = 12, min(len(raw), 8 + total), [], 0, 1, None
    for _ in _parts():
        if at + 8 > stop:
            break
        name, length = struct.unpack_from("<4sI", raw, at)
        data, end = at + 8, at + 8 + length + length % 2
        if data + length > len(raw):
            raise PictureError("the picture is broken: the file ends in the middle of a chunk")
        part = raw[at:end]
        if name == b"VP8X":
            flags, canvas = raw[data] & (ALPHA | ANIMATED), raw[data + 4 : data + 10]
            size = tuple(1 + int.from_bytes(canvas[k : k + 3], "little") for k in (0, 3))
            part = part[:8] + bytes([flags]) + part[9:]
        elif name == b"EXIF":
            turn = orientation(raw[data : data + length])
        elif name == b"ANMF":
            frames += 1
        elif name == b"VP8 " and size is None:
            size = tuple(side & 0x3FFF for side in struct.unpack_from("<HH", raw, data + 6))
        elif name == b"VP8L" and size is None:
            (bits,) = struct.unpack_from("<I", raw, data + 1)
            size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        if name in WEBP_KEPT or (name == b"ANMF" and frames == 1):
            kept.append(part)
        at = end
    if size is None:
        raise PictureError("the picture is broken: it has no size")
    body = b"WEBP" + b"".join(kept)
    sifted = b"RIFF" + struct.pack("<I", len(body)) + body
    return Sifted("WEBP", *size, max(1, frames), turn, sifted)


TABLE, FRAME, EXTENSION, CONTROL, TRAILER = 0x80, 0x2C, 0x21, 0xF9, 0x3B


def _gif(raw: bytes) -> Sifted:
    """Blocks: extensions and frames, their data in pieces of up to 255 bytes."""
    width, height, flags = struct.unpack_from("<HHB", raw, 6)
    at, frames, pieces = 13 + _table(flags), 0, 0
    kept = [raw[:at]]
    for _ in _parts():
        if at >= len(raw) or raw[at] == TRAILER:
            break
        first, kind = at, raw[at]
        if kind == FRAME:
            x, y, w, h, flags = struct.unpack_from("<HHHHB", raw, at + 1)
            at += 11 + _table(flags)  # the byte behind the table is the size of the codes
        elif kind == EXTENSION:
            at += 2
        else:
            raise PictureError("the picture is broken: there is no block where one belongs")
        while raw[at] and pieces < PIECES:
            at += 1 + raw[at]
            pieces += 1
        if pieces >= PIECES:
            raise PictureError(f"the file has more than {PIECES} pieces")
        at += 1
        if frames == 0 and (kind == FRAME or raw[first + 1] == CONTROL):
            kept.append(raw[first:at])
        if kind == FRAME:
            if frames == 0:
                width, height = max(width, x + w), max(height, y + h)
            frames += 1
    if not frames:
        raise PictureError("the picture is broken: it has no frame")
    return Sifted("GIF", width, height, frames, 1, b"".join(kept) + bytes([TRAILER]))


def _table(flags: int) -> int:
    """Bytes of the table of colours that these flags announce."""
    return 3 << (flags & 7) + 1 if flags & TABLE else 0


def _bmp(raw: bytes) -> Sifted:
    """One header, of the first kind with sizes of two bytes, or later ones with four."""
    (length,) = struct.unpack_from("<I", raw, 14)
    width, height = struct.unpack_from("<HH" if length == 12 else "<ii", raw, 18)
    return Sifted("BMP", width, abs(height), 1, 1, raw)  # a negative height: from the top down


WALKS: dict[re.Pattern, Callable[[bytes], Sifted]] = {
    re.compile(rb"\x89PNG\r\n\x1a\n"): _png,
    re.compile(rb"\xff\xd8\xff"): _jpeg,
    re.compile(rb"RIFF....WEBP", re.DOTALL): _webp,
    re.compile(rb"GIF8[79]a"): _gif,
    re.compile(rb"BM"): _bmp,
}
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
