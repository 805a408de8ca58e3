"""From weights of convolutions to a checkpoint folder that opens and tells what was measured."""

import json

import pytest
import torch

from models.char_conv import CharConv
from models.checkpoint import read_checkpoint
from models.kinds import open_checkpoint
from models.training.convolution_language import evaluate
from models.training.convolution_recipes import ConvolutionRecipe
from models.training.finish_convolution import finish
from models.training.recipes import Source
from models.training.samples import write_on
from tests.models.training.texts import doubled

RECIPE = ConvolutionRecipe(
    "Toy model",
    Source("toy.txt.gz", "A toy text", "written here", "CC0-1.0"),
    {"hidden_size": 8, "gate_size": 6, "num_layers": 3},
    prompt="ab",
    note="\nA note for readers.\n",
)
PROGRESS = {"step": 7, "best": 1.0, "seconds": 120.0, "history": [{"epoch": 1}]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "toy"
    built = CharConv(RECIPE.config(4)).initialize(torch.Generator().manual_seed(0))
    finish("toy", RECIPE, doubled(), built.state_dict(), PROGRESS, folder)
    return folder


def test_the_figures_are_those_of_the_weights_as_they_are_stored(folder):
    figures = json.loads((folder / "config.json").read_text())["figures"]
    text = doubled()
    nats = evaluate(open_checkpoint(folder).network, text.split("test"), text.split("validation"))
    assert figures["test_nats"] == pytest.approx(nats, abs=6e-5)  # four decimals
    assert figures["test_characters"] == 200


def test_the_card_tells_the_network_the_data_the_command_and_a_sample(folder):
    card = read_checkpoint(folder).card
    for told in (
        "3 layers of causal convolutions over 3 places with 6 gated units each",
        "1, 2 and 4 characters apart",
        "from the 15 characters before it",
        "43,008 characters read",
        "make train NAME=toy",
        "A note for readers.",
        "`toy.txt.gz`",
    ):
        assert told in card
    sample = card.rsplit("```\n", 2)[1]
    assert sample.rstrip("\n") == write_on(
        open_checkpoint(folder), "ab", 400, temperature=0.7, seed=1
    ).rstrip("\n")
