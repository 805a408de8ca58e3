"""The translators that come with the repository: what they compute is what they say."""

import math

import pytest
import torch
from safetensors.torch import load_file

from models.decoder import BEGIN
from models.training.__main__ import data_folder
from models.training.date_pairs import Dates
from models.training.dates import pairs
from models.training.finish_pairs import read_with
from models.training.multi30k import bleu
from models.training.seq2seq_recipes import PAIR_RECIPES
from models.training.translation import writer
from models.writing import End, Step
from tests.checkpoints.test_shipped import FOLDERS, about, card, opened
from tests.oracle_seq2seq import by_hand

HERE = [folder for folder in FOLDERS if about(folder)["kind"] == "seq2seq"]
EACH = pytest.mark.parametrize("folder", HERE, ids=lambda folder: folder.name)
SENTENCES = pytest.mark.parametrize(
    "folder", [f for f in HERE if "bleu" in about(f)["figures"]], ids=lambda folder: folder.name
)
DATES = pytest.mark.parametrize(
    "folder", [f for f in HERE if "exact" in about(f)["figures"]], ids=lambda folder: folder.name
)
TOLERANCE = 1e-5  # float32 against float64, absolute


def test_each_has_its_partner_of_the_same_size_without_or_with_attention():
    for folder in HERE:
        one, other = about(folder), about(folder.parent / about(folder)["pair"])
        assert other["pair"] == folder.name
        assert {one["config"]["attention"], other["config"]["attention"]} == {"additive", "none"}
        assert one["parameters"] == pytest.approx(other["parameters"], rel=0.02)


@EACH
def test_every_point_of_a_translation_is_that_of_torchs_own_cells_on_the_weights_file(folder):
    runner, told = opened(folder), about(folder)
    source = runner.read(told["prompt"])
    steps = [item for item in runner.translate(source) if isinstance(item, Step)]
    found = {name: torch.tensor(v) for name, v in runner.source_points(source, None).items()}
    for name in steps[0].points:
        found[name] = torch.stack([torch.tensor(step.points[name]) for step in steps])
    weights = load_file(folder / "model.safetensors")
    written = [step.token_id for step in steps]
    kind = told["config"]["cell"], told["config"]["attention"]
    expected, logits = by_hand(*kind, weights, source.ids, [BEGIN, *written[:-1]])
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        size = max(1.0, values.abs().max().item())
        assert (found[name].double() - values).abs().max() <= TOLERANCE * size, name
    chosen = logits.softmax(-1)[torch.arange(len(written)), written]
    told_so = torch.tensor([step.probability for step in steps], dtype=torch.float64)
    assert (told_so - chosen).abs().max() <= TOLERANCE


@EACH
def test_the_card_states_the_figures_and_the_data_of_the_config(folder):
    told, text = about(folder), card(folder)
    for name, value in told["figures"].items():
        if isinstance(value, float):
            assert (f"{value:.2%}" if name.startswith("exact") else f"{value:.2f}") in text, name
    for row in told["figures"].get("bleu_by_length", []):
        assert f"{row['bleu']:.2f}" in text
    for sha in told["data"]["files"].values():
        assert sha in text
    assert told["data"]["origin"] in text
    assert told["licence"] in text


@EACH
def test_the_samples_on_the_card_are_what_it_writes(folder):
    translate = read_with(opened(folder))
    for text in about(folder)["examples"]:
        assert f"- `{text}`\n  `{translate(text, 5)}`" in card(folder)


@SENTENCES
def test_bleu_of_the_likeliest_tokens_is_measured_again(folder):
    data = PAIR_RECIPES[folder.name].data(data_folder())
    try:
        test = data.part("test_2016_flickr")
    except FileNotFoundError:
        pytest.skip("the sentences are not there: the data are not part of the repository")
    runner, figures = opened(folder), about(folder)["figures"]
    data.vocabularies = runner.source, runner.target
    sources, references = zip(*test, strict=True)
    written = writer(runner.network, data)(list(sources))
    # In batches, a near tie may fall the other way: a few words of twelve thousand.
    assert bleu(written, references) == pytest.approx(figures["bleu_greedy"], abs=0.2)
    assert sum(row["sentences"] for row in figures["bleu_by_length"]) == len(test)
    for name, sha in data.hashes.items():
        assert about(folder)["data"]["files"].get(name, sha) == sha


@DATES
def test_the_share_of_dates_that_come_right_is_measured_again_on_other_dates(folder):
    figures, count = about(folder)["figures"], 1000
    data = Dates()
    runner = opened(folder)
    data.vocabularies = runner.source, runner.target
    sources, references = zip(*pairs("again", count, "test_forms"), strict=True)
    written = writer(runner.network, data)(list(sources))
    share = sum(a == b for a, b in zip(written, references, strict=True)) / count
    p = min(max(figures["exact"], 0.002), 0.998)
    assert abs(share - figures["exact"]) < 5 * math.sqrt(2 * p * (1 - p) / count)


def test_attention_pays_on_sentences_and_most_on_long_ones():
    folders = {folder.name: about(folder)["figures"] for folder in HERE}
    with_it, without = folders["translate-en-fr"], folders["translate-en-fr-plain"]
    assert with_it["bleu"] > without["bleu"] + 2
    gains = [
        a["bleu"] - b["bleu"]
        for a, b in zip(with_it["bleu_by_length"], without["bleu_by_length"], strict=True)
    ]
    assert gains[-1] > gains[0]


def test_the_decoder_looks_at_the_beach_when_it_writes_plage():
    runner = opened(next(folder for folder in HERE if folder.name == "translate-en-fr"))
    source = runner.read("a black dog is running on the beach .")
    items = list(runner.translate(source, points=()))
    assert isinstance(items[-1], End)
    at = next(step for step in items[:-1] if runner.target_tokens[step.token_id] == " plage")
    assert source.tokens[int(at.attention.argmax())] == "beach"
