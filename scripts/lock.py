"""Pin requirements/*.in, with everything that they bring, into requirements/*.txt.

Usage: scripts/lock [--upgrade] [--from DIR]

A clean environment is made and the .in files are installed into it; what they need, by their own
metadata, is what gets pinned. Pins that stand already are kept unless `--upgrade` is given.
`--from` reads an environment that exists instead of making one.

There are no hashes: torch has another build, and so another hash, for each platform and device,
and a lock with hashes would refuse the CPU build.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
SETS = {"runtime": (), "development": ("runtime",)}  # a set, and the sets it stands on
# Only some builds of torch want these, and each build pins them itself, exactly.
CUDA = ("nvidia-", "cuda-", "triton")
HEADER = "# Made by `make lock` from {name}.in. No hashes: torch has a build for each platform.\n"

# Runs in the environment that is read: what is installed, and what it asks for.
PROBE = """
import json
from importlib.metadata import distributions
print(json.dumps([[d.name, d.version, d.requires or []] for d in distributions()]))
"""


def main(arguments: list[str] | None = None) -> None:
    """Resolve and write. Raises `CalledProcessError` where pip cannot resolve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest of everything")
    parser.add_argument("--from", dest="source", type=Path, help="an environment that exists")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        environment = options.source or Path(temporary)
        if not options.source:
            resolve(environment, options.upgrade)
        python = environment / "bin" / "python"
        probe = subprocess.run([python, "-c", PROBE], check=True, capture_output=True, text=True)
    found = json.loads(probe.stdout)
    installed = {canonical(name): (version, needs) for name, version, needs in found}
    done: dict[str, str] = {}
    for name, bases in SETS.items():
        pins = closure(name, installed)
        mine = {key: line for key, line in pins.items() if key not in done}
        lines = [f"-r {base}.txt" for base in bases] + [mine[key] for key in sorted(mine)]
        (FOLDER / f"{name}.txt").write_text(HEADER.format(name=name) + "\n".join(lines) + "\n")
        done |= mine
        print(f"requirements/{name}.txt: {len(mine)} packages")


def canonical(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def asked(name: str) -> list:
    """The requirements of one .in file."""
    from packaging.requirements import Requirement

    text = (FOLDER / f"{name}.in").read_text()
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line]


def resolve(environment: Path, upgrade: bool) -> None:
    """Make an environment and install every .in file into it."""
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    command = [environment / "bin" / "python", "-m", "pip", "install", "--quiet"]
    for name in SETS:
        command += ["--requirement", FOLDER / f"{name}.in"]
        lock = FOLDER / f"{name}.txt"
        if lock.exists() and not upgrade:
            command += ["--constraint", lock]
    subprocess.run(command, check=True)


def closure(name: str, installed: dict) -> dict[str, str]:
    """Canonical name -> line of the lock, for all that one .in file needs, itself included."""
    from packaging.requirements import Requirement

    lines: dict[str, str] = {}
    waiting = [(requirement, f"{name}.in") for requirement in asked(name)]
    while waiting:
        requirement, parent = waiting.pop(0)
        key = canonical(requirement.name)
        here = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if key in lines or not here or key.startswith(CUDA):
            continue
        if key not in installed:
            raise SystemExit(f"{parent} needs {requirement.name}, which is not installed")
        version, needs = installed[key]
        marker = f"; {requirement.marker}" if requirement.marker and parent.endswith(".in") else ""
        public = version.partition("+")[0]  # 2.13.0+cpu satisfies 2.13.0
        lines[key] = f"{key}=={public}{marker}  # {parent}"
        waiting += [(Requirement(need), key) for need in needs]
    return lines


if __name__ == "__main__":
    main()
