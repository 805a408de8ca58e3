"""A generation's speed beside trainings, against alone; and a training's beside generations.

    python -m tests.benchmarks.training [--quick]

One server with the two-layer LSTM of 512 units of `serving`, every gate of every step streamed.
Rounds alternate: the generations alone, the same beside trainings (airline-gru, a window of 36
months, 16 units: the longest pieces of work there are), the trainings alone. Medians are printed;
what counts are the ratios.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.serving import free_port, load, server, write_model

PARAMETERS = {"window": 36, "hidden_size": 16, "epochs": 3000}
TOKENS = 5000


class Training:
    """A training that begins again when it has ended; counts the epochs that it has been told."""

    def __init__(self, port: int):
        self.port, self.epochs, self.ended = port, 0, False
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        body = json.dumps({"parameters": PARAMETERS}).encode()
        address = f"http://127.0.0.1:{self.port}/api/training/airline-gru"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        while not self.ended:
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    self._read(answer)
            except urllib.error.HTTPError:  # the places of the last round are not free yet
                time.sleep(0.2)

    def _read(self, answer) -> None:
        before = 0
        for line in answer:
            if line.startswith(b'data: {"epoch"'):
                epoch = json.loads(line[6:])["epoch"]
                self.epochs += epoch - before
                before = epoch
            if self.ended:
                return


@contextmanager
def trainings(port: int, count: int) -> Iterator[list[Training]]:
    """So many trainings under way."""
    running = [Training(port) for _ in range(count)]
    while count and sum(one.epochs for one in running) == 0:
        time.sleep(0.05)
    try:
        yield running
    finally:
        for one in running:
            one.ended = True
        for one in running:
            one.thread.join()


def measure(port: int, clients: int, count: int, seconds: float) -> tuple[float, float]:
    """Characters/s of so many generations, and epochs/s of so many trainings beside them."""
    with trainings(port, count) as running:
        before, began = sum(one.epochs for one in running), time.perf_counter()
        if clients:
            rate = asyncio.run(load(port, clients, seconds, TOKENS))["rate"]
        else:
            time.sleep(seconds)
            rate = 0.0
        epochs = sum(one.epochs for one in running) - before
        return rate, epochs / (time.perf_counter() - began)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.training")
    parser.add_argument("--quick", action="store_true", help="one short round of each")
    options = parser.parse_args(arguments)
    seconds, rounds = (2.0, 1) if options.quick else (5.0, 5)
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder))
        command = ["backend", "serve", "--port", str(port), "--checkpoints", folder]
        with server(command, port):
            measure(port, 2, 1, 1.0)  # it is warm
            print("generations  trainings  characters/s  epochs/s", flush=True)
            for clients, count in ((1, 1), (8, 1), (1, 4)):
                report(port, clients, count, seconds, rounds)
    return 0


def report(port: int, clients: int, count: int, seconds: float, rounds: int) -> None:
    """The rows of the table for so many of each."""
    kinds = ((clients, 0), (clients, count), (0, count))
    found = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            found[kind].append(measure(port, *kind, seconds))
    medians = {
        kind: [statistics.median(run[k] for run in runs) for k in (0, 1)]
        for kind, runs in found.items()
    }
    for (a, b), (rate, epochs) in medians.items():
        print(f"{a:11d}  {b:9d}  {rate:12,.0f}  {epochs:8.1f}")
    together, alone, learning = medians[kinds[1]], medians[kinds[0]], medians[kinds[2]]
    print(
        f"generations beside trainings: {together[0] / alone[0]:.2f} of alone; "
        f"trainings beside generations: {together[1] / learning[1]:.2f} of alone",
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(main())
