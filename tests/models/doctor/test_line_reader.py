"""Readers of lines of other people are recognised by names and shapes, or not taken for one."""

import numpy as np
import pytest
import torch
from torch import nn

from models.doctor import NotUsable, convert, diagnose
from models.doctor.doctor import opened
from models.doctor.line_reader import KNOWN
from tests.oracle_lines import Features, Lines, lively
from tests.toys.pictures import SIGNS

TOLD = {"vocabulary": SIGNS, "height": "32"}


class Own(nn.Module):
    """The same network under names of somebody's own, the last map declared first."""

    def __init__(self, cell=nn.LSTM):
        super().__init__()
        self.classifier = nn.Linear(8, len(SIGNS))
        self.backbone = Features(2, 3, 4, 5)
        self.above = nn.ModuleDict({"rnn": cell(5, 4, bidirectional=True), "fc": nn.Linear(8, 8)})


def held(network: nn.Module, prefix: str = "") -> dict[str, np.ndarray]:
    return {prefix + name: value.numpy() for name, value in network.state_dict().items()}


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@torch.no_grad()
def test_a_reader_says_what_it_said(cell, layers):
    network = lively(Lines((2, 3, 4, 5), 4, 6, layers, len(SIGNS), cell))
    tensors = held(network, "module.")
    diagnosis = diagnose(tensors, {}, TOLD)
    assert diagnosis.usable
    assert diagnosis.config["channels"] == [2, 3, 4, 5]
    assert (diagnosis.config["cell"], diagnosis.config["num_layers"]) == (cell, layers)
    names = {f"rnn.{k}{way}" for k in range(layers) for way in ("", ".reverse")}
    assert {proof.layer for proof in diagnosis.proof} == names
    assert min(proof.digits for proof in diagnosis.proof) > 12
    picture = torch.rand(1, 1, 32, 60, generator=torch.Generator().manual_seed(0)) * 2 - 1
    ours = opened(convert(tensors, {}, TOLD)).network(picture)[:, 0]
    torch.testing.assert_close(ours, network(picture)[0], atol=1e-4, rtol=0)


def test_the_last_map_is_told_from_those_between_wherever_it_stands():
    network = lively(Own())
    converted = convert(held(network), {}, TOLD)
    found = converted.weights
    np.testing.assert_array_equal(found["output.weight"], network.classifier.weight.detach())
    np.testing.assert_array_equal(found["linear.0.weight"], network.above["fc"].weight.detach())


def test_the_counters_of_batches_are_left_aside_and_named():
    network = lively(Lines((2, 3, 4, 5), 4, 6, 2, len(SIGNS)))
    tensors = held(network)
    counters = [name for name in tensors if name.endswith("num_batches_tracked")]
    diagnosis = diagnose(tensors, {}, TOLD)
    assert [s.names for s in diagnosis.says if "batches" in s.text] == [tuple(counters)]
    kept = convert(tensors, {}, TOLD).weights.values()
    key = lambda value: (value.shape, value.tobytes())
    rest = [value for name, value in tensors.items() if name not in counters]
    assert sorted(map(key, kept)) == sorted(map(key, rest))


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("colour", {"FeatureExtraction.ConvNet.0.weight": (2, 3, 3, 3)}),
        ("a wider kernel", {"FeatureExtraction.ConvNet.18.weight": (5, 5, 3, 3)}),
        ("one convolution fewer", {"FeatureExtraction.ConvNet.8.weight": None}),
        ("no averages", {"FeatureExtraction.ConvNet.12.running_mean": None}),
        ("no bias behind", {"SequenceModeling.0.linear.bias": None}),
        ("more before", {"Transformation.fc.weight": (6, 6)}),
        ("a wrong width", {"SequenceModeling.1.linear.weight": (7, 8)}),
    ],
)
def test_what_is_built_otherwise_is_not_taken_for_it(what, change):
    tensors = held(lively(Lines((2, 3, 4, 5), 4, 6, 2, len(SIGNS))))
    for name, shape in change.items():
        tensors.pop(name, None)
        if shape:
            tensors[name] = np.ones(shape, np.float32)
    diagnosis = diagnose(tensors, {}, TOLD)
    assert diagnosis.kind != "crnn"
    assert not diagnosis.usable
    with pytest.raises(NotUsable):
        convert(tensors, {}, TOLD)


def test_it_asks_for_its_symbols_and_for_the_height_of_its_pictures():
    tensors = held(lively(Lines((2, 3, 4, 5), 4, 6, 2, 97)))
    symbols, height = diagnose(tensors, {}).questions
    assert (symbols.name, symbols.size, height.name) == ("vocabulary", 97, "height")
    assert [value for value, _ in height.choices] == ["64", "32"]
    (guess,) = symbols.guesses
    assert guess.value[0] == "<blank>"
    assert len(set(guess.value)) == 97
    assert all(len(set(symbols)) == len(symbols) for _, symbols in KNOWN)
    (asked,) = diagnose(tensors, {}, {"vocabulary": guess.value, "height": "65"}).questions
    assert (asked.name, "65" in asked.text) == ("height", True)


def test_what_is_tried_first_is_a_line_of_symbols_that_it_knows():
    tensors = held(lively(Lines((2, 3, 4, 5), 4, 6, 1, 37)))
    guess = diagnose(tensors, {}).questions[0].guesses[0].value
    about = convert(tensors, {}, {"vocabulary": guess, "height": "32"}).about
    assert about["prompt"] == "hello"
    assert about["examples"] == ["hello", "0123456789"]
