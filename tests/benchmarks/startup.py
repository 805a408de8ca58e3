"""From the command to the first answer, and to all checkpoints loaded, beside `import torch`.

    python -m tests.benchmarks.startup [--quick]

Each is a process of its own; rounds alternate and the medians are printed. The server answers
before it has imported torch: its first answer should take less than `import torch` alone.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.benchmarks.serving import ROOT, free_port, write_model

LIMIT = 180  # seconds


def import_torch() -> float:
    """Seconds that `python -c "import torch"` takes."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], cwd=ROOT, check=True)
    return time.perf_counter() - began


def start_server(folder: str) -> tuple[float, float]:
    """Seconds to the first answer of a server, and until it is ready."""
    port = free_port()
    command = [sys.executable, "-m", "backend", "serve", "--port", str(port)]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--checkpoints", folder], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        found = []
        for page in ("healthz", "readyz"):
            while not answers(f"http://127.0.0.1:{port}/{page}"):
                if process.poll() is not None or time.perf_counter() - began > LIMIT:
                    raise RuntimeError(f"/{page} did not answer")
                time.sleep(0.01)
            found.append(time.perf_counter() - began)
        return found[0], found[1]
    finally:
        process.terminate()
        process.wait(20)


def answers(url: str) -> bool:
    """Whether an address answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.startup")
    parser.add_argument("--quick", action="store_true", help="one round")
    rounds = 1 if parser.parse_args(arguments).quick else 5
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder))
        runs = [(import_torch(), *start_server(folder)) for _ in range(rounds)]
    torch, first, ready = (statistics.median(column) for column in zip(*runs, strict=True))
    print(f"import torch   {torch:6.2f} s")
    print(f"first answer   {first:6.2f} s  {first / torch:5.2f}x")
    print(f"ready          {ready:6.2f} s  {ready / torch:5.2f}x  (one 2x512 LSTM loaded)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
