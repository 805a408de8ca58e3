import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from models.training.muon import Muon, is_hidden, orthogonal
from models.training.runs import restore, save
from models.transformer_lm import TransformerLM
from models.transformer_seq2seq import TransformerSeq2Seq
from tests.models.stacks import drawn, lively
from tests.models.test_transformer_lm import CONFIGS
from tests.models.test_transformer_seq2seq import CONFIGS as PAIR_CONFIGS

BAND = (0.68, 1.21)  # of singular values, where they were at least SMALL of the matrix's norm
SMALL = 0.0015
shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))


@settings(max_examples=40)
@given(shapes, st.integers(0, 99))
def test_singular_values_come_near_one_and_their_directions_stay(shape, seed):
    matrix = drawn(*shape, seed=seed)
    U, S, V = torch.linalg.svd(matrix, full_matrices=False)
    found = U.T @ orthogonal(matrix) @ V.T  # diagonal: each value changes by itself
    values = found.diagonal()
    off = found - values.diag()
    torch.testing.assert_close(off, torch.zeros_like(off), atol=1e-9, rtol=0)
    large = SMALL * matrix.norm() <= S
    assert torch.all(values[large] > BAND[0])
    assert torch.all(values < BAND[1])
    assert torch.all(values > 0)


def test_small_singular_values_are_raised_too():
    values = torch.tensor([1.0, 1e-3, 1e-4], dtype=torch.float64)
    found = orthogonal(values.diag()).diagonal()
    assert found[1] > 0.4
    assert 300 < found[2] / 1e-4 < 500


def test_matrices_of_one_shape_go_together_and_each_is_what_it_is_by_itself():
    many = drawn(3, 2, 5, 8)
    found = orthogonal(many)
    for i in range(3):
        for j in range(2):
            torch.testing.assert_close(found[i, j], orthogonal(many[i, j]), atol=1e-12, rtol=0)


@given(st.floats(1e-3, 1e3))
def test_neither_the_size_of_a_matrix_matters_nor_which_side_is_longer(scale):
    matrix = drawn(5, 9)
    found = orthogonal(matrix)
    torch.testing.assert_close(orthogonal(scale * matrix), found, atol=1e-3, rtol=0)
    torch.testing.assert_close(orthogonal(matrix.T), found.T, atol=1e-12, rtol=0)


def test_a_gradient_of_zeros_moves_nothing():
    assert torch.equal(orthogonal(torch.zeros(2, 3, 4)), torch.zeros(2, 3, 4))


@pytest.mark.parametrize(
    "network",
    [
        TransformerLM(CONFIGS["llama"]),
        TransformerLM(CONFIGS["gpt"]),
        TransformerSeq2Seq(PAIR_CONFIGS["learned"]),
    ],
    ids=["untied", "tied", "pairs"],
)
def test_the_matrices_of_the_blocks_are_hidden_and_nothing_else_is(network):
    hidden = {name for name, value in network.named_parameters() if is_hidden(name, value)}
    maps = ("query", "key", "value", "output", "up", "gate", "down")
    assert {name.split(".")[-2] for name in hidden} <= set(maps)
    assert all(".blocks." in f".{name}" and name.endswith("weight") for name in hidden)
    inside = {name for name, _ in network.named_parameters() if "blocks." in name}
    assert inside - hidden == {name for name in inside if "norm" in name or "bias" in name}
    groups = Muon(network).param_groups
    assert len(groups[0]["params"]) == len(hidden)
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))


class Maps(nn.Module):
    """A tall matrix, two wide ones of one shape, a table and two rows."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.up = nn.Linear(4, 10)
        self.down = nn.Linear(10, 4, bias=False)
        self.more = nn.Linear(10, 4)

    def forward(self, tokens):
        x = self.up(self.embedding(tokens)).tanh()
        return (self.down(x) - self.more(x).square()) @ self.embedding.weight.T


HIDDEN = ("up.weight", "down.weight", "more.weight")


def maps(seed: int = 0) -> Maps:
    return lively(Maps(), seed).requires_grad_(True)


def gradients(network: nn.Module, seed: int) -> None:
    """Give every parameter a gradient of a batch."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(7, (5, 2), generator=generator)
    network.zero_grad()
    F.cross_entropy(network(tokens[:, 0]), tokens[:, 1]).backward()


