"""Run the benchmarks one after another: `python -m tests.benchmarks [NAME]... [flags]`.

Each module measures one thing against a baseline in the same run and prints its figures; the
flags go to every one that runs. A name that is not one of them is an error.
"""

import sys
from importlib import import_module

NAMES = (
    "capture",
    "gpu",
    "attention",
    "serving",
    "startup",
    "translating",
    "pictures",
    "frames",
    "training",
)


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, or all. The number of those that failed."""
    chosen = [argument for argument in arguments if argument in NAMES] or list(NAMES)
    flags = [argument for argument in arguments if argument not in NAMES]
    if flags and not flags[0].startswith("-"):
        print(f"there is no benchmark {flags[0]!r}: {', '.join(NAMES)}", file=sys.stderr)
        return 1
    failed = 0
    for name in chosen:
        print(f"== {name}", flush=True)
        failed += bool(import_module(f"tests.benchmarks.{name}").main(flags))
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
