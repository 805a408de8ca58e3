"""Generation steps: bitwise reproducible, and equal to a run of the whole text within 1e-5."""

import itertools
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from models.cells import CELL_POINTS, Recurrent
from models.stepper import Stepper

V, INPUT, H, CAPACITY = 23, 9, 21, 40
examples = settings(
    max_examples=25,
    # the road is chosen once for all examples of a test: that is what is wanted
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@cache
def parts(cell: str, layers: int, bias: bool, half: bool):
    """A seeded network: what Recurrent and Stepper are made from."""
    kind = {"lstm": nn.LSTM, "gru": nn.GRU}.get(cell, nn.RNN)
    options = {"nonlinearity": cell[4:]} if kind is nn.RNN else {}
    generator = torch.Generator().manual_seed(3)
    network = kind(INPUT, H, layers, bias=bias, **options).requires_grad_(False)
    spread = 0.2 if cell.startswith("rnn") else 0.6  # else they are chaotic
    tensors = [*network.parameters(), *map(torch.empty, ((V, INPUT), (V, H), (V,)))]
    for tensor in tensors:
        tensor.copy_(spread * torch.randn(tensor.shape, generator=generator))
        if half:
            tensor.copy_(tensor.half().float())
    return Recurrent(cell, network.state_dict()), *tensors[-3:]


def build(cell="lstm", layers=2, bias=True, half=True, capacity=CAPACITY) -> Stepper:
    return Stepper(*parts(cell, layers, bias, half), capacity)


def texts(B: int, T: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, V, (T, B))


@pytest.mark.parametrize("half", [False, True], ids=["float32", "float16"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", CELL_POINTS)
def test_stepping_through_a_text_is_running_it(cell, layers, bias, half, road):
    recurrent, table, weight, output_bias = parts(cell, layers, bias, half)
    stepper = Stepper(recurrent, table, weight, output_bias, 5)
    tokens, slots = texts(3, 20), np.array([4, 0, 2])
    whole = recurrent.run(table[torch.from_numpy(tokens)])
    expected = (whole.output @ weight.T + output_bias).numpy()
    for t in range(len(tokens)):
        capture, logits = stepper.step(slots, tokens[t])
        assert capture.shape == (3, stepper.width)
        for name, start, stop in stepper.layout:
            assert np.abs(capture[:, start:stop] - whole.points[name][t].numpy()).max() <= 1e-5
        assert logits.shape == (3, V)
        assert np.abs(logits - expected[t]).max() <= 3e-5  # a sum of 21 products
    state = stepper.state[slots].swapaxes(0, 1)
    assert np.abs(state - whole.state.numpy()).max() <= 1e-5
    assert not stepper.state[[1, 3]].any()  # slots that took no part


def test_the_layout_names_every_column_once():
    stepper = build("lstm", 2)
    assert [name for name, _, _ in stepper.layout] == [
        f"rnn.{layer}.{letter}" for layer in (0, 1) for letter in "hcifgo"
    ]
    edges = [edge for _, start, stop in stepper.layout for edge in (start, stop)]
    assert edges[0] == 0
    assert edges[-1] == stepper.width == 12 * H
    assert edges[1:-1:2] == edges[2:-1:2]


@pytest.mark.parametrize("cell", CELL_POINTS)
def test_a_row_is_bitwise_the_same_in_every_batch_size(cell, road):
    tokens = texts(CAPACITY, 3)
    alone = build(cell)
    expected = [
        [np.concatenate(result) for result in alone.step(np.array([b]), tokens[t, b : b + 1])]
        for b, t in itertools.product(range(CAPACITY), range(3))
    ]
    for B in (1, 2, 3, 5, 6, 7, 8, 16, 17, CAPACITY):
        together, slots = build(cell), np.arange(B)
        for t in range(3):
            capture, logits = together.step(slots, tokens[t, :B])
            for b in range(B):
                assert np.array_equal(capture[b], expected[3 * b + t][0])
                assert np.array_equal(logits[b], expected[3 * b + t][1])
        assert np.array_equal(together.state[:B], alone.state[:B])


@examples
@given(
    cell=st.sampled_from(sorted(CELL_POINTS)),
    half=st.booleans(),
    length=st.integers(1, 6),
    companies=st.lists(st.sets(st.integers(1, CAPACITY - 1)), min_size=6, max_size=6),
    seed=st.integers(0, 1000),
)
def test_no_neighbour_changes_a_bit(road, cell, half, length, companies, seed):
    tokens = texts(CAPACITY, length, seed)
    alone, crowded = build(cell, half=half), build(cell, half=half)
    crowded.state[1:] = 100 * np.random.default_rng(seed).standard_normal(crowded.state[1:].shape)
    for t, company in zip(range(length), companies, strict=False):
        expected = [np.copy(x) for x in alone.step(np.array([0]), tokens[t, :1])]
        slots = np.random.default_rng(seed + t).permutation([0, *company])
        place = int(np.argmin(slots))  # where slot 0 went
        found = crowded.step(slots, tokens[t, slots])
        assert np.array_equal(found[0][place], expected[0][0])
        assert np.array_equal(found[1][place], expected[1][0])
    assert np.array_equal(crowded.state[0], alone.state[0])


@examples
@given(
    cell=st.sampled_from(sorted(CELL_POINTS)),
    before=st.lists(st.integers(0, V - 1), min_size=1, max_size=8),
    after=st.lists(st.integers(0, V - 1), min_size=1, max_size=8),
    slot=st.integers(0, CAPACITY - 1),
    other=st.integers(0, CAPACITY - 1),
)
def test_a_copied_state_goes_on_as_a_replay_does(road, cell, before, after, slot, other):
    def read(stepper, slot, tokens):
        return [
            [np.copy(x) for x in stepper.step(np.array([slot]), np.array([token]))]
            for token in tokens
        ]

    replayed = read(build(cell), slot, before + after)[len(before) :]
    stepper = build(cell)
    read(stepper, slot, before)
    kept = stepper.state[slot].copy()
    read(stepper, slot, after)  # overwrites the state
    stepper.state[other] = kept
    restored = read(stepper, other, after)
    for a, b in zip(replayed, restored, strict=True):
        assert np.array_equal(a[0], b[0])
        assert np.array_equal(a[1], b[1])


def test_a_reset_slot_starts_anew_and_leaves_the_others(road):
    stepper, slots, tokens = build(), np.array([0, 1]), np.array([3, 3])
    first = np.copy(stepper.step(slots, tokens)[0][0])
    kept = stepper.state[1].copy()
    stepper.reset(0)
    assert not stepper.state[0].any()
    assert np.array_equal(stepper.state[1], kept)
    assert np.array_equal(stepper.step(slots, tokens)[0][0], first)


@pytest.mark.parametrize(("slot", "token"), [(0, V), (0, -1), (CAPACITY, 0), (-1, 0)])
def test_a_slot_or_token_that_there_is_not_is_an_error_and_changes_nothing(slot, token, road):
    stepper = build()
    with pytest.raises(IndexError):
        stepper.step(np.array([slot]), np.array([token]))
    assert not stepper.state.any()


def test_a_step_has_between_one_row_and_as_many_as_there_are_slots(road):
    stepper = build(capacity=2)
    for B in (0, 3):
        with pytest.raises(ValueError, match="of 2 slots"):
            stepper.step(np.arange(B), np.arange(B))


def test_a_backward_direction_cannot_step():
    network = nn.GRU(INPUT, H, bidirectional=True)
    recurrent = Recurrent("gru", network.state_dict())
    with pytest.raises(ValueError, match="cannot step"):
        Stepper(recurrent, *(torch.zeros(s) for s in ((V, INPUT), (V, H), (V,))), 1)
