import math

import pytest

from models.training.cider import Cider

DOG = "a dog runs over the green grass"
MAN = "a man sits on a red bench"
REFERENCES = {
    "dog": [DOG.split(), ["the", "brown", "dog", "is", "running", "fast"]],
    "man": [MAN.split(), ["an", "old", "man", "on", "a", "bench"]],
    "sea": [["waves", "break", "on", "the", "shore"], ["a", "wave", "in", "the", "sea"]],
}


def by_hand(name: str, text: str) -> float:
    """The formula, word for word, without a cache."""

    def grams(words, n):
        return [tuple(words[k : k + n]) for k in range(len(words) - n + 1)]

    def weight(gram):
        holding = sum(
            any(gram in grams(one, len(gram)) for one in some) for some in REFERENCES.values()
        )
        return math.log(len(REFERENCES)) - math.log(max(1, holding))

    def vector(words, n):
        return {gram: grams(words, n).count(gram) * weight(gram) for gram in grams(words, n)}

    def norm(v):
        return math.sqrt(sum(x * x for x in v.values()))

    words, total = text.split(), 0.0
    for n in (1, 2, 3, 4):
        for one in REFERENCES[name]:
            c, s = vector(words, n), vector(one, n)
            if norm(c) and norm(s):
                penalty = math.exp(-((len(words) - len(one)) ** 2) / 72)
                dot = sum(min(x, s.get(g, 0)) * s.get(g, 0) for g, x in c.items())
                total += penalty * dot / (norm(c) * norm(s)) / len(REFERENCES[name])
    return 10 * total / 4


@pytest.mark.parametrize("text", [DOG, MAN, "a dog sits", "dog dog dog dog dog", "the", "zebra"])
@pytest.mark.parametrize("name", REFERENCES)
def test_the_score_is_the_formula(name, text):
    found = Cider(REFERENCES).score(name, text.split())
    assert found == pytest.approx(by_hand(name, text), abs=1e-9)


def test_a_caption_equal_to_the_only_reference_has_ten():
    only = {name: some[:1] for name, some in REFERENCES.items()}
    assert Cider(only).score("dog", DOG.split()) == pytest.approx(10.0)


def test_a_caption_of_another_picture_has_less_than_the_own_one():
    cider = Cider(REFERENCES)
    assert cider.score("dog", MAN.split()) < 0.5 < 3 < cider.score("dog", DOG.split())


def test_breaking_off_before_the_end_mark_costs():
    marked = {name: [[*one, "</s>"] for one in some] for name, some in REFERENCES.items()}
    cider = Cider(marked)
    whole = cider.score("dog", [*DOG.split(), "</s>"])
    assert cider.score("dog", DOG.split()) < whole
