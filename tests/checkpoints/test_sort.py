"""The transformer that puts letters in order: its map is what its card says."""

import math

import pytest
import torch
from safetensors.torch import load_file

from models.edits import Edits
from models.slicing import Slice
from models.training.letters import STOP, by_length, in_order, texts
from models.training.sort import NAME, measure, write
from tests.checkpoints.test_shipped import ROOT, about, card, opened
from tests.oracle_transformer import by_hand

FOLDER = ROOT / "checkpoints" / NAME
TOLERANCE = 1e-4  # float32 against float64, a share of the largest number of a point


def test_every_point_of_a_text_is_that_of_the_formulas_on_the_weights_file():
    runner, told = opened(FOLDER), about(FOLDER)
    weights = load_file(FOLDER / "model.safetensors")
    ids = runner.reads.encode(told["prompt"])
    points, stream = by_hand(told["config"], weights, ids)
    reading = runner.reading(ids)
    parts = ("q", "k", "v", "heads", "attention", "attended", "mlp", "residual")
    for name in ("embedding", *(f"blocks.0.{part}" for part in parts)):
        found = torch.tensor(reading.slice(Slice(name)).data).double()
        apart = (found - points[name]).abs().max() / points[name].abs().max()
        assert apart < TOLERANCE, name
    logits = stream @ weights["token_embedding.weight"].double().T
    found = torch.tensor(reading.slice(Slice("blocks.0.lens")).data).double()
    torch.testing.assert_close(found, logits.softmax(-1), atol=TOLERANCE, rtol=0)


def test_the_figures_are_measured_again_on_other_texts():
    figures, count = about(FOLDER)["figures"], 600
    found = measure(opened(FOLDER).network, texts("again", count, "test"))
    for name, tries in (("exact", count), ("looks", found["looks_symbols"])):
        p = min(max(figures[name], 0.002), 0.998)
        assert abs(found[name] - figures[name]) < 5 * math.sqrt(2 * p * (1 - p) / tries), name
    assert found["looks_weight"] == pytest.approx(figures["looks_weight"], abs=0.01)


def test_its_map_can_be_read_by_eye():
    figures = about(FOLDER)["figures"]
    assert figures["exact"] > 0.99
    assert figures["looks"] > 0.99
    assert figures["looks_weight"] > 0.95
    runner, text = opened(FOLDER), "qmdzbxka"
    ids = runner.reads.encode(text + STOP + in_order(text) + STOP)
    data = runner.reading(ids).slice(Slice("blocks.0.attention")).data[0]
    looks = [(text + STOP)[row[:9].argmax()] for row in data[8:-1]]
    assert looks == [*sorted(text), STOP]


def test_without_its_head_it_knows_no_letter():
    runner, right = opened(FOLDER), 0
    for text in texts("off", 40, "test"):
        ids = runner.reads.encode(text + STOP)
        off = runner.reading(ids, Edits(heads_off=frozenset({"blocks.0.0"})))
        guess = off.slice(Slice("blocks.0.lens")).data[-1].argmax()
        right += runner.reads.symbols[guess] == min(text)
    assert right < 20


def test_the_order_in_which_letters_are_read_changes_nothing():
    network = opened(FOLDER).network
    for same in by_length(texts("turned", 60, "test")).values():
        assert write(network, same) == write(network, [text[::-1] for text in same])


def test_the_card_states_the_figures_the_command_and_what_it_writes():
    figures, text = about(FOLDER)["figures"], card(FOLDER)
    for name in ("exact", "exact_longer", "looks", "looks_weight"):
        assert f"{figures[name]:.2%}" in text, name
    for row in figures["exact_by_length"]:
        assert (
            f"{row['from']} to {row['to']} letters ({row['texts']} texts) | {row['exact']:.2%}"
            in text
        )
    for line in about(FOLDER)["examples"]:
        source = line.partition(STOP)[0]
        assert f"- `{source}.`\n  `{write(opened(FOLDER).network, [source])[0]}`" in text
