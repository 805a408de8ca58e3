"""Train a network to answer questions about drawn scenes.

Cross-entropy of the answer. Since it is known where everything lies, attention is guided a little:
the first hop to the thing that the question names, the last one to the thing that it is answered
from, and the counter to the centres of what is counted. The weights kept are a running mean, the
best by the share of right answers on validation. A run is saved after every epoch.
"""

import time
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from models.decoder import END, UNKNOWN
from models.training.runs import rate, restore, save, stop_on_interrupt
from models.training.translation import follow_mean
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
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    network = Vqa(recipe.config(len(data.vocabulary)))
    network.initialize(torch.Generator().manual_seed(recipe.seed))
    network.mean.copy_(data.statistics[0])
    network.deviation.copy_(data.statistics[1])
    mean = deepcopy(network).eval().requires_grad_(False)
    optimizer = torch.optim.Adam(network.parameters(), betas=(0.9, 0.98))
    progress = {"epoch": 0, "step": 0, "best": -1.0, "seconds": 0.0, "history": []}
    if (run / "progress.json").exists():
        _, progress = restore(run, {"network": network, "mean": mean}, optimizer)
    started = time.monotonic() - progress["seconds"]
    ended = progress["epoch"] >= recipe.epochs
    per_epoch = data.steps(recipe.scenes)
    with stop_on_interrupt() as asked:
        for epoch in range(progress["epoch"], recipe.epochs):
            torch.manual_seed(recipe.seed * 1000 + epoch)
            average, network = 0.0, network.train()
            batches = data.epoch(epoch, recipe.seed, recipe.scenes)
            for batch in tqdm(batches, f"epoch {epoch + 1}", per_epoch, mininterval=5):
                if asked["stop"]:
                    break
                for group in optimizer.param_groups:
                    group["lr"] = rate(progress["step"], per_epoch * recipe.epochs, recipe)
                forget(batch, recipe.unknown)
                value = loss(network, batch, recipe)
                optimizer.zero_grad(set_to_none=True)
                value.backward()
                nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
                optimizer.step()
                done = progress["step"]
                follow_mean(mean, network, min(MEAN, (1 + done) / (10 + done)))
                average += value.item() / per_epoch
                progress["step"] += 1
            if asked["stop"]:
                break
            figure = score(mean, data.part("validation"))
            progress |= {"epoch": epoch + 1, "seconds": time.monotonic() - started}
            progress["history"].append({"epoch": epoch + 1, "train": average, "score": figure})
            if figure > progress["best"]:
                progress["best"] = figure
                save_file(mean.state_dict(), run / "best.safetensors")
            save(run, {"network": network, "mean": mean}, optimizer, progress)
            print(f"epoch {epoch + 1}: loss {average:.4f}, right {figure:.2%}", flush=True)
        else:
            ended = True
    best = run / "best.safetensors"
    weights = load_file(best) if best.exists() else mean.state_dict()
    return weights, progress, ended
