"""Streaming every gate to 1, 8 and 50 readers: this server beside a naive one, in one run.

    python -m tests.benchmarks.serving [--quick]

Both serve the same two-layer LSTM of 512 units with seeded, untrained weights (speed does not
depend on what a network has learned), over HTTP on this machine, to clients that count events
and parse nothing. The naive server is what one writes first: a generator that runs in a thread
for each request, `nn.LSTM` called a character at a time, the gates recomputed with the products
of the cell, JSON lists. Rounds of the two alternate and the medians are printed; what counts is
the ratio. A reader starts again whenever its text is complete.

The clients share the processor with the server that they measure.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = "benchmark-lstm"
HIDDEN, LAYERS = 512, 2
SYMBOLS = [chr(code) for code in range(32, 127)]
MARK = b"event: step"
PREFIX = "The quick brown fox"


def write_model(folder: Path) -> None:
    """A checkpoint folder with a 2x512 LSTM, seeded and untrained."""
    import torch

    from models.char_rnn import CharRNN, CharRNNConfig
    from models.checkpoint import write_checkpoint

    config = CharRNNConfig("lstm", len(SYMBOLS), HIDDEN, LAYERS)
    network = CharRNN(config).initialize(torch.Generator().manual_seed(0))
    about = {
        "kind": "char_rnn",
        "title": "Untrained LSTM for benchmarks",
        "licence": "MIT",
        "config": config.to_dict(),
        "figures": {},
    }
    card = "# Untrained LSTM for benchmarks\n"
    write_checkpoint(folder / NAME, about, SYMBOLS, network.state_dict(), card)


# -- the naive server ----------------------------------------------------------------------------


def naive_app(folder: Path):
    """A server as one writes it first, with the same events. Returns a FastAPI application."""
    import torch
    from fastapi import FastAPI, Request
    from fastapi.responses import StreamingResponse

    from models.char_rnn import CharRNN, CharRNNConfig
    from models.checkpoint import read_checkpoint

    torch.set_num_threads(1)  # as fast here as two, alone and for many
    files = read_checkpoint(folder / NAME)
    network = CharRNN(CharRNNConfig(**files.about["config"])).eval()
    network.load_state_dict(files.weights)
    index = {symbol: k for k, symbol in enumerate(files.vocabulary)}
    rnn, app = network.rnn, FastAPI()

    def gates(layer: int, x, h, c) -> dict[str, list[float]]:
        weights = (getattr(rnn, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh"))
        biases = (getattr(rnn, f"{name}_l{layer}") for name in ("bias_ih", "bias_hh"))
        w_ih, w_hh = weights
        sums = x @ w_ih.T + h @ w_hh.T + sum(biases)
        i, f, g, o = sums.chunk(4, -1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g
        found = {"h": o * c.tanh(), "c": c, "i": i, "f": f, "g": g, "o": o}
        return {f"rnn.{layer}.{letter}": value[0].tolist() for letter, value in found.items()}

    @torch.no_grad()
    def events(body: dict) -> Iterator[str]:
        generator = torch.Generator().manual_seed(body["seed"])
        tokens = [index[symbol] for symbol in body["prefix"]]
        h = c = torch.zeros(LAYERS, 1, HIDDEN)
        for at in range(len(tokens) + body["max_new_tokens"]):
            x = network.embed(torch.tensor([[tokens[at]]]))
            output, (h_after, c_after) = rnn(x, (h, c))
            points = {}
            for layer in range(LAYERS):
                points |= gates(
                    layer, x[0] if not layer else h_after[layer - 1], h[layer], c[layer]
                )
            h, c = h_after, c_after
            probabilities = (network.output(output[0, 0]) / body["temperature"]).softmax(-1)
            if at + 1 == len(tokens):
                tokens.append(int(torch.multinomial(probabilities, 1, generator=generator)))
            step = {"index": at, "token": files.vocabulary[tokens[at]], "points": points}
            yield f"event: step\ndata: {json.dumps(step)}\n\n"
        yield "event: done\ndata: {}\n\n"

    @app.get("/readyz")
    def readyz() -> dict:
        return {"status": "ready"}

    @app.post("/api/checkpoints/{id}/generate")
    async def generate(request: Request, id: str) -> StreamingResponse:
        return StreamingResponse(events(await request.json()), media_type="text/event-stream")

    return app


def serve_naive(folder: Path, port: int) -> None:
    """Run the naive server."""
    import uvicorn

    uvicorn.run(naive_app(folder), host="127.0.0.1", port=port, log_level="warning")


# -- the clients ---------------------------------------------------------------------------------


class Reader(asyncio.BufferedProtocol):
    """One request: counts the steps as their bytes arrive."""

    shared = bytearray(1 << 18)  # all readers are on one thread and look at once

    def __init__(self, request: bytes, times: list[tuple[float, int]]):
        self.request = request
        self.times = times  # (moment, steps that arrived at it)
        self.first: float | None = None  # seconds to the first step
        self.done = asyncio.get_running_loop().create_future()
        self.failure = ""
        self._tail = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.began = time.perf_counter()
        self.transport = transport
        transport.write(self.request)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.shared

    def buffer_updated(self, size: int) -> None:
        now, shared = time.perf_counter(), self.shared
        count = shared.count(MARK, 0, size)
        edge = len(MARK) - 1
        if self._tail:
            count += (self._tail + shared[: min(edge, size)]).count(MARK)
        elif not shared.startswith(b"HTTP/1.1 200"):
            self.failure = bytes(shared[:size]).decode("latin-1")
        self._tail = bytes(shared[max(0, size - edge) : size])
        if count:
            self.times.append((now, count))
            if self.first is None:
                self.first = now - self.began

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


def request_bytes(port: int, tokens: int, seed: int, points: list[str] | None) -> bytes:
    """A request for a text of so many new characters."""
    body = {"prefix": PREFIX, "max_new_tokens": tokens, "temperature": 1.0, "seed": seed}
    raw = json.dumps(body | ({} if points is None else {"points": points})).encode()
    host = f"127.0.0.1:{port}"
    return (
        f"POST /api/checkpoints/{NAME}/generate HTTP/1.1\r\nHost: {host}\r\n"
        f"Origin: http://{host}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(raw)}\r\n\r\n"
    ).encode() + raw


async def load(port: int, clients: int, seconds: float, tokens: int, points=None) -> dict:
    """Let so many clients read for so long. Characters/s, seconds to the first event, gaps."""
    loop = asyncio.get_running_loop()
    end = time.perf_counter() + seconds
    firsts: list[float] = []
    gaps: list[float] = []
    total = 0

    async def client(number: int) -> None:
        nonlocal total
        turn = 0
        while (left := end - time.perf_counter()) > 0:
            times: list[tuple[float, int]] = []
            request = request_bytes(port, tokens, number + 1000 * turn, points)
            _, reader = await loop.create_connection(
                lambda request=request, times=times: Reader(request, times), "127.0.0.1", port
            )
            await asyncio.wait([reader.done], timeout=left)
            reader.transport.abort()
            if reader.failure:
                raise RuntimeError(f"the server answered {reader.failure[:500]}")
            times = [(moment, count) for moment, count in times if moment <= end]
            total += sum(count for _, count in times)
            if reader.first is not None:
                firsts.append(reader.first)
            for (before, _), (after, count) in pairwise(times):
                gaps.append(after - before)
                gaps.extend([0.0] * (count - 1))
            turn += 1

    await asyncio.gather(*(client(number) for number in range(clients)))
    gaps.sort()
    return {
        "rate": total / seconds,
        "first": statistics.median(firsts) if firsts else seconds,
        "gap": gaps[int(0.99 * (len(gaps) - 1))] if gaps else seconds,
    }


# -- the run -------------------------------------------------------------------------------------


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def server(command: list[str], port: int) -> Iterator[float]:
    """A server in a process of its own; gives the seconds until it was ready."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                    break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None or time.perf_counter() - began > 180:
                    raise RuntimeError(f"{' '.join(command)} did not start") from None
                time.sleep(0.05)
        yield time.perf_counter() - began
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def measure(ports: dict[str, int], clients: int, seconds: float, rounds: int) -> dict[str, dict]:
    """Rounds of the servers in turn; the median of each figure."""
    found: dict[str, list[dict]] = {name: [] for name in ports}
    for _ in range(rounds):
        for name, port in ports.items():
            tokens = 5000 if name == "ours" else 1000
            found[name].append(asyncio.run(load(port, clients, seconds, tokens)))
            time.sleep(0.3)  # what was cut off has left the batch
    return {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for name, runs in found.items()
    }


