"""From the bytes of a picture to the pixels that the encoder sees.

The whole picture is squashed to a square, as the training photographs are, so that the grid covers
all of it and an overlay stretches back exactly. Nothing is decoded before its format, size and
number of frames are known to be within bounds (`picture_files`), and a large picture is made small
before anything else is done with it. Rules that a reader can rely on: the orientation of the camera
is honoured; 16-bit grey is rescaled, not cut; transparency lies on white; of an animation the first
frame counts; everything else becomes RGB as Pillow converts it.
"""

import io
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.picture_files import PictureError, Sifted, sift

MAX_PIXELS = 50_000_000  # of the picture as stored: a JPEG is decoded at a fraction of its size
MAX_WHOLE = 25_000_000  # of any other
MAX_SIDE = 20_000
MAX_FRAMES = 1_000
FIT = 448  # pixels a side that a picture is decoded to, twice what the encoder sees
MEAN, SCALE = 127.0, 128.0  # of the encoder's training
Turn = Image.Transpose
UPRIGHT = {  # what undoes each way of holding a camera, by EXIF's number
    2: Turn.FLIP_LEFT_RIGHT,
    3: Turn.ROTATE_180,
    4: Turn.FLIP_TOP_BOTTOM,
    5: Turn.TRANSPOSE,
    6: Turn.ROTATE_270,
    7: Turn.TRANSVERSE,
    8: Turn.ROTATE_90,
}
SIDEWAYS = (5, 6, 7, 8)  # those that swap the sides


@dataclass(frozen=True)
class Picture:
    """A decoded picture: upright, RGB, at most `fit` large."""

    image: Image.Image
    width: int  # upright, as stored
    height: int


def _inspect(file: Sifted) -> None:
    """Refuse what is too large before a pixel is decoded."""
    width, height = file.width, file.height
    if width < 1 or height < 1:
        raise PictureError(f"the picture is {width} x {height} pixels: there is nothing in it")
    most = MAX_PIXELS if file.format == "JPEG" else MAX_WHOLE
    if width * height > most or max(width, height) > MAX_SIDE:
        raise PictureError(
            f"the picture is {width} x {height} pixels, at most {most // 10**6} million "
            f"and {MAX_SIDE} a side are read of a {file.format}"
        )
    if file.frames > MAX_FRAMES:
        raise PictureError(f"the animation has {file.frames} frames, at most {MAX_FRAMES} are read")


def _small_rgb(image: Image.Image, fit: int) -> Image.Image:
    """At most `fit` large, on white, 8 bits a channel."""
    grey16 = image.mode == "I;16"  # Pillow would cut it at 255; what it marks as clear is not
    clear = image.has_transparency_data and not grey16
    if clear:
        image = image.convert("RGBA")
    elif image.mode in ("1", "P"):
        image = image.convert("RGB")
    image.thumbnail((fit, fit), Image.Resampling.LANCZOS)  # colours weigh as much as they show
    if grey16:
        values = np.asarray(image, np.float32) / 257.0  # 65535 becomes 255
        image = Image.fromarray(values.round().astype(np.uint8))
    if clear:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def read(raw: bytes, fit: int = FIT) -> Picture:
    """Decode a picture, no larger than `fit` pixels a side. Raises `PictureError`."""
    found = sift(raw)
    _inspect(found)
    width, height = found.width, found.height
    try:
        with Image.open(io.BytesIO(found.raw), formats=(found.format,)) as file:
            if file.size != (width, height):
                raise PictureError("the picture is broken: it has two sizes")
            if file.format == "JPEG":
                file.draft("RGB", (fit, fit))  # decodes at a fraction of the size
            file.load()
            image = _small_rgb(file, fit)
    except PictureError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise PictureError(f"the picture is broken: {error}") from error
    if found.orientation in UPRIGHT:
        image = image.transpose(UPRIGHT[found.orientation])
    if found.orientation in SIDEWAYS:
        width, height = height, width
    return Picture(image, width, height)


def square(image: Image.Image, side: int) -> Image.Image:
    """The whole picture squashed to a square."""
    if image.size == (side, side):
        return image
    return image.resize((side, side), Image.Resampling.BICUBIC)


def to_tensor(image: Image.Image, side: int = 224) -> Tensor:
    """Standardised pixels (3, side, side) of a picture squashed to a square."""
    pixels = np.asarray(square(image, side), np.float32)  # (side, side, 3)
    return torch.from_numpy((pixels - MEAN) / SCALE).permute(2, 0, 1).contiguous()
