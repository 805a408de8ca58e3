"""Every captured number against cells of torch.nn that are stepped one by one in float64, their
gates worked out from the formulas. Tolerance 1e-5, 3e-6 for the kernels, 5e-5 on a GPU."""

import itertools

import pytest
import torch
from torch import nn

from models.cells import CELL_POINTS, Recurrent, letter_range
from models.trace import UnknownPoint

H, INPUT = 19, 7  # no multiple of any vector or panel
TOLERANCE = {"kernels": 3e-6, "torch": 1e-5}
ON_A_GPU = 5e-5  # cuDNN's own tanh and logistic function; seen: 1.8e-5
SHAPES = list(itertools.product((1, 2, 37), (1, 2, 3)))  # T, B


def build(cell: str, layers=1, bidirectional=False, bias=True, hidden=H, spread=0.4) -> nn.RNNBase:
    """A torch.nn layer stack with seeded normal weights."""
    kind = {"lstm": nn.LSTM, "gru": nn.GRU}.get(cell, nn.RNN)
    options = {"nonlinearity": cell[4:]} if kind is nn.RNN else {}
    network = kind(INPUT, hidden, layers, bias=bias, bidirectional=bidirectional, **options)
    generator = torch.Generator().manual_seed(layers)
    spread = spread / 2 if cell.startswith("rnn") else spread
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(spread * torch.randn(parameter.shape, generator=generator))
    return network.eval().requires_grad_(False)


def normal(*shape: int, seed: int = 5) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def step_by_step(cell: str, network: nn.RNNBase, x: torch.Tensor, state: torch.Tensor):
    """All points and the last state from nn.LSTMCell, nn.GRUCell or nn.RNNCell in float64."""
    weights = {name: value.double() for name, value in network.state_dict().items()}
    hidden = network.hidden_size
    kind = {"lstm": nn.LSTMCell, "gru": nn.GRUCell}.get(cell, nn.RNNCell)
    options = {"nonlinearity": cell[4:]} if kind is nn.RNNCell else {}
    x, state, row = x.double(), state.double().clone(), 0
    points = {}
    for layer in range(network.num_layers):
        outputs = []
        for suffix, name in (("", ""), ("_reverse", ".reverse"))[: 1 + network.bidirectional]:
            own = {
                key.removesuffix(f"_l{layer}{suffix}"): value
                for key, value in weights.items()
                if key.endswith(f"_l{layer}{suffix}")
            }
            one = kind(x.shape[-1], hidden, bias=network.bias, dtype=torch.float64, **options)
            one.load_state_dict(own)
            b_ih, b_hh = own.get("bias_ih", 0.0), own.get("bias_hh", 0.0)
            found = {letter: [None] * len(x) for letter in CELL_POINTS[cell]}
            h = state[row]
            c = state[row + 1] if cell == "lstm" else None
            for t in range(len(x))[:: -1 if suffix else 1]:
                from_x, from_h = x[t] @ own["weight_ih"].T + b_ih, h @ own["weight_hh"].T + b_hh
                if cell == "lstm":
                    i, f, g, o = (from_x + from_h).split(hidden, dim=1)
                    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
                    h, c = one(x[t], (h, c))
                    values = {"h": h, "c": c, "i": i, "f": f, "g": g, "o": o}
                elif cell == "gru":
                    (xr, xz, xn), (hr, hz, hn) = from_x.split(hidden, 1), from_h.split(hidden, 1)
                    r, z = (xr + hr).sigmoid(), (xz + hz).sigmoid()
                    h = one(x[t], h)
                    values = {"h": h, "r": r, "z": z, "n": (xn + r * hn).tanh()}
                else:
                    h = one(x[t], h)
                    values = {"h": h, "a": from_x + from_h}
                for letter, value in values.items():
                    found[letter][t] = value
            state[row] = h
            if cell == "lstm":
                state[row + 1] = c
            row += 1 + (cell == "lstm")
            for letter, values in found.items():
                points[f"rnn.{layer}{name}.{letter}"] = torch.stack(values).detach()
            outputs.append(points[f"rnn.{layer}{name}.h"])
        x = torch.cat(outputs, dim=-1)
    return points, x, state.detach()


