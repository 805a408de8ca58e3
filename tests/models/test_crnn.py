"""The reader of lines beside the published network in torch's own modules."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from models.checkpoint import CheckpointError, read_checkpoint
from models.kinds import build
from models.trace import UnknownPoint
from models.vision import PictureError
from tests.oracle_lines import Lines
from tests.toys.pictures import LINE_READERS, SIGNS, write_line_reader

CLOSE = 1e-5  # absolute, float32 against float32, of probabilities
THEIRS = {
    "features": "FeatureExtraction.ConvNet",
    "linear": "SequenceModeling.{}.linear",
    "rnn": "SequenceModeling.{}.rnn",
    "output": "Prediction",
}


def theirs_of(network) -> Lines:
    """The published network with the weights of ours."""
    c = network.config
    built = Lines(c.channels, c.hidden_size, c.linear_size, c.num_layers, c.classes, c.cell)
    weights = {}
    for name, value in network.state_dict().items():
        part, rest = name.split(".", 1)
        if part in ("rnn", "linear"):
            number, rest = rest.split(".", 1)
            weights[f"{THEIRS[part].format(number)}.{rest}"] = value
        else:
            weights[f"{THEIRS[part]}.{rest}"] = value
    missing, extra = built.load_state_dict(weights, strict=False)
    assert extra == []
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return built.eval()


@pytest.fixture(params=LINE_READERS)
def toy(request, tmp_path):
    network = write_line_reader(tmp_path, request.param)
    return network, build(read_checkpoint(tmp_path))


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)
    return Image.fromarray(pixels)


@torch.no_grad()
def test_every_column_has_the_probabilities_of_the_published_network(toy):
    network, runner = toy
    image = noise(90, network.config.height)
    found = runner.read(image)
    grey = torch.from_numpy(np.asarray(image, np.float32)) / 255
    expected = theirs_of(network)(((grey - 0.5) / 0.5)[None, None]).softmax(-1)[0]
    np.testing.assert_allclose(found.probabilities, expected.numpy(), atol=CLOSE)
    again = network((grey / 0.5 - 1)[None, None])[:, 0].softmax(-1)
    np.testing.assert_allclose(found.probabilities, again.numpy(), atol=CLOSE)


@torch.no_grad()
def test_states_and_gates_are_those_of_torch_s_layers(toy):
    network, runner = toy
    found = runner.read(noise(64, network.config.height)).points
    x = torch.from_numpy(found["features.v"])[:, None]
    for number, (rnn, linear) in enumerate(zip(network.rnn, network.linear, strict=True)):
        h, _ = rnn(x)
        ours = [found[f"rnn.{number}.h"], found[f"rnn.{number}.reverse.h"]]
        np.testing.assert_allclose(np.concatenate(ours, -1), h[:, 0].numpy(), atol=CLOSE)
        x = linear(h)
        np.testing.assert_allclose(found[f"linear.{number}.u"], x[:, 0].numpy(), atol=CLOSE)
    assert list(found) != []
    assert set(found) == {p.name for p in runner.points}
    for point in runner.points:
        assert found[point.name].shape[1:] == point.shape[1:]


def test_only_the_points_asked_for_are_told(toy):
    _, runner = toy
    assert set(runner.read(noise(40, 32), ["rnn.0.reverse.h"]).points) == {"rnn.0.reverse.h"}
    assert runner.read(noise(40, 32), []).points == {}
    with pytest.raises(UnknownPoint):
        runner.read(noise(40, 32), ["rnn.9.h"])


@pytest.mark.parametrize("width", [1, 15, 16, 17, 18, 19, 20, 63, 200])
def test_the_columns_of_a_picture_are_known_before_it_is_read(toy, width):
    network, runner = toy
    height = network.config.height
    found = runner.read(noise(width, height), [])
    count = runner.columns(width, height)
    assert len(found.token_ids) == len(found.centres) == count
    assert 0 <= found.centres[0] < found.centres[-1] + 1 <= found.pixels.shape[1]


def test_a_column_sees_the_place_that_it_is_said_to_see(toy):
    """A change of one column of pixels changes most what stands nearest to it."""
    network, runner = toy
    with torch.no_grad():  # convolutions that only smooth
        for name, value in runner.network.features.state_dict().items():
            value.fill_(0.0 if name.endswith(("bias", "mean")) else 1.0)
            if value.dim() == 4:
                value.div_(value[0].numel())
    height, at = network.config.height, 101
    flat = np.full((height, 200), 128, np.uint8)
    other = flat.copy()
    other[:, at] = 255
    features = [runner.read(Image.fromarray(p), ["features.v"]) for p in (flat, other)]
    change = np.abs(features[0].points["features.v"] - features[1].points["features.v"]).sum(1)
    middle = (change * features[0].centres).sum() / change.sum()
    assert abs(middle - at) < 2  # pixels, of four a column


def test_repetitions_are_merged_and_blanks_dropped(toy):
    _, runner = toy
    a, b, blank = SIGNS.index("a"), SIGNS.index("b"), 0
    ids = [blank, a, a, blank, a, b, b, blank]
    p = np.zeros((8, len(SIGNS)), np.float32)
    p[range(8), ids] = [0.9, 0.5, 0.7, 0.9, 0.6, 0.8, 0.4, 0.9]
    found = runner.merge(ids, p)
    assert [(c.symbol, c.start, c.stop) for c in found] == [("a", 1, 3), ("a", 4, 5), ("b", 5, 7)]
    assert [c.probability for c in found] == pytest.approx([0.7, 0.6, 0.8])


def test_the_blank_is_where_the_vocabulary_says(tmp_path):
    write_line_reader(tmp_path, "toy-lines")
    files = read_checkpoint(tmp_path)
    assert build(replace(files, vocabulary=[*SIGNS[1:], "<blank>"])).blank == len(SIGNS) - 1
    assert build(replace(files, vocabulary=["-", *SIGNS[1:]])).blank == 0


def test_a_picture_that_would_be_very_wide_is_refused(toy):
    _, runner = toy
    with pytest.raises(PictureError, match="2048"):
        runner.read(Image.new("L", (4000, 20)))


def test_a_folder_that_does_not_fit_together_says_why(tmp_path):
    write_line_reader(tmp_path, "toy-lines")
    files = read_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match=r"vocabulary\.json is missing"):
        build(replace(files, vocabulary=None))
    for name, value in (
        ("classes", 9), ("channels", [2, 3, 4]), ("channels", "wide"), ("cell", "rnn"),
        ("channels", [2, 3, 4, 0]), ("hidden_size", 5), ("height", 8),
    ):  # fmt: skip
        about = {**files.about, "config": {**files.about["config"], name: value}}
        with pytest.raises(CheckpointError):
            build(replace(files, about=about))


def test_the_fixed_norm_is_torch_s_in_evaluation(toy):
    network, _ = toy
    norm = network.features[12]
    x = torch.randn(1, norm.weight.numel(), 3, 4, generator=torch.Generator().manual_seed(0))
    plain = F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, False)
    assert torch.equal(norm(x), plain)
