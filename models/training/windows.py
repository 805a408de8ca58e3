"""The loop that language models are trained by on windows of a text, with Muon.

Every epoch cuts the text into windows at other places and reads them in random order. The weights
that are kept, the network's or a running mean of them, are the best by validation; a run can be
stopped at any step and goes on from its last save.
"""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from models.training.corpus import Corpus
from models.training.muon import Muon
from models.training.runs import follow_mean, restore, save, stop_on_interrupt

SAVE_SECONDS = 120


def windows(tokens: Tensor, length: int, epoch: int, seed: int) -> Tensor:
    """The windows (n, length + 1) of an epoch, in its order; each one's last token is the first of
    another."""
    generator = torch.Generator().manual_seed(seed * 1000 + epoch)
    offset = int(torch.randint(length, (), generator=generator))
    cut = tokens[offset:].unfold(0, length + 1, length)
    return cut[torch.randperm(len(cut), generator=generator)]


def train_on_windows(
    network: nn.Module,
    recipe,
    corpus: Corpus,
    run: Path,
    length: int,
    rate: Callable[[int, int, object], float],
    evaluate: Callable[[nn.Module, Tensor, Tensor], float],
    device: str = "cpu",
    mean: nn.Module | None = None,
) -> tuple[dict[str, Tensor], dict, bool]:
    """Train or go on training. `network.logits` reads tokens (B, T); `recipe` has epochs,
    batch_size, learning_rate, ratio, clip and seed; `rate(step, steps, recipe)` is the learning
    rate of a step and `evaluate(network, text, before)` the figure on validation, lower is better.
    Where a `mean` is given, it follows the network (`recipe.keep`), is measured and is kept.

    Returns the best weights, the progress so far and whether the recipe ran to its end.
    """
    run.mkdir(parents=True, exist_ok=True)
    kept = network if mean is None else mean
    modules = {"model": network} if mean is None else {"model": network, "mean": mean}
    optimizer = Muon(network, recipe.learning_rate, recipe.ratio)
    training, validation = corpus.split("train"), corpus.split("validation")
    B = recipe.batch_size
    batches = (len(training) - length) // length // B  # of an epoch, whatever its offset
    steps = batches * recipe.epochs
    progress = {"step": 0, "best": float("inf"), "seconds": 0.0, "history": []}
    if (run / "latest.safetensors").exists():
        _, progress = restore(run, modules, optimizer, device)
    started, saved = time.monotonic() - progress["seconds"], time.monotonic()
    bar = tqdm(total=steps, initial=progress["step"], unit="step", mininterval=10)
    average, epoch_read, cut = progress.get("average"), -1, None
    with stop_on_interrupt() as asked:
        while progress["step"] < steps and not asked["stop"]:
            step = progress["step"]
            epoch, at = divmod(step, batches)
            if epoch != epoch_read:
                cut, epoch_read = windows(training, length, epoch, recipe.seed), epoch
            network.train()
            torch.manual_seed(recipe.seed * 10**6 + step)  # dropout draws from it
            for group in optimizer.param_groups:
                group["lr"] = rate(step, steps, recipe)
            batch = cut[at * B : at * B + B].to(device)
            logits = network.logits(batch[:, :-1])
            loss = F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
            optimizer.step()
            if mean is not None:
                follow_mean(mean, network, recipe.keep, step)
            average = loss.item() if average is None else 0.99 * average + 0.01 * loss.item()
            progress |= {"step": step + 1, "average": average}
            bar.update()
            bar.set_postfix(loss=f"{average:.3f}", refresh=False)
            if at == batches - 1:
                figure = evaluate(kept, validation, training)
                progress["history"].append(
                    {"epoch": epoch + 1, "train": average, "validation": figure}
                )
                if figure < progress["best"]:
                    progress["best"] = figure
                    save_file(kept.state_dict(), run / "best.safetensors")
                bar.write(f"epoch {epoch + 1}: train {average:.4f}, validation {figure:.4f} nats")
            progress["seconds"] = time.monotonic() - started
            if time.monotonic() - saved > SAVE_SECONDS:
                save(run, modules, optimizer, progress)
                saved = time.monotonic()
    save(run, modules, optimizer, progress)
    bar.close()
    best = run / "best.safetensors"
    weights = load_file(best) if best.exists() else kept.state_dict()
    return weights, progress, progress["step"] >= steps
