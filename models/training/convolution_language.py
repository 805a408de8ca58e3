"""Train a convolutional character model on windows of a text.

Every epoch cuts the text into windows at other places and reads them in random order, as the
transformers of `transformer_language` do. What is measured and kept is a running mean of the
weights, the best epoch's by validation; a run can be stopped at any step and goes on from its last
save.
"""

import time
from copy import deepcopy
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from models.char_conv import CharConv
from models.training.convolution_recipes import ConvolutionRecipe
from models.training.corpus import Corpus
from models.training.muon import Muon
from models.training.runs import rate, restore, save, stop_on_interrupt
from models.training.transformer_language import windows

SAVE_SECONDS = 120
PIECE = 2048  # characters that are predicted in one pass while a figure is measured


@torch.no_grad()
def evaluate(network: CharConv, tokens: Tensor, warm: Tensor | None = None) -> float:
    """Mean cross-entropy in nats per token over every token of a text (N,) but the first.

    Each one is predicted from all that the network can see, or from what there is; `warm` is the
    text before.
    """
    network.eval()
    device = network.embedding.weight.device
    field = network.config.receptive_field
    before = tokens[:0] if warm is None else warm[-field:]
    text = torch.cat([before, tokens]).to(device)
    first = max(len(before), 1)  # the first token that is predicted and counted
    total = 0.0
    for start in range(first, len(text), PIECE):
        stop, since = min(start + PIECE, len(text)), max(start - field, 0)
        logits = network.logits(text[None, since : stop - 1])[0, start - 1 - since :]  # (n, V)
        total += F.cross_entropy(logits, text[start:stop], reduction="sum").double().item()
    return total / (len(text) - first)


@torch.no_grad()
def follow(mean: nn.Module, network: nn.Module, keep: float, step: int) -> None:
    """Draw the running mean towards where the network is; at first faster."""
    keep = min(keep, (1 + step) / (10 + step))
    for slow, fast in zip(mean.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - keep)


def train(
    recipe: ConvolutionRecipe, corpus: Corpus, run: Path, device: str = "cpu"
) -> tuple[dict[str, Tensor], dict, bool]:
    """Train or go on training. Returns the best weights by validation, the progress so far and
    whether the recipe ran to its end."""
    run.mkdir(parents=True, exist_ok=True)
    network = CharConv(recipe.config(len(corpus.symbols)))
    network = network.initialize(torch.Generator().manual_seed(recipe.seed)).to(device)
    mean = deepcopy(network)
    optimizer = Muon(network, recipe.learning_rate, recipe.ratio)
    training, validation = corpus.split("train"), corpus.split("validation")
    B, T = recipe.batch_size, recipe.window
    batches = (len(training) - T) // T // B  # of an epoch, whatever its offset
    steps = batches * recipe.epochs
    progress = {"step": 0, "best": float("inf"), "seconds": 0.0, "history": []}
    modules = {"model": network, "mean": mean}
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
                cut, epoch_read = windows(training, T, epoch, recipe.seed), epoch
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
            follow(mean, network, recipe.keep, step)
            average = loss.item() if average is None else 0.99 * average + 0.01 * loss.item()
            progress |= {"step": step + 1, "average": average}
            bar.update()
            bar.set_postfix(loss=f"{average:.3f}", refresh=False)
            if at == batches - 1:
                figure = evaluate(mean, validation, training)
                progress["history"].append(
                    {"epoch": epoch + 1, "train": average, "validation": figure}
                )
                if figure < progress["best"]:
                    progress["best"] = figure
                    save_file(mean.state_dict(), run / "best.safetensors")
                bar.write(f"epoch {epoch + 1}: train {average:.4f}, validation {figure:.4f} nats")
            progress["seconds"] = time.monotonic() - started
            if time.monotonic() - saved > SAVE_SECONDS:
                save(run, modules, optimizer, progress)
                saved = time.monotonic()
    save(run, modules, optimizer, progress)
    bar.close()
    best = run / "best.safetensors"
    weights = load_file(best) if best.exists() else mean.state_dict()
    return weights, progress, progress["step"] >= steps
