"""What it costs to see the gates: `python -m tests.benchmarks.capture [--quick]`.

Capture: every gate of every step at batch 1, as a ratio to the plain `nn.LSTM`, `nn.GRU` or
`nn.RNN` forward, which shows none. `kernels` with weights of any float32, `kernels, float16`
with weights that are float16 numbers, as checkpoints store them; `torch` is the road without
numba; `naive` is the loop over time that tutorials write.

Steps: one character for B texts, LSTM 2 x 512, vocabulary 100, every gate and the logits,
against `nn.LSTMCell` loops and the `nn.LSTM` module, both without gates.

One thread, in seconds of its processor time, which programs that take turns with it do not
lengthen. What is compared is measured in turn within one run; figures are medians.
"""

import argparse
import sys
from functools import partial
from time import thread_time

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models import kernels
from models.cells import GATES, Recurrent, gates
from models.stepper import Stepper

SHAPES = [  # layers, units, steps
    (1, 128, 100), (1, 128, 1000), (1, 128, 5000), (3, 128, 1000),
    (1, 256, 1000), (2, 256, 5000), (3, 256, 1000), (1, 512, 100),
    (1, 512, 1000), (2, 512, 1000), (3, 512, 100), (1, 1024, 100),
    (2, 1024, 100), (1, 1024, 500),
]  # fmt: skip
QUICK = [(1, 128, 300), (3, 256, 300), (2, 512, 100), (1, 1024, 50)]
KINDS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn_tanh": nn.RNN}
VOCABULARY = 100


def in_turn(tasks: dict, repeats: int, steps: int = 1) -> dict[str, float]:
    """Seconds of one call of each task: medians over `repeats` rounds in which every task runs
    `steps` times in a row (so that each finds its own weights in the cache), one warm-up."""
    times = {name: [] for name in tasks}
    for turn in range(repeats + 1):
        for name, task in tasks.items():
            started = thread_time()
            for _ in range(steps):
                task()
            if turn:
                times[name].append((thread_time() - started) / steps)
    return {name: float(np.median(values)) for name, values in times.items()}


def naive(recurrent: Recurrent, x: Tensor) -> list[dict[str, Tensor]]:
    """A Python loop over time that keeps every gate: what a tutorial does."""
    cell, H = recurrent.cell, recurrent.hidden_size
    layers = []
    for (layer,) in recurrent.layers:
        h = c = x.new_zeros(x.shape[1], H)
        found = []
        for x_t in x:
            from_x = F.linear(x_t, layer.weight_ih, layer.bias_ih)
            now = gates(cell, from_x, F.linear(h, layer.weight_hh, layer.bias_hh))
            if cell == "lstm":
                c = now["c"] = now["f"] * c + now["i"] * now["g"]
                h = now["o"] * c.tanh()
            elif cell == "gru":
                h = (1 - now["z"]) * now["n"] + now["z"] * h
            else:
                h = now["a"].tanh()
            found.append({**now, "h": h})
        layers.append({name: torch.stack([step[name] for step in found]) for name in found[0]})
        x = layers[-1]["h"]
    return layers


def on_torch(task):
    """The task on the road without kernels."""

    def run():
        ready, kernels.ready = kernels.ready, lambda: False
        try:
            task()
        finally:
            kernels.ready = ready

    return run


def capture(shapes: list, repeats: int) -> None:
    """Print the table of whole sequences."""
    columns = ("kernels", "kernels, float16", "torch", "naive")
    print(f"{'':22}{'plain, ms':>10}" + "".join(f"{name:>18}" for name in columns))
    for cell, kind in KINDS.items():
        ratios = []
        for L, H, T in shapes:
            network = kind(H, H, L).eval().requires_grad_(False)
            half = kind(H, H, L).half().float().requires_grad_(False)
            own, own_half = (Recurrent(cell, n.state_dict()) for n in (network, half))
            x = torch.randn(T, 1, H)
            # in pairs with the plain forward: a slow neighbour in time spoils only its pair
            tasks = {
                "kernels": lambda own=own, x=x: own.run(x),
                "kernels, float16": lambda own=own_half, x=x: own.run(x),
                "torch": on_torch(lambda own=own, x=x: own.run(x)),
                "naive": lambda own=own, x=x: naive(own, x),
            }
            plain, row = [], []
            for name, task in tasks.items():
                rounds = repeats if name != "naive" else max(1, repeats // 3)
                pair = {"plain": lambda network=network, x=x: network(x), name: task}
                seconds = in_turn(pair, rounds)
                plain.append(seconds["plain"])
                row.append(seconds[name] / seconds["plain"])
            ratios.append(row)
            figures = "".join(f"{ratio:18.2f}" for ratio in row)
            title = f"{cell} {L} x {H}, T={T}"
            print(f"{title:22}{1e3 * min(plain):10.1f}{figures}", flush=True)
        means = np.exp(np.log(ratios).mean(axis=0))
        figures = "".join(f"{mean:18.2f}" for mean in means)
        print(f"{cell + ', geometric mean':32}{figures}\n", flush=True)


def steps(batches: list[int], repeats: int, H: int = 512, L: int = 2) -> None:
    """Print the table of single steps."""
    V = VOCABULARY
    network = nn.LSTM(V, H, L).eval().requires_grad_(False)
    half = nn.LSTM(V, H, L).half().float().requires_grad_(False)
    output = nn.Linear(H, V).requires_grad_(False)
    cells = [nn.LSTMCell(V if k == 0 else H, H).requires_grad_(False) for k in range(L)]
    table = torch.eye(V)
    print(f"one step, LSTM {L} x {H}, {GATES['lstm']} gates a unit: us (characters/s)")
    for B in batches:
        tokens, slots = np.random.randint(0, V, B), np.arange(B)
        x = table[torch.from_numpy(tokens)]
        stepper = Stepper(
            Recurrent("lstm", network.state_dict()), table, output.weight, output.bias, B
        )
        light = Stepper(
            Recurrent("lstm", half.state_dict()),
            table, output.weight.half().float(), output.bias, B,
        )  # fmt: skip
        state = {
            "module": None,
            "cells": [(torch.zeros(B, H), torch.zeros(B, H)) for _ in cells],
        }

        def cell_loop(x=x, state=state):
            for k, cell in enumerate(cells):
                state["cells"][k] = cell(x, state["cells"][k])
                x = state["cells"][k][0]
            return output(x)

        def module(x=x, state=state):
            h, state["module"] = network(x[None], state["module"])
            return output(h[0])

        tasks = {
            "kernels": partial(stepper.step, slots, tokens),
            "kernels, float16": partial(light.step, slots, tokens),
            "LSTMCell loop": cell_loop,
            "nn.LSTM": module,
        }
        seconds = in_turn(tasks, repeats, steps=10)
        figures = [f"{k} {1e6 * v:.0f} ({B / v:.0f})" for k, v in seconds.items()]
        print(f"  B={B:<4}" + "   ".join(figures), flush=True)


def main(arguments: list[str]) -> int:
    """Print both tables. The exit status: 1 where the kernels cannot be compiled."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.capture")
    parser.add_argument("--quick", action="store_true", help="few shapes, few repeats")
    quick = parser.parse_args(arguments).quick
    if not kernels.warm_up():
        print("numba is not installed: there is nothing to compare", file=sys.stderr)
        return 1
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            steps([1, 8, 32, 128], 5 if quick else 15)
            steps([1], 5 if quick else 15, H=256)
            print()
            capture(QUICK if quick else SHAPES, 3 if quick else 7)
    finally:
        torch.set_num_threads(threads)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
