"""Generation steps of convolutions: bitwise reproducible, and equal to a whole pass to 1e-5."""

import numpy as np
import pytest
import torch

from models.char_conv import CharConvConfig
from models.convolution_stepper import ConvolutionStepper
from tests.toys.characters import convolution

V, CAPACITY = 23, 12
CONFIGS = {
    "three": CharConvConfig(V, 21, 19, 4),  # 31 characters: the rings go round several times
    "four": CharConvConfig(V, 16, 33, 2, kernel_size=4, tied=False),
    "one": CharConvConfig(V, 5, 3, 1, kernel_size=2),
}
each = pytest.mark.parametrize("name", CONFIGS)


def build(name: str = "three", capacity: int = CAPACITY) -> ConvolutionStepper:
    return ConvolutionStepper(convolution(CONFIGS[name]), capacity)


def texts(B: int, T: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, V, (T, B))


def read(stepper, slot: int, tokens) -> list[np.ndarray]:
    """Captures and logits of one row, one after the other."""
    return [
        np.concatenate([part[0] for part in stepper.step(np.array([slot]), np.array([token]))])
        for token in tokens
    ]


@each
def test_stepping_through_a_text_is_a_pass_over_it(name, road):
    network, stepper = convolution(CONFIGS[name]), build(name, 5)
    tokens, slots, whole = texts(3, 70), np.array([4, 0, 2]), {}
    expected = network.logits(torch.from_numpy(tokens).T, whole.__setitem__).numpy()  # (B, T, V)
    assert [point for point, _, _ in stepper.layout] == list(whole)
    for t in range(len(tokens)):
        capture, logits = stepper.step(slots, tokens[t])
        assert capture.shape == (3, stepper.width)
        for point, start, stop in stepper.layout:
            np.testing.assert_allclose(
                capture[:, start:stop], whole[point][:, t].numpy(), atol=1e-5, rtol=0
            )
        np.testing.assert_allclose(logits, expected[:, t], atol=3e-5, rtol=0)
    assert not stepper.state[[1, 3]].any()  # slots that took no part


@each
def test_a_row_is_bitwise_the_same_in_every_batch_and_beside_any_neighbour(name, road):
    T = 9
    tokens, alone = texts(CAPACITY, T), build(name)
    expected = [read(alone, b, tokens[:, b]) for b in range(CAPACITY)]
    for B in (1, 2, 3, 5, 6, 7, CAPACITY):
        together = build(name)
        together.state[B:] = 100 * np.random.default_rng(B).standard_normal(
            together.state[B:].shape
        )
        order = np.random.default_rng(B).permutation(B)
        for t in range(T):
            found = np.concatenate(together.step(order, tokens[t, order]), 1)
            for place, b in enumerate(order):
                assert np.array_equal(found[place], expected[b][t])
        assert np.array_equal(together.state[:B], alone.state[:B])


@each
@pytest.mark.parametrize("before", [1, 7, 45])
def test_a_copied_state_goes_on_as_a_replay_does(name, before, road):
    tokens = texts(1, before + 20, before)[:, 0]
    replayed = read(build(name), 3, tokens)[before:]
    stepper = build(name)
    read(stepper, 3, tokens[:before])
    kept = stepper.state[3].copy()
    read(stepper, 3, tokens[before:])  # overwrites the state
    stepper.state[7] = kept
    assert all(map(np.array_equal, read(stepper, 7, tokens[before:]), replayed))


def test_a_reset_slot_starts_anew_and_leaves_the_others(road):
    stepper, tokens = build(), texts(2, 40)
    first = read(stepper, 0, tokens[:, 0])
    read(stepper, 1, tokens[:, 1])
    kept = stepper.state[1].copy()
    stepper.reset(0)
    assert not stepper.state[0].any()
    assert all(map(np.array_equal, read(stepper, 0, tokens[:, 0]), first))
    assert np.array_equal(stepper.state[1], kept)


@pytest.mark.parametrize(("slot", "token"), [(0, V), (0, -1), (CAPACITY, 0), (-1, 0)])
def test_a_slot_or_token_that_there_is_not_is_an_error_and_changes_nothing(slot, token):
    stepper = build()
    with pytest.raises(IndexError):
        stepper.step(np.array([slot]), np.array([token]))
    assert not stepper.state.any()


@pytest.mark.parametrize("B", [0, 3])
def test_a_step_has_between_one_row_and_as_many_as_there_are_slots(B):
    with pytest.raises(ValueError, match="of 2 slots"):
        build(capacity=2).step(np.arange(B), np.arange(B))
