"""Train a convolutional character model on windows of a text; a running mean of it is kept."""

from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from models.char_conv import CharConv
from models.training.convolution_recipes import ConvolutionRecipe
from models.training.corpus import Corpus
from models.training.runs import rate
from models.training.windows import train_on_windows

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


def train(
    recipe: ConvolutionRecipe, corpus: Corpus, run: Path, device: str = "cpu"
) -> tuple[dict[str, Tensor], dict, bool]:
    """Train or go on training. Returns the best weights by validation, the progress so far and
    whether the recipe ran to its end."""
    network = CharConv(recipe.config(len(corpus.symbols)))
    network = network.initialize(torch.Generator().manual_seed(recipe.seed)).to(device)
    mean = deepcopy(network)
    return train_on_windows(
        network, recipe, corpus, run, recipe.window, rate, evaluate, device, mean
    )
