"""Four photographs for captioners: one cell of each is lit, in one of four colours that its
captions name."""

from dataclasses import replace

import torch

from models.subwords import words
from models.training.caption_recipes import CaptionRecipe
from models.training.captions import supervised, train
from models.training.photographs import CaptionBatch

SIZES = {"embedding_size": 8, "decoder_size": 12, "context_size": 10, "attention_size": 6}
SHAPE = {"feature_size": 5, "grid": 2}
COLOURS = ("red", "green", "blue", "white")


class Lamps:
    """What `Flickr8k` has, for cells of a size."""

    hashes = {"photos/lights.tsv": "0" * 64}  # noqa: RUF012

    def __init__(self, feature_size: int = 5, cells: int = 4):
        self.size = cells, feature_size
        self.vocabulary = words([f"a small {name} light is on" for name in COLOURS] * 5, 5)
        self.statistics = torch.zeros(feature_size), torch.ones(feature_size)
        names = list(COLOURS)
        self.split = {"train": names * 8, "validation": names, "test": names}
        self.pooled = torch.eye(5, feature_size).repeat(4, 1)
        self.captions = {name: [f"A small {name} light is on."] * 5 for name in COLOURS}

    def cells(self, names, mirrored=None):
        found = torch.zeros(len(names), *self.size)
        for row, name in enumerate(names):
            found[row, row % 4, COLOURS.index(name)] = 3.0  # a cell has no place of its own
        return found

    def names(self, number, seed, photographs):
        for first in range(0, len(self.split["train"]), photographs):
            yield self.split["train"][first : first + photographs], None

    def epoch(self, number, seed, photographs):
        for names, _ in self.names(number, seed, photographs):
            ids = self.vocabulary.encode_many([self.captions[name][0] for name in names])
            owners = torch.arange(len(names))
            yield CaptionBatch(self.cells(names), owners, torch.tensor(ids).t().contiguous())


def recipe(**changes) -> CaptionRecipe:
    plain = CaptionRecipe(
        "Lights",
        "caption-dark",
        SIZES | SHAPE | {"attention": "soft"},
        epochs=14,
        photographs=4,
        learning_rate=2e-2,
        warmup=5,
        smoothing=0.0,
        feature_dropout=0.0,
        coverage=0.0,
    )
    return replace(plain, **changes)


def train_on(recipe: CaptionRecipe, data: Lamps, run):
    return train(recipe, data, run, supervised(recipe, data))
