"""The table of counts that comes with the repository: what it says is what its card says."""

import math

import numpy as np
import pytest
import torch

from models.training.__main__ import data_folder
from models.training.corpus import read_corpus
from models.training.ngram import cross_entropies
from models.training.ngram_recipes import NGRAM_RECIPES
from tests.checkpoints.test_shipped import FOLDERS, ROOT, about, card, opened

HERE = [folder for folder in FOLDERS if about(folder)["kind"] == "ngram"]
EACH = pytest.mark.parametrize("folder", HERE, ids=lambda folder: folder.name)
TEXT = "KING.\nMy lord, what news?\n\n[Enter a MESSENGER.]\n"


def test_each_recipe_has_its_table():
    assert {folder.name for folder in HERE} == set(NGRAM_RECIPES)


@EACH
def test_what_comes_next_sums_to_one_and_so_do_the_orders(folder):
    runner = opened(folder)
    values, after, _ = runner.trace(runner.characters.encode(TEXT), None, 0, len(TEXT))
    ones = torch.ones(len(TEXT))
    torch.testing.assert_close(after.sum(1), ones, atol=1e-5, rtol=0)
    torch.testing.assert_close(values["order"].sum(1), ones, atol=1e-5, rtol=0)


@EACH
def test_the_card_tells_the_figures_of_the_config_and_they_fit_together(folder):
    told = about(folder)
    figures, orders = told["figures"], opened(folder).network.orders
    for name in ("test_nats", "test_bits", "validation_nats", "ngram_test_nats"):
        assert f"{figures[name]:.3f}" in card(folder), name
    assert figures["test_bits"] == pytest.approx(figures["test_nats"] / math.log(2), abs=2e-4)
    assert figures["orders"] == [len(one.grams) for one in orders]
    assert all(
        kept <= all_ for kept, all_ in zip(figures["orders"], figures["counted"], strict=True)
    )
    assert told["data"] == about(ROOT / "checkpoints" / "shakespeare-lstm")["data"]
    assert figures["ngram_test_nats"] < figures["test_nats"]  # what was left out cost something


@EACH
def test_it_takes_less_than_half_of_a_network_beside_it(folder):
    size = (folder / "model.safetensors").stat().st_size
    beside = (ROOT / "checkpoints" / "shakespeare-lstm" / "model.safetensors").stat().st_size
    assert size < beside / 2


@EACH
def test_the_figure_on_the_test_text_is_that_of_the_stored_counts(folder):
    source = NGRAM_RECIPES[folder.name].source.file
    if not (data_folder() / source).is_file():
        pytest.skip(f"{source} is not here")
    corpus, runner = read_corpus(data_folder(), source), opened(folder)
    assert corpus.symbols == runner.characters.symbols
    test = np.asarray(corpus.split("test"))
    nats = list(cross_entropies(runner.network.orders, test, runner.vocab_size))[-1]
    assert nats == pytest.approx(about(folder)["figures"]["test_nats"], abs=6e-5)
