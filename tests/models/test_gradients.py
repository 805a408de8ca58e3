"""Gradients through time against finite differences, closed forms and torch's own layers, in
float64. Tolerance 1e-6 for differences, 1e-10 for the rest."""

from math import log, prod

import pytest
import torch
from torch.nn import functional as F

from models.char_rnn import CharRNN, CharRNNConfig
from models.gradients import Edits, clip, measure, unroll
from tests.toys import network

V = 7
CONFIGS = {
    "rnn": CharRNNConfig("rnn_tanh", V, 5),
    "relu": CharRNNConfig("rnn_relu", V, 5, 2, embedding_size=3),
    "lstm": CharRNNConfig("lstm", V, 4, 2, embedding_size=3),
    "gru": CharRNNConfig("gru", V, 4, 2),
}
TOKENS = [0, 3, 3, 6, 1, 5, 2, 4, 0]
EACH = pytest.mark.parametrize("name", CONFIGS)


def by_torch(built: CharRNN, tokens=TOKENS) -> torch.Tensor:
    """Losses (T,) by torch's own layers in float64; its parameters then have gradients."""
    built.double().requires_grad_(True)
    read = torch.tensor(tokens)
    logits, _ = built(read[:-1, None])
    return F.cross_entropy(logits[:, 0], read[1:], reduction="none")


@EACH
def test_losses_are_those_of_the_network(name):
    built = network(CONFIGS[name])
    found = measure(built, TOKENS).unrolled.losses.detach()
    torch.testing.assert_close(found, by_torch(built).detach(), atol=1e-12, rtol=0)


@EACH
@pytest.mark.parametrize("at", [None, 4])
def test_norms_of_the_gradients_of_weights_are_those_of_autograd_through_torchs_layers(name, at):
    built = network(CONFIGS[name])
    found = measure(built, TOKENS, at).whole
    losses = by_torch(built)
    (losses.sum() if at is None else losses[at]).backward()
    expected = {k: p.grad.norm().item() for k, p in built.named_parameters()}
    assert found.norms == pytest.approx(expected, rel=1e-9)
    total = torch.nn.utils.clip_grad_norm_(built.parameters(), 0.1)
    after = torch.stack([p.grad.norm() for p in built.parameters()]).norm().item()
    assert found.norm == pytest.approx(total.item(), rel=1e-10)
    assert clip(found.norm, 0.1)[1] == pytest.approx(after, rel=1e-9)


@EACH
def test_the_gradient_at_a_state_is_that_of_finite_differences(name):
    """A state is moved by hand, and the steps behind it are done again."""
    built, at, t = network(CONFIGS[name]), 6, 2
    found = measure(built, TOKENS, at).whole
    top = CONFIGS[name].num_layers - 1
    for letter in unroll(built, TOKENS).layers[top].after:
        H = CONFIGS[name].hidden_size
        slopes = []
        for unit in range(H):
            move = torch.zeros(H, dtype=torch.float64)
            move[unit] = 1e-5
            high, low = (_loss_after(built, at, t, top, letter, m) for m in (move, -move))
            slopes.append((high - low) / 2e-5)
        expected = torch.tensor(slopes).norm().item()
        assert found.reach[f"rnn.{top}.{letter}"][t].item() == pytest.approx(expected, rel=1e-6)


def _loss_after(built, at, t, layer, letter, move) -> float:
    """The loss at a step where a state of the top layer after step t < at has been moved.

    c is moved before h is made of it, as h_t = o_t tanh(c_t) is one of the ways from c to the loss.
    """
    built = built.double()
    with torch.no_grad():
        tokens = torch.tensor(TOKENS)
        x = built.embed(tokens[:-1, None])
        rnn = built.rnn
        below = _stack(rnn, layer)(x)[0] if layer else x
        top = _layer(rnn, layer)
        _, state = top(below[: t + 1])
        if letter == "c":
            _, before = top(below[:t])
            h, c = state
            o = _output_gate(top, below[t], before)
            c = c + move
            state = (o * c.tanh(), c)
        elif isinstance(state, tuple):
            state = (state[0] + move, state[1])
        else:
            state = state + move
        out, _ = top(below[t + 1 :], state)
        logits = built.output(out[at - t - 1, 0])
        return F.cross_entropy(logits, tokens[at + 1]).item()


