"""Captions for photographs with things pasted in, in the manner of the captions of Flickr8k.

Each caption knows which of its words name which thing. A sentence is put together from parts, and
a part is either words that name nothing known or the name of a thing with what stands before it.
All text is as the captioner's vocabulary normalises it: lower case, single spaces, no full stop.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from models.training.composed_stamps import Stamp

# Not seen in a picture: words that name no thing, no property and no action.
_STOP = """
    a an the this that these those some one other others another each all both his her their its
    him them he she it they who which there is are was be been being has have had do does doing and
    or as while whilst with without of in on at to into onto by for from off out over under up down
    through across along around about against near next between behind beside above below front
    after before during away back together not no very just so something someone
"""
STOP = frozenset(_STOP.split())
PLURALS = {"sheep": "sheep", "deer": "deer", "fish": "fish", "bus": "buses", "bunny": "bunnies"}
PLURALS |= {"mouse": "mice", "fireman": "firemen"}
# What a thing of a kind is said to do: one of them, two of them.
VERBS = {
    "animal": (("is standing", "stands", "walks", "is walking"), ("are standing", "stand")),
    "bird": (("is standing", "stands", "sits", "walks"), ("are standing", "stand")),
    "sitting": (("is sitting", "sits"), ("are sitting", "sit")),
    "lying": (("is lying", "lies", "is resting"), ("are lying", "lie")),
    "flying": (("is flying", "flies"), ("are flying", "fly")),
    "jumping": (("is jumping", "jumps"), ("are jumping", "jump")),
    "vehicle": (("is parked", "drives", "is driving"), ("are parked", "drive")),
    "thing": (("is", "is lying", "sits"), ("are", "are lying", "sit")),
    "plant": (("is", "stands"), ("are", "stand")),
    "sign": (("is", "stands"), ("are", "stand")),
}
SCENES = {  # a word of the photograph's captions, and how a thing may be said to be there
    "grass": "in the grass",
    "grassy": "on the grass",
    "snow": "in the snow",
    "snowy": "in the snow",
    "beach": "on the beach",
    "sand": "on the sand",
    "street": "on the street",
    "road": "on the road",
    "sidewalk": "on the sidewalk",
    "water": "near the water",
    "ocean": "near the ocean",
    "lake": "near a lake",
    "river": "near a river",
    "pool": "near a pool",
    "field": "in a field",
    "park": "in a park",
    "woods": "in the woods",
    "forest": "in the forest",
    "mountain": "in the mountains",
    "mountains": "in the mountains",
    "fence": "near a fence",
    "building": "in front of a building",
    "wall": "in front of a wall",
    "crowd": "in front of a crowd",
}
SUBJECT = re.compile(  # how a caption begins that tells of somebody
    r"(a|an|the|two|three|some) ((?!and\b|in\b|on\b|is\b|of\b)[a-z-]+ ){0,3}?"
    r"(man|woman|boy|girl|child|person|men|women|boys|girls|children|people|dog|dogs)\b"
)
LONGEST = 12  # words of a photograph's caption that is joined with a thing


@dataclass(frozen=True)
class Thing:
    """A thing in a picture, as the sentences need it."""

    stamp: Stamp
    name: str  # one of the stamp's
    x: float  # of its middle, 0 at the left to 1
    y: float  # 0 at the top to 1

    @property
    def side(self) -> str:
        """Where it is, as people say it."""
        if abs(self.x - 0.5) < 0.12:
            return "in the middle"
        return "on the left" if self.x < 0.5 else "on the right"


@dataclass(frozen=True)
class Sentence:
    """Words, and for each the things that it names, by number; none for most."""

    words: tuple[str, ...]
    named: tuple[tuple[int, ...], ...]

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def marks(self) -> list[tuple[int, list[int]]]:
        """The words that name something: index, numbers of the things."""
        return [(k, list(things)) for k, things in enumerate(self.named) if things]


Part = str | tuple[str, tuple[int, ...]]


def sentence(parts: Iterable[Part]) -> Sentence:
    """Parts in a row. Of a part that names things every word does but those of `STOP`."""
    words, named = [], []
    for part in parts:
        text, things = (part, ()) if isinstance(part, str) else part
        for word in text.split():
            words.append(word)
            named.append(() if word in STOP else things)
    return Sentence(tuple(words), tuple(named))


def plural(name: str) -> str:
    """Of a name in the table."""
    return PLURALS.get(name, f"{name}s")


def with_article(words: str) -> str:
    """a or an."""
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def noun_phrase(thing: Thing, number: int, random: Random) -> Part:
    """A thing with its article and, as a rule, its look."""
    shown = thing.stamp.look and random.random() < 0.6
    return with_article(f"{thing.stamp.look} {thing.name}" if shown else thing.name), (number,)


def _verb(thing: Thing, random: Random, two: bool = False) -> str:
    return random.choice(VERBS[thing.stamp.kind][two])


def _places(thing: Thing, scene: list[str]) -> list[str]:
    if thing.stamp.kind == "flying":
        return ["in the air", "in the sky", thing.side]
    return [thing.side, *scene]


def of_one(thing: Thing, number: int, scene: list[str], random: Random) -> Sentence:
    """A sentence about one thing."""
    np, place = noun_phrase(thing, number, random), random.choice(_places(thing, scene))
    verb = _verb(thing, random)
    forms = [(np, verb, place), (np, verb, place), (np, place), ("there is", np, place)]
    return sentence(random.choice(forms))


def of_two(things: list[Thing], scene: list[str], random: Random) -> Sentence:
    """A sentence about both."""
    one, two = things
    place = random.choice(scene) if scene else ""
    if one.name == two.name:
        np = f"two {plural(one.name)}", (0, 1)
        forms = [(np, _verb(one, random, two=True), place or "next to each other"), (np, place)]
        return sentence(random.choice(forms))
    numbers = [0, 1] if random.random() < 0.5 else [1, 0]
    a, b = (noun_phrase(things[k], k, random) for k in numbers)
    first, second = (things[k] for k in numbers)
    close = "next to" if abs(one.x - two.x) < 0.5 and abs(one.y - two.y) < 0.3 else "near"
    forms = [
        (a, "and", b),
        (a, "and", b, place),
        (a, close, b),
        (a, _verb(first, random), close, b),
        ("there is", a, "and", b),
    ]
    if first.side != second.side:
        forms.append((a, first.side, "and", b, second.side))
    return sentence(random.choice(forms))


def joined(thing: Thing, number: int, captions: list[str], random: Random) -> Sentence | None:
    """A thing and what a caption of the photograph tells; None where no caption suits."""
    np, verb = noun_phrase(thing, number, random), _verb(thing, random)
    caption = random.choice(captions)
    begins = SUBJECT.match(caption)
    if begins is None:
        return None
    forms = [(np, verb, random.choice(["near", "next to", "behind"]), begins.group())]
    words = caption.split()
    if len(words) <= LONGEST and words[-1] not in STOP:
        link = random.choice(["next to", "near", "beside"])
        forms += [(caption, link, np), (caption, link, np), (caption, "while", np, verb, "nearby")]
        forms += [(caption, "with", np, thing.side)]
    return sentence(random.choice(forms))


def captions_of(things: list[Thing], of_photograph: list[str], random: Random) -> list[Sentence]:
    """Two or three different captions of a photograph, whose own captions are given, with one or
    two things pasted in. Every caption names at least one of them."""
    counts: dict[str, int] = {}
    for caption in of_photograph:
        for word in set(caption.split()):
            counts[word] = counts.get(word, 0) + 1
    scene = [place for word, place in SCENES.items() if counts.get(word, 0) >= 2]
    found: list[Sentence] = []
    for _ in range(random.choice([2, 3])):
        number = random.randrange(len(things))
        if random.random() < 0.4:
            made = joined(things[number], number, of_photograph, random)
        elif len(things) == 2 and random.random() < 0.7:
            made = of_two(things, scene, random)
        else:
            made = of_one(things[number], number, scene, random)
        if made is not None:
            found.append(made)
    if len(found) < 2:
        found.append(
            of_two(things, scene, random)
            if len(things) == 2
            else of_one(things[0], 0, scene, random)
        )
    return list({made.text: made for made in found}.values())
