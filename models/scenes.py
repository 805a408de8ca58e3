"""Drawn scenes: one to six simple things on a pale ground, from a seed.

All of it is made by this code, so a picture may be shown, changed and shipped by anyone, and what
is in it, and where, is known exactly. The same seed gives the same scene everywhere: numbers come
from `Random.random` alone, corners are rounded to quarters of a pixel, and averages of four by
four points smooth the edges.
"""

import colorsys
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image, ImageDraw

SIDE = 224  # pixels
FINE = 4  # points a pixel has on a side before they are averaged
MOST = 6  # things
APART = 46.0  # pixels between two centres at least: farther than the diagonal of a cell of 32
GAP, RIM = 8.0, 5.0  # pixels between two things, and between a thing and the border
SIZES = (17.0, 23.0, 30.0)  # pixels from the centre to the side of the box

# Hue in degrees, saturation, brightness; a thing may differ by HUE degrees and by SHADE.
COLOURS = {
    "red": (358, 0.85, 0.86),
    "orange": (26, 0.95, 0.97),
    "yellow": (52, 0.85, 0.98),
    "green": (132, 0.68, 0.62),
    "blue": (216, 0.80, 0.88),
    "purple": (275, 0.62, 0.66),
    "pink": (332, 0.46, 0.98),
    "black": (220, 0.12, 0.17),
}
HUE, SHADE = 4.0, 0.06
BODY, DARK, HOLE = 1.0, 0.62, 0.0  # how much of the colour a part of a thing keeps; none: cut out

Points = list[tuple[float, float]]  # corners, x to the right, y down, the box from -1 to 1


@dataclass(frozen=True)
class Thing:
    """One thing of a scene. Units are pixels."""

    shape: str
    colour: str
    x: float  # of the centre
    y: float
    size: float  # from the centre to the side of the box
    tilt: float  # degrees
    rgb: tuple[float, float, float]  # 0..1

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return self.x - self.size, self.y - self.size, self.x + self.size, self.y + self.size


@dataclass(frozen=True)
class Scene:
    """What is in a drawn picture."""

    seed: int
    ground: str  # one of GROUNDS
    things: tuple[Thing, ...]


def draw(seed: int) -> tuple[Image.Image, Scene]:
    """The picture of a seed, RGB of 224 x 224 pixels, and what is in it."""
    scene = arrange(seed)
    return paint(scene), scene


def pick(rng: Random, among: Sequence):
    """One of several, by the one method of `Random` whose numbers never change."""
    return among[int(rng.random() * len(among))]


def arrange(seed: int) -> Scene:
    """What the picture of a seed shows. Half of the scenes keep to two shapes, half to two
    colours, so that there is something to count."""
    rng = Random(f"scene {seed}")
    count = 1 + int(rng.random() * MOST)
    ground = pick(rng, list(GROUNDS))
    shapes, colours = list(SHAPES), list(COLOURS)
    if rng.random() < 0.5:
        shapes = [pick(rng, shapes), pick(rng, shapes)]
    if rng.random() < 0.5:
        colours = [pick(rng, colours), pick(rng, colours)]
    things: list[Thing] = []
    while len(things) < count:
        size = pick(rng, SIZES)
        free = SIDE - 2 * (size + RIM)
        x, y = (size + RIM + free * rng.random() for _ in range(2))
        if any(
            math.hypot(x - one.x, y - one.y) < max(APART, (size + one.size) * 1.05 + GAP)
            for one in things
        ):
            if rng.random() < 0.01:  # no room for another: begin again
                things.clear()
            continue
        colour = pick(rng, colours)
        tilt = 10 * (2 * rng.random() - 1)
        things.append(Thing(pick(rng, shapes), colour, x, y, size, tilt, _vary(rng, colour)))
    return Scene(seed, ground, tuple(things))


def _vary(rng: Random, colour: str) -> tuple[float, float, float]:
    hue, saturation, value = COLOURS[colour]
    hue += HUE * (2 * rng.random() - 1)
    value *= 1 + SHADE * (2 * rng.random() - 1)
    return colorsys.hsv_to_rgb(hue % 360 / 360, saturation, min(value, 1.0))


# -- shapes: parts, one over the other ---------------------------------------------------------


def _oval(x: float, y: float, width: float, height: float | None = None) -> Points:
    """Half axes; a circle where there is no height."""
    turn = [2 * math.pi * k / 72 for k in range(72)]
    return [(x + width * math.cos(t), y + (height or width) * math.sin(t)) for t in turn]


def _star() -> Points:
    turn = [(math.pi * k / 5, 1.05 if k % 2 == 0 else 0.44) for k in range(10)]
    return [(r * math.sin(t), 0.08 - r * math.cos(t)) for t, r in turn]


def _heart() -> Points:
    """x = 16 sin^3 t, y = 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t."""
    turn = [2 * math.pi * k / 72 for k in range(72)]
    height = [
        13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t) for t in turn
    ]
    return [(math.sin(t) ** 3, -(y + 2.5) / 16) for t, y in zip(turn, height, strict=True)]


def _box(left: float, top: float, right: float, bottom: float) -> Points:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _cross(arm: float) -> Points:
    a = arm
    return [(-a, -1), (a, -1), (a, -a), (1, -a), (1, a), (a, a),
            (a, 1), (-a, 1), (-a, a), (-1, a), (-1, -a), (-a, -a)]  # fmt: skip


