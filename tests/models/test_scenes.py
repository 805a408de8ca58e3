import math
from collections import Counter
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.scenes import (
    APART,
    COLOURS,
    FINE,
    GROUNDS,
    MOST,
    RIM,
    SHAPES,
    SIDE,
    Scene,
    Thing,
    arrange,
    draw,
    paint,
    pick,
)

SEEDS = st.integers(0, 10**9)


def hue(rgb) -> float:
    """Degrees, by the hexagon and not by colorsys."""
    red, green, blue = rgb
    return math.degrees(math.atan2(math.sqrt(3) * (green - blue), 2 * red - green - blue)) % 360


def named(pixel) -> str:
    """The colour that a person would say, from rules of hand that share nothing with COLOURS."""
    red, green, blue = (float(part) for part in pixel)
    if max(red, green, blue) - min(red, green, blue) < 0.25 * max(red, green, blue):
        return "black"
    angle = hue((red, green, blue))
    if angle > 345 or angle < 12:
        return "red"
    for name, end in [
        ("orange", 40),
        ("yellow", 75),
        ("green", 170),
        ("blue", 245),
        ("purple", 300),
    ]:
        if angle < end:
            return name
    return "pink"


def islands(image: Image.Image) -> list[list[tuple[int, int]]]:
    """Groups of neighbouring pixels (x, y) that stand out from the pale ground: by their colour,
    or because they are dark."""
    pixels = np.asarray(image, np.int64)
    most, least = pixels.max(-1), pixels.min(-1)
    strong = (most - least > most / 3) | (most < 75)
    left, found = set(map(tuple, np.argwhere(strong)[:, ::-1].tolist())), []
    while left:
        group, edge = [], [left.pop()]
        while edge:
            x, y = edge.pop()
            group.append((x, y))
            near = {(x + a, y + b) for a in (-2, -1, 0, 1, 2) for b in (-2, -1, 0, 1, 2)} & left
            left -= near
            edge += near
        if len(group) > 60:
            found.append(group)
    return found


def middle(group: list[tuple[int, int]]) -> tuple[float, float]:
    """Of the smallest box around a group."""
    xs, ys = zip(*group, strict=True)
    return (min(xs) + max(xs) + 1) / 2, (min(ys) + max(ys) + 1) / 2


def colour_of(image: Image.Image, group: list[tuple[int, int]]) -> str:
    """What most of a group's pixels are called; a roof or a trunk is darker and fewer."""
    return Counter(named(image.getpixel(place)) for place in group).most_common(1)[0][0]


@pytest.mark.parametrize("seed", range(60))
def test_what_a_scene_says_can_be_read_off_its_pixels(seed):
    image, scene = draw(seed)
    groups = islands(image)
    assert len(groups) == len(scene.things)
    for group in groups:
        x, y = middle(group)
        thing = min(scene.things, key=lambda one: math.hypot(one.x - x, one.y - y))
        assert math.hypot(thing.x - x, thing.y - y) < 0.3 * thing.size + 2
        assert colour_of(image, group) == thing.colour
        scene = Scene(scene.seed, scene.ground, tuple(t for t in scene.things if t != thing))
    assert not scene.things


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("colour", ["red", "pink", "black"])
def test_every_shape_is_one_piece_inside_its_box(shape, colour):
    hsv = {"red": (0.86, 0.1, 0.1), "pink": (0.98, 0.5, 0.75), "black": (0.15, 0.15, 0.17)}
    thing = Thing(shape, colour, 112.0, 100.0, 30.0, 0.0, hsv[colour])
    (group,) = islands(paint(Scene(1, "plain", (thing,))))
    left, top, right, bottom = thing.box
    assert all(left - 3 <= x <= right + 3 and top - 3 <= y <= bottom + 3 for x, y in group)
    xs, ys = zip(*group, strict=True)
    assert max(xs) - min(xs) > 1.4 * thing.size
    assert max(ys) - min(ys) > 0.9 * thing.size


def test_no_two_shapes_look_alike():
    pictures = {}
    for shape in SHAPES:
        thing = Thing(shape, "black", 112.0, 112.0, 30.0, 0.0, (0.15, 0.15, 0.17))
        pictures[shape] = np.asarray(paint(Scene(1, "plain", (thing,))).convert("L")) < 75
    for one in SHAPES:
        for other in SHAPES:
            if one != other:
                both = pictures[one] & pictures[other]
                either = pictures[one] | pictures[other]
                assert both.sum() < 0.9 * either.sum(), (one, other)


@given(SEEDS)
def test_things_are_few_inside_the_picture_and_apart(seed):
    scene = arrange(seed)
    assert 1 <= len(scene.things) <= MOST
    assert scene.ground in GROUNDS
    for k, thing in enumerate(scene.things):
        assert thing.shape in SHAPES
        assert thing.colour in COLOURS
        left, top, right, bottom = thing.box
        assert min(left, top) >= RIM
        assert max(right, bottom) <= SIDE - RIM
        for other in scene.things[:k]:
            between = math.hypot(thing.x - other.x, thing.y - other.y)
            assert between >= max(APART, thing.size + other.size)


def test_two_centres_never_share_a_cell_of_the_encoders_grid():
    assert math.hypot(32, 32) < APART


def test_every_shape_colour_ground_and_number_comes_about_as_often_as_any_other():
    scenes = [arrange(seed) for seed in range(3000)]
    things = [thing for scene in scenes for thing in scene.things]
    for counts, kinds in (
        (Counter(len(scene.things) for scene in scenes), MOST),
        (Counter(scene.ground for scene in scenes), len(GROUNDS)),
        (Counter(thing.shape for thing in things), len(SHAPES)),
        (Counter(thing.colour for thing in things), len(COLOURS)),
    ):
        assert len(counts) == kinds
        mean = sum(counts.values()) / kinds
        assert 0.75 * mean < min(counts.values())
        assert max(counts.values()) < 1.3 * mean


@given(SEEDS)
def test_a_seed_is_one_scene(seed):
    assert arrange(seed) == arrange(seed)
    assert arrange(seed) != arrange(seed + 1)


def test_the_same_seed_is_the_same_picture_to_the_last_pixel():
    # Of these pixels the training grids were made: another hash means another picture.
    raw = b"".join(draw(seed)[0].tobytes() for seed in range(24))
    assert raw == b"".join(paint(arrange(seed)).tobytes() for seed in range(24))
    assert sha256(raw).hexdigest() == (
        "efc53305ab7cf6478039c15c46e4239e56f66ae02de59520ddcc156c8833ec2e"
    )


def test_a_picture_is_what_the_encoder_takes():
    image, _ = draw(5)
    assert (image.mode, image.size) == ("RGB", (SIDE, SIDE))
    assert SIDE * FINE == 896


def test_a_pick_needs_nothing_but_random_numbers_and_can_be_any():
    class Steps:
        def __init__(self, *values):
            self.values = list(values)

        def random(self):
            return self.values.pop(0)

    assert [pick(Steps(x), "abcd") for x in (0.0, 0.24, 0.25, 0.999999)] == ["a", "a", "b", "d"]
