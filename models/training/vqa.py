"""Train a network to answer questions about drawn scenes.

Cross-entropy of the answer. Since it is known where everything lies, attention is guided a little:
the first hop to the thing that the question names, the last one to the thing that it is answered
from, and the counter to the centres of what is counted. The weights kept are a running mean, the
best by the share of right answers on validation. A run is saved after every epoch.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from models.decoder import END, UNKNOWN
from models.training.loop import train_epochs
from models.training.vqa_recipes import VqaRecipe
from models.training.vqa_scenes import QuestionBatch
from models.vqa import Looked, Vqa

MEAN = 0.998  # share of the running mean that a step keeps


def follow(network: Vqa, batch: QuestionBatch) -> Looked:
    """Read the questions of a batch and look at their scenes, each scene once."""
    asked = network.read(batch.ids, batch.lengths)
    return network.look(asked, network.annotations(batch.cells), batch.scene)


def outside(weights: Tensor, cells: Tensor) -> Tensor:
    """Mean surprise in nats that attention (B, S) lies on the cells marked 1, over the rows that
    have some."""
    marked = cells.sum(-1) > 0
    if not marked.any():
        return weights.new_zeros(())
    return -(weights * cells).sum(-1)[marked].clamp(min=1e-6).log().mean()


def loss(network: Vqa, batch: QuestionBatch, recipe: VqaRecipe) -> Tensor:
    """Cross-entropy of the answers in nats, and what guides attention and the counter, each times
    its weight in the recipe."""
    looked = follow(network, batch)
    placed = outside(looked.hops[0].weights, batch.named)
    placed = placed + outside(looked.hops[-1].weights, batch.found)
    cells = F.binary_cross_entropy_with_logits(
        looked.counter.energy + network.threshold, batch.centres, reduction="none"
    ).sum(-1)  # (B,)
    counted = (cells * batch.counts).sum() / batch.counts.sum().clamp(min=1)
    answered = F.cross_entropy(looked.logits, batch.answer)
    return answered + recipe.placement * placed + recipe.counting * counted


def forget(batch: QuestionBatch, share: float) -> None:
    """Read a share of the words as unknown, in place, so that strangers do no harm later."""
    lost = (torch.rand(batch.ids.shape) < share) & (batch.ids != END)
    batch.ids.masked_fill_(lost, UNKNOWN)


@torch.no_grad()
def score(network: Vqa, batches: Iterable[QuestionBatch]) -> float:
    """Share of right answers."""
    right = [
        one for b in batches for one in (follow(network, b).logits.argmax(-1) == b.answer).tolist()
    ]
    return sum(right) / len(right)


def train(recipe: VqaRecipe, data, run: Path) -> tuple[dict[str, Tensor], dict, bool]:
    """Train or go on training. Returns the best weights by validation, the progress so far and
    whether the recipe ran to its end."""
    torch.manual_seed(recipe.seed)
    network = Vqa(recipe.config(len(data.vocabulary)))
    network.initialize(torch.Generator().manual_seed(recipe.seed))
    network.mean.copy_(data.statistics[0])
    network.deviation.copy_(data.statistics[1])

    def losses(epoch: int) -> tuple[Iterator[Tensor], int]:
        return values(epoch), data.steps(recipe.scenes)

    def values(epoch: int) -> Iterator[Tensor]:
        for batch in data.epoch(epoch, recipe.seed, recipe.scenes):
            forget(batch, recipe.unknown)
            yield loss(network, batch, recipe)

    def right(mean: Vqa) -> float:
        return score(mean, data.part("validation"))

    return train_epochs(network, recipe, run, losses, right, keep=MEAN)
