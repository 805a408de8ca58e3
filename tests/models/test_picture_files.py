import io
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models import picture_files, vision
from models.picture_files import FORMATS, PictureError, orientation, sift
from tests.hostile_pictures import (
    HOSTILE,
    ODD,
    canvas,
    chunk,
    gif,
    gif_comment,
    gif_frame,
    jpeg_of_scans,
    jpeg_with,
    packed,
    plain,
    png_with,
    riff,
    segment,
    stored,
    webp_of_frames,
)

SECRET = b"SECRET" * 3
OPTIONS = {"WEBP": {"lossless": True}}
EXIF = Image.Exif()
EXIF[0x010E], EXIF[0x0112] = SECRET.decode(), 6


def pixels(raw: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(raw)) as file:
        return np.asarray(file.convert("RGBA"))


def sound(format: str, mode: str = "RGB", size=(40, 30)) -> bytes:
    return stored(plain(*size, mode), format, **OPTIONS.get(format, {}))


# -- what a file says --------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_says_its_format_and_size_and_its_pixels_stay_what_they_were(format):
    for size in ((40, 30), (1, 1), (300, 2)):
        raw = sound(format, size=size)
        found = sift(raw)
        assert (found.format, found.width, found.height, found.frames) == (format, *size, 1)
        assert found.orientation == 1
        np.testing.assert_array_equal(pixels(found.raw), pixels(raw))


@pytest.mark.parametrize(
    ("format", "mode"),
    [(f, m) for f in ("PNG", "WEBP") for m in ("RGBA", "LA", "L")]
    + [("PNG", "1"), ("PNG", "P"), ("GIF", "P"), ("BMP", "1"), ("BMP", "P"), ("JPEG", "CMYK")],
)
def test_what_the_pixels_depend_on_is_kept_in_every_mode(format, mode):
    raw = sound(format, mode)
    np.testing.assert_array_equal(pixels(sift(raw).raw), pixels(raw))


def test_a_progressive_photograph_keeps_its_scans():
    raw = stored(plain(), "JPEG", progressive=True)
    assert sift(raw).raw.count(b"\xff\xda") == raw.count(b"\xff\xda") > 2
    np.testing.assert_array_equal(pixels(sift(raw).raw), pixels(raw))


def test_an_upside_down_bitmap_has_a_size_like_any_other():
    raw = bytearray(stored(plain(), "BMP"))
    raw[22:26] = struct.pack("<i", -30)
    assert (sift(bytes(raw)).width, sift(bytes(raw)).height) == (40, 30)
    np.testing.assert_array_equal(pixels(bytes(raw)), pixels(stored(plain(), "BMP"))[::-1])


@pytest.mark.parametrize("format", ["GIF", "WEBP"])
def test_of_an_animation_all_frames_are_counted_and_the_first_is_kept(format):
    frames = [plain(20, 10), Image.new("RGB", (20, 10), "red"), plain(20, 10).rotate(180)]
    options = {"save_all": True, "append_images": frames[1:], **OPTIONS.get(format, {})}
    raw = stored(frames[0], format, **options)
    found = sift(raw)
    assert found.frames == 3
    assert sift(found.raw).frames == 1
    np.testing.assert_array_equal(pixels(found.raw), pixels(raw))


def test_a_frame_that_stands_out_of_its_picture_makes_it_larger_as_it_does_for_the_decoder():
    raw = gif(4, 3, gif_frame(20, 10, b"\2\x44\1"))
    assert (sift(raw).width, sift(raw).height) == (20, 10)


def test_the_canvas_of_a_webp_is_its_size_whatever_its_frames_say():
    found = sift(webp_of_frames(3))
    assert (found.width, found.height, found.frames) == (2, 2, 3)
    assert sift(riff(canvas(1 << 24, 7), (b"VP8 ", bytes(20)))).width == 1 << 24


# -- what is left out --------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_the_camera_is_understood_and_nothing_else_that_it_wrote_is_kept(format):
    raw = stored(plain(), format, exif=EXIF, icc_profile=SECRET * 100)
    assert SECRET in raw
    found = sift(raw)
    assert found.orientation == 6
    assert SECRET not in found.raw
    assert len(found.raw) < len(stored(plain(), format)) + 100


@pytest.mark.parametrize(
    "raw",
    [
        png_with(chunk(b"tEXt", b"k\0" + SECRET), chunk(b"zTXt", b"k\0\0" + SECRET)),
        png_with(chunk(b"abCd", SECRET), chunk(b"caBX", SECRET)),
        stored(plain()) + SECRET,
        jpeg_with(segment(0xFE, SECRET), segment(0xE1, SECRET), segment(0xED, SECRET)),
        stored(plain(), "JPEG") + SECRET,
        gif(2, 2, b"!\xfe\x12" + SECRET + b"\0", gif_frame(2, 2), b"!\xff\x12" + SECRET + b"\0"),
        riff((b"VP8L", stored(plain(), "WEBP", lossless=True)[20:]), (b"XMP ", SECRET)),
        stored(plain(), "WEBP") + SECRET,
    ],
)
def test_texts_and_what_stands_behind_a_picture_are_left_out(raw):
    assert SECRET in raw
    found = sift(raw)
    assert SECRET not in found.raw
    np.testing.assert_array_equal(pixels(found.raw), pixels(raw))


