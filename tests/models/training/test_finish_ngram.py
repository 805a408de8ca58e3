"""From a text to a checkpoint of counts that opens and tells what was measured."""

import json

import numpy as np
import pytest

from models.checkpoint import read_checkpoint
from models.kinds import open_checkpoint
from models.training.finish_ngram import make
from models.training.ngram import cross_entropies, cross_entropy
from models.training.ngram_recipes import NGramRecipe
from models.training.recipes import Source
from tests.models.training.texts import doubled

SOURCE = Source("toy.txt.gz", "A toy text", "written here", "CC0-1.0")


@pytest.mark.parametrize("least", [(0, 0, 0), (0, 0.5, 2)])
def test_the_figures_are_those_of_the_counts_as_they_are_stored(tmp_path, least):
    text = doubled()
    make("toy", NGramRecipe("Toy counts", SOURCE, least, prompt="ab"), text, tmp_path / "toy")
    told = json.loads((tmp_path / "toy" / "config.json").read_text())
    orders = open_checkpoint(tmp_path / "toy").network.orders
    test = text.split("test").numpy()
    nats = list(cross_entropies(orders, test, len(text.symbols)))[-1]
    assert told["figures"]["test_nats"] == pytest.approx(nats, abs=6e-5)  # four decimals
    if not any(least):  # then it is the baseline that every other card quotes
        train = text.split("train").numpy()
        assert nats == pytest.approx(cross_entropy(train, test, 4, 3)[-1], abs=1e-12)
    else:
        assert sum(told["figures"]["orders"]) < sum(told["figures"]["counted"])
    numbers = read_checkpoint(tmp_path / "toy").weights.values()
    assert told["parameters"] == sum(np.asarray(tensor).size for tensor in numbers)


def test_the_card_tells_what_was_kept_the_data_and_the_command(tmp_path):
    recipe = NGramRecipe("Toy counts", SOURCE, (0, 0.5, 2), prompt="ab")
    make("toy", recipe, doubled(), tmp_path / "toy")
    card = read_checkpoint(tmp_path / "toy").card
    for told in ("the last 2 characters", "make train NAME=toy", "`toy.txt.gz`", "CC0-1.0"):
        assert told in card
