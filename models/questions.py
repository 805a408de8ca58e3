"""Questions about a drawn scene, with their answers.

Nothing is asked that two people could answer differently: what a question names is there once, or
is counted, and "left of" is asked only where the one thing on that side is clearly beside and not
above or below. The words are few (`vocabulary`), the phrasings several.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from random import Random

from models import subwords
from models.scenes import COLOURS, MOST, SHAPES, Scene, Thing, pick
from models.subwords import Vocabulary

NUMBERS = [str(n) for n in range(MOST + 1)]
ANSWERS = [*COLOURS, *SHAPES, "yes", "no", *NUMBERS]
CLEAR = 30.0  # pixels that lie at least between two centres where one is "left of" the other
SLANT = 0.9  # "left of" is said where the step up or down is less than this share of the step aside
NONE = 0.2  # share of the questions "how many" that are about what is not there

# side: the way there (right, down)
SIDES = {"left": (-1, 0), "right": (1, 0), "above": (0, -1), "below": (0, 1)}
WAYS = {
    "left": ("left of", "to the left of", "on the left of"),
    "right": ("right of", "to the right of", "on the right of"),
    "above": ("above", "over"),
    "below": ("below", "under", "beneath"),
}
THINGS = ("thing", "object", "shape")  # words for whatever is there
PLURALS = {"fish": "fish", "cross": "crosses"}
PHRASES = {
    "colour": (
        "what colour is {it}?",
        "what is the colour of {it}?",
        "which colour is {it}?",
        "which colour does {it} have?",
        "what color is {it}?",
    ),
    "shape": (
        "what is {colour}?",
        "what shape is the {colour} thing?",
        "which shape is {colour}?",
        "what is the {colour} thing?",
        "what is the {colour} object?",
        "what is the shape of the {colour} object?",
    ),
    "beside": ("what is {way} {it}?", "which thing is {way} {it}?", "what shape is {way} {it}?"),
    "colour beside": (
        "what colour is the thing {way} {it}?",
        "which colour has the thing {way} {it}?",
        "what is the colour of the object {way} {it}?",
        "what color is the object {way} {it}?",
    ),
    "count": (
        "how many {them} are there?",
        "how many {them} do you see?",
        "how many {them} can you see?",
        "how many {them} are in the picture?",
        "count the {them}",
    ),
    "exists": (
        "is there {one}?",
        "do you see {one}?",
        "can you see {one}?",
        "is there {one} in the picture?",
    ),
    "order": ("is {it} {way} {other}?",),
}


@dataclass(frozen=True)
class Asked:
    """A question, its answer, and the things that it is about, as numbers of the scene's things."""

    text: str
    answer: str
    kind: str  # one of KINDS
    named: tuple[int, ...]  # the one thing that it starts from; none where things are counted
    found: tuple[int, ...]  # what is looked at last: the one answered about, or all that count


def vocabulary() -> Vocabulary:
    """Every word of every phrase."""
    named = [*SHAPES, *COLOURS, *THINGS, *map(_plural, [*SHAPES, *THINGS]), "a", "an"]
    phrases = [
        phrase.format_map(defaultdict(str)) for group in PHRASES.values() for phrase in group
    ]
    ways = [way for group in WAYS.values() for way in group]
    return subwords.words([" ".join([*phrases, *named, *ways])], 1)


def _plural(word: str) -> str:
    return PLURALS.get(word, f"{word}s")


def _article(phrase: str) -> str:
    return f"an {phrase}" if phrase[0] in "aeiou" else f"a {phrase}"


def names(scene: Scene, number: int) -> list[str]:
    """The shortest ways to name one thing of a scene that fit no other."""
    thing, others = scene.things[number], scene.things[:number] + scene.things[number + 1 :]
    found = []
    if all(one.shape != thing.shape for one in others):
        found.append(f"the {thing.shape}")
    if all(one.colour != thing.colour for one in others):
        found.append(f"the {thing.colour} thing")
    if not found and all((one.colour, one.shape) != (thing.colour, thing.shape) for one in others):
        found.append(f"the {thing.colour} {thing.shape}")
    return found


def steps(side: str, thing: Thing, other: Thing) -> tuple[float, float]:
    """Pixels from the other to the thing: to that side, and across."""
    right, down = SIDES[side]
    x, y = thing.x - other.x, thing.y - other.y
    return x * right + y * down, x * down + y * right


def clearly(ahead: float, across: float) -> bool:
    """Whether what is so far away is on that side for everyone, and on no other."""
    return ahead >= CLEAR and abs(across) <= SLANT * ahead


# -- what can be asked: an answer, the things named, the things found, the words of the phrase ---

Possible = tuple[str, tuple[int, ...], tuple[int, ...], dict[str, str]]


