"""What one layer costs over a sequence, counted and timed: recurrent, convolution, attention.

Three layers of torch read the same n vectors of width d and make n vectors of width d:

    recurrent     `torch.nn.LSTM`: n steps, each of which needs the one before it
    convolution   `torch.nn.Conv1d` over three places, of which none lies ahead
    attention     queries, keys, values and an output map, `scaled_dot_product_attention`, one head

Vaswani et al. 2017 (arXiv:1706.03762), table 1, compares such layers by their cost without its
constants, by the steps that have to wait for each other and by the longest path between two places.
Here all multiply-adds of matrix products are counted, the constants and the maps around attention
too; biases, gates and the softmax are not products of matrices and are left out.

Weights are drawn, not learned: a time does not depend on them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log
from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn
from torch.nn import functional as F

KERNEL = 3  # places that the convolution looks at
KINDS = ("recurrent", "convolution", "attention")
LENGTHS = (16, 32, 64, 128, 256, 512, 1024, 2048)
WIDTHS = (16, 256)  # the smallest and the largest that are measured
RUNS = 7  # of which the middle one counts; three, where there is less time
SECONDS = 1.0  # that all measurements together may take


@dataclass(frozen=True)
class Timings:
    """Medians of times, in milliseconds; None where a run did not fit into the time."""

    width: int
    lengths: tuple[int, ...]
    milliseconds: dict[str, list[float | None]]
    seconds: float  # that measuring took
    threads: int  # that torch may use for one product
    device: str


def multiply_adds(kind: str, n: int, d: int) -> int:
    """Of one layer of width d over n places. Raises KeyError for a kind that is not in KINDS."""
    return {
        "recurrent": 8 * n * d * d,  # four gates, each of the input and of the state before
        "convolution": KERNEL * n * d * d,
        "attention": 4 * n * d * d + 2 * n * n * d,  # four maps; scores, and what they weigh
    }[kind]


def layers(d: int, device: str = "cpu", seed: int = 0) -> dict[str, Callable[[Tensor], Tensor]]:
    """By kind: what takes (B, n, d) to (B, n, d), with weights drawn by the seed."""
    generator = torch.Generator().manual_seed(seed)
    made = {
        "recurrent": nn.LSTM(d, d, batch_first=True),
        "convolution": nn.Conv1d(d, d, KERNEL),
        "attention": nn.ModuleList(nn.Linear(d, d, bias=False) for _ in range(4)),
    }
    with torch.no_grad():
        for module in made.values():
            module.requires_grad_(False)
            for weight in module.parameters():
                weight.uniform_(-(d**-0.5), d**-0.5, generator=generator)
            module.to(device)
    convolve, (query, key, value, output) = made["convolution"], made["attention"]

    def recurrent(x: Tensor) -> Tensor:
        return made["recurrent"](x)[0]

    def convolution(x: Tensor) -> Tensor:
        return convolve(F.pad(x.transpose(1, 2), (KERNEL - 1, 0))).transpose(1, 2)

    def attention(x: Tensor) -> Tensor:
        q, k, v = (one(x)[:, None] for one in (query, key, value))  # (B, 1 head, n, d)
        return output(F.scaled_dot_product_attention(q, k, v)[:, 0])

    return {"recurrent": recurrent, "convolution": convolution, "attention": attention}


@torch.inference_mode()
def measure(
    width: int,
    lengths: tuple[int, ...] = LENGTHS,
    seconds: float = SECONDS,
    device: str = "cpu",
    clock: Callable[[], float] = perf_counter,
) -> Timings:
    """Time one layer of each kind over sequences of growing length, one sequence at a time.

    A length whose runs would not fit into the seconds that are left, judged by the length before
    it, is not run, nor is any longer one of that kind. Raises ValueError for a width that is not
    in WIDTHS and for lengths that do not grow.
    """
    low, high = WIDTHS
    if not low <= width <= high:
        raise ValueError(f"width is {width}, expected {low} to {high}")
    if not lengths or lengths[0] < 1 or list(lengths) != sorted(set(lengths)):
        raise ValueError(f"lengths are {lengths}, expected numbers that grow from 1 or more")
    began = clock()
    # A thread of a pool has OpenMP's number of threads until it is told torch's own.
    torch.set_num_threads(torch.get_num_threads())
    layer = layers(width, device)
    found: dict[str, list[float | None]] = {kind: [] for kind in KINDS}
    fastest = dict.fromkeys(KINDS, 0.0)  # seconds, at the length before
    longest = torch.randn(1, lengths[-1], width, generator=torch.Generator().manual_seed(1))
    longest = longest.to(device)
    for place, n in enumerate(lengths):
        x = longest[:, :n].contiguous()
        for kind in KINDS:
            left = seconds - (clock() - began)
            # As the counts grow; once to warm up, and three times at least.
            grown = multiply_adds(kind, n, width) / multiply_adds(kind, lengths[place - 1], width)
            guess = fastest[kind] * grown
            if left <= 0 or 4 * guess > left or (place and found[kind][-1] is None):
                found[kind].append(None)
                continue
            runs = RUNS if 4 * RUNS * guess < left else 3
            times = _times(layer[kind], x, runs, device, clock)
            fastest[kind] = min(times)
            found[kind].append(1000 * median(times))
    return Timings(width, tuple(lengths), found, clock() - began, torch.get_num_threads(), device)


def _times(layer, x: Tensor, runs: int, device: str, clock: Callable[[], float]) -> list[float]:
    """Seconds of some runs, after one that does not count."""
    times = []
    for _ in range(runs + 1):
        began = clock()
        layer(x)
        if device == "cuda":
            torch.cuda.synchronize()  # a GPU is given its work, and does it later
        times.append(clock() - began)
    return times[1:]


def crossing(found: Timings, one: str, other: str) -> float | None:
    """The length from which on `other` takes longer than `one`, between points by logarithms.

    None where it does not as far as both were measured, or where it does from the first length on.
    """
    where = before = None
    for n, a, b in zip(
        found.lengths, found.milliseconds[one], found.milliseconds[other], strict=True
    ):
        if a is None or b is None:
            break
        gap = log(b / a)
        if gap <= 0:
            where = None
        elif before and before[1] <= 0:
            m, least = before
            where = exp(log(m) + (log(n) - log(m)) * least / (least - gap))
        before = (n, gap)
    return where
