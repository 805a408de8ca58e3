"""Files that mean harm, or are broken: each is small, and none is a picture that is read.

Made here byte by byte, so that what is wrong with each can be seen. `HOSTILE` maps what it is to a
function that makes it.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

from PIL import Image

HUGE = 100 << 20  # bytes that a bomb unpacks to


def stored(image: Image.Image, format: str = "PNG", **options) -> bytes:
    """An image as a file."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def plain(width: int = 40, height: int = 30, mode: str = "RGB") -> Image.Image:
    """A gradient."""
    return Image.linear_gradient("L").resize((width, height)).convert(mode)


# -- PNG ---------------------------------------------------------------------------------------

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, data: bytes = b"") -> bytes:
    """A PNG chunk with its length and checksum."""
    checked = name + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))


def header(width: int, height: int, bits: int = 1, colour: int = 0) -> bytes:
    """IHDR."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))


@cache
def packed(size: int, byte: bytes = b"\0") -> bytes:
    """So many equal bytes, compressed: a thousandth of that."""
    packer, block = zlib.compressobj(9), byte * (1 << 16)
    parts = [packer.compress(block) for _ in range(size >> 16)]
    return b"".join(parts) + packer.compress(byte * (size & 0xFFFF)) + packer.flush()


def png(width: int, height: int) -> bytes:
    """A valid PNG of one colour, whatever its size: 20 KB for 169 million pixels."""
    rows = packed(height * (1 + (width + 7) // 8))
    return SIGNATURE + header(width, height) + chunk(b"IDAT", rows) + chunk(b"IEND")


def png_with(*extra: bytes) -> bytes:
    """A sound PNG with chunks behind its header."""
    raw = stored(plain())
    return raw[:33] + b"".join(extra) + raw[33:]


# -- the others --------------------------------------------------------------------------------


def segment(marker: int, data: bytes) -> bytes:
    """A JPEG segment."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def jpeg_with(*segments: bytes) -> bytes:
    """A sound JPEG with segments behind its first two bytes."""
    raw = stored(plain(), "JPEG")
    return raw[:2] + b"".join(segments) + raw[2:]


def jpeg_sized(width: int, height: int) -> bytes:
    """A JPEG whose frame says another size."""
    raw = stored(plain(), "JPEG")
    at = raw.index(b"\xff\xc0") + 5
    return raw[:at] + struct.pack(">HH", height, width) + raw[at + 4 :]


