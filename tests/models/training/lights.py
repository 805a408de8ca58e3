"""Four cells, some of them lit in a colour: questions that a tiny network can learn to answer."""

from random import Random

import torch

from models.decoder import END
from models.questions import ANSWERS, Asked, vocabulary
from models.training.vqa_recipes import VqaRecipe
from models.training.vqa_scenes import QuestionBatch

COLOURS = ("red", "green", "blue")
RECIPE = VqaRecipe(
    title="Lights",
    network={
        "embedding_size": 12,
        "state_size": 24,
        "attention_size": 16,
        "readout_size": 24,
        "hops": 2,
        "feature_size": 5,
        "grid": 2,
    },
    epochs=30,
    scenes=8,
    learning_rate=2e-2,
    warmup=5,
    unknown=0.0,
    blind_epochs=1,
    examples=("how many red things are there?",),
)


class Lights:
    """The interface of `DrawnScenes` for scenes without a drawing."""

    def __init__(self):
        self.vocabulary = vocabulary()
        self.statistics = torch.zeros(5), torch.ones(5)
        self.split = {"train": range(64), "validation": range(64, 96), "test": range(96, 128)}

    def lit(self, seed: int) -> list[str | None]:
        """The colour of each cell."""
        rng = Random(f"lights {seed}")
        return [COLOURS[int(3 * rng.random())] if rng.random() < 0.6 else None for _ in range(4)]

    def cells(self, seeds) -> torch.Tensor:
        found = torch.zeros(len(seeds), 4, 5)
        for row, seed in enumerate(seeds):
            for place, colour in enumerate(self.lit(seed)):
                if colour:
                    found[row, place, COLOURS.index(colour)] = 2.0
        return found

    def steps(self, scenes: int) -> int:
        return len(self.split["train"]) // scenes

    def epoch(self, number: int, seed: int, scenes: int):
        order = list(self.split["train"])
        Random(f"{seed} {number}").shuffle(order)
        for first in range(0, len(order), scenes):
            yield self.batch(order[first : first + scenes])

    def part(self, name: str):
        yield self.batch(list(self.split[name]))

    def batch(self, seeds: list[int]) -> QuestionBatch:
        asked, owners, centres = [], [], []
        for k, seed in enumerate(seeds):
            for colour in COLOURS:
                here = tuple(n for n, c in enumerate(self.lit(seed)) if c == colour)
                text = f"how many {colour} things are there?"
                asked.append(Asked(text, str(len(here)), "count", (), here))
                owners.append(k)
                centres.append([float(n in here) for n in range(4)])
        rows = [torch.tensor(ids) for ids in self.vocabulary.encode_many([a.text for a in asked])]
        nothing = torch.zeros(len(asked), 4)
        return QuestionBatch(
            self.cells(seeds),
            torch.tensor(owners),
            torch.nn.utils.rnn.pad_sequence(rows, padding_value=END),
            torch.tensor([len(row) for row in rows]),
            torch.tensor([ANSWERS.index(one.answer) for one in asked]),
            nothing,
            nothing,
            torch.tensor(centres),
            torch.ones(len(asked), dtype=torch.bool),
            asked,
        )
