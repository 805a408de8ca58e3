import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.decoder import UNKNOWN
from models.questions import ANSWERS, KINDS, PHRASES, names, questions, vocabulary
from models.scenes import COLOURS, SHAPES, Scene, Thing, arrange, draw
from tests.models.test_scenes import colour_of, islands, middle

SEEDS = st.integers(0, 10**9)
ANYTHING = ("thing", "object", "shape")

# A reader of questions that shares nothing with the writer: it knows things as (shape, colour, x,
# y), takes a question word by word, and answers only what it can answer in one way.


def singular(word: str) -> str:
    return {"fish": "fish", "crosses": "cross"}.get(word, word.removesuffix("s"))


def those(things, phrase: str) -> list:
    """The things that "red star", "red things" or "stars" may mean."""
    words = [singular(w) if w not in (*SHAPES, *COLOURS) else w for w in phrase.split()]
    assert all(w in SHAPES or w in COLOURS or w in ANYTHING for w in words), phrase
    return [
        one
        for one in things
        if all(w in ANYTHING or w == one[0] or w == one[1] for w in words)
    ]  # fmt: skip


def the(things, phrase: str):
    found = those(things, phrase)
    assert len(found) == 1, f"{phrase!r} may be {found}"
    return found[0]


WAYS = {"left": (0, -1), "right": (0, 1), "above": (1, -1), "over": (1, -1)} | dict.fromkeys(
    ("below", "under", "beneath"), (1, 1)
)
WAY = r"(?:to the |on the )?(left|right|above|over|below|under|beneath)(?: of)?"


def on_side(things, way: str, of) -> list:
    """Whatever anyone could place on that side: all whose middle is further that way."""
    axis, sign = WAYS[way]
    return [one for one in things if one != of and sign * (one[2 + axis] - of[2 + axis]) > 0]


def surely(way: str, one, of) -> bool:
    axis, sign = WAYS[way]
    ahead, across = sign * (one[2 + axis] - of[2 + axis]), abs(one[3 - axis] - of[3 - axis])
    return ahead > 20 and ahead > across


def read(question: str, things) -> str:
    """The answer to a question. Fails where there is more than one, or none."""
    text = question.removesuffix("?").removesuffix(" have")
    if found := re.fullmatch(r"(?:how many|count the) (.+?)(?: (?:are|do|can) .+)?", text):
        return str(len(those(things, found[1])))
    if found := re.fullmatch(
        r"(?:is there|do you see|can you see) an? (.+?)(?: in the picture)?", text
    ):
        return "yes" if those(things, found[1]) else "no"
    if found := re.fullmatch(rf"is the (.+?) {WAY} the (.+)", text):
        one, other = the(things, found[1]), the(things, found[3])
        assert surely(found[2], one, other) or surely(found[2], other, one)
        return "yes" if surely(found[2], one, other) else "no"
    wants_colour = bool(re.match(r"(what|which) (is the )?colou?r", text))
    if found := re.search(rf" {WAY} the (.+)$", text):
        base = the(things, found[2])
        (one,) = on_side(things, found[1], base)
        assert surely(found[1], one, base)
        return one[wants_colour]
    colours = [w for w in text.split() if w in COLOURS]
    if not wants_colour and len(colours) == 1 and not set(text.split()) & set(SHAPES):
        return the(things, colours[0])[0]
    found = re.search(r"the ((?:\w+ )?\w+)$", text)
    assert wants_colour
    assert found
    return the(things, found[1])[1]


def seen(seed: int) -> list[tuple[str, str, float, float]]:
    """Things with the colours and places that the pixels have; the shapes are taken on trust."""
    image, scene = draw(seed)
    found = []
    for group in islands(image):
        x, y = middle(group)
        thing = min(scene.things, key=lambda one: abs(one.x - x) + abs(one.y - y))
        found.append((thing.shape, colour_of(image, group), x, y))
    return found


def known(scene: Scene) -> list[tuple[str, str, float, float]]:
    return [(thing.shape, thing.colour, thing.x, thing.y) for thing in scene.things]


