"""A class of two hundred streams: what each student waits for, and whether anything is left over.

    python -m tests.load [--quick] [--streams 200] [--seconds 20] [--checkpoint NAME] [--json FILE]

The real server is started with a join code, in a process of its own on this machine, and the
readers share its processor: they count characters and parse nothing, and still take their part of
what is measured. Every point of every step is asked for, as the lab does; `--characters` asks for
none. Figures that are worse than their bound are marked, and the command fails.
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.load import phases
from tests.load.readers import Server

ROOT = Path(__file__).resolve().parent.parent.parent
CODE = "LOADTEST"
PREFIX = "First Citizen: "
BOUNDS = {  # the worst that is taken
    "jain_streams": (">=", 0.98),
    "jain_students": (">=", 0.98),
    "healthz_p99_ms": ("<=", 100),
    "longest_idle_steps": ("<=", 20),
    "leaked_rows": ("<=", 0),
    "streams_left": ("<=", 0),
    "bytes_reserved": ("<=", 0),
    "without_final_frame": ("<=", 0),
    "last_frame_s": ("<=", 5),
}


@contextmanager
def serving(folder: Path, *flags: str) -> Iterator[tuple[int, subprocess.Popen]]:
    """A server in a process of its own that has loaded its checkpoints: its port, its process."""
    command = [sys.executable, "-m", "backend", "serve", "--port", "0", "--device", "cpu"]
    command += ["--checkpoints", str(folder), "--join", CODE, *flags]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline().split()[3].rpartition(":")[2])
        until = time.monotonic() + 180
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                    break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("the server did not start") from None
                time.sleep(0.05)
        yield port, process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        process.stdout.close()


@contextmanager
def only(name: str) -> Iterator[Path]:
    """A folder that holds one checkpoint of the repository, so that the server starts at once."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).symlink_to(ROOT / "checkpoints" / name, target_is_directory=True)
        yield Path(folder)


async def run(server: Server, process: subprocess.Popen, options) -> dict[str, dict]:
    """Every phase; their figures by their names."""
    streams, seconds = options.streams, options.seconds
    found: dict[str, dict] = {}
    cookies = await phases.students(server, CODE, streams)
    await phases.measure(phases.Class(server, cookies, 8), 1.0)  # everything is warm
    memory = {"start_mb": phases.resident(process.pid)}

    def tell(name: str, figures: dict) -> None:
        found[name] = figures
        report(name, figures)

    tell("alone", await phases.measure(phases.Class(server, cookies, 1), seconds / 4))
    tell("everybody reads", await phases.measure(phases.Class(server, cookies, streams), seconds))
    tenth = streams // 10
    mixed = phases.Class(server, cookies, streams - 2 * tenth, tenth, tenth)
    tell("some in bursts, some leave", await phases.measure(mixed, seconds))
    memory["after_streams_mb"] = phases.resident(process.pid)
    few = cookies[: streams // 2]
    greedy = phases.Class(server, few + few[:1] * options.greedy, len(few) + options.greedy)
    tell("one with many tabs", await phases.measure(greedy, seconds / 2))
    tell("cancellations", await phases.cancel(server, cookies, options.cancellations))
    memory["after_cancellations_mb"] = phases.resident(process.pid)
    tell("memory", memory)
    stopped = await phases.terminate(server, cookies, streams, process)
    stopped["without_final_frame"] = streams - stopped["terminated_with_final_frame"]
    tell("SIGTERM", stopped)
    return found


def misses(figures: dict) -> list[str]:
    """The figures of a phase that are worse than their bound."""
    wrong = []
    for name, (sign, bound) in BOUNDS.items():
        value = figures.get(name)
        if value is not None and not (value >= bound if sign == ">=" else value <= bound):
            wrong.append(name)
    return wrong


def report(name: str, figures: dict) -> None:
    """The rows of one phase."""
    print(f"-- {name}")
    wrong = misses(figures)
    for key, value in figures.items():
        shown = f"{value:12,.3f}" if isinstance(value, float) else f"{value!s:>12}"
        bound = "{} {}".format(*BOUNDS[key]) if key in BOUNDS else ""
        print(f"{key:30s}{shown}  {bound}{'   MISSED' if key in wrong else ''}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the load and print its table. 1 where a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.load")
    parser.add_argument("--quick", action="store_true", help="a short form of all")
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0, help="of the longest phase")
    parser.add_argument("--cancellations", type=int, default=10_000)
    parser.add_argument("--greedy", type=int, default=7, help="more streams of one student")
    parser.add_argument("--checkpoint", default="shakespeare-lstm")
    parser.add_argument("--characters", action="store_true", help="without points")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seconds, options.cancellations = 4.0, 500
    points = [] if options.characters else None
    print(f"{options.checkpoint}, {'no' if options.characters else 'every'} point; ", end="")
    print(f"{os.cpu_count()} cores of {platform.machine()}, the readers on the same", flush=True)
    with only(options.checkpoint) as folder, serving(folder) as (port, process):
        server = Server(port, options.checkpoint, PREFIX, points)
        found = asyncio.run(run(server, process, options))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return int(any(misses(figures) for figures in found.values()))


if __name__ == "__main__":
    sys.exit(main())
