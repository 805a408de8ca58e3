from random import Random

import pytest

from models.subwords import words
from models.training.composed_sentences import (
    STOP,
    Thing,
    captions_of,
    joined,
    of_two,
    plural,
    sentence,
    with_article,
)
from models.training.composed_stamps import Stamp, table

DOG = Stamp("dog", "train", "animal", "black and white", ("dog", "animal"))
BALL = Stamp("ball", "train", "thing", "orange", ("ball",))
PHOTOGRAPH = [
    "a man rides a bike in the snow",
    "two men look at the camera",
    "a young woman in a red coat stands in the snow near a wall of",
    "snow falls",
    "the boys play",
]


def things() -> list[Thing]:
    return [Thing(DOG, "dog", 0.2, 0.5), Thing(BALL, "ball", 0.8, 0.4)]


def test_of_a_name_every_word_but_the_small_ones_is_marked():
    made = sentence(["there is", ("a black and white dog", (1,)), "on the left"])
    assert made.text == "there is a black and white dog on the left"
    assert made.marks == [(3, [1]), (5, [1]), (6, [1])]


@pytest.mark.parametrize(
    ("name", "several"),
    [("dog", "dogs"), ("sheep", "sheep"), ("bus", "buses"), ("bunny", "bunnies")],
)
def test_several_of_a_name(name, several):
    assert plural(name) == several


def test_an_goes_before_a_vowel():
    assert (with_article("orange ball"), with_article("ball")) == ("an orange ball", "a ball")


def test_two_of_a_name_are_named_at_once():
    pair = [Thing(DOG, "dog", 0.2, 0.5), Thing(DOG, "dog", 0.7, 0.5)]
    made = of_two(pair, ["in the snow"], Random(1))
    assert made.words[:2] == ("two", "dogs")
    assert made.marks == [(0, [0, 1]), (1, [0, 1])]


def test_of_a_caption_joined_with_a_thing_only_the_thing_is_marked():
    for seed in range(40):
        made = joined(things()[0], 0, PHOTOGRAPH, Random(seed))
        if made is None:
            continue
        named = {made.words[k] for k, _ in made.marks}
        assert "dog" in named
        assert named <= {"dog", "black", "white"}
        assert made.text.split()[-1] != "of"


def test_a_caption_that_tells_of_nobody_is_not_joined():
    assert joined(things()[0], 0, ["snow falls"], Random(1)) is None


def test_sentences_are_as_the_vocabulary_reads_them_and_each_names_something():
    vocabulary = words(["a"] * 5, 5)
    normal = vocabulary.tokenizer.normalizer.normalize_str
    texts = set()
    for seed in range(200):
        some = things()[: 1 + seed % 2]
        for made in captions_of(some, PHOTOGRAPH, Random(seed)):
            assert normal(made.text).split() == list(made.words)
            assert made.marks
            for k, numbers in made.marks:
                assert made.words[k] not in STOP
                assert max(numbers) < len(some)
            texts.add(made.text)
    assert len(texts) > 100


def test_where_a_thing_is_said_to_be_is_where_it_is():
    for seed in range(60):
        for made in captions_of(things()[:1], PHOTOGRAPH[1:2], Random(seed)):
            assert "on the right" not in made.text
            assert "in the middle" not in made.text


def test_scenes_are_told_by_at_least_two_people():
    told = [m.text for s in range(60) for m in captions_of(things()[:1], PHOTOGRAPH, Random(s))]
    assert any(text.endswith("dog is standing in the snow") for text in told)
    assert not any("in front of a wall" in text for text in told)


def test_looks_are_spelled_like_words():
    for stamp in table():
        for word in [*stamp.look.split(), *stamp.names]:
            assert word.isalpha()
            assert word.islower()
