"""The character models that come with the repository: what they compute is what they say."""

import gzip
import math
from functools import cache

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from backend.settings import Settings
from models.training import hello
from models.training.__main__ import data_folder
from models.training.corpus import read_corpus
from models.training.recipes import CELLS, RECIPES
from models.training.samples import write_on
from tests.backend.serving import events, in_process
from tests.checkpoints.test_shipped import FOLDERS, ROOT, about, card, opened, stored
from tests.oracle import by_hand

HERE = [folder for folder in FOLDERS if about(folder)["kind"] == "char_rnn"]
EACH = pytest.mark.parametrize("folder", HERE, ids=lambda folder: folder.name)
TRAINED = pytest.mark.parametrize(
    "folder", [f for f in HERE if f.name in RECIPES], ids=lambda folder: folder.name
)
TOLERANCE = 1e-5  # float32 against float64, absolute


@EACH
def test_the_first_text_can_be_read(folder):
    opened(folder).characters.encode(about(folder)["prompt"])


@EACH
def test_every_gate_of_a_trace_is_that_of_torchs_own_cells_on_the_weights_file(folder):
    runner, told = opened(folder), about(folder)
    weights = stored(folder)
    text = (write_on(runner, told["prompt"], 60, seed=3) * 3)[:150]
    tokens = runner.characters.encode(text)
    values, after, probability = runner.trace(tokens, None, 0, len(tokens))
    points, logits = by_hand(told["config"]["cell"], weights, tokens)
    assert values.keys() == points.keys()
    for name, expected in points.items():
        # A cell that counts grows past 100: what has no bounds is held relative to its size.
        size = max(1.0, expected.abs().max().item())
        difference = (values[name].double() - expected).abs().max().item()
        assert difference <= TOLERANCE * size, name
    expected = logits.softmax(-1)
    assert (after.double() - expected).abs().max() <= TOLERANCE
    before = expected[torch.arange(len(tokens) - 1), tokens[1:]]
    assert (probability[1:].double() - before).abs().max() <= TOLERANCE


@TRAINED
def test_the_card_states_the_figures_of_the_config_its_data_and_its_command(folder):
    told, text = about(folder), card(folder)
    figures = told["figures"]
    for name in ("test_nats", "test_bits", "validation_nats", "ngram_test_nats"):
        assert f"{figures[name]:.3f}" in text, name
    assert f"{figures['ngram_order']}-gram" in text
    assert f"{figures['test_characters']:,} characters" in text
    assert f"{told['parameters']:,} parameters" in text
    assert told["data"]["sha256"] in text
    assert told["data"]["origin"] in text
    assert told["licence"] in text


@TRAINED
def test_the_two_units_of_a_figure_are_the_same_figure(folder):
    figures = about(folder)["figures"]
    assert figures["test_bits"] == pytest.approx(figures["test_nats"] / math.log(2), abs=2e-4)


@pytest.mark.parametrize(
    "folder",
    [f for f in HERE if f.name in RECIPES and f.name not in CELLS],  # they are made small and alike
    ids=lambda folder: folder.name,
)
def test_a_network_is_better_than_counting(folder):
    figures = about(folder)["figures"]
    assert figures["test_nats"] < figures["ngram_test_nats"]


@TRAINED
def test_the_sample_on_the_card_begins_with_what_the_checkpoint_writes(folder):
    told, runner = about(folder), opened(folder)
    sample = write_on(runner, told["prompt"], 40, temperature=0.7, seed=1)
    assert f"```\n{sample}" in card(folder)


@cache
def corpus(file: str):
    if not (data_folder() / file).is_file():
        pytest.skip(f"{file} is not there: the data are not part of the repository")
    return read_corpus(data_folder(), file)


@TRAINED
def test_the_data_are_those_that_the_checkpoint_names(folder):
    told = about(folder)
    text = corpus(told["data"]["file"])
    assert text.sha256 == told["data"]["sha256"]
    assert text.symbols == opened(folder).characters.symbols
    assert len(text.split("test")) == told["figures"]["test_characters"]


WINDOWS, WINDOW, LEAD = 160, 200, 128


@TRAINED
@torch.no_grad()
def test_the_stated_figure_is_measured_again_on_a_sample_of_the_test_text(folder):
    # The whole test text takes minutes. 160 windows spread evenly over it, each warmed up on
    # the 128 characters before it, give the figure to within four of their standard errors.
    told, network = about(folder), opened(folder).network
    text = corpus(told["data"]["file"])
    whole = torch.cat([text.split("validation")[-LEAD:], text.split("test")])
    starts = torch.linspace(0, len(whole) - LEAD - WINDOW, WINDOWS).long()
    batch = torch.stack([whole[s : s + LEAD + WINDOW] for s in starts], dim=1)  # (time, window)
    logits, _ = network(batch[:-1])
    nats = F.cross_entropy(logits[LEAD - 1 :].transpose(1, 2), batch[LEAD:], reduction="none")
    means = nats.mean(0).double()  # (window,)
    error = means.std().item() / math.sqrt(WINDOWS)
    assert error < 0.06
    assert abs(means.mean().item() - told["figures"]["test_nats"]) < 4 * error


def test_hello_is_trained_to_the_loss_its_card_states():
    _, _, losses = hello.train()
    folder = ROOT / "checkpoints" / "hello-rnn"
    stated = about(folder)["figures"]["train_nats"]
    assert losses[-1] == pytest.approx(stated, abs=0.01)  # rounding differs between machines
    assert f"{stated:.3f} nats" in card(folder)


def test_hello_goes_on_from_good_through_the_api_as_its_card_says():
    with in_process(Settings(checkpoints=ROOT / "checkpoints", device="cpu")) as client:
        for sentence in hello.SENTENCES:
            first = sentence.split()[0]
            body = {"prefix": first, "max_new_tokens": len(sentence) - len(first), "top_k": 1}
            answer = client.post("/api/checkpoints/hello-rnn/generate", json=body)
            name, done = events(answer.text)[-1]
            assert name == "done"
            assert done["text"] == sentence
            assert f"`{first}` goes on to `{sentence}`" in card(ROOT / "checkpoints" / "hello-rnn")


def test_the_corpora_are_as_large_as_the_recipes_say_where_they_are_there():
    for recipe in RECIPES.values():
        path = data_folder() / recipe.source.file
        if path.is_file():
            text = gzip.decompress(path.read_bytes()).decode("utf-8")
            assert np.isin(list(recipe.prompt), list(set(text))).all(), path.name