def largest(a: torch.Tensor, b: torch.Tensor) -> float:
    """The largest difference of two tensors of one shape."""
    assert a.shape == b.shape
    return float((a - b).abs().max())


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both-ways"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELL_POINTS)
def test_every_captured_number_is_that_of_the_cells_of_torch(
    cell, layers, bidirectional, bias, road
):
    network = build(cell, layers, bidirectional, bias)
    recurrent = Recurrent(cell, network.state_dict())
    for T, B in SHAPES:
        x, state = normal(T, B, INPUT), 0.3 * normal(recurrent.state_rows, B, H)
        points, output, after = step_by_step(cell, network, x, state)
        found = recurrent.run(x, state)
        assert list(found.points) == list(points) == [point.name for point in recurrent.points]
        for name, expected in points.items():
            assert largest(found.points[name], expected) <= TOLERANCE[road], (name, T, B)
        assert largest(found.output, output) <= TOLERANCE[road]
        assert largest(found.state, after) <= TOLERANCE[road]


@pytest.mark.parametrize("cell", CELL_POINTS)
def test_outputs_and_states_are_those_of_the_fused_layer(cell, road):
    network = build(cell, 2, bidirectional=True)
    x = normal(37, 3, INPUT)
    output, last = network(x)
    found = Recurrent(cell, network.state_dict()).run(x)
    assert largest(found.output, output) <= TOLERANCE[road]
    if cell == "lstm":
        last = torch.stack(last, dim=1).flatten(0, 1)  # (D * layers * 2, B, H): h, c in turn
    assert largest(found.state, last) <= TOLERANCE[road]


@pytest.mark.parametrize("half", [False, True], ids=["float32", "float16"])
@pytest.mark.parametrize("cell", CELL_POINTS)
def test_both_roads_agree_on_many_units_and_long_texts(cell, half, compiled, monkeypatch):
    from models import kernels

    network = build(cell, 2, hidden=150, spread=0.12)
    if half:
        network = network.half().float()
    recurrent = Recurrent(cell, network.state_dict())
    assert recurrent.half is (half and bool(kernels.FEATURES.get("f16c")))
    x = normal(300, 2, INPUT)
    fast = recurrent.run(x)
    monkeypatch.setattr(kernels, "ready", lambda: False)
    plain = recurrent.run(x)
    for name in plain.points:
        assert largest(fast.points[name], plain.points[name]) <= 1e-5
    assert largest(fast.state, plain.state) <= 1e-5


@pytest.mark.parametrize("cell", CELL_POINTS)
def test_any_subset_of_points_gives_the_same_numbers_and_nothing_else(cell, road):
    recurrent = Recurrent(cell, build(cell, 2, bidirectional=True).state_dict())
    x = normal(11, 2, INPUT)
    everything = recurrent.run(x)
    for size in (0, 1, 2):
        for letters in itertools.combinations(CELL_POINTS[cell], size):
            asked = [f"rnn.1.reverse.{letter}" for letter in letters]
            found = recurrent.run(x, points=asked)
            assert list(found.points) == asked
            assert largest(found.output, everything.output) == 0
            assert largest(found.state, everything.state) == 0
            for name in asked:
                assert largest(found.points[name], everything.points[name]) == 0


@pytest.mark.parametrize("cell", CELL_POINTS)
def test_a_text_cut_in_two_goes_on_where_it_stopped(cell, road):
    recurrent = Recurrent(cell, build(cell, 2).state_dict())
    x = normal(20, 2, INPUT)
    whole = recurrent.run(x)
    first = recurrent.run(x[:7])
    second = recurrent.run(x[7:], first.state)
    for name, value in whole.points.items():
        joined = torch.cat([first.points[name], second.points[name]])
        assert largest(joined, value) <= TOLERANCE[road]


def test_the_state_that_is_handed_in_is_left_alone(road):
    recurrent = Recurrent("lstm", build("lstm").state_dict())
    state = normal(2, 1, H)
    before = state.clone()
    recurrent.run(normal(5, 1, INPUT), state)
    assert torch.equal(state, before)


