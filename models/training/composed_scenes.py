"""Pictures of which it is known where things are: cut-outs on photographs, and mosaics.

Attention that is only trained to help with the next word need not lie where a reader would look.
In a composed picture the place of a word is known. A cut-out scene is a photograph with one or two
`composed_stamps` pasted on it; a mosaic is a photograph in another, or two or three side by side,
with the captions of one of them. A picture depends on its seed alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageEnhance

from models.efficientnet import GRID, SIDE
from models.training.composed_sentences import STOP, Sentence, Thing, captions_of
from models.training.composed_stamps import Stamp, picture, rivals

CELL = SIDE // GRID  # pixels
LEAST, MOST = 70, 150  # pixels of a thing's longer side
OVERLAP = 0.1  # of the smaller of two boxes
ALIKE = 0.15  # chance that the second thing is of the same name
TRIES = 50

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels; the last ones lie outside


@dataclass(frozen=True)
class Region:
    """Where something is in a picture."""

    names: tuple[str, ...]  # words that a caption may have for it; none for a photograph
    file: str  # of the cut-out or the photograph
    box: Box
    cover: tuple[float, ...]  # the share of each cell, row by row, that it fills


@dataclass(frozen=True)
class Scene:
    """A composed picture with its captions. A mark's numbers are those of `regions`."""

    image: Image.Image
    photographs: tuple[str, ...]
    regions: tuple[Region, ...]
    captions: tuple[Sentence, ...]


@dataclass(frozen=True)
class Material:
    """What scenes of a part are composed of."""

    names: list[str]  # of the photographs
    captions: dict[str, list[str]]  # of each, as the vocabulary normalises them
    open: Callable[[str], Image.Image]  # a photograph by name, SIDE x SIDE
    stamps: tuple[Stamp, ...]
    folder: Path  # of the cut-outs
    counts: dict[str, int]  # how often the training captions have a word


def cover(mask: np.ndarray) -> tuple[float, ...]:
    """The share of each cell under a mask (SIDE, SIDE) of numbers from 0 to 1."""
    cells = mask.reshape(GRID, CELL, GRID, CELL).mean((1, 3))
    return tuple(round(float(share), 4) for share in cells.flat)


def box_mask(box: Box) -> np.ndarray:
    """1 inside, (SIDE, SIDE)."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[box[1] : box[3], box[0] : box[2]] = 1.0
    return mask


def _place(sizes: list[tuple[int, int]], random: Random) -> list[Box]:
    """Boxes of these sizes that hardly overlap; fewer where there is no room."""
    found: list[Box] = []
    for width, height in sizes:
        for _ in range(TRIES):
            x, y = random.randrange(SIDE - width + 1), random.randrange(SIDE - height + 1)
            box = (x, y, x + width, y + height)
            if all(_shared(box, other) <= OVERLAP for other in found):
                found.append(box)
                break
    return found


def _shared(one: Box, other: Box) -> float:
    """The share of the smaller box that lies in both."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / min(areas)


def _choose(material: Material, taken: set[str], random: Random) -> tuple[Stamp, str] | None:
    """A cut-out and a name for it that is none of those taken. A word that captions use more often
    is chosen more often, but far less so: dogs are not to be all that is seen."""
    known = rivals(material.stamps)
    free = [name for name in known if not known[name] & taken]
    if not free:
        return None
    weights = [max(1, material.counts.get(name, 0)) ** 0.25 for name in free]
    (name,) = random.choices(free, weights)
    stamps = [stamp for stamp in material.stamps if name in stamp.names]
    usual = [stamp for stamp in stamps if stamp.names[0] == name]
    return random.choice(usual or stamps), name


def _stems(captions: list[str]) -> set[str]:
    """Their words, and what is left of those in the plural."""
    words = {word for caption in captions for word in caption.split()}
    return {word.removesuffix("s") for word in words} | words