@pytest.mark.parametrize("seed", range(60))
def test_every_answer_is_true_of_the_pixels(seed):
    things = seen(seed)
    for ask in range(4):
        for one in questions(arrange(seed), ask):
            assert read(one.text, things) == one.answer, one


@given(SEEDS, st.integers(0, 99))
def test_every_question_has_one_answer_and_it_is_the_one_given(seed, ask):
    scene = arrange(seed)
    for one in questions(scene, ask):
        assert read(one.text, known(scene)) == one.answer, one


@given(SEEDS, st.integers(0, 99))
def test_a_question_says_which_things_it_is_about(seed, ask):
    scene = arrange(seed)
    for one in questions(scene, ask):
        found = [scene.things[k] for k in one.found]
        if one.kind in ("colour", "colour beside"):
            assert [thing.colour for thing in found] == [one.answer]
        elif one.kind in ("shape", "beside"):
            assert [thing.shape for thing in found] == [one.answer]
        elif one.kind == "count":
            assert str(len(found)) == one.answer
        elif one.kind == "exists":
            assert bool(found) == (one.answer == "yes")
        assert len(one.named) == (one.kind not in ("count", "exists"))


@given(SEEDS)
def test_a_name_fits_one_thing_alone(seed):
    scene = arrange(seed)
    for k in range(len(scene.things)):
        for name in names(scene, k):
            assert the(known(scene), name.removeprefix("the ")) == known(scene)[k]


def test_twins_have_no_name():
    twin = Thing("star", "red", 50, 50, 17, 0, (1, 0, 0))
    other = Thing("star", "red", 150, 50, 17, 0, (1, 0, 0))
    scene = Scene(0, "plain", (twin, other))
    assert names(scene, 0) == names(scene, 1) == []
    assert {one.kind for one in questions(scene)} == {"count", "exists"}


def test_answers_are_balanced():
    asked = [one for seed in range(3000) for one in questions(arrange(seed))]
    by_kind = {kind: Counter(o.answer for o in asked if o.kind == kind) for kind in KINDS}
    for kind in ("exists", "order"):
        share = by_kind[kind]["yes"] / sum(by_kind[kind].values())
        assert 0.46 < share < 0.54, kind
        assert set(by_kind[kind]) == {"yes", "no"}
    for kind, all_of_them in (("colour", COLOURS), ("shape", SHAPES), ("beside", SHAPES)):
        assert set(by_kind[kind]) == set(all_of_them)
        mean = sum(by_kind[kind].values()) / len(all_of_them)
        assert max(by_kind[kind].values()) < 1.4 * mean
    assert set(by_kind["count"]) == set("0123456")
    assert max(by_kind["count"].values()) < 0.4 * sum(by_kind["count"].values())
    assert min(by_kind["count"].values()) > 0.02 * sum(by_kind["count"].values())


def test_every_kind_is_asked_in_each_of_its_phrasings_and_every_answer_is_known():
    asked = [one for seed in range(1500) for one in questions(arrange(seed), "again")]
    assert {one.answer for one in asked} == set(ANSWERS)
    for kind, phrases in PHRASES.items():
        texts = [one.text for one in asked if one.kind == kind]
        for phrase in phrases:
            form = re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(phrase)))
            assert any(form.fullmatch(text) for text in texts), phrase


@given(SEEDS, st.integers(0, 99))
def test_the_vocabulary_has_every_word(seed, ask):
    for one in questions(arrange(seed), ask):
        assert UNKNOWN not in WORDS.read_text(one.text).ids


WORDS = vocabulary()


def test_the_vocabulary_has_no_word_that_is_never_asked():
    texts = [one.text for seed in range(1500) for one in questions(arrange(seed))]
    used = {number for ids in WORDS.encode_many(texts) for number in ids}
    assert len(WORDS) - len(used) == 2  # <unk> and <s>


@given(SEEDS)
def test_questions_are_the_same_for_the_same_seed_and_vary_with_it(seed):
    scene = arrange(seed)
    assert questions(scene, 1) == questions(scene, 1)
    assert len({tuple(questions(scene, k)) for k in range(8)}) > 1
