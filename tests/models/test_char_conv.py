"""The network and its traces against `torch.nn.Conv1d`; which characters it sees and which not."""

import json
import math
from dataclasses import replace

import pytest
import torch

from models.char_conv import CharConv, CharConvConfig, CharConvRunner
from models.checkpoint import CheckpointError
from models.kinds import open_checkpoint
from models.text import Characters
from tests.oracle_convolution import by_torch
from tests.toys import SYMBOLS, TEXT
from tests.toys.characters import CONVOLUTIONS, convolution, write_convolution

TOLERANCE = 1e-5  # float32 against float64, absolute
names = pytest.mark.parametrize("name", CONVOLUTIONS)


def runner(name: str) -> CharConvRunner:
    return CharConvRunner(convolution(CONVOLUTIONS[name]), Characters(SYMBOLS), 4)


@names
def test_a_trace_agrees_with_torchs_own_convolutions_at_every_unit_and_step(name):
    run = runner(name)
    tokens = run.reads.encode(TEXT * 3)
    values, after, probability = run.trace(tokens, None, 0, len(tokens))
    points, logits = by_torch(CONVOLUTIONS[name], run.network.state_dict(), tokens)
    assert list(values) == [point.name for point in run.points] == list(points)
    for point, expected in points.items():
        torch.testing.assert_close(values[point].double(), expected, atol=TOLERANCE, rtol=0)
    expected = logits.softmax(-1)
    torch.testing.assert_close(after.double(), expected, atol=TOLERANCE, rtol=0)
    given_before = expected[torch.arange(len(tokens) - 1), tokens[1:]]
    torch.testing.assert_close(probability[1:].double(), given_before, atol=TOLERANCE, rtol=0)
    assert math.isnan(probability[0])


@names
def test_points_have_the_axes_the_sizes_and_the_range_they_declare(name):
    run = runner(name)
    values, _, _ = run.trace(run.reads.encode(TEXT), None, 0, len(TEXT))
    for point in run.points:
        value = values[point.name]
        assert point.axes == ("time", "unit")
        assert value.shape == (len(TEXT), point.shape[1])
        if point.range != "real":
            assert value.min() >= (0 if point.range == "unit" else -1)
            assert value.max() <= 1
    assert {point.range for point in run.points} == {"unit", "signed", "real"}


@names
def test_a_character_changes_nothing_before_it(name):
    network = convolution(CONVOLUTIONS[name])
    tokens = torch.arange(40)[None] % len(SYMBOLS)
    changed = tokens.clone()
    changed[0, 25] = (changed[0, 25] + 5) % len(SYMBOLS)
    one, two = network.logits(tokens)[0], network.logits(changed)[0]
    assert torch.equal(one[:25], two[:25])
    assert not torch.equal(one[25], two[25])


@names
def test_the_receptive_field_ends_where_it_says_to_the_character(name):
    network = convolution(CONVOLUTIONS[name])
    field = network.config.receptive_field
    assert field == {"toy-conv": 1 + 2 * 7, "toy-wide-conv": 1 + 3 * 3}[name]
    tokens = torch.arange(field + 6)[None] % len(SYMBOLS)
    expected = network.logits(tokens)[0, -1]
    last = tokens.shape[1] - 1
    for back, matters in ((field - 1, True), (field, False), (field + 3, False)):
        changed = tokens.clone()
        changed[0, last - back] = (changed[0, last - back] + 5) % len(SYMBOLS)
        assert torch.equal(network.logits(changed)[0, -1], expected) != matters


@names
@pytest.mark.parametrize(("start", "stop"), [(0, 1), (3, 9), (30, 31), (60, 90)])
def test_a_part_of_a_trace_is_the_same_part_of_the_whole_one(name, start, stop):
    run = runner(name)
    tokens = run.reads.encode(TEXT * 4)
    whole, all_after, all_given = run.trace(tokens, None, 0, len(tokens))
    asked = ["blocks.1.residual", "blocks.0.gate"]
    part, after, given = run.trace(tokens, asked, start, stop)
    assert list(part) == asked
    for point in asked:
        torch.testing.assert_close(part[point], whole[point][start:stop], atol=1e-6, rtol=0)
    torch.testing.assert_close(after, all_after[start:stop], atol=1e-6, rtol=0)
    torch.testing.assert_close(given, all_given[start:stop], atol=1e-6, rtol=0, equal_nan=True)


def test_dropout_acts_while_training_only():
    built = convolution(replace(CONVOLUTIONS["toy-conv"], dropout=0.5))
    tokens = torch.arange(10)[None]
    assert torch.equal(built.logits(tokens), built.logits(tokens))
    torch.manual_seed(0)
    built.train()
    assert not torch.equal(built.logits(tokens), built.logits(tokens))


def test_a_seed_fixes_the_start():
    one, two, other = (
        CharConv(CONVOLUTIONS["toy-conv"]).initialize(torch.Generator().manual_seed(seed))
        for seed in (5, 5, 6)
    )
    assert torch.equal(one.blocks[1].gate.weight, two.blocks[1].gate.weight)
    assert not torch.equal(one.blocks[1].gate.weight, other.blocks[1].gate.weight)
    assert not one.blocks[1].gate.bias.any()


@names
def test_what_is_opened_is_what_was_written(tmp_path, name):
    built = write_convolution(tmp_path / name, name)
    run = open_checkpoint(tmp_path / name, capacity=2)
    assert (run.kind, run.tasks, run.context) == ("char_conv", ("trace", "generate"), None)
    weights = built.state_dict()
    for one, value in run.network.state_dict().items():
        assert torch.equal(value, weights[one]), one


HOSTILE = {
    "num_layers": (0, 17, True, 2.0, "7"),
    "kernel_size": (1, 17, None),
    "hidden_size": (0, 8193, -1),
    "gate_size": (0, 1 << 40),
    "tied": (1, "yes", None),
    "norm_eps": (0, -1e-5, "small", math.nan, 10**400),
    "dropout": (1.5, math.nan),
}


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, all in HOSTILE.items() for v in all])
def test_a_config_that_no_network_has_is_refused_by_the_name_of_its_field(field, value):
    with pytest.raises(CheckpointError, match=field):
        replace(CONVOLUTIONS["toy-conv"], **{field: value}).check()


def test_a_past_that_would_take_gigabytes_is_refused_before_memory_is_taken():
    config = CharConvConfig(84, 512, 8, 16, kernel_size=16)
    with pytest.raises(CheckpointError, match="receptive field of 983026 characters"):
        config.check()


def test_a_folder_whose_alphabet_has_another_size_is_refused(tmp_path):
    write_convolution(tmp_path / "toy", "toy-conv")
    (tmp_path / "toy" / "vocabulary.json").write_text(json.dumps(["a", "b"]))
    with pytest.raises(CheckpointError, match=r"vocabulary\.json holds 2 symbols"):
        open_checkpoint(tmp_path / "toy")