def _stack(rnn, layers: int):
    kept = type(rnn)(rnn.input_size, rnn.hidden_size, layers, **_options(rnn)).double()
    kept.load_state_dict({k: v for k, v in rnn.state_dict().items() if k in kept.state_dict()})
    return kept


def _layer(rnn, layer: int):
    width = rnn.input_size if layer == 0 else rnn.hidden_size
    kept = type(rnn)(width, rnn.hidden_size, 1, **_options(rnn)).double()
    names = kept.state_dict()
    kept.load_state_dict({k: rnn.state_dict()[k.replace("_l0", f"_l{layer}")] for k in names})
    return kept


def _options(rnn) -> dict:
    return {"nonlinearity": rnn.nonlinearity} if type(rnn) is torch.nn.RNN else {}


def _output_gate(top, x, before):
    rows = x @ top.weight_ih_l0.T + top.bias_ih_l0 + before[0] @ top.weight_hh_l0.T + top.bias_hh_l0
    return rows.chunk(4, dim=-1)[3].sigmoid()


def one_unit(weight: float) -> CharRNN:
    """A linear cell of one unit that reads ones: relu of what stays above zero."""
    built = CharRNN(CharRNNConfig("rnn_relu", 2, 1)).double().requires_grad_(False)
    for name, parameter in built.named_parameters():
        parameter.fill_({"rnn.weight_hh_l0": weight, "rnn.weight_ih_l0": 1.0}.get(name, 0.0))
    built.output.weight[1] = 1.0
    return built


@pytest.mark.parametrize("weight", [0.5, 1.0, 1.5])
def test_in_a_linear_cell_of_one_unit_each_step_back_multiplies_by_its_weight(weight):
    reach = measure(one_unit(weight), [0] * 8, at=6).whole.reach["rnn.0.h"]
    ratios = reach[:-1] / reach[1:]
    torch.testing.assert_close(ratios, torch.full_like(ratios, weight), atol=1e-12, rtol=0)


def test_on_the_road_of_the_cell_state_the_gradient_is_multiplied_by_the_forget_gate():
    """Without recurrent weights the gates do not depend on the past: what is left of dL/dc is the
    product of f, and o tanh'(c) at the last step."""
    built = network(CharRNNConfig("lstm", V, 1))
    found = measure(built, TOKENS, at=7, edits=Edits(weight_scale=0.0))
    layer = found.unrolled.layers[0]
    rows = torch.stack([x + h for x, h in zip(layer.from_x, layer.from_h, strict=True)]).detach()
    f = rows[:, 1].sigmoid().tolist()
    reach = found.whole.reach["rnn.0.c"].tolist()
    for t in range(7):
        assert reach[t] == pytest.approx(reach[7] * prod(f[t + 1 :]), rel=1e-10)


@EACH
def test_chunks_as_long_as_the_text_change_nothing(name):
    built = network(CONFIGS[name])
    found = measure(built, TOKENS, chunk=len(TOKENS))
    assert found.truncated is found.whole
    assert found.cosine == pytest.approx(1)
    assert found.chunk_norms.tolist() == pytest.approx([found.whole.norm])


