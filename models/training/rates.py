"""Choose the learning rate of the cells that are compared: `python -m models.training.rates`.

Every cell is trained with each of three rates on the first eighth of the training text, read once
with the recipe's own schedule, and measured on validation. The best one is the recipe's.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from models.training.__main__ import ROOT, data_folder
from models.training.corpus import Corpus, read_corpus
from models.training.language import train
from models.training.recipes import CELLS, RECIPES, SHAKESPEARE

RATES = (2e-3, 5e-3, 1e-2)


class FirstEighth(Corpus):
    """A corpus whose training part is its first eighth."""

    def split(self, part: str) -> torch.Tensor:
        """As `Corpus.split`, but of `train` the first eighth."""
        tokens = super().split(part)
        return tokens[: len(tokens) // 8] if part == "train" else tokens


def main() -> None:
    """Print nats a character on validation, a cell and a rate a line. Goes on where it stopped."""
    flags = argparse.ArgumentParser(prog="python -m models.training.rates", description=__doc__)
    flags.add_argument("--data", type=Path, default=data_folder(), help="folder of the corpora")
    flags.add_argument("--runs", type=Path, default=ROOT / "runs", help="where a run is kept")
    asked = flags.parse_args()
    torch.set_num_threads(1)
    whole = read_corpus(asked.data, SHAKESPEARE.file)
    part = FirstEighth(whole.file, whole.sha256, whole.symbols, whole.tokens)
    for name in CELLS:
        for rate in RATES:
            recipe = replace(RECIPES[name], learning_rate=rate, epochs=1)
            run = asked.runs / "rates" / f"{name}-{rate:g}"
            _, progress, ended = train(recipe, part, run, mixed=False)
            if not ended:
                return
            print(f"{name} {rate:g}: {progress['best']:.4f}", flush=True)


if __name__ == "__main__":
    main()
