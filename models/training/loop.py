"""The loop that networks with recipes of epochs are trained by.

Adam, or another optimizer, with a cosine; the weights that are kept are a running mean of those the
optimizer has been at (Polyak and Juditsky 1992), the best by the score on validation. A run is
saved after every epoch and goes on from the last one.
"""

import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm import tqdm

from models.training.runs import follow_mean, rate, restore, save, stop_on_interrupt

MEAN = 0.999  # share of the running mean that a step keeps
# The losses of an epoch by its number, one a step, and how many there are.
Losses = Callable[[int], tuple[Iterator[Tensor], int]]


def train_epochs(
    network: nn.Module,
    recipe,
    run: Path,
    losses: Losses,
    score: Callable[[nn.Module], float],
    device: str = "cpu",
    keep: float = MEAN,
    optimizer: Optimizer | None = None,
) -> tuple[dict[str, Tensor], dict, bool]:
    """Train or go on training. `recipe` has epochs, learning_rate, warmup, clip and seed; `score`
    tells how good the mean is on validation, higher is better. The optimizer is Adam unless one is
    given.

    Returns the best weights, the progress so far and whether the recipe ran to its end.
    """
    run.mkdir(parents=True, exist_ok=True)
    mean = deepcopy(network).eval().requires_grad_(False)
    if optimizer is None:
        optimizer = torch.optim.Adam(network.parameters(), betas=(0.9, 0.98))
    progress = {"epoch": 0, "step": 0, "best": -1.0, "seconds": 0.0, "history": []}
    if (run / "progress.json").exists():
        _, progress = restore(run, {"network": network, "mean": mean}, optimizer, device)
    started = time.monotonic() - progress["seconds"]
    ended = progress["epoch"] >= recipe.epochs
    with stop_on_interrupt() as asked:
        for epoch in range(progress["epoch"], recipe.epochs):
            torch.manual_seed(recipe.seed * 1000 + epoch)  # dropout draws from this generator
            network.train()
            values, steps = losses(epoch)
            average = 0.0
            for k, value in enumerate(tqdm(values, f"epoch {epoch + 1}", steps, mininterval=5)):
                if asked["stop"]:
                    break
                whole = _steps(progress["step"], epoch + k / steps, recipe)
                for group in optimizer.param_groups:
                    group["lr"] = rate(progress["step"], whole, recipe)
                optimizer.zero_grad(set_to_none=True)
                value.backward()
                nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
                optimizer.step()
                follow_mean(mean, network, keep, progress["step"])
                average += value.item() / steps
                progress["step"] += 1
            if asked["stop"]:
                break
            figure = score(mean)
            progress |= {"epoch": epoch + 1, "seconds": time.monotonic() - started}
            progress["history"].append({"epoch": epoch + 1, "train": average, "score": figure})
            if figure >= progress["best"]:  # of equals the later: it has seen more
                progress["best"] = figure
                save_file(mean.state_dict(), run / "best.safetensors")
            save(run, {"network": network, "mean": mean}, optimizer, progress)
            print(f"epoch {epoch + 1}: loss {average:.4f}, score {figure:.4f}", flush=True)
        else:
            ended = True
    best = run / "best.safetensors"
    weights = load_file(best) if best.exists() else mean.state_dict()
    return weights, progress, ended


def _steps(done: int, at: float, recipe) -> int:
    """About how many steps the whole run will have, `at` so many epochs: in some they differ."""
    return max(1, round(done / at * recipe.epochs)) if at > 0.05 else 10**6
