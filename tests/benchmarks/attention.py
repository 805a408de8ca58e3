"""What it costs to see attention: `make bench ARGS="attention [--quick]"`.

The same untrained weights of GPT-2's and BERT's size, 12 layers of 12 heads and 768 units, in four
programs: a plain pass of ours; our `read_stack`, which keeps queries and keys; `transformers`,
plain and with `output_attentions=True`; TransformerLens with `run_with_cache`. Then the maps that
our reading makes when somebody looks at them. Then the page beside BertViz (`attention_page`).

One thread, in seconds of its processor time. All ways run in turn, and each is compared with the
plain pass of its own round; figures are medians. Memory is what a process of its own grows by at
its highest, and what it keeps, after a short text has warmed it up (Linux only). TransformerLens
and BertViz are measured where `requirements/peers.txt` is installed.
"""

import argparse
import ctypes
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import thread_time

import numpy as np
import torch

from models.reading import Reading
from models.slicing import Slice
from models.transformer_runner import read_stack
from tests.benchmarks import attention_models, attention_page
from tests.benchmarks.attention_models import CONTEXT, FAMILIES, installed

SHORT = 8  # tokens of the text that warms up
Ways = dict[str, Callable[[torch.Tensor], object]]


def ways_of(folder: Path, family: str) -> Ways:
    """Each takes tokens (1, T) and returns what it keeps."""
    network = attention_models.ours(folder).network
    ways: Ways = {
        "ours, plain": network,
        "ours, reading": lambda tokens: read_stack(network, tokens[0].tolist()),
    }
    if installed("transformers"):
        plain, eager = (attention_models.theirs(folder, a) for a in ("sdpa", "eager"))
        spared = {} if family == "bert" else {"use_cache": False}
        ways["transformers, plain"] = lambda tokens: plain(tokens, **spared)
        ways["transformers, output_attentions"] = lambda tokens: eager(
            tokens, output_attentions=True, **spared
        )
    if family == "gpt2" and installed("transformer_lens"):
        hooked = attention_models.hooked(folder)
        kept = {
            "patterns kept": {"names_filter": lambda name: name.endswith("hook_pattern")},
            "all kept": {},
        }
        for name, options in kept.items():
            ways[f"TransformerLens, {name}"] = lambda tokens, options=options: (
                hooked.run_with_cache(tokens, return_type=None, logits_to_keep=1, **options)
            )
    return ways


def differ(ways: Ways) -> float:
    """The largest difference between our weights and those of others, of all heads."""
    tokens = attention_models.tokens(40)
    found = ways["ours, reading"](tokens).slice(Slice("blocks.*.attention")).data
    most = 0.0
    for name, way in ways.items():
        if name.endswith("output_attentions"):
            other = torch.stack(way(tokens).attentions)[:, 0]
        elif name.endswith("patterns kept"):
            cache = way(tokens)[1]
            other = torch.stack([cache["pattern", layer][0] for layer in range(12)])
        else:
            continue
        most = max(most, float(np.abs(found - other.numpy()).max()))
    return most


# -- time ----------------------------------------------------------------------------------------


def compare(ways: Ways, tokens: torch.Tensor, rounds: int) -> None:
    """Print each way's time, and its ratio to the plain pass."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            began = thread_time()
            way(tokens if turn else tokens[:, :SHORT])
            if turn:
                times[name].append(thread_time() - began)
    base = times["ours, plain"]
    for name, found in times.items():
        ratio = statistics.median(a / b for a, b in zip(found, base, strict=True))
        print(f"    {name:34}{1e3 * statistics.median(found):9.0f} ms {ratio:8.2f}x", flush=True)


def maps(reading: Reading, T: int, rounds: int) -> None:
    """Print what it takes to make maps of a text that was read, beside the bare product q k^T."""
    head = {"layer": 5, "head": 3}
    asked = {
        "one head": Slice("blocks.*.attention", head),
        "one head, a byte a weight": Slice("blocks.*.attention", head, "u1"),
        "one head, pooled to 64 x 64 bytes": Slice("blocks.*.attention", head, "u1", 64),
        "one row of a head": Slice("blocks.*.attention", head | {"query": T - 1}),
        "144 heads, pooled to 64 x 64 bytes": Slice("blocks.*.attention", {}, "u1", 64),
    }
    q, k = (reading.recorded(f"blocks.5.{x}")[3] for x in "qk")
    tasks = {"the product q k^T of one head": lambda: q @ k.T} | {
        name: lambda one=one: reading.slice(one) for name, one in asked.items()
    }
    for name, task in tasks.items():
        found = []
        for turn in range((rounds if "144" in name else 20 * rounds) + 1):
            began = thread_time()
            task()
            if turn:
                found.append(thread_time() - began)
        print(f"    {name:40}{1e3 * statistics.median(found):9.2f} ms", flush=True)


# -- memory --------------------------------------------------------------------------------------


def status(name: str) -> float:
    """A line of this process's status, in MB."""
    text = Path("/proc/self/status").read_text()
    return int(text.partition(f"{name}:")[2].split()[0]) / 1024