def jpeg_of_scans(count: int, side: int = 4000) -> bytes:
    """A progressive JPEG whose last scan comes again and again: each is a pass over all of it."""
    raw = stored(Image.new("L", (side, side)), "JPEG", progressive=True)
    last = raw[raw.rindex(b"\xff\xda") : -2]
    return raw[:-2] + last * count + raw[-2:]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP of chunks."""
    body = b"".join(
        name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def canvas(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    """The chunk that tells the canvas of a WebP."""
    sizes = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return b"VP8X", bytes([flags, 0, 0, 0]) + sizes


def webp_of_frames(count: int) -> bytes:
    """An animated WebP that shows one frame again and again."""
    inside = stored(Image.new("RGB", (2, 2)), "WEBP", lossless=True)[12:]
    frame = bytes(6) + b"\1\0\0\1\0\0" + b"\x0a\0\0\0" + inside
    frames = [(b"ANMF", frame)] * count
    return riff(canvas(2, 2, flags=2), (b"ANIM", bytes(6)), *frames)


def gif(width: int, height: int, *blocks: bytes) -> bytes:
    """A GIF of blocks, with a table of two colours."""
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", width, height, 0x80, 0, 0)
        + bytes(6)
        + b"".join(blocks)
        + b";"
    )


def gif_frame(width: int, height: int, data: bytes = b"\2\x44\1") -> bytes:
    """A frame of a GIF; the data are one colour, once."""
    place = struct.pack("<HHHHB", 0, 0, width, height, 0)
    return b"," + place + b"\2" + bytes([len(data)]) + data + b"\0"


def gif_comment(size: int) -> bytes:
    """A comment in pieces of 255 bytes."""
    return b"!\xfe" + (b"\xff" + b"c" * 255) * (size // 255) + b"\0"


def bmp(width: int, height: int, bits: int = 24, size: int = 40, colours: int = 0) -> bytes:
    """The header of a BMP, and a few bytes of pixels."""
    about = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, 0, 0, 1, 1, colours, 0)
    return b"BM" + struct.pack("<IHHI", 1 << 20, 0, 0, 14 + size) + about + bytes(1000)


def tiff_loop() -> bytes:
    """EXIF of 3,000 entries that each point to 4 GB, and a next directory that is the same one."""
    entry = struct.pack("<HHII", 0x0112, 5, 0x1FFFFFFF, 8)
    directory = struct.pack("<H", 3000) + entry * 3000 + struct.pack("<I", 8)
    return b"II*\0\x08\0\0\0" + directory


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("picture.png", bytes(1 << 20))
    return file.getvalue()


def cut(format: str, share: float) -> bytes:
    """The beginning of a sound file."""
    noise = Image.effect_noise((300, 200), 90).convert("RGB")
    raw = stored(noise, format)
    return raw[: int(share * len(raw))]


WHOLE = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
HOSTILE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "zeros": lambda: bytes(100_000),
    "SVG": lambda: b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
    "SVG of entities": lambda: (
        b'<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>'
    ),
    "a zip": zipped,
    "a page": lambda: b"<html><script>alert(1)</script>" * 50,
    "a PDF": lambda: b"%PDF-1.7\n" * 50,
    "a TIFF": lambda: stored(plain(), "TIFF"),
    "an icon": lambda: stored(plain(32, 32), "ICO"),
    "a PPM": lambda: stored(plain(), "PPM"),
    "an EPS": lambda: stored(plain(), "EPS"),
    **{f"{f} cut at {s:.0%}": lambda f=f, s=s: cut(f, s) for f in WHOLE for s in (0.01, 0.3, 0.9)},
    **{f"{f} of 12 bytes": lambda f=f: stored(plain(), f)[:12] for f in WHOLE},
    "PNG of 169 megapixels": lambda: png(13_000, 13_000),
    "PNG of 30,000 by 10": lambda: png(30_000, 10),
    "PNG of 2^31 a side": lambda: SIGNATURE + header(2**31 - 1, 2**31 - 1) + chunk(b"IEND"),
    "PNG of -1 a side": lambda: SIGNATURE + header(2**32 - 1, 2**32 - 1) + chunk(b"IEND"),
    "PNG of no width": lambda: SIGNATURE + header(0, 10) + chunk(b"IEND"),
    "PNG of no chunk": lambda: SIGNATURE,
    "PNG of no pixels": lambda: SIGNATURE + header(10, 10) + chunk(b"IEND"),
    "PNG of a chunk of 2 GB": lambda: SIGNATURE + header(9, 9) + struct.pack(">I", 2**31 - 1),
    "PNG of 300,000 chunks": lambda: png_with(chunk(b"tEXt") * 300_000),
    "PNG of two headers": lambda: png_with(header(13_000, 13_000)),
    "PNG of 2^31 frames": lambda: png_with(chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))),
    "JPEG of 65,535 a side": lambda: jpeg_sized(65_535, 65_535),
    "JPEG of no height": lambda: jpeg_sized(40, 0),
    "JPEG of 3,000 scans": lambda: jpeg_of_scans(3000),
    "JPEG of no frame": lambda: b"\xff\xd8" + segment(0xE0, b"JFIF\0" + bytes(9)) + b"\xff\xd9",
    "JPEG of 2 million markers": lambda: b"\xff\xd8" + b"\xff\x01" * 2_000_000,
    "JPEG of 4 million fill bytes": lambda: b"\xff\xd8" + b"\xff" * 4_000_000,
    "WebP of a huge canvas": lambda: riff(canvas(1 << 24, 1 << 24), (b"VP8 ", bytes(50))),
    "WebP of 16,384 a side": lambda: riff(
        canvas(16_384, 16_384), *[(b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(50))]
    ),
    "WebP of no canvas": lambda: b"RIFF\4\0\0\0WEBP",
    "WebP of a chunk of 4 GB": lambda: b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff",
    "WebP of 100,000 frames": lambda: webp_of_frames(100_000),
    "GIF of 100,000 frames": lambda: gif(2, 2, gif_frame(2, 2) * 100_000),
    "GIF of 65,535 a side": lambda: gif(65_535, 65_535, gif_frame(65_535, 65_535)),
    "GIF of a frame larger than itself": lambda: gif(2, 2, gif_frame(65_535, 65_535)),
    "GIF of no frame": lambda: gif(2, 2),
    "GIF of a million pieces": lambda: gif(2, 2, b"!\xfe" + b"\1c" * 1_000_000 + b"\0"),
    "BMP of 2^31 a side": lambda: bmp(2**31 - 1, 2**31 - 1),
    "BMP of a negative width": lambda: bmp(-100, 100),
    "BMP of the least height": lambda: bmp(100, -(2**31)),
    "BMP of a header of 4 GB": lambda: bmp(10, 10)[:14] + b"\xff\xff\xff\xff" + bytes(60),
    "BMP of no width": lambda: bmp(0, 10),
    "BMP of 77 bits": lambda: bmp(10, 10, bits=77),
    "BMP of 2^31 colours": lambda: bmp(10, 10, bits=8, colours=2**31),
}
# Sound pictures with something in them that a reader could choke on. They are read, or refused.
ODD: dict[str, Callable[[], bytes]] = {
    "PNG of a text of 100 MB": lambda: png_with(
        chunk(b"iTXt", b"k\0\1\0\0\0" + packed(HUGE)), chunk(b"zTXt", b"k\0\0" + packed(HUGE))
    ),
    "PNG of 60 texts of 1 MB": lambda: png_with(
        chunk(b"zTXt", b"k\0\0" + packed((1 << 20) - 8)) * 60
    ),
    "PNG of a profile of 100 MB": lambda: png_with(chunk(b"iCCP", b"p\0\0" + packed(HUGE))),
    "PNG of too many pixels": lambda: (
        SIGNATURE + header(9, 9) + chunk(b"IDAT", packed(HUGE)) + chunk(b"IEND")
    ),
    "PNG of absurd EXIF": lambda: png_with(chunk(b"eXIf", tiff_loop())),
    "JPEG of absurd EXIF": lambda: jpeg_with(segment(0xE1, b"Exif\0\0" + tiff_loop())),
    "JPEG of 255 profiles": lambda: jpeg_with(
        *(segment(0xE2, b"ICC_PROFILE\0" + bytes([k, 255]) + bytes(60_000)) for k in range(1, 256))
    ),
    "JPEG of a wrong index of pictures": lambda: jpeg_with(
        segment(0xE2, b"MPF\0" + tiff_loop()[:60_000])
    ),
    "JPEG of a false Photoshop block": lambda: jpeg_with(
        segment(0xED, b"Photoshop 3.0\0" + b"8BIM" + b"\xff" * 60_000)
    ),
    "WebP of a profile and EXIF": lambda: riff(
        canvas(40, 30, flags=0x28),
        (b"ICCP", bytes(1 << 20)),
        (b"VP8L", stored(plain(), "WEBP", lossless=True)[20:]),
        (b"EXIF", tiff_loop()),
    ),
    "GIF of a comment of 16 MB": lambda: gif(2, 2, gif_comment(16 << 20), gif_frame(2, 2)),
    "a picture behind which are 10 MB": lambda: stored(plain()) + bytes(10 << 20),
}