def test_what_says_how_the_colours_of_a_photograph_are_coded_is_kept():
    raw = stored(plain(mode="CMYK"), "JPEG")
    assert b"Adobe" in sift(raw).raw
    keyed = stored(plain(mode="L"), transparency=0)
    assert b"tRNS" in sift(keyed).raw


# -- how the camera was held -------------------------------------------------------------------


def directory(*entries: tuple[int, int, int], order: str = "<") -> bytes:
    """EXIF of one directory of tag, type and value."""
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8)
    packed_entries = [struct.pack(f"{order}HHIHH", t, k, 1, v, 0) for t, k, v in entries]
    return start + struct.pack(f"{order}H", len(entries)) + b"".join(packed_entries)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("value", range(1, 9))
def test_the_orientation_is_found_in_either_order_of_bytes(order, value):
    exif = directory((0x010F, 2, 0), (0x0112, 3, value), order=order)
    assert orientation(exif) == orientation(b"Exif\0\0" + exif) == value


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II*\0",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"XX*\0\x08\0\0\0",
        bytes(100),
        directory((0x0112, 3, 0)),
        directory((0x0112, 3, 9)),
        directory((0x0112, 5, 6)),
        directory((0x0111, 3, 6)),
    ],
)
def test_what_makes_no_sense_is_upright(exif):
    assert orientation(exif) == 1


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_means_harm_is_refused(name):
    with pytest.raises(PictureError) as refused:
        vision.read(HOSTILE[name]())
    assert 10 < len(str(refused.value)) < 150


@pytest.mark.parametrize("name", ODD)
def test_a_sound_picture_is_read_whatever_else_is_in_its_file(name):
    picture = vision.read(ODD[name]())
    assert picture.image.size == (picture.width, picture.height)


GROWN = """
import sys
from pathlib import Path
from models import vision

def read(file):
    try:
        vision.read(file.read_bytes())
    except vision.PictureError:
        pass

def size(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))

files = sorted(Path(sys.argv[1]).iterdir())
read(files[-1])  # loads the decoders
for file in files:
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what is held now
    before = size("VmRSS")
    read(file)
    print(file.name, size("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells the peak")
def test_no_file_takes_much_more_memory_than_it_is_large(tmp_path):
    """In a process of its own: the greatest size while each is read, beside that before it."""
    raws = {name: make() for name, make in {**HOSTILE, **ODD}.items()}
    raws["a picture"] = stored(plain())
    for number, raw in enumerate(raws.values()):
        (tmp_path / f"{number:03}").write_bytes(raw)
    command = [sys.executable, "-c", GROWN, str(tmp_path)]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    grown = [int(line.split()[1]) << 10 for line in told.stdout.splitlines()]
    for (name, raw), found in zip(raws.items(), grown, strict=True):
        assert found <= 2.5 * len(raw) + (4 << 20), name


@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_may_end_anywhere(format):
    raw = sound(format, size=(12, 9))
    for length in range(len(raw)):
        with suppress(PictureError):
            vision.read(raw[:length])


@pytest.mark.parametrize("format", FORMATS)
def test_any_byte_of_any_format_may_be_wrong(format):
    raw = bytearray(sound(format, size=(12, 9)))
    for at in range(0, len(raw), 3):
        for value in (0x00, 0xFF, raw[at] ^ 0x5A):
            broken = bytes(raw[:at]) + bytes([value]) + bytes(raw[at + 1 :])
            with suppress(PictureError):
                vision.read(broken)


@pytest.mark.parametrize(
    ("raw", "bound", "value"),
    [
        (png_with(*[chunk(b"tEXt")] * 50), "PARTS", 50),
        (jpeg_with(*[segment(0xFE, b"")] * 50), "PARTS", 50),
        (webp_of_frames(50), "PARTS", 50),
        (gif(2, 2, gif_frame(2, 2) * 50), "PARTS", 50),
        (gif(2, 2, gif_comment(255 * 50), gif_frame(2, 2)), "PIECES", 50),
        (jpeg_of_scans(50, side=40), "SCANS", 50),
    ],
)
def test_a_file_in_very_many_parts_is_refused(raw, bound, value, monkeypatch):
    monkeypatch.setattr(picture_files, bound, value)
    with pytest.raises(PictureError, match="more than 50"):
        sift(raw)
    monkeypatch.setattr(picture_files, bound, 100)
    assert sift(raw).width


def test_a_bomb_behind_the_pixels_is_not_unpacked():
    """The rows of a PNG end where its header says, however much more is packed behind them."""
    raw = png_with()
    at = raw.index(b"IDAT") - 4
    bomb = raw[:at] + chunk(b"IDAT", packed(64 << 20)) + chunk(b"IEND")
    assert vision.read(bomb).image.size == (40, 30)
