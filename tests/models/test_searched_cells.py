"""MUT1, MUT2 and MUT3 against their paper's formulas in NumPy float64: to 1e-12 where they are
computed in float64, to 1e-5 in float32 as a checkpoint runs."""

import numpy as np
import pytest
import torch

from models.char_rnn import CharRNN, CharRNNConfig, CharRunner
from models.checkpoint import CheckpointError
from models.searched_cells import SEARCHED, SearchedRecurrent
from models.text import Characters
from tests.oracle import by_hand
from tests.oracle_searched import steps

H = 7
EACH = pytest.mark.parametrize("cell", SEARCHED)


def normal(*shape: int, seed: int = 5) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def build(cell: str, layers: int = 1, width: int = H):
    network = SEARCHED[cell](width, H, layers)
    with torch.no_grad():
        for k, parameter in enumerate(network.parameters()):
            parameter.copy_(0.6 * normal(*parameter.shape, seed=k))
    return network.requires_grad_(False)


def own(network, layer: int) -> dict:
    suffix = f"_l{layer}"
    return {k.removesuffix(suffix): v for k, v in network.state_dict().items() if suffix in k}


@EACH
def test_every_point_is_that_of_the_papers_formulas(cell):
    network = build(cell, layers=2).double()
    x, state = normal(23, 1, H).double(), normal(2, 1, H, seed=9).double()
    found = SearchedRecurrent(cell, network.state_dict()).run(x, state)
    below = x[:, 0].numpy()
    for layer in (0, 1):
        expected = steps(cell, own(network, layer), below, state[layer, 0].numpy())
        for letter, values in expected.items():
            point = found.points[f"rnn.{layer}.{letter}"][:, 0].numpy()
            np.testing.assert_allclose(point, values, atol=1e-12)
        below = expected["h"]
    np.testing.assert_allclose(found.output[:, 0].numpy(), below, atol=1e-12)


@EACH
def test_what_is_trained_is_what_runs(cell):
    network = build(cell, layers=2)
    x, state = normal(12, 3, H), normal(2, 3, H, seed=9)
    output, last = network(x, state)
    found = SearchedRecurrent(cell, network.state_dict()).run(x, state)
    assert torch.equal(output, found.output)
    assert torch.equal(last, found.state)
    halves = network(x[:5], state)
    again, _ = network(x[5:], halves[1])
    torch.testing.assert_close(torch.cat([halves[0], again]), output)


@EACH
def test_gradients_reach_every_parameter_and_are_those_of_the_formula(cell):
    network = build(cell).double().requires_grad_(True)
    x = normal(4, 2, H).double()
    parameters = tuple(network.parameters())
    names = [name for name, _ in network.named_parameters()]

    def run(*values):
        return torch.func.functional_call(network, dict(zip(names, values, strict=True)), (x,))[0]

    assert torch.autograd.gradcheck(run, parameters)
    run(*parameters).sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in parameters)


@EACH
def test_a_character_model_of_it_traces_and_writes_like_the_oracle(cell, road):
    symbols = list("abcdefg")
    network = CharRNN(CharRNNConfig(cell, len(symbols), H, 2, H))
    network.initialize(torch.Generator().manual_seed(1)).eval().requires_grad_(False)
    runner = CharRunner(network, Characters(symbols), capacity=3)
    tokens = [0, 3, 3, 6, 1, 2, 5, 4]
    values, after, _ = runner.trace(tokens, None, 0, len(tokens))
    points, logits = by_hand(cell, network.state_dict(), tokens)
    assert list(values) == [point.name for point in runner.points]
    for name, expected in points.items():
        assert (values[name].double() - expected).abs().max() <= 1e-5, name
    assert (after.double() - logits.softmax(-1)).abs().max() <= 1e-5
    slot = np.array([1])
    for t, token in enumerate(tokens):
        capture, out = runner.stepper.step(slot, np.array([token]))
        for point, start, stop in runner.layout:
            np.testing.assert_allclose(capture[0, start:stop], values[point][t], atol=1e-5)
        np.testing.assert_allclose(out[0], logits[t], atol=1e-5)


def test_their_parameters_are_two_and_two_two_and_three_three_and_three_blocks():
    counts = {cell: sum(p.numel() for p in build(cell).parameters()) for cell in SEARCHED}
    assert counts == {cell: n * H * H + 3 * H for cell, n in zip(SEARCHED, (4, 5, 6), strict=True)}


@pytest.mark.parametrize("cell", ["mut1", "mut2"])
def test_where_x_has_no_matrix_its_width_must_be_that_of_the_state(cell):
    with pytest.raises(ValueError, match="the input has 5 numbers, the state 7"):
        SEARCHED[cell](5, H)
    with pytest.raises(CheckpointError, match="the input has 5 numbers, the state 7"):
        CharRNNConfig(cell, 5, H).check()
    CharRNNConfig("mut3", 5, H).check()


def test_weights_of_another_cell_are_named():
    with pytest.raises(ValueError, match=r"weight_ih_l0 has shape \(21, 7\), expected \(14, 7\)"):
        SearchedRecurrent("mut1", build("mut3").state_dict())
    with pytest.raises(ValueError, match="cell 'gru' is not one of mut1, mut2, mut3"):
        SearchedRecurrent("gru", build("mut3").state_dict())
