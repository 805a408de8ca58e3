import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from models.timing import KERNEL, KINDS, Timings, crossing, layers, measure, multiply_adds


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "d"), [(5, 16), (40, 32)])
def test_the_counts_are_half_of_what_torch_counts_as_operations(kind, n, d):
    # Torch's counter sees neither its fused LSTM nor its fused attention on a CPU: take the plain.
    layer = layers(d)[kind]
    fused = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = False
    try:
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            layer(torch.zeros(1, n, d))
    finally:
        torch.backends.mkldnn.enabled = fused
    assert counter.get_total_flops() == 2 * multiply_adds(kind, n, d)


def test_the_counts_are_those_made_by_hand():
    # n 3, d 2. A step of the LSTM: 8 rows, each of 2 inputs and 2 states; 32, three times.
    assert multiply_adds("recurrent", 3, 2) == 96
    # A place: 2 outputs of 3 places with 2 numbers each; 12, three times.
    assert multiply_adds("convolution", 3, 2) == 36
    # Four maps of 3 vectors, 4 each: 48. Nine scores of 2 products, nine weights of 2 numbers: 36.
    assert multiply_adds("attention", 3, 2) == 84
    assert multiply_adds("attention", 128, 64) == multiply_adds("recurrent", 128, 64)  # n = 2 d


@pytest.mark.parametrize("kind", KINDS)
def test_every_layer_makes_as_many_vectors_as_it_reads(kind):
    assert layers(8)[kind](torch.zeros(2, 5, 8)).shape == (2, 5, 8)


@pytest.mark.parametrize(
    ("kind", "reached"),
    [("recurrent", range(2, 9)), ("convolution", range(2, 5)), ("attention", range(9))],
)
def test_one_layer_takes_what_is_at_a_place_as_far_as_the_lesson_says(kind, reached):
    layer, x = layers(8)[kind], torch.zeros(1, 9, 8)
    changed = x.clone()
    changed[0, 2] = 1
    moved = (layer(x) != layer(changed)).any(-1)[0].nonzero().flatten().tolist()
    assert moved == list(reached)
    assert KERNEL == 3


def test_a_width_and_lengths_outside_the_bounds_are_refused():
    for width in (8, 512):
        with pytest.raises(ValueError, match="expected 16 to 256"):
            measure(width)
    for lengths in ((), (0, 2), (4, 4), (8, 2)):
        with pytest.raises(ValueError, match="numbers that grow"):
            measure(16, lengths)


class Clock:
    """Goes on by a second whenever it is looked at."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_lengths_for_which_no_time_is_left_are_not_run():
    found = measure(16, (2, 4, 8), seconds=62, clock=Clock())
    assert found.milliseconds["recurrent"] == [1000, 1000, None]
    assert [None in times for times in found.milliseconds.values()] == [True] * 3
    assert all(len(times) == 3 for times in found.milliseconds.values())
    nothing = measure(16, (2, 4), seconds=0, clock=Clock())
    assert set(map(tuple, nothing.milliseconds.values())) == {(None, None)}


def test_where_curves_cross_is_found_between_the_points():
    def found(one, other, lengths=(16, 64)):
        times = {"recurrent": one, "convolution": one, "attention": other}
        return crossing(Timings(16, lengths, times, 1, 1, "cpu"), "recurrent", "attention")

    # On logarithmic axes lines of slope 1 and 2 from equal distance meet in the middle.
    assert found([2, 8], [1, 16]) == pytest.approx(32, rel=1e-9)
    assert found([2, 8], [1, 4]) is None  # never
    assert found([1, 4], [2, 16]) is None  # from the first length on
    assert found([2, None], [1, 16]) is None
    # Where they cross more than once, the last time counts.
    assert found([2, 1, 2, 8], [1, 2, 1, 16], (1, 4, 16, 64)) == pytest.approx(32, rel=1e-9)
    assert found([2, 8, 8], [1, 16, None], (16, 64, 256)) == pytest.approx(32, rel=1e-9)