class _View:
    """A scene with what several kinds of questions want to know of it."""

    def __init__(self, scene: Scene):
        self.things = scene.things
        self.called = [names(scene, k) for k in range(len(self.things))]
        numbers = range(len(self.things))
        self.beside: list[tuple[str, int, int]] = []  # side, thing, the one beside it, clearly
        self.alone: list[tuple[str, int, int]] = []  # likewise, where nothing else is on that side
        for side, k in product(SIDES, numbers):
            ahead = {n: steps(side, self.things[n], self.things[k]) for n in numbers if n != k}
            clear = [n for n, step in ahead.items() if clearly(*step)]
            self.beside += [(side, k, n) for n in clear]
            if len(clear) == 1 and sum(step > -CLEAR / 3 for step, _ in ahead.values()) == 1:
                self.alone.append((side, k, clear[0]))

    def fitting(self, shape: str, colour: str) -> tuple[int, ...]:
        """The things of a shape and a colour; "" fits any."""
        return tuple(
            k
            for k, t in enumerate(self.things)
            if shape in ("", t.shape) and colour in ("", t.colour)
        )

    def absent(self, shaped: bool, coloured: bool) -> list[tuple[str, str]]:
        """Every shape and colour that nothing has; "" where one of them is no matter."""
        among = product(SHAPES if shaped else [""], COLOURS if coloured else [""])
        return [what for what in among if not self.fitting(*what)]


def _colour(view: _View, rng: Random) -> Iterable[Possible]:
    for k, thing in enumerate(view.things):
        for it in view.called[k]:
            if thing.colour not in it:
                yield thing.colour, (k,), (k,), {"it": it}


def _shape(view: _View, rng: Random) -> Iterable[Possible]:
    for k, thing in enumerate(view.things):
        if f"the {thing.colour} thing" in view.called[k]:
            yield thing.shape, (k,), (k,), {"colour": thing.colour}


def _beside(answer: Callable[[Thing], str]):
    """About the only thing that anyone could place on a side of another."""

    def ask(view: _View, rng: Random) -> Iterable[Possible]:
        for side, k, n in view.alone:
            way = pick(rng, WAYS[side])
            for it in view.called[k]:
                yield answer(view.things[n]), (k,), (n,), {"it": it, "way": way}

    return ask


def _order(view: _View, rng: Random) -> Iterable[Possible]:
    """Whether one thing is on a side of another: it is, or it is on the opposite side."""
    for side, k, n in view.beside:
        way, (one, other) = pick(rng, WAYS[side]), pick(rng, ((n, k), (k, n)))
        for it, that in product(view.called[one], view.called[other]):
            told = "yes" if one == n else "no"
            yield told, (one,), (other,), {"it": it, "way": way, "other": that}


def _count(view: _View, rng: Random) -> Iterable[Possible]:
    """All things, a shape, a colour or both: every number that can be had is as likely, and what
    is not there as often as NONE says."""
    if rng.random() < NONE:
        pool = view.absent(*pick(rng, ((True, False), (False, True), (True, True))))
    else:
        by_number = defaultdict(list)
        for what in dict.fromkeys(
            what for thing in view.things for what in product(("", thing.shape), ("", thing.colour))
        ):
            by_number[len(view.fitting(*what))].append(what)
        pool = by_number[pick(rng, sorted(by_number))]
    shape, colour = pick(rng, pool)
    found = view.fitting(shape, colour)
    them = f"{colour} {_plural(shape or pick(rng, THINGS))}".strip()
    yield str(len(found)), (), found, {"them": them}


def _exists(view: _View, rng: Random) -> Iterable[Possible]:
    """As often there as not. A colour and a shape that are there, but not together, are the harder
    question, and asked where there are such."""
    shaped, coloured = pick(rng, ((True, False), (False, True), *[(True, True)] * 4))
    if rng.random() < 0.5:
        thing = pick(rng, view.things)
        shape, colour = thing.shape if shaped else "", thing.colour if coloured else ""
    else:
        pool = view.absent(shaped, coloured)
        crossed = {(a.shape, b.colour) for a in view.things for b in view.things}
        near = [what for what in pool if what in crossed]
        shape, colour = pick(rng, near if near and rng.random() < 0.6 else pool)
    found = view.fitting(shape, colour)
    one = _article(f"{colour} {shape or 'thing'}".strip())
    yield "yes" if found else "no", (), found, {"one": one}


KINDS: dict[str, Callable[[_View, Random], Iterable[Possible]]] = {
    "colour": _colour,
    "shape": _shape,
    "beside": _beside(lambda thing: thing.shape),
    "colour beside": _beside(lambda thing: thing.colour),
    "count": _count,
    "exists": _exists,
    "order": _order,
}


def questions(scene: Scene, seed: int | str = 0) -> list[Asked]:
    """One question of each kind that the scene admits. Another seed asks for other things, in
    other words."""
    rng = Random(f"questions {scene.seed} {seed}")
    view, chosen = _View(scene), []
    for kind, ask in KINDS.items():
        possible = list(ask(view, rng))
        if possible:
            answer, named, found, words = pick(rng, possible)
            text = pick(rng, PHRASES[kind]).format(**words)
            chosen.append(Asked(text, answer, kind, named, found))
    return chosen
