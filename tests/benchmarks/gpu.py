"""What it costs to see the gates on a GPU: `python -m tests.benchmarks.gpu [--quick]`.

Every gate of every step at batch 1, as a ratio to the plain `nn.LSTM`, `nn.GRU` or `nn.RNN`
forward on the same GPU, which shows none; both in float32 as such. Where there is no CUDA device
it says so and measures nothing. Figures are medians of wall-clock time, the device waited for.
"""

import argparse
import sys
from time import perf_counter

import numpy as np
import torch

from models.cells import Recurrent
from tests.benchmarks.capture import KINDS

SHAPES = [(1, 128, 100), (2, 256, 500), (2, 512, 500), (3, 1024, 1000), (2, 512, 5000)]
QUICK = SHAPES[:3]  # layers, units, steps
INPUT = 64  # as wide as the embeddings of the checkpoints


def seconds(task, repeats: int) -> float:
    """Of one call, the device waited for: the median, after some to warm up."""
    times = []
    for turn in range(repeats + 5):
        torch.cuda.synchronize()
        started = perf_counter()
        task()
        torch.cuda.synchronize()
        if turn >= 5:
            times.append(perf_counter() - started)
    return float(np.median(times))


@torch.no_grad()
def capture(shapes: list, repeats: int) -> None:
    """Print the table."""
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    print(f"{'':26}{'plain, ms':>10}{'every gate':>12}{'memory, MB':>12}")
    for cell, kind in KINDS.items():
        ratios = []
        for L, H, T in shapes:
            network = kind(INPUT, H, L).cuda().eval().requires_grad_(False)
            own, x = Recurrent(cell, network.state_dict()), torch.randn(T, 1, INPUT, device="cuda")
            with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                plain = seconds(lambda network=network, x=x: network(x), repeats)
            before = torch.cuda.memory_allocated()
            torch.cuda.reset_peak_memory_stats()
            ratios.append(seconds(lambda own=own, x=x: own.run(x), repeats) / plain)
            grown = (torch.cuda.max_memory_allocated() - before) / 1e6
            title = f"{cell} {L} x {H}, T={T}"
            print(f"{title:26}{1e3 * plain:10.2f}{ratios[-1]:12.2f}{grown:12.0f}", flush=True)
        print(f"{'geometric mean':36}{np.exp(np.log(ratios).mean()):12.2f}")


def main(arguments: list[str] | None = None) -> int:
    flags = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    flags.add_argument("--quick", action="store_true", help="three shapes, few repeats")
    asked = flags.parse_args(arguments)
    if not torch.cuda.is_available():
        print("there is no CUDA device: nothing is measured")
        return 0
    capture(QUICK if asked.quick else SHAPES, 10 if asked.quick else 30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
