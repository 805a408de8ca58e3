"""From the bytes of a picture to the pixels that the encoder sees.

The whole picture is squashed to a square, as the training photographs are, so that the grid covers
all of it and an overlay stretches back exactly. Nothing is decoded before its format, size and
number of frames are known to be within bounds. Rules that a reader can rely on: the orientation
of the camera is honoured; 16-bit grey is rescaled, not cut; transparency lies on white; of an
animation the first frame counts; everything else becomes RGB as Pillow converts it.
"""

import io
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
MAX_PIXELS = 50_000_000  # of the picture as stored
MAX_SIDE = 20_000
MAX_FRAMES = 1_000
ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)  # the EXIF tag, and its values that swap the sides
MEAN, SCALE = 127.0, 128.0  # of the encoder's training


class PictureError(ValueError):
    """Bytes that are not a picture that is read here, and why."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture: upright, RGB, at most `fit` large."""

    image: Image.Image
    width: int  # upright, as stored
    height: int


def _inspect(file: Image.Image) -> None:
    """Refuse what is too large before a pixel is decoded."""
    width, height = file.size
    if width * height > MAX_PIXELS or max(file.size) > MAX_SIDE:
        raise PictureError(
            f"the picture is {width} x {height} pixels, at most {MAX_PIXELS // 10**6} million "
            f"and {MAX_SIDE} a side are read"
        )
    if not min(file.size):
        raise PictureError(f"the picture is {width} x {height} pixels: there is nothing in it")
    frames = getattr(file, "n_frames", 1)
    if frames > MAX_FRAMES:
        raise PictureError(f"the animation has {frames} frames, at most {MAX_FRAMES} are read")


def _upright_rgb(file: Image.Image) -> Image.Image:
    """Oriented, on white, 8 bits a channel."""
    image = ImageOps.exif_transpose(file)
    if image.mode.startswith("I") or image.mode == "F":  # 16 or 32 bits: Pillow would cut them
        values = np.asarray(image, np.float64)
        if image.mode.startswith("I;16") or values.max(initial=0) > 255:
            values = values / 257.0  # 65535 becomes 255
        image = Image.fromarray(values.clip(0, 255).round().astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    return image.convert("RGB")


def read(raw: bytes, fit: int = 1600) -> Picture:
    """Decode a picture, no larger than `fit` pixels a side. Raises `PictureError`."""
    if not raw:
        raise PictureError("there are no bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a bomb, corrupt metadata: Pillow only warns
            with Image.open(io.BytesIO(raw), formats=FORMATS) as file:
                _inspect(file)
                width, height = file.size
                if file.getexif().get(ORIENTATION, 1) in SIDEWAYS:
                    width, height = height, width
                if file.format == "JPEG":
                    file.draft("RGB", (fit, fit))  # decodes at a fraction of the size
                file.load()
                image = _upright_rgb(file)
    except UnidentifiedImageError as error:
        raise PictureError(f"not a picture in one of {', '.join(FORMATS)}") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise PictureError(
            f"the picture is too large: {error}; at most {MAX_PIXELS // 10**6} million pixels"
        ) from error
    except PictureError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, Warning, MemoryError) as error:
        raise PictureError(f"the picture is broken: {error}") from error
    image.thumbnail((fit, fit), Image.Resampling.LANCZOS)
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