@EACH
def test_chunks_are_those_of_a_loop_that_detaches_the_state(name):
    built, size = network(CONFIGS[name]), 3
    found = measure(built, TOKENS, chunk=size)
    by_torch(built)  # float64, gradients wanted
    whole = torch.autograd.grad(by_torch(built).sum(), list(built.parameters()))
    read, state, parts = torch.tensor(TOKENS), None, []
    for start in range(0, len(TOKENS) - 1, size):
        piece = read[start : min(start + size, len(TOKENS) - 1), None]
        logits, state = built(piece, state)
        targets = read[start + 1 : start + 1 + len(piece)]
        loss = F.cross_entropy(logits[:, 0], targets, reduction="sum")
        parts.append(torch.autograd.grad(loss, list(built.parameters())))
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
    flat = [torch.cat([g.flatten() for g in part]) for part in (*parts, whole)]
    together, whole = sum(flat[:-1]), flat[-1]
    assert found.chunk_norms.tolist() == pytest.approx([g.norm().item() for g in flat[:-1]])
    assert found.truncated.norm == pytest.approx(together.norm().item(), rel=1e-9)
    assert found.cosine == pytest.approx(F.cosine_similarity(together, whole, 0).item(), rel=1e-9)


def test_a_truncated_gradient_does_not_leave_the_chunk_of_its_loss():
    found = measure(network(CONFIGS["lstm"]), TOKENS, at=5, chunk=3)
    assert (found.truncated.reach["rnn.0.c"][:3] == 0).all()
    assert (found.truncated.reach["rnn.0.c"][3:6] > 0).all()
    assert (found.whole.reach["rnn.0.c"][:6] > 0).all()
    assert (found.whole.reach["rnn.0.c"][6:] == 0).all()
    assert found.truncated.carried["rnn.0.c"][2] > 0  # what is cut off there


@EACH
def test_what_a_state_below_the_loss_gets_comes_all_from_the_next_step(name):
    """In the top layer, before the loss, nothing comes from above. (An LSTM's c also gets what
    comes through its own h.)"""
    found = measure(network(CONFIGS[name]), TOKENS, at=6).whole
    point = f"rnn.{CONFIGS[name].num_layers - 1}.h"
    torch.testing.assert_close(found.carried[point][:6], found.reach[point][:6])
    assert found.carried[point][6] == 0


def test_edits_are_those_of_a_network_with_other_weights():
    for name in ("lstm", "gru"):
        built, H = network(CONFIGS[name]), CONFIGS[name].hidden_size
        found = measure(built, TOKENS, edits=Edits(1.5, -2.0)).unrolled.losses.detach()
        for key, parameter in built.named_parameters():
            if "weight_hh" in key:
                parameter *= 1.5
            if "bias_ih" in key:
                parameter[H : 2 * H] -= 2.0
        torch.testing.assert_close(found, by_torch(built).detach(), atol=1e-6, rtol=0)


def test_gradients_that_explode_past_every_number_are_told_as_such():
    built = network(CharRNNConfig("rnn_relu", V, 6))
    found = measure(built, TOKENS * 60, edits=Edits(weight_scale=60.0))
    assert not torch.isfinite(found.unrolled.losses).all()
    assert not torch.isfinite(found.whole.reach["rnn.0.h"]).all()


def test_the_jacobians_of_steps_take_the_gradient_one_step_back():
    built = network(CONFIGS["gru"])
    found = measure(built, TOKENS, at=6)
    steps = found.unrolled.jacobians(1, list(range(8)))
    assert steps.n == 4
    assert steps.spectral_radius().shape == (8,)
    grown = found.whole.reach["rnn.1.h"]
    stretch = steps.largest_singular_value().double()
    for t in range(1, 7):
        assert log(grown[t - 1] / grown[t]) <= log(stretch[t]) + 1e-6


def test_the_factor_of_a_clip_leaves_a_short_gradient_as_it_is():
    assert clip(0.5, 1.0) == (1.0, 0.5)
    factor, norm = clip(20.0, 1.0)
    assert factor == pytest.approx(1 / 20, rel=1e-6)
    assert norm == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize(
    ("tokens", "options", "said"),
    [
        ([1], {}, "1 tokens, expected at least 2"),
        (TOKENS, {"at": 8}, "at is 8, expected 0 to 7"),
        (TOKENS, {"chunk": 0}, "chunk is 0, expected at least 1"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(tokens, options, said):
    with pytest.raises(ValueError, match=said):
        measure(network(CONFIGS["rnn"]), tokens, **options)
