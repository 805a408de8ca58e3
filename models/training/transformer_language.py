"""Train a language model of the transformer family on windows as long as its context."""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from models.training.corpus import Corpus
from models.training.transformer_recipes import TransformerRecipe
from models.training.windows import train_on_windows
from models.transformer_lm import TransformerLM


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
    torch.manual_seed(recipe.seed)
    network = TransformerLM(recipe.config(len(corpus.symbols)))
    network = network.initialize(torch.Generator().manual_seed(recipe.seed)).to(device)
    length = network.config.context
    return train_on_windows(network, recipe, corpus, run, length, rate, evaluate, device)