def cut_out(material: Material, seed: str) -> Scene:
    """A photograph with one or two things pasted on it that its own captions do not tell of."""
    random = Random(f"cut-out {seed}")
    photograph = random.choice(material.names)
    own = material.captions[photograph]
    told = _stems(own)
    chosen = [_choose(material, told, random)]
    if chosen[0] is None:
        return cut_out(material, f"{seed} again")
    if random.random() < 0.5:
        stamp, name = chosen[0]
        if random.random() < ALIKE:
            alike = [other for other in material.stamps if name in other.names]
            chosen.append((random.choice(alike), name))
        else:
            chosen.append(_choose(material, told | set(stamp.names), random))
    images = []
    for stamp, _ in filter(None, chosen):
        image = picture(material.folder, stamp.file)
        scale = random.randint(LEAST, MOST) / max(image.size)
        size = tuple(max(1, round(side * scale)) for side in image.size)
        image = image.resize(size, Image.Resampling.LANCZOS)
        if stamp.kind != "sign" and random.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        alpha = image.getchannel("A")
        image = ImageEnhance.Brightness(image).enhance(random.uniform(0.8, 1.15))
        image.putalpha(alpha)
        images.append(image)
    boxes = _place([image.size for image in images], random)
    whole = material.open(photograph).copy()
    masks: list[np.ndarray] = []
    for image, box in zip(images, boxes, strict=False):
        whole.paste(image, box[:2], image)
        mask = np.zeros((SIDE, SIDE), np.float32)
        mask[box[1] : box[3], box[0] : box[2]] = np.asarray(image.getchannel("A")) / 255.0
        masks = [other * (1 - mask) for other in masks] + [mask]  # what is pasted on it hides it
    things, regions = [], []
    for (stamp, name), box, mask in zip(filter(None, chosen), boxes, masks, strict=False):
        x, y = (box[0] + box[2]) / 2 / SIDE, (box[1] + box[3]) / 2 / SIDE
        things.append(Thing(stamp, name, x, y))
        regions.append(Region(stamp.names, stamp.file, box, cover(mask)))
    said = captions_of(things, own, random)
    return Scene(whole, (photograph,), tuple(regions), tuple(said))


def _split(box: Box, random: Random) -> tuple[Box, Box]:
    """A rectangle cut in two across its longer side."""
    x0, y0, x1, y1 = box
    share = random.uniform(0.38, 0.62)
    if x1 - x0 > y1 - y0 or (x1 - x0 == y1 - y0 and random.random() < 0.5):
        cut = round(x0 + share * (x1 - x0))
        return (x0, y0, cut, y1), (cut, y0, x1, y1)
    cut = round(y0 + share * (y1 - y0))
    return (x0, y0, x1, cut), (x0, cut, x1, y1)


def _rectangles(random: Random) -> list[Box]:
    """Where the photographs of a mosaic go; a later one lies on those before it."""
    whole = (0, 0, SIDE, SIDE)
    if random.random() < 0.5:
        width, height = (round(random.uniform(0.4, 0.65) * SIDE) for _ in range(2))
        x, y = random.randint(0, SIDE - width), random.randint(0, SIDE - height)
        return [whole, (x, y, x + width, y + height)]
    one, two = _split(whole, random)
    if random.random() < 0.5:
        return [one, two]
    return [one, *_split(two, random)]


def mosaic(material: Material, seed: str) -> Scene:
    """Photographs in rectangles, with the captions of one of them.

    What is said of it is marked with its rectangle, but for the words that captions of the
    others have too: they do not tell which is meant.
    """
    random = Random(f"mosaic {seed}")
    boxes = _rectangles(random)
    names = random.sample(material.names, len(boxes))
    told = random.choice([*range(len(boxes)), len(boxes) - 1])  # nothing hides the last one
    image = Image.new("RGB", (SIDE, SIDE))
    masks: list[np.ndarray] = []
    for name, box in zip(names, boxes, strict=True):
        size = (box[2] - box[0], box[3] - box[1])
        image.paste(material.open(name).resize(size, Image.Resampling.BICUBIC), box[:2])
        mask = box_mask(box)
        masks = [other * (1 - mask) for other in masks] + [mask]
    others = [c for k, name in enumerate(names) if k != told for c in material.captions[name]]
    elsewhere = _stems(others)
    said = []
    for caption in material.captions[names[told]]:
        words = tuple(caption.split())
        clear = [w not in STOP and not _stems([w]) & elsewhere for w in words]
        said.append(Sentence(words, tuple((0,) if one else () for one in clear)))
    region = Region((), names[told], boxes[told], cover(masks[told]))
    return Scene(image, tuple(names), (region,), tuple(said))
