import numpy as np
import pytest
import torch

from models.reading import points_of
from models.trace import Point
from models.transformer import Cache
from models.transformer_rows import Rows, step_axis
from tests.toys.transformers import LANGUAGE_MODELS, language_model

MAP, STREAM = ("head", "query", "key"), ("time", "unit")


@pytest.mark.parametrize(
    ("name", "axes", "axis"),
    [
        ("blocks.0.attention", MAP, "query"),
        ("blocks.0.q", ("head", "query", "unit"), "query"),
        ("blocks.0.k", ("head", "key", "unit"), "key"),
        ("decoder.blocks.1.v", ("head", "key", "unit"), "key"),
        ("decoder.blocks.1.cross.attention", MAP, "query"),
        ("blocks.1.residual", STREAM, "time"),
        ("decoder.blocks.1.cross.k", ("head", "key", "unit"), None),
        ("decoder.blocks.1.cross.v", ("head", "key", "unit"), None),
        ("encoder.blocks.0.attention", MAP, None),
        ("encoder.embedding", STREAM, None),
    ],
)
def test_a_written_token_is_one_index_of_an_axis_or_changes_nothing(name, axes, axis):
    assert step_axis(Point(name, axes, "real", (None,) * len(axes))) == axis


def test_a_row_of_a_later_pass_looks_at_what_earlier_ones_read():
    network = language_model(LANGUAGE_MODELS["toy-llama"])
    names = [point.name for point in points_of(network, network.lens)]
    tokens, found = torch.tensor([[3, 1, 4, 1, 5]]), []
    for cuts in ((5,), (2, 3), (1, 1, 1, 2)):
        cache, rows, at, told = Cache(), Rows(network, names, network.lens), 0, []
        for count in cuts:
            network(tokens[:, at : at + count], cache=cache, record=rows.record)
            told += [rows.row(t, at + t) for t in range(count)]
            at += count
        found.append(told)
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            for name in names:
                np.testing.assert_allclose(one[name], two[name], atol=1e-5, err_msg=name)


def test_nothing_is_kept_that_nobody_asks_for():
    network = language_model(LANGUAGE_MODELS["toy-gpt"])
    rows = Rows(network, ["blocks.1.attention"], network.lens)
    network(torch.tensor([[3, 1]]), record=rows.record)
    assert rows._found.keys() == {"blocks.1.q", "blocks.1.k"}
