import itertools

import pytest
import torch

from models.shapes import BOUNDS, GATES, explore


@pytest.mark.parametrize(
    ("cell", "layers", "bidirectional", "batch_first"),
    list(itertools.product(GATES, (1, 3), (False, True), (False, True))),
)
def test_every_axis_has_the_size_that_its_words_say(cell, layers, bidirectional, batch_first):
    found = explore(cell, 3, 4, layers, bidirectional, batch_first, length=5, batch=2)
    directions = 2 if bidirectional else 1
    sizes = {
        "time": 5, "batch": 2, "input": 3, "unit": 4, "layer": layers,
        "gate and unit": 4 * GATES[cell], "direction and unit": 4 * directions,
        "layer and direction": layers * directions,
    }  # fmt: skip
    for one in found.tensors:
        assert [sizes[axis] for axis in one.axes] == list(one.data.shape), one.name
    assert len(found.tensors) == 3 + (cell == "lstm") + 4 * layers * directions


def test_the_line_of_code_makes_the_layer_whose_parameters_are_shown():
    found = explore("gru", 2, 3, 2, True, True)
    layer = eval(found.code, {"torch": torch})
    shown = {one.name: one.data.shape for one in found.tensors}
    assert all(shown[name] == value.shape for name, value in layer.named_parameters())
    assert found.code == ("torch.nn.GRU(2, 3, num_layers=2, batch_first=True, bidirectional=True)")


def test_the_backward_direction_ends_at_the_first_step():
    found = explore("lstm", bidirectional=True)
    assert found.equal == {
        "last_output": True, "last_output_backward": False, "first_output_backward": True
    }  # fmt: skip


def test_the_same_sizes_give_the_same_numbers():
    first, second = explore(), explore()
    for a, b in zip(first.tensors, second.tensors, strict=True):
        assert torch.equal(a.data, b.data)


def test_the_largest_sizes_run():
    assert explore("lstm", **{name: high for name, (_, high) in BOUNDS.items()}).equal
