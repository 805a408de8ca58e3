"""The networks that give labels: what their cards say, and what they say of plain cases."""

import pytest
from safetensors.torch import load_file

from models.training.label_recipes import LABEL_RECIPES
from tests.checkpoints.test_shipped import ROOT, about, card, opened

EACH = pytest.mark.parametrize("name", LABEL_RECIPES)


def folder(name: str):
    return ROOT / "checkpoints" / name


def label(name: str, text: str) -> str:
    runner = opened(folder(name))
    found = runner.classify(runner.reads.encode(text)).probabilities
    return runner.labels[found.argmax()]


@EACH
def test_the_card_states_the_figures_the_baseline_and_the_data(name):
    figures, told, text = about(folder(name))["figures"], about(folder(name)), card(folder(name))
    for part in (figures, figures["simple"], figures["majority"], figures["validation"]):
        for kind in ("accuracy", "macro_recall", "macro_f1"):
            assert f"{part[kind]:.2%}" in text
    assert told["data"]["sha256"] in text
    assert told["data"]["licence"] in text
    for row in figures["labels"]:
        assert f"| {row['label']} | {row['test']:,} | {row['recall']:.1%} |" in text


@EACH
def test_the_recipe_is_the_one_that_the_checkpoint_came_from(name):
    told = about(folder(name))
    recipe = LABEL_RECIPES[name]
    assert told["config"].items() >= recipe.network.items()
    assert told["training"]["epochs"] == recipe.epochs
    assert told["prompt"] == recipe.prompt


def test_all_three_together_are_small():
    sizes = [path.stat().st_size for name in LABEL_RECIPES for path in folder(name).iterdir()]
    assert sum(sizes) < 640_000


@pytest.mark.parametrize(
    ("surname", "language"),
    [
        ("Nakamura", "Japanese"),
        ("Petrovsky", "Russian"),
        ("Papadopoulos", "Greek"),
        ("Rossi", "Italian"),
    ],
)
def test_plain_surnames_get_their_language(surname, language):
    assert label("surnames", surname) == language


def test_plain_sentences_get_their_sign():
    assert label("sentiment", "A wonderful, moving and beautiful film.") == "positive"
    assert label("sentiment", "A dull, stupid and boring mess.") == "negative"


def test_the_same_word_gets_the_tag_of_its_place():
    runner = opened(folder("tagger-en"))
    words = ["They", "can", "open", "a", "can", "of", "beans", "."]
    tags = [runner.labels[k] for k in runner.tag(words).probabilities.argmax(-1)]
    assert tags == ["PRON", "AUX", "VERB", "DET", "NOUN", "ADP", "NOUN", "PUNCT"]


def test_the_tagger_beats_the_most_frequent_tag_on_words_it_never_saw():
    found = about(folder("tagger-en"))["figures"]
    assert found["accuracy"] > found["simple"]["accuracy"] + 0.05
    assert found["unseen"]["accuracy"] > found["unseen"]["simple"]["accuracy"] + 0.3


def test_weights_are_those_of_the_vocabularies():
    for name in LABEL_RECIPES:
        weights = load_file(folder(name) / "model.safetensors")
        assert len(weights["embedding.weight"]) == len(opened(folder(name)).reads)