SHAPES: dict[str, list[tuple[Points, float]]] = {
    "circle": [(_oval(0, 0, 0.95), BODY)],
    "square": [(_box(-0.82, -0.82, 0.82, 0.82), BODY)],
    "triangle": [([(0, -0.92), (1, 0.82), (-1, 0.82)], BODY)],
    "star": [(_star(), BODY)],
    "heart": [(_heart(), BODY)],
    "ring": [(_oval(0, 0, 0.98), BODY), (_oval(0, 0, 0.54), HOLE)],
    "cross": [(_cross(0.34), BODY)],
    "moon": [(_oval(0, 0, 0.98), BODY), (_oval(0.46, -0.2, 0.78), HOLE)],
    "house": [
        (_box(-0.72, -0.15, 0.72, 0.95), BODY),
        ([(0, -1), (1, -0.1), (-1, -0.1)], DARK),
        (_box(-0.2, 0.38, 0.2, 0.95), DARK),
    ],
    "tree": [
        (_box(-0.16, 0.4, 0.16, 1), DARK),
        ([(0, -1), (0.6, -0.2), (-0.6, -0.2)], BODY),
        ([(0, -0.62), (0.82, 0.5), (-0.82, 0.5)], BODY),
    ],
    "fish": [
        ([(0.3, 0), (1, -0.6), (1, 0.6)], DARK),
        (_oval(-0.22, 0, 0.78, 0.52), BODY),
        (_oval(-0.6, -0.12, 0.1), HOLE),
    ],
    "cup": [
        (_oval(0.55, -0.05, 0.44), BODY),
        (_oval(0.55, -0.05, 0.22), HOLE),
        ([(-0.85, -0.75), (0.6, -0.75), (0.42, 0.85), (-0.67, 0.85)], BODY),
    ],
}


# -- grounds: pale, so that no thing is lost in them -------------------------------------------


def _pale(rng: Random) -> tuple[int, int, int]:
    tint = colorsys.hsv_to_rgb(rng.random(), 0.03 + 0.13 * rng.random(), 0.88 + 0.12 * rng.random())
    return tuple(round(255 * part) for part in tint)


def _mixed(one, other, share: np.ndarray) -> Image.Image:
    """Between two colours, by a share (SIDE, SIDE) of the other."""
    low, high = np.array(one, np.float64), np.array(other, np.float64)
    pixels = low + (high - low) * share[..., None]
    return Image.fromarray(np.floor(pixels + 0.5).astype(np.uint8))


def _slope(rng: Random, one, other) -> Image.Image:
    """From one colour to the other, downwards, sideways or across."""
    way = np.arange(SIDE) / (SIDE - 1)
    across, down = pick(rng, [(0, 1), (1, 0), (0.5, 0.5)])
    return _mixed(one, other, across * way[None] + down * way[:, None])


def _pattern(inside: Callable[[np.ndarray, np.ndarray, int], np.ndarray]):
    """A ground that has the other colour where `inside(x, y, step)` says so, smooth edges."""

    at_pixel = np.arange(0, SIDE * FINE, FINE)

    def ground(rng: Random, one, other) -> Image.Image:
        step = 12 + int(20 * rng.random())  # pixels from one repeat to the next
        at = (np.arange(SIDE * FINE) / FINE).astype(np.float32)
        share = inside(at[None], at[:, None], step).astype(np.uint8)
        share = np.add.reduceat(np.add.reduceat(share, at_pixel, 0), at_pixel, 1)
        return _mixed(one, other, share / FINE**2)

    return ground


GROUNDS = {
    "plain": lambda rng, one, other: Image.new("RGB", (SIDE, SIDE), one),
    "slope": _slope,
    "stripes": _pattern(lambda x, y, step: (x + y) % (2 * step) < step),
    "checks": _pattern(lambda x, y, step: (x // step + y // step) % 2 < 1),
    "dots": _pattern(lambda x, y, step: (x % step - 6) ** 2 + (y % step - 6) ** 2 < 9),
    "horizon": _pattern(lambda x, y, step: y + 0 * x > 100 + 2 * step),
}


def paint(scene: Scene) -> Image.Image:
    """The picture of a scene."""
    rng = Random(f"ground {scene.seed}")
    image = GROUNDS[scene.ground](rng, _pale(rng), _pale(rng))
    for thing in scene.things:
        _put(image, thing)
    return image


def _put(image: Image.Image, thing: Thing) -> None:
    """One thing over a picture, lit from above, with a faint shadow."""
    reach = math.ceil(1.5 * thing.size)  # room for tilted corners
    left, top = math.floor(thing.x) - reach, math.floor(thing.y) - reach
    side = 2 * reach + 1
    cover = Image.new("L", (side * FINE, side * FINE))  # where the thing is
    tone = Image.new("L", cover.size, 255)  # how much of its colour it keeps there
    on_cover, on_tone = ImageDraw.Draw(cover), ImageDraw.Draw(tone)
    cos, sin = math.cos(math.radians(thing.tilt)), math.sin(math.radians(thing.tilt))
    for corners, keeps in SHAPES[thing.shape]:
        turned = [
            (
                round((thing.x - left + thing.size * (x * cos - y * sin)) * FINE),
                round((thing.y - top + thing.size * (x * sin + y * cos)) * FINE),
            )
            for x, y in corners
        ]
        on_cover.polygon(turned, fill=255 if keeps else 0)
        if keeps:
            on_tone.polygon(turned, fill=round(255 * keeps))
    cover, tone = cover.reduce(FINE), tone.reduce(FINE)
    light = 1.06 - 0.16 * np.arange(side) / side  # top to bottom
    shares = np.asarray(tone, np.float64)[..., None] / 255 * light[:, None, None]
    pixels = np.clip(255 * shares * np.array(thing.rgb), 0, 255)
    shade = max(1, round(thing.size / 12))
    shadow = cover.point([value * 3 // 10 for value in range(256)])
    image.paste((60, 60, 80), (left + shade, top + 2 * shade), shadow)
    image.paste(Image.fromarray(np.floor(pixels + 0.5).astype(np.uint8)), (left, top), cover)
