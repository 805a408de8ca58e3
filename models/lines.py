"""A line of text as a picture: drawn with a typeface, or cut to the height that a network reads.

The typeface is the scalable one that Pillow brings, so that the same text is the same picture on
every machine. It has the letters of Latin script alone; what it has not it draws as a box.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.vision import PictureError

SIZE = 40  # of the type, for a picture 64 pixels high
HIGH = 64
MARGIN = 8  # pixels left and right of the text
WIDEST = 2048  # pixels of a line at the height that is read
LONGEST = 80  # characters of a text that is drawn


class NotDrawn(ValueError):
    """A text that is not drawn as one line, and why."""


def draw(text: str) -> Image.Image:
    """A text in black on white, one line 64 pixels high. Raises `NotDrawn` for one that is longer
    than LONGEST characters, wider than WIDEST pixels, or has nothing to draw."""
    if not text.strip():
        raise NotDrawn("there is nothing to draw")
    if len(text) > LONGEST:
        raise NotDrawn(f"the text has {len(text)} characters, at most {LONGEST} are drawn")
    font = ImageFont.load_default(SIZE)
    line = " ".join(text.split())
    left, _, right, _ = font.getbbox(line)
    width = int(right - left) + 2 * MARGIN
    if width > WIDEST:
        raise NotDrawn(f"the text is {width} pixels wide, at most {WIDEST} are drawn")
    ascent, descent = font.getmetrics()
    image = Image.new("L", (width, HIGH), "white")
    top = (HIGH - ascent - descent) // 2
    ImageDraw.Draw(image).text((MARGIN - left, top), line, fill="black", font=font)
    return image


def fit(image: Image.Image, height: int, narrowest: int) -> np.ndarray:
    """A picture as grey pixels (height, W), its sides in proportion. One that is narrower than
    `narrowest` is filled with its last column. Raises `PictureError` for one that is too wide."""
    width = max(1, round(image.width * height / image.height))
    if width > WIDEST:
        raise PictureError(
            f"a line of text that is {image.width} x {image.height} pixels is {width} wide at the "
            f"height of {height} that is read, at most {WIDEST} are"
        )
    grey = image.convert("L")
    if grey.size != (width, height):
        grey = grey.resize((width, height), Image.Resampling.BICUBIC)
    pixels = np.asarray(grey)  # (height, W)
    return np.pad(pixels, ((0, 0), (0, max(0, narrowest - width))), mode="edge")
