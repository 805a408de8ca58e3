"""Train a checkpoint: `python -m models.training NAME`.

Goes on where an earlier run stopped (Ctrl-C stops one cleanly). At the end the figures are
measured on the float16 weights as they are stored, and the checkpoint folder is written.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from models.training import hello
from models.training.finish import finish
from models.training.recipes import RECIPES

ROOT = Path(__file__).resolve().parent.parent.parent


def data_folder() -> Path:
    """Where the data is by default: `data/` here, or `shared/data/` beside the project."""
    inside = ROOT / "data"
    return inside if inside.is_dir() else ROOT.parent / "shared" / "data"


def parser() -> argparse.ArgumentParser:
    """The flags of a training run."""
    flags = argparse.ArgumentParser(prog="python -m models.training", description=__doc__)
    flags.add_argument("name", choices=[*RECIPES, hello.NAME])
    flags.add_argument("--data", type=Path, default=data_folder(), help="folder of the corpora")
    flags.add_argument("--out", type=Path, default=ROOT / "checkpoints", help="checkpoints folder")
    flags.add_argument("--runs", type=Path, default=ROOT / "runs", help="where a run is kept")
    flags.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    flags.add_argument("--threads", type=int, default=1, help="CPU threads")
    flags.add_argument("--float32", action="store_true", help="train without bfloat16 products")
    flags.add_argument("--as-is", action="store_true", help="write the best so far, train no more")
    return flags


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, measure, write."""
    asked = parser().parse_args(arguments)
    torch.set_num_threads(asked.threads)
    if asked.name == hello.NAME:
        hello.make(asked.out / hello.NAME)
        return
    recipe = RECIPES[asked.name]
    if not (asked.data / recipe.source.file).is_file():
        sys.exit(f"{asked.data / recipe.source.file} is missing; give its folder with --data")

    from models.training.corpus import read_corpus
    from models.training.language import resume_best, train

    corpus = read_corpus(asked.data, recipe.source.file)
    run = asked.runs / asked.name
    if asked.as_is:
        weights, progress = resume_best(run)
    else:
        weights, progress, ended = train(recipe, corpus, run, asked.device, not asked.float32)
        if not ended:
            print(f"stopped at step {progress['step']}; the same command goes on from there")
            return
    finish(asked.name, recipe, corpus, weights, progress, asked.out / asked.name)


if __name__ == "__main__":
    main()
