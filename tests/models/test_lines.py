import numpy as np
import pytest
from PIL import Image

from models import lines
from models.lines import NotDrawn, draw, fit
from models.vision import PictureError


def test_a_text_is_black_on_white_with_a_margin_all_round():
    image = draw("Types & gates")
    pixels = np.asarray(image)
    assert (image.mode, image.height) == ("L", lines.HIGH)
    assert pixels.min() < 16
    assert (pixels[:, :4] == 255).all()
    assert (pixels[:, -4:] == 255).all()
    assert (pixels[:2] == 255).all()
    assert (pixels[-2:] == 255).all()


def test_the_same_text_is_the_same_picture_and_spaces_run_together():
    assert draw("a  b\nc").tobytes() == draw(" a b c ").tobytes()
    assert draw("ab").tobytes() != draw("ba").tobytes()


@pytest.mark.parametrize("text", ["", "  \n", "x" * (lines.LONGEST + 1), "W" * lines.LONGEST])
def test_what_cannot_be_drawn_is_refused(text):
    with pytest.raises(NotDrawn, match=r"nothing|at most"):
        draw(text)


def test_a_picture_keeps_its_proportions():
    assert fit(Image.new("RGB", (300, 30), "red"), 64, 16).shape == (64, 640)
    assert fit(Image.new("L", (640, 64), 9), 64, 16).shape == (64, 640)


def test_a_narrow_picture_is_filled_with_its_last_column():
    pixels = np.zeros((64, 3), np.uint8)
    pixels[:, 2] = 200
    filled = fit(Image.fromarray(pixels), 64, 16)
    assert filled.shape == (64, 16)
    assert (filled[:, 2:] == 200).all()
    assert (filled[:, :2] == 0).all()


def test_a_line_that_is_too_wide_is_refused_with_both_sizes():
    with pytest.raises(PictureError, match="5000 x 50 pixels is 6400 wide"):
        fit(Image.new("L", (5000, 50)), 64, 16)
