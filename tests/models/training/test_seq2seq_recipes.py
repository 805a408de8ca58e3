import pytest

from models.training.recipes import RECIPES
from models.training.seq2seq_recipes import PAIR_RECIPES

ALL = pytest.mark.parametrize("name", PAIR_RECIPES)


@ALL
def test_every_recipe_fixes_a_network_that_may_be_opened(name):
    PAIR_RECIPES[name].config(100, 90).check()


@ALL
def test_every_recipe_has_a_partner_of_like_size_that_differs_in_the_attention(name):
    recipe = PAIR_RECIPES[name]
    partner = PAIR_RECIPES[recipe.pair]
    assert partner.pair == name
    one, other = recipe.config(100, 90).to_dict(), partner.config(100, 90).to_dict()
    differ = {key for key in one if one[key] != other[key]}
    assert differ <= {"attention", "attention_size"}
    assert (one["attention"] == "none") != (other["attention"] == "none")
    assert recipe.epochs == partner.epochs  # neither is trained for longer


@ALL
def test_every_recipe_says_what_its_pairs_are_and_has_examples(name):
    recipe = PAIR_RECIPES[name]
    assert recipe.prompt in recipe.examples
    assert all((recipe.title, recipe.source, recipe.origin, recipe.licence))


def test_no_two_recipes_have_a_name():
    assert PAIR_RECIPES.keys().isdisjoint(RECIPES)


def test_the_pairs_of_a_recipe_are_read_from_the_data_folder_only_when_asked(tmp_path):
    for recipe in PAIR_RECIPES.values():
        data = recipe.data(tmp_path)
        assert data.hashes == {}


def test_every_example_of_the_dates_can_be_read(tmp_path):
    recipe = PAIR_RECIPES["dates"]
    read, _ = recipe.data(tmp_path).vocabularies
    assert all(read.read_text(text).copied == [] for text in recipe.examples)
