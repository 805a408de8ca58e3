"""Train a language model of the transformer family on windows of a text.

Every epoch cuts the text into windows at other places and reads them in random order. The best
weights by validation are kept; a run can be stopped at any step and goes on from its last save.
"""

import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from models.training.corpus import Corpus
from models.training.muon import Muon
from models.training.runs import restore, save, stop_on_interrupt
from models.training.transformer_recipes import TransformerRecipe
from models.transformer_lm import TransformerLM

SAVE_SECONDS = 120


@torch.no_grad()
def evaluate(network: TransformerLM, tokens: Tensor, warm: Tensor | None = None) -> float:
    """Mean cross-entropy in nats per token over every token of a text (N,) but the first.

    Windows as long as the context, each half over the one before: a token is predicted from at
    least half a context, those at the very start from what there is; `warm` is the text before.
    """
    network.eval()
    device = network.token_embedding.weight.device
    context = network.config.context
    half = context // 2
    lead = 0 if warm is None else min(half, len(warm))
    text = torch.cat([warm[-lead:], tokens]) if lead else tokens
    total, counted = 0.0, 0
    first = lead or 1  # the first token that is predicted and counted
    starts = list(range(max(first - half - 1, 0), len(text) - 1, context - half))
    for k in range(0, len(starts), 32):
        rows = [text[s : s + context + 1] for s in starts[k : k + 32]]
        inputs = torch.zeros(len(rows), context, dtype=torch.long)
        targets = torch.full((len(rows), context), -100)
        for row, (start, window) in enumerate(zip(starts[k:], rows, strict=False)):
            inputs[row, : len(window) - 1] = window[:-1]
            since = first - 1 if start == starts[0] else start + half
            targets[row, since - start : len(window) - 1] = window[since - start + 1 :]
        logits = network.logits(inputs.to(device))
        loss = F.cross_entropy(logits.flatten(0, 1), targets.to(device).flatten(), reduction="none")
        total += loss.double().sum().item()
        counted += int((targets != -100).sum())
    return total / counted


def windows(tokens: Tensor, context: int, epoch: int, seed: int) -> Tensor:
    """The windows (n, context + 1) of an epoch, in its order; each one's last token is the first of
    another."""
    generator = torch.Generator().manual_seed(seed * 1000 + epoch)
    offset = int(torch.randint(context, (), generator=generator))
    cut = tokens[offset:].unfold(0, context + 1, context)
    return cut[torch.randperm(len(cut), generator=generator)]


def rate(step: int, steps: int, recipe: TransformerRecipe) -> float:
    """Learning rate at a step: a short rise, a constant, then a line down to zero."""
    done = step / steps
    falling = min(1.0, (1 - done) / (1 - recipe.constant))
    return recipe.learning_rate * min(falling, (step + 1) / recipe.warmup)


def train(
    recipe: TransformerRecipe, corpus: Corpus, run: Path, device: str = "cpu"
) -> tuple[dict[str, Tensor], dict, bool]:
    """Train or go on training. Returns the best weights by validation, the progress so far and
    whether the recipe ran to its end."""
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    network = TransformerLM(recipe.config(len(corpus.symbols)))
    network = network.initialize(torch.Generator().manual_seed(recipe.seed)).to(device)
    optimizer = Muon(network, recipe.learning_rate, recipe.ratio)
    training, validation = corpus.split("train"), corpus.split("validation")
    B, context = recipe.batch_size, network.config.context
    batches = (len(training) - context) // context // B  # of an epoch, whatever its offset
    steps = batches * recipe.epochs
    progress = {"step": 0, "best": float("inf"), "seconds": 0.0, "history": []}
    if (run / "latest.safetensors").exists():
        _, progress = restore(run, {"model": network}, optimizer, device)
    started, saved = time.monotonic() - progress["seconds"], time.monotonic()
    bar = tqdm(total=steps, initial=progress["step"], unit="step", mininterval=10)
    average, epoch_read, cut = progress.get("average"), -1, None
    with stop_on_interrupt() as asked:
        while progress["step"] < steps and not asked["stop"]:
            epoch, at = divmod(progress["step"], batches)
            if epoch != epoch_read:
                cut, epoch_read = windows(training, context, epoch, recipe.seed), epoch
            network.train()
            torch.manual_seed(recipe.seed * 10**6 + progress["step"])  # dropout draws from it
            for group in optimizer.param_groups:
                group["lr"] = rate(progress["step"], steps, recipe)
            batch = cut[at * B : at * B + B].to(device)
            logits = network.logits(batch[:, :-1])
            loss = F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
            optimizer.step()
            average = loss.item() if average is None else 0.99 * average + 0.01 * loss.item()
            progress |= {"step": progress["step"] + 1, "average": average}
            bar.update()
            bar.set_postfix(loss=f"{average:.3f}", refresh=False)
            if at == batches - 1:
                figure = evaluate(network, validation, training)
                progress["history"].append(
                    {"epoch": epoch + 1, "train": average, "validation": figure}
                )
                if figure < progress["best"]:
                    progress["best"] = figure
                    save_file(network.state_dict(), run / "best.safetensors")
                bar.write(f"epoch {epoch + 1}: train {average:.4f}, validation {figure:.4f} nats")
            progress["seconds"] = time.monotonic() - started
            if time.monotonic() - saved > SAVE_SECONDS:
                save(run, {"model": network}, optimizer, progress)
                saved = time.monotonic()
    save(run, {"model": network}, optimizer, progress)
    bar.close()
    best = run / "best.safetensors"
    weights = load_file(best) if best.exists() else network.state_dict()
    return weights, progress, progress["step"] >= steps