def growth(way: Callable, tokens: torch.Tensor) -> tuple[float, float]:
    """MB that a process grows by at its highest, and when it is done, with the result in hand."""
    readable, writable = os.pipe()
    child = os.fork()
    if not child:
        try:
            way(tokens[:, :SHORT])
            ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5")  # the highest so far is forgotten
            before = status("VmRSS")
            kept = way(tokens)
            most = status("VmHWM")
            ctypes.CDLL(None).malloc_trim(0)
            os.write(writable, f"{most - before} {status('VmRSS') - before}".encode())
            del kept
        finally:
            os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as pipe:
        found = pipe.read().split()
    os.waitpid(child, 0)
    return float(found[0]), float(found[1])


def memory(ways: Ways, tokens: torch.Tensor) -> None:
    """Print each way's growth, and its ratio to that of `output_attentions`."""
    found = {name: growth(way, tokens) for name, way in ways.items()}
    base = found.get("transformers, output_attentions", (float("nan"),))[0]
    for name, (most, kept) in found.items():
        print(f"    {name:34}{most:9.0f} MB {most / base:8.2f}x, keeps {kept:.0f} MB", flush=True)


def seeing(folder: Path, family: str, lengths: list[int], rounds: int) -> bool:
    """Print the tables of one family. Whether all agree about the weights."""
    ways = ways_of(folder, family)
    for name in ("transformers", "transformer_lens"):
        if not installed(name) and (family, name) != ("bert", "transformer_lens"):
            print(f"  {name} is not installed: left out")
    most = differ(ways)
    print(f"  weights of all heads differ by {most:.1g} at most")
    network = attention_models.ours(folder).network
    for T in (T for T in lengths if CONTEXT[family] >= T):
        tokens = attention_models.tokens(T)
        print(f"  T={T}: a pass, and its ratio to the plain one")
        compare(ways, tokens, rounds)
        print(f"  T={T}: a map, when somebody looks")
        maps(read_stack(network, tokens[0].tolist()), T, rounds)
        if Path("/proc/self/clear_refs").exists():
            print(f"  T={T}: memory that a pass takes at its highest, and its ratio to "
                  "output_attentions")  # fmt: skip
            memory(ways, tokens)
    return most < 1e-4


def main(arguments: list[str] | None = None) -> int:
    """Print the tables. The exit status: 1 where two programs disagree about a weight."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.attention")
    parser.add_argument("--quick", action="store_true", help="GPT-2's size, 128 tokens, two rounds")
    parser.add_argument("--family", nargs="*", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--tokens", type=int, nargs="*", default=[128, 512, 1024])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--part", nargs="*", choices=("pass", "page"), default=["pass", "page"])
    parser.add_argument("--scripts", type=Path, help="where BertViz' scripts are")
    options = parser.parse_args(arguments)
    if not installed("transformers"):
        print("transformers is not installed: it makes the weights", file=sys.stderr)
        return 1
    if options.quick:
        options.family, options.tokens, options.rounds = ["gpt2"], [128], 2
    agree = True
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode(), tempfile.TemporaryDirectory() as place:
            for family in options.family:
                folder = Path(place) / f"random-{family}"
                attention_models.write(folder, family)
                print(f"{family}: 12 layers x 12 heads x 768 units, untrained")
                if "pass" in options.part:
                    agree &= seeing(folder, family, options.tokens, options.rounds)
                if "page" in options.part:
                    attention_page.measure(
                        folder, options.tokens[:2], options.rounds, options.scripts
                    )
    finally:
        torch.set_num_threads(threads)
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