def test_float64_is_computed_in_float64(road):
    network = build("gru", 2).double()
    x = normal(9, 2, INPUT).double()
    found = Recurrent("gru", network.state_dict()).run(x)
    assert found.output.dtype == torch.float64
    assert largest(found.output, network(x)[0]) <= 1e-12


def test_saturated_gates_stay_in_their_range(road):
    network = build("lstm", spread=40.0)
    recurrent = Recurrent("lstm", network.state_dict())
    found = recurrent.run(normal(30, 2, INPUT)).points
    for point in recurrent.points:
        low, high = {"unit": (0, 1), "signed": (-1, 1)}.get(point.range, (-31, 31))
        assert low <= found[point.name].min() <= found[point.name].max() <= high


def test_points_say_the_range_of_their_letters():
    ranges = {
        cell: [letter_range(cell, x) for x in letters] for cell, letters in CELL_POINTS.items()
    }
    assert ranges == {
        "rnn_tanh": ["signed", "real"],
        "rnn_relu": ["real", "real"],
        "lstm": ["signed", "real", "unit", "unit", "signed", "unit"],
        "gru": ["signed", "unit", "unit", "signed"],
    }
    points = Recurrent("gru", build("gru", 1, bidirectional=True).state_dict()).points
    assert [point.name for point in points] == [
        *("rnn.0.h", "rnn.0.r", "rnn.0.z", "rnn.0.n"),
        *("rnn.0.reverse.h", "rnn.0.reverse.r", "rnn.0.reverse.z", "rnn.0.reverse.n"),
    ]
    assert {point.shape for point in points} == {(None, H)}


def test_weights_that_do_not_fit_are_named():
    weights = build("lstm", 2).state_dict()
    with pytest.raises(ValueError, match="cell 'mlp' is not one of"):
        Recurrent("mlp", weights)
    with pytest.raises(ValueError, match="weight_ih_l0 and weight_hh_l0 are needed"):
        Recurrent("lstm", {})
    with pytest.raises(ValueError, match=r"weight_ih_l0 has shape \(76, 7\), expected \(57, 7\)"):
        Recurrent("gru", weights)
    missing = {name: value for name, value in weights.items() if name != "bias_hh_l1"}
    with pytest.raises(ValueError, match=r"bias_hh_l1 \(76,\) is missing"):
        Recurrent("lstm", missing)
    with pytest.raises(ValueError, match="weight_hr_l0 is not a parameter of this lstm"):
        Recurrent("lstm", {**weights, "weight_hr_l0": torch.zeros(3, H)})


def test_inputs_that_do_not_fit_are_refused_with_what_was_expected(road):
    recurrent = Recurrent("gru", build("gru").state_dict())
    with pytest.raises(ValueError, match=r"x has shape \(3, 2\), expected \(T, B, 7\)"):
        recurrent.run(torch.zeros(3, 2))
    with pytest.raises(ValueError, match=r"x has shape \(0, 1, 7\)"):
        recurrent.run(torch.zeros(0, 1, INPUT))
    with pytest.raises(ValueError, match=r"state has shape \(1, 1, 19\), expected \(1, 2, 19\)"):
        recurrent.run(torch.zeros(3, 2, INPUT), torch.zeros(1, 1, H))
    with pytest.raises(UnknownPoint, match=r"rnn\.0\.c"):
        recurrent.run(torch.zeros(3, 2, INPUT), points=["rnn.0.c"])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("cell", CELL_POINTS)
def test_a_cuda_device_gives_the_same_numbers(cell):
    network = build(cell, 2, bidirectional=True)
    x = normal(37, 2, INPUT)
    recurrent = Recurrent(cell, network.state_dict())
    points, _, _ = step_by_step(cell, network, x, torch.zeros(recurrent.state_rows, 2, H))
    on_device = {name: value.cuda() for name, value in network.state_dict().items()}
    found = Recurrent(cell, on_device).run(x.cuda())
    for name, expected in points.items():
        assert largest(found.points[name].cpu(), expected) <= ON_A_GPU, name
