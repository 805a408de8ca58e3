import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
import torch
from PIL import Image

from models import vision
from models.vision import PictureError, read, square, to_tensor
from tests.hostile_pictures import SIGNATURE, chunk, png, stored

RED, GREEN, BLUE, GREY = (220, 30, 30), (30, 190, 40), (30, 60, 220), (128, 128, 128)


def corners(width=48, height=32) -> Image.Image:
    """Red upper left, green upper right, blue lower left, grey lower right."""
    image = Image.new("RGB", (width, height))
    boxes = [(0, 0), (width // 2, 0), (0, height // 2), (width // 2, height // 2)]
    for at, colour in zip(boxes, (RED, GREEN, BLUE, GREY), strict=True):
        image.paste(colour, (*at, at[0] + width // 2, at[1] + height // 2))
    return image


def colours(image: Image.Image) -> list[tuple]:
    w, h = image.size
    places = [
        (w // 4, h // 4),
        (3 * w // 4, h // 4),
        (w // 4, 3 * h // 4),
        (3 * w // 4, 3 * h // 4),
    ]
    return [image.getpixel(place) for place in places]


def near(found, expected, tolerance=12) -> bool:
    pairs = zip(found, expected, strict=True)
    return all(abs(a - b) <= tolerance for one, two in pairs for a, b in zip(one, two, strict=True))


TURNS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # what a camera did to the picture before it wrote this number


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", TURNS)
def test_a_photograph_stands_upright_whichever_way_the_camera_was_held(orientation, format):
    turn = TURNS[orientation]
    turned = corners() if turn is None else corners().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = read(stored(turned, format, quality=95, exif=exif))
    assert picture.image.size == (48, 32)
    assert (picture.width, picture.height) == (48, 32)
    assert near(colours(picture.image), (RED, GREEN, BLUE, GREY))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_each_format_gives_the_same_picture(format):
    options = {"quality": 95} if format in ("JPEG", "WEBP") else {}
    picture = read(stored(corners(), format, **options))
    assert picture.image.mode == "RGB"
    assert near(colours(picture.image), (RED, GREEN, BLUE, GREY))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
def test_each_mode_becomes_rgb_as_pillow_converts_it(mode):
    image = corners().convert(mode)
    format = "JPEG" if mode == "CMYK" else "PNG"
    picture = read(stored(image, format, **({"quality": 95} if mode == "CMYK" else {})))
    assert picture.image.mode == "RGB"
    assert near(colours(picture.image), colours(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_a_bitmap_of_each_mode_becomes_rgb_too(mode):
    image = corners().convert(mode)
    assert near(colours(read(stored(image, "BMP")).image), colours(image.convert("RGB")))


@pytest.mark.parametrize(("mode", "format"), [("RGBA", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP")])
def test_what_is_transparent_lies_on_white(mode, format):
    image = corners().convert(mode)
    image.putalpha(Image.linear_gradient("L").resize(image.size))  # clear above, solid below
    found = read(stored(image, format, lossless=True)).image
    assert near([found.getpixel((5, 0))], [(255, 255, 255)], 4)
    assert near([found.getpixel((5, 31))], [image.convert("RGB").getpixel((5, 31))], 4)
    half = found.getpixel((40, 16))
    solid = image.convert("RGB").getpixel((40, 16))
    assert near([half], [tuple((255 + c) // 2 for c in solid)])


def test_a_transparent_colour_of_a_palette_lies_on_white():
    image = corners().convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    clear = image.getpixel((2, 2))
    found = read(stored(image, transparency=clear)).image
    assert near(colours(found), ((255, 255, 255), GREEN, BLUE, GREY))


def test_sixteen_bits_are_rescaled_and_not_cut():
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None].repeat(4, 0)
    found = np.asarray(read(stored(Image.fromarray(ramp))).image)
    assert np.abs(found[0, :, 0].astype(float) - ramp[0] / 257).max() <= 1
    assert (found[..., 0] == found[..., 2]).all()


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_one_grey_or_colour_that_is_marked_as_clear_lies_on_white(mode):
    image = corners().convert(mode)
    clear = image.getpixel((2, 2))
    found = read(stored(image, transparency=clear)).image
    expected = [(255, 255, 255), *colours(image.convert("RGB"))[1:]]
    assert near(colours(found), expected)


def test_what_is_clear_does_not_bleed_into_what_is_not_when_a_picture_is_made_small():
    """Half of the pixels are clear and black, the other half solid and red: on white, pink."""
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 64, 32))
    stripes = np.asarray(image).reshape(2, 32, 64, 4).transpose(1, 0, 2, 3).reshape(64, 64, 4)
    found = read(stored(Image.fromarray(stripes)), fit=16).image
    assert found.size == (16, 16)
    assert near([found.getpixel((8, 8))], [(255, 128, 128)])


def deep(colour: int, channels: int) -> tuple[bytes, np.ndarray]:
    """A PNG of 16 bits a channel, and its values (8, 8, channels)."""
    values = np.linspace(0, 65535, 64 * channels).astype(">u2").reshape(8, -1)
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    header = struct.pack(">IIBBBBB", 8, 8, 16, colour, 0, 0, 0)
    raw = SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND")
    return raw, values.reshape(8, 8, channels).astype(float) / 257


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3)])
def test_sixteen_bits_of_grey_or_of_each_colour_become_eight(colour, channels):
    raw, expected = deep(colour, channels)
    assert np.abs(np.asarray(read(raw).image).astype(float) - expected).max() <= 1


@pytest.mark.parametrize(("colour", "channels"), [(4, 2), (6, 4)])
def test_sixteen_bits_with_transparency_lie_on_white(colour, channels):
    raw, values = deep(colour, channels)
    share = values[..., -1:] / 255
    expected = share * values[..., :-1] + (1 - share) * 255
    assert np.abs(np.asarray(read(raw).image).astype(float) - expected).max() <= 2


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_counts(format):
    frames = [corners(), Image.new("RGB", (48, 32), "white")]
    raw = stored(frames[0], format, save_all=True, append_images=frames[1:], duration=50)
    assert near(colours(read(raw).image), (RED, GREEN, BLUE, GREY))


@pytest.mark.parametrize("size", [(13_000, 13_000), (20_000, 20_000), (30_000, 10)])
def test_a_bomb_is_refused_before_a_pixel_is_decoded(size, monkeypatch):
    raw = png(*size)
    assert len(raw) < 100_000

    def decode(self, *rest):
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", decode)
    large = f"{size[0]} x {size[1]} pixels, at most|at most 50 million"
    with pytest.raises(PictureError, match=large):
        read(raw)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "BMP"])
def test_what_has_to_be_decoded_whole_may_be_half_as_large(format):
    image = Image.new("1" if format != "WEBP" else "RGB", (6000, 5000))
    raw = stored(image, format, **({"lossless": True, "method": 0} if format == "WEBP" else {}))
    with pytest.raises(
        PictureError, match=f"at most 25 million and 20000 a side are read of a {format}"
    ):
        read(raw)
    assert read(stored(image.convert("L"), "JPEG")).width == 6000


def test_an_animation_of_very_many_frames_is_refused(monkeypatch):
    frames = [Image.new("RGB", (2, 2), (k, 0, 0)) for k in range(6)]
    raw = stored(frames[0], "GIF", save_all=True, append_images=frames[1:])
    monkeypatch.setattr(vision, "MAX_FRAMES", 5)
    with pytest.raises(PictureError, match="6 frames, at most 5"):
        read(raw)


WHOLE = stored(corners(400, 300), "JPEG", quality=95)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"<html>" * 100,
        bytes(1000),
        WHOLE[: len(WHOLE) // 2],
        WHOLE[:200],
        stored(corners())[:-40],
        stored(corners(), "TIFF"),
        stored(corners(), "PPM"),
    ],
)
def test_what_is_not_a_whole_picture_of_a_known_format_is_refused(raw):
    with pytest.raises(PictureError):
        read(raw)


def test_any_byte_of_a_picture_may_be_wrong_without_another_kind_of_error():
    whole = bytearray(stored(corners(24, 16)))
    for at in range(0, len(whole), 7):
        broken = bytes(whole[:at]) + bytes([whole[at] ^ 0x5A]) + bytes(whole[at + 1 :])
        with suppress(PictureError):
            read(broken)


def test_a_large_photograph_is_made_small_and_its_true_size_is_told():
    picture = read(stored(corners(3000, 2000), "JPEG"), fit=600)
    assert picture.image.size == (600, 400)
    assert (picture.width, picture.height) == (3000, 2000)


def test_the_whole_picture_is_squashed_to_the_square():
    small = square(corners(96, 32), 28)
    assert small.size == (28, 28)
    assert near(colours(small), (RED, GREEN, BLUE, GREY))


def test_pixels_are_standardised_as_in_the_training_of_the_encoder():
    x = to_tensor(corners(224, 224))
    assert x.shape == (3, 224, 224)
    assert x.dtype == torch.float32
    expected = torch.tensor([(c - 127) / 128 for c in RED])
    torch.testing.assert_close(x[:, 10, 20], expected, atol=0, rtol=0)
    assert x[1, 10, 200] == (GREEN[1] - 127) / 128  # rows before columns
