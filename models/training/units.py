"""Which units of a character checkpoint know something: `python -m models.training.units NAME`.

Units are chosen on the beginning of the validation part of its corpus and judged on the beginning
of the test part, or, where that is another kind of text, on what follows in the validation part.
Prints rows of Markdown, for the checkpoint's card.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from models.char_rnn import open_checkpoint
from models.checkpoint import read_checkpoint
from models.probing import linear_reader, rank, score, states
from models.properties import ALL
from models.training.__main__ import ROOT, data_folder
from models.training.corpus import read_corpus

HEAD = "| property | unit | chosen on | judged on | all units, linear |\n|---|---|---|---|---|"


def rows(runner, one: str, other: str) -> Iterator[str]:
    """A row a property that occurs in both texts: its best unit, and what all units tell."""
    first, second = states(runner, one), states(runner, other)
    all_first, all_second = (np.concatenate([*part.values()], 1) for part in (first, second))
    for known in ALL:
        here, there = known.of(one), known.of(other)
        if not (np.nanstd(here) and np.nanstd(there)):
            continue
        best = rank(first, second, here, there, known.yes_or_no)[0]
        told = linear_reader(all_first, here, all_second)[:, None]
        linear = score(told, there, known.yes_or_no)[0]
        numbers = f"{best.chosen:.3f} | {best.judged:.3f} | {linear:.3f}"
        yield f"| {known.name} | `{best.point}` {best.unit} | {numbers} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure a checkpoint and print the rows."""
    flags = argparse.ArgumentParser(prog="python -m models.training.units", description=__doc__)
    flags.add_argument("name")
    flags.add_argument("--data", type=Path, default=data_folder(), help="folder of the corpora")
    flags.add_argument("--checkpoints", type=Path, default=ROOT / "checkpoints")
    flags.add_argument("--characters", type=int, default=60000, help="of each of the two texts")
    flags.add_argument("--judge", choices=("test", "validation"), default="test")
    asked = flags.parse_args(arguments)
    torch.set_num_threads(1)
    files = read_checkpoint(asked.checkpoints / asked.name)
    runner = open_checkpoint(files, capacity=1)
    corpus = read_corpus(asked.data, files.about["data"]["file"])
    n = asked.characters
    validation = corpus.split("validation").tolist()
    other = corpus.split("test").tolist() if asked.judge == "test" else validation[n:]
    print(HEAD)
    for row in rows(runner, *(runner.characters.decode(part[:n]) for part in (validation, other))):
        print(row, flush=True)


if __name__ == "__main__":
    main()
