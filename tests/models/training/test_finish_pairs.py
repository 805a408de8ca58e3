import json

import pytest
import torch

from models.kinds import open_checkpoint
from models.seq2seq import Seq2Seq
from models.training.finish_pairs import finish, read_with
from tests.models.training.reversal import RECIPE, TEXTS, Reversal

PROGRESS = {
    "epoch": 3,
    "step": 1234,
    "best": 0.5,
    "seconds": 120.4,
    "history": [{"epoch": 1, "train": 1.0, "score": 0.5}],
}
BLEU = {
    "bleu": 50.126,
    "bleu_greedy": 48.5,
    "bleu_test": "test_2016_flickr",
    "bleu_beam": 5,
    "bleu_signature": "nrefs:1|case:mixed",
    "length_unit": "words",
    "bleu_by_length": [{"from": 1, "to": 8, "sentences": 120, "bleu": 51.25}],
    "bleu_test_2017_flickr": 44.4,
    "bleu_test_2017_mscoco": 33.3,
}


def weights() -> dict:
    """Weights that float16 rounds."""
    return Seq2Seq(RECIPE.config(6, 6)).initialize(torch.Generator().manual_seed(0)).state_dict()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "backwards"
    finish("backwards", RECIPE, Reversal(), weights(), PROGRESS, folder)
    return folder, json.loads((folder / "config.json").read_text())


def test_the_figures_are_those_of_the_folder_as_it_opens(finished):
    folder, about = finished
    opened = open_checkpoint(folder)
    assert about["figures"] == Reversal().figures(read_with(opened))


def test_the_weights_are_stored_rounded_to_float16_with_both_vocabularies(finished):
    folder, _ = finished
    opened = open_checkpoint(folder)
    stored, given = opened.network.state_dict(), weights()
    assert all(torch.equal(stored[name], given[name].half().float()) for name in given)
    assert any(not torch.equal(stored[name], given[name]) for name in given)
    assert (opened.source.tokens, opened.target.tokens) == (
        Reversal().vocabularies[0].tokens,
        Reversal().vocabularies[1].tokens,
    )


def test_the_config_says_what_the_checkpoint_is_and_how_it_came_to_be(finished):
    _, about = finished
    assert (about["kind"], about["title"]) == ("seq2seq", "Backwards")
    assert (about["source_language"], about["target_language"]) == ("forwards", "backwards")
    assert (about["prompt"], about["examples"]) == ("abc", ["abc", "cab"])
    assert about["pair"] == "toy-other"
    assert about["config"] == RECIPE.config(6, 6).to_dict()
    assert about["data"]["files"] == Reversal().hashes
    assert about["licence"] == about["data"]["licence"] == "CC0-1.0"
    assert about["training"] == {
        "epochs": 3, "steps": 1234, "seconds": 120, "history": PROGRESS["history"]
    }  # fmt: skip
    assert about["parameters"] == sum(value.numel() for value in weights().values())


def test_the_card_states_command_figures_data_licence_hashes_and_partner(finished):
    folder, about = finished
    card = (folder / "README.md").read_text()
    figures = about["figures"]
    for said in (
        "make train NAME=backwards",
        f"{figures['exact']:.2%}",
        f"2 to 3 characters ({len(TEXTS)} texts)",
        "`letters.txt`: `" + "ab" * 32 + "`",
        "licence: CC0-1.0",
        "`toy-other`",
        "additive attention",
        f"{about['parameters']:,} parameters",
        "3 epochs, 1,234 steps",
        "2 minutes",
    ):
        assert said in card


def test_the_samples_on_the_card_are_what_the_stored_weights_write(finished):
    folder, _ = finished
    translate = read_with(open_checkpoint(folder))
    card = (folder / "README.md").read_text()
    for text in RECIPE.examples:
        assert f"- `{text}`\n  `{translate(text, 5)}`" in card


def test_figures_in_bleu_have_a_table_of_their_own(tmp_path, capsys):
    data = Reversal()
    data.figures = lambda translate: BLEU
    finish("backwards", RECIPE, data, weights(), PROGRESS, tmp_path / "toy")
    card = (tmp_path / "toy" / "README.md").read_text()
    for said in (
        "| test_2016_flickr, beam 5 | **50.13** |",
        "| test_2016_flickr, beam 1 | 48.50 |",
        "| test_2016_flickr, 1 to 8 English words (120 sentences) | 51.25 |",
        "| test_2017_flickr, beam 5 | 44.40 |",
        "| test_2017_mscoco, beam 5 | 33.30 |",
        "BLEU (sacrebleu `nrefs:1|case:mixed`)",
    ):
        assert said in card
    assert "50.126" in capsys.readouterr().out
