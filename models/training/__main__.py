"""Train a checkpoint: `python -m models.training NAME`.

Goes on where an earlier run stopped (Ctrl-C stops one cleanly). At the end the figures are
measured on the float16 weights as they are stored, and the checkpoint folder is written.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from models.training import airline, films, hello, sort
from models.training.caption_recipes import CAPTION_RECIPES
from models.training.convolution_recipes import CONVOLUTION_RECIPES
from models.training.finish import finish
from models.training.label_recipes import LABEL_RECIPES
from models.training.ngram_recipes import NGRAM_RECIPES
from models.training.recipes import RECIPES
from models.training.seq2seq_recipes import PAIR_RECIPES
from models.training.transformer_recipes import TRANSFORMER_PAIR_RECIPES, TRANSFORMER_RECIPES
from models.training.vqa_recipes import VQA_RECIPES

ROOT = Path(__file__).resolve().parent.parent.parent


def data_folder() -> Path:
    """Where the data is by default: `data/` here, or `shared/data/` beside the project."""
    inside = ROOT / "data"
    return inside if inside.is_dir() else ROOT.parent / "shared" / "data"


def parser() -> argparse.ArgumentParser:
    """The flags of a training run."""
    flags = argparse.ArgumentParser(prog="python -m models.training", description=__doc__)
    flags.add_argument("name", choices=[*commands()])
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
    commands()[asked.name](asked)


def make_hello(asked: argparse.Namespace) -> None:
    """The network that needs no data."""
    hello.make(asked.out / hello.NAME)


def make_airline(asked: argparse.Namespace) -> None:
    """A forecaster, of all windows and seeds; its 144 numbers are in the code."""
    airline.make(asked.name, asked.out / asked.name, asked.runs / asked.name)


def make_films(asked: argparse.Namespace) -> None:
    """A network that has read Shakespeare tuned on sentences about films, or one from scratch."""
    from models.checkpoint import read_checkpoint
    from models.training import finish_films
    from models.training.corpus import read_corpus

    base = read_checkpoint(ROOT / "checkpoints" / films.BASE)
    try:
        data = films.read(asked.data, base.vocabulary)
        old = read_corpus(asked.data, base.about["data"]["file"])
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is missing; give the data's folder with --data")
    folder = asked.out / asked.name
    finish_films.make(asked.name, data, base, old, folder, asked.runs / "films")


def train_sort(asked: argparse.Namespace) -> None:
    """The transformer whose one head can be read by eye; its texts are made by code."""
    from models.training.runs import resume_best

    run = asked.runs / sort.NAME
    if asked.as_is and not (run / "best.safetensors").exists():
        sys.exit(f"{run / 'best.safetensors'} is missing; train without --as-is first")
    if asked.as_is:
        weights, progress = resume_best(run)
    else:
        weights, progress, ended = sort.train(run, device=asked.device)
        if not ended:
            print(f"stopped after epoch {progress['epoch']}; the same command goes on")
            return
    sort.finish(weights, progress, asked.out / sort.NAME)


def train_language(asked: argparse.Namespace) -> None:
    """A character model."""
    recipe = RECIPES[asked.name]
    if not (asked.data / recipe.source.file).is_file():
        sys.exit(f"{asked.data / recipe.source.file} is missing; give its folder with --data")

    from models.training.corpus import read_corpus
    from models.training.language import train
    from models.training.runs import resume_best

    corpus = read_corpus(asked.data, recipe.source.file)
    run = asked.runs / asked.name
    if asked.as_is:
        weights, progress = resume_best(run)
    else:
        mixed = recipe.bfloat16 and not asked.float32
        weights, progress, ended = train(recipe, corpus, run, asked.device, mixed)
        if not ended:
            print(f"stopped at step {progress['step']}; the same command goes on from there")
            return
    finish(asked.name, recipe, corpus, weights, progress, asked.out / asked.name)


def train_pairs(asked: argparse.Namespace) -> None:
    """A sequence-to-sequence model."""
    from models.training import finish_pairs
    from models.training.runs import resume_best
    from models.training.translation import keep_vocabularies, train

    recipe = PAIR_RECIPES[asked.name]
    data = recipe.data(asked.data)
    run = asked.runs / asked.name
    try:
        if asked.as_is:
            if not (run / "best.safetensors").exists():
                sys.exit(f"{run / 'best.safetensors'} is missing; train without --as-is first")
            weights, progress = resume_best(run)
            keep_vocabularies(data, run)
        else:
            weights, progress, ended = train(recipe, data, run, asked.device, not asked.float32)
            if not ended:
                print(f"stopped after epoch {progress['epoch']}; the same command goes on")
                return
        finish_pairs.finish(asked.name, recipe, data, weights, progress, asked.out / asked.name)
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is missing; give its folder with --data")


def train_transformer(asked: argparse.Namespace) -> None:
    """A character model of the transformer family."""
    from models.training import finish_transformer, transformer_language

    recipe = TRANSFORMER_RECIPES[asked.name]
    train_on_windows(asked, recipe, transformer_language.train, finish_transformer.finish)


def train_convolution(asked: argparse.Namespace) -> None:
    """A character model of convolutions."""
    from models.training import convolution_language, finish_convolution

    recipe = CONVOLUTION_RECIPES[asked.name]
    train_on_windows(asked, recipe, convolution_language.train, finish_convolution.finish)


def count_ngrams(asked: argparse.Namespace) -> None:
    """A table of counts."""
    from models.training import finish_ngram
    from models.training.corpus import read_corpus

    recipe = NGRAM_RECIPES[asked.name]
    if not (asked.data / recipe.source.file).is_file():
        sys.exit(f"{asked.data / recipe.source.file} is missing; give its folder with --data")
    corpus = read_corpus(asked.data, recipe.source.file)
    finish_ngram.make(asked.name, recipe, corpus, asked.out / asked.name)


def train_on_windows(asked: argparse.Namespace, recipe, train, finish) -> None:
    """A character model that reads windows of a text."""
    from models.training.corpus import read_corpus
    from models.training.runs import resume_best

    if not (asked.data / recipe.source.file).is_file():
        sys.exit(f"{asked.data / recipe.source.file} is missing; give its folder with --data")
    corpus = read_corpus(asked.data, recipe.source.file)
    run = asked.runs / asked.name
    if asked.as_is:
        weights, progress = resume_best(run)
    else:
        weights, progress, ended = train(recipe, corpus, run, asked.device)
        if not ended:
            print(f"stopped at step {progress['step']}; the same command goes on from there")
            return
    finish(asked.name, recipe, corpus, weights, progress, asked.out / asked.name)


def train_transformer_pairs(asked: argparse.Namespace) -> None:
    """A transformer that is trained on pairs of texts."""
    from models.training import finish_pairs
    from models.training.finish_transformer import MAKING
    from models.training.runs import resume_best
    from models.training.transformer_pairs import train
    from models.training.translation import keep_vocabularies

    recipe = TRANSFORMER_PAIR_RECIPES[asked.name]
    data, run = recipe.data(asked.data), asked.runs / asked.name
    out = asked.out / asked.name
    try:
        if asked.as_is:
            weights, progress = resume_best(run)
            keep_vocabularies(data, run)
        else:
            weights, progress, ended = train(recipe, data, run, asked.device)
            if not ended:
                print(f"stopped after epoch {progress['epoch']}; the same command goes on")
                return
        finish_pairs.finish(asked.name, recipe, data, weights, progress, out, MAKING)
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is missing; give the data's folder with --data")


def train_captions(asked: argparse.Namespace) -> None:
    """A captioner: teacher forcing, then self-critical epochs where the recipe has some."""
    from models.training import finish_captions
    from models.training.captions import supervised, train
    from models.training.composed import Composed
    from models.training.photographs import Flickr8k
    from models.training.runs import resume_best
    from models.training.self_critical import polishing

    recipe, features = CAPTION_RECIPES[asked.name], asked.runs / "features"
    run, polish = asked.runs / asked.name, asked.runs / f"{asked.name}-polish"
    try:
        data = Flickr8k(asked.data, features)
        composed = Composed(features, data.vocabulary)
        start = resume_best(asked.runs / recipe.start)[0] if recipe.start else None
        stages = [(recipe, run, supervised)]
        if recipe.polish:
            stages.append((recipe.polishing(), polish, polishing))
        for stage, folder, kind in stages:
            if asked.as_is:
                start, progress = resume_best(folder)
                continue
            losses = kind(stage, data, composed)
            start, progress, ended = train(stage, data, folder, losses, start)
            if not ended:
                print(f"stopped after epoch {progress['epoch']}; the same command goes on")
                return
    except FileNotFoundError as error:
        sys.exit(
            f"{error.filename} is missing; give the corpora with --data, and encode the pictures "
            "first: python -m models.training.features, python -m models.training.composed"
        )
    histories = [resume_best(folder)[1] for _, folder, _ in stages]
    out = asked.out / asked.name
    finish_captions.finish(asked.name, recipe, data, start, histories, features, out)


def train_answers(asked: argparse.Namespace) -> None:
    """A network that answers questions about drawn scenes, and the same one without pictures, to be
    held against."""
    from models.training import finish_vqa
    from models.training.runs import resume_best
    from models.training.vqa import train
    from models.training.vqa_scenes import DrawnScenes, Unseen

    recipe, data = VQA_RECIPES[asked.name], DrawnScenes(asked.runs / "features")
    run, blind = asked.runs / asked.name, asked.runs / f"{asked.name}-blind"
    stages = [(recipe, data, run), (recipe.blind(), Unseen(data), blind)]
    for stage in stages:
        if asked.as_is and not (stage[-1] / "best.safetensors").exists():
            sys.exit(f"{stage[-1] / 'best.safetensors'} is missing; train without --as-is first")
        if not asked.as_is:
            _, progress, ended = train(*stage)
            if not ended:
                print(f"stopped after epoch {progress['epoch']}; the same command goes on")
                return
    (weights, progress), (without, _) = resume_best(run), resume_best(blind)
    finish_vqa.finish(asked.name, recipe, data, weights, without, progress, asked.out / asked.name)


def train_labels(asked: argparse.Namespace) -> None:
    """A network that gives labels to texts or to words."""
    from models.training import finish_labels, labelling
    from models.training.runs import resume_best

    recipe, run = LABEL_RECIPES[asked.name], asked.runs / asked.name
    try:
        data = recipe.read(asked.data)
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is missing; give the data's folder with --data")
    prepared = labelling.prepare(recipe, data)
    if asked.as_is:
        if not (run / "best.safetensors").exists():
            sys.exit(f"{run / 'best.safetensors'} is missing; train without --as-is first")
        weights, progress = resume_best(run)
        weights = labelling.own_weights(weights)
    else:
        weights, progress, ended = labelling.train(recipe, data, prepared, run)
        if not ended:
            print(f"stopped after epoch {progress['epoch']}; the same command goes on")
            return
    finish_labels.finish(
        asked.name, recipe, data, prepared, weights, progress, asked.out / asked.name
    )


def commands() -> dict[str, Callable[[argparse.Namespace], None]]:
    """What trains each checkpoint, by its name."""
    return {
        **dict.fromkeys(RECIPES, train_language),
        **dict.fromkeys(PAIR_RECIPES, train_pairs),
        **dict.fromkeys(TRANSFORMER_RECIPES, train_transformer),
        **dict.fromkeys(CONVOLUTION_RECIPES, train_convolution),
        **dict.fromkeys(NGRAM_RECIPES, count_ngrams),
        **dict.fromkeys(TRANSFORMER_PAIR_RECIPES, train_transformer_pairs),
        **dict.fromkeys(CAPTION_RECIPES, train_captions),
        **dict.fromkeys(VQA_RECIPES, train_answers),
        **dict.fromkeys(LABEL_RECIPES, train_labels),
        **dict.fromkeys(airline.CELLS, make_airline),
        **dict.fromkeys(films.NAMES, make_films),
        hello.NAME: make_hello,
        sort.NAME: train_sort,
    }


if __name__ == "__main__":
    main()
