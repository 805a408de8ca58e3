"""From weights of transformers to checkpoint folders that open and tell what was measured."""

import json
from dataclasses import replace

import pytest
import torch

from models.checkpoint import read_checkpoint
from models.kinds import open_checkpoint
from models.training.finish_pairs import finish as finish_pairs
from models.training.finish_transformer import MAKING, finish
from models.training.recipes import Source
from models.training.transformer_language import evaluate
from models.training.transformer_recipes import (
    TRANSFORMER_PAIR_RECIPES,
    TRANSFORMER_RECIPES,
    TransformerRecipe,
)
from models.transformer_lm import TransformerLM
from models.transformer_seq2seq import TransformerSeq2Seq
from tests.models.training import reversal
from tests.models.training.texts import doubled

NET = {"context": 16, "hidden_size": 8, "num_layers": 1, "num_heads": 2, "mlp_size": 8}
RECIPE = TransformerRecipe(
    "Toy model",
    Source("toy.txt.gz", "A toy text", "written here", "CC0-1.0"),
    NET,
    prompt="ab",
    note="\nA note for readers.\n",
)
PROGRESS = {"step": 7, "epoch": 1, "best": 1.0, "seconds": 120.0, "history": [{"epoch": 1}]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "toy"
    built = TransformerLM(RECIPE.config(4)).initialize(torch.Generator().manual_seed(0))
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
        "1 blocks of width 8 with 2 heads",
        "a context of 16 characters",
        "make train NAME=toy",
        "A note for readers.",
        "`toy.txt.gz`",
        "## A sample, unedited",
        "the 8 to 16 characters before",
    ):
        assert told in card


def test_the_sample_goes_on_from_the_prompt_and_fits_the_context(folder):
    sample = read_checkpoint(folder).card.rsplit("```\n", 2)[1]
    assert sample.startswith("ab")
    assert len(sample.rstrip("\n")) <= 16


def test_a_transformer_of_pairs_is_finished_like_the_recurrent_ones(tmp_path):
    data = reversal.Reversal()
    recipe = replace(
        TRANSFORMER_PAIR_RECIPES["translate-en-fr-transformer"],
        title="Reversal",
        network={
            "context": 32,
            "hidden_size": 8,
            "encoder_layers": 1,
            "decoder_layers": 1,
            "num_heads": 2,
            "mlp_size": 8,
        },
        examples=("abc",),
    )
    network = TransformerSeq2Seq(recipe.config(*map(len, data.vocabularies)))
    network.initialize(torch.Generator().manual_seed(0))
    out = tmp_path / "toy"
    finish_pairs("toy", recipe, data, network.state_dict(), PROGRESS, out, MAKING)
    opened = open_checkpoint(out)
    assert opened.kind == "transformer_seq2seq"
    about = json.loads((out / "config.json").read_text())
    assert "pair" not in about
    assert "1 blocks that read, 1 that write" in read_checkpoint(out).card


def test_shakespeare_is_read_by_networks_of_the_same_size_to_three_per_cent():
    config = TRANSFORMER_RECIPES["shakespeare-gpt"].config(84)
    with torch.device("meta"):
        count = sum(p.numel() for p in TransformerLM(config).parameters())
    assert abs(count / 883_028 - 1) < 0.03  # shakespeare-lstm