def moves(network: nn.Module, optimizer, seed: int) -> dict[str, torch.Tensor]:
    """How far one step moves each parameter."""
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    gradients(network, seed)
    optimizer.step()
    return {name: value.detach() - before[name] for name, value in network.named_parameters()}


def test_the_first_step_goes_along_the_orthogonal_gradient_scaled_by_the_shape():
    network = maps()
    found = moves(network, Muon(network, lr=0.03), 1)
    for name in HIDDEN:
        grad = network.get_parameter(name).grad
        m, n = grad.shape
        expected = -0.03 * max(1, m / n) ** 0.5 * orthogonal(grad)
        torch.testing.assert_close(found[name], expected, atol=1e-6, rtol=0)
    assert found["up.weight"].norm() > 1.2 * found["down.weight"].norm()  # (10, 4), (4, 10)


def test_momentum_is_nesterovs():
    network = maps()
    optimizer = Muon(network, lr=0.03, momentum=0.9)
    kept = dict.fromkeys(HIDDEN, 0.0)
    for seed in range(6):
        found = moves(network, optimizer, seed)
        for name in HIDDEN:
            grad = network.get_parameter(name).grad
            kept[name] = 0.9 * kept[name] + 0.1 * grad
            ahead = 0.1 * grad + 0.9 * kept[name]
            m, n = grad.shape
            expected = -0.03 * max(1, m / n) ** 0.5 * orthogonal(ahead)
            torch.testing.assert_close(found[name], expected, atol=1e-5, rtol=0)


def test_the_matrices_move_as_by_torchs_own_form_which_computes_in_bfloat16():
    one, other = maps(), maps()
    ours = Muon(one, lr=0.02, momentum=0.9)
    theirs = torch.optim.Muon(
        [other.get_parameter(name) for name in HIDDEN],
        lr=0.02, momentum=0.9, weight_decay=0.0, adjust_lr_fn="original",
    )  # fmt: skip
    found, expected = moves(one, ours, 3), moves(other, theirs, 3)
    for name in HIDDEN:
        # Numbers of a bfloat16 are right to 0.4%, and fifteen products pass that on.
        apart = (found[name] - expected[name]).norm() / expected[name].norm()
        assert apart < 0.1, name


def test_everything_else_moves_as_by_torchs_adam_at_its_share_of_the_rate():
    one, other = maps(), maps()
    ours = Muon(one, lr=0.1, ratio=0.3, betas=(0.8, 0.95))
    rest = [name for name, _ in one.named_parameters() if name not in HIDDEN]
    theirs = torch.optim.Adam([other.get_parameter(name) for name in rest], 0.03, (0.8, 0.95))
    for seed in range(25):
        gradients(one, seed)
        for name, value in other.named_parameters():
            value.grad = one.get_parameter(name).grad.clone()
        ours.step()
        theirs.step()
    for name in rest:
        torch.testing.assert_close(
            one.get_parameter(name), other.get_parameter(name), atol=1e-5, rtol=0
        )


def test_decay_draws_the_matrices_towards_zero_and_nothing_else():
    one, other = maps(), maps()
    plain = moves(one, Muon(one, lr=0.1), 2)
    drawn_in = moves(other, Muon(other, lr=0.1, weight_decay=0.5), 2)
    start = maps()
    for name, value in start.named_parameters():
        expected = plain[name] - (0.05 * value.detach() if name in HIDDEN else 0)
        torch.testing.assert_close(drawn_in[name], expected, atol=1e-6, rtol=0)


def test_what_has_no_gradient_stays():
    network = maps()
    optimizer = Muon(network)
    gradients(network, 0)
    network.down.weight.grad = network.up.bias.grad = None
    before = copy.deepcopy(network.state_dict())
    optimizer.step()
    same = {name for name, value in network.state_dict().items() if value.equal(before[name])}
    assert same == {"down.weight", "up.bias"}


def test_a_run_that_goes_on_from_a_save_is_the_same_run(tmp_path):
    network = maps()
    optimizer = Muon(network, lr=0.03)
    for seed in range(4):
        moves(network, optimizer, seed)
    save(tmp_path, {"model": network}, optimizer, {"step": 4})
    for seed in range(4, 9):
        moves(network, optimizer, seed)
    other = maps(seed=5)
    again = Muon(other, lr=0.03)
    rest, progress = restore(tmp_path, {"model": other}, again)
    assert (rest, progress) == ({}, {"step": 4})
    for seed in range(4, 9):
        moves(other, again, seed)
    for name, value in network.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name
