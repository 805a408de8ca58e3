import json
import math

import pytest
import torch

from models.char_rnn import CharRNN
from models.kinds import open_checkpoint
from models.training import ngram
from models.training.corpus import Corpus
from models.training.finish import finish, measure
from models.training.language import evaluate
from models.training.recipes import RECIPES, Recipe, Source
from tests.models.training.texts import doubled

SOURCE = Source("toy.txt.gz", "A toy text", "written here", "CC0-1.0")
NET = {"cell": "lstm", "hidden_size": 8, "num_layers": 1, "embedding_size": 4}
RECIPE = Recipe("Toy model", SOURCE, NET, prompt="ab", note="\nA note for readers.\n")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Weights that float16 rounds, and the folder made of them."""
    folder = tmp_path_factory.mktemp("out") / "toy"
    built = CharRNN(RECIPE.config(4)).initialize(torch.Generator().manual_seed(0))
    progress = {"step": 7, "best": 1.0, "seconds": 120.0, "history": [{"epoch": 1}]}
    weights = built.state_dict()
    finish("toy", RECIPE, doubled(), weights, progress, folder)
    return folder, weights


def test_the_figures_are_those_of_the_weights_as_they_are_stored(finished):
    folder, _ = finished
    figures = json.loads((folder / "config.json").read_text())["figures"]
    network, text = open_checkpoint(folder).network, doubled()
    train, validation, test = (text.split(part) for part in ("train", "validation", "test"))
    nats = evaluate(network, test, validation)
    assert figures["test_nats"] == pytest.approx(nats, abs=6e-5)  # four decimals
    assert figures["test_bits"] == pytest.approx(nats / math.log(2), abs=6e-5)
    assert figures["validation_nats"] == pytest.approx(
        evaluate(network, validation, train), abs=6e-5
    )
    assert figures["test_characters"] == 200


def test_the_baseline_has_the_order_that_is_best_on_validation_and_is_measured_on_test(finished):
    folder, _ = finished
    figures = json.loads((folder / "config.json").read_text())["figures"]
    text = doubled()
    train, validation, test = (text.split(part) for part in ("train", "validation", "test"))
    by_order = ngram.cross_entropy(train, validation, 4, 8)
    assert figures["ngram_order"] == by_order.index(min(by_order)) + 1
    on_test = ngram.cross_entropy(train, test, 4, 8)[figures["ngram_order"] - 1]
    assert figures["ngram_test_nats"] == pytest.approx(on_test, abs=6e-5)


def test_the_weights_are_stored_rounded_to_float16(finished):
    folder, weights = finished
    stored = open_checkpoint(folder).network.state_dict()
    assert all(torch.equal(stored[name], weights[name].half().float()) for name in weights)


def test_the_card_states_figures_data_licence_command_and_note(finished):
    folder, _ = finished
    card = (folder / "README.md").read_text()
    about = json.loads((folder / "config.json").read_text())
    for name in ("test_nats", "test_bits", "validation_nats", "ngram_test_nats"):
        assert f"{about['figures'][name]:.3f}" in card
    assert "make train NAME=toy" in card
    assert "ab" * 32 in card
    assert "CC0-1.0" in card
    assert "A note for readers." in card
    assert f"{about['parameters']:,} parameters" in card


def test_the_sample_on_the_card_is_what_the_stored_weights_write(finished):
    from models.training.samples import write_on

    folder, _ = finished
    sample = write_on(open_checkpoint(folder), "ab", 400, temperature=0.7, seed=1)
    assert f"```\n{sample}\n```" in (folder / "README.md").read_text()


def test_an_alphabet_too_large_for_eight_characters_in_64_bits_gets_a_lower_order():
    n = 4000
    text = Corpus("", "", [chr(40 + k) for k in range(300)], torch.arange(n) % 300)
    network = CharRNN(Recipe("", SOURCE, NET).config(300)).eval()
    assert measure(network, text)["ngram_order"] <= 7


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_fixes_a_network_that_may_be_opened(name):
    RECIPES[name].config(100).check()