def report(clients: int, found: dict[str, dict]) -> None:
    """The rows of the table for one number of clients."""
    for name, f in found.items():
        print(
            f"{clients:7d}  {name:6s} {f['rate']:12,.0f} {1e3 * f['first']:16.1f} "
            f"{1e3 * f['gap']:12.1f}"
        )
    if len(found) == 2:
        ours, naive = found["ours"], found["naive"]
        ratios = [ours[key] / naive[key] for key in ("rate", "first", "gap")]
        print(
            f"{clients:7d}  ratio  {ratios[0]:11.1f}x {ratios[1]:15.3f}x {ratios[2]:11.3f}x",
            flush=True,
        )


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.serving")
    parser.add_argument("--quick", action="store_true", help="one short round of each")
    parser.add_argument("--ours", action="store_true", help="without the naive server")
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8, 50])
    options = parser.parse_args(arguments)
    seconds, rounds = (2.0, 1) if options.quick else (5.0, 3)
    ports = {"ours": free_port()} | ({} if options.ours else {"naive": free_port()})
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder))
        commands = {
            "ours": ["backend", "serve", "--port", str(ports["ours"]), "--checkpoints", folder],
            "naive": ["tests.benchmarks.serving", folder, str(ports.get("naive"))],
        }
        with server(commands["ours"], ports["ours"]):
            if options.ours:
                return run(ports, options.clients, seconds, rounds)
            with server(commands["naive"], ports["naive"]):
                return run(ports, options.clients, seconds, rounds)


def run(ports: dict[str, int], counts: list[int], seconds: float, rounds: int) -> int:
    """The table, once the servers are up."""
    print(f"LSTM {LAYERS}x{HIDDEN}, untrained, every gate of every step; {os.cpu_count()} cores")
    print("clients  server  characters/s  first event, ms  p99 gap, ms", flush=True)
    measure(ports, 2, 1.0, 1)  # both are warm
    for clients in counts:
        report(clients, measure(ports, clients, seconds, rounds))
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[2].isdigit():
        serve_naive(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        sys.exit(main())
