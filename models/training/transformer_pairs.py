"""Train a transformer on pairs of texts: teacher forcing with label smoothing, by the `loop` of
epochs, the hidden matrices by `muon`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from torch.nn import functional as F

from models.subwords import BEGIN, END
from models.training.loop import train_epochs
from models.training.muon import Muon
from models.training.pairs import IGNORED, Batch, batches
from models.training.translation import inputs, keep_vocabularies
from models.transformer import Cache
from models.transformer_seq2seq import TransformerSeq2Seq

MEAN = 0.998  # share of the running mean that a step keeps


def loss(network: TransformerSeq2Seq, batch: Batch, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy in nats a target token."""
    target = batch.target.t()  # (B, T)
    logits = network(batch.source.t(), inputs(batch.target).t())
    real = target != IGNORED
    return F.cross_entropy(logits[real], target[real], label_smoothing=smoothing)


@torch.no_grad()
def write(
    network: TransformerSeq2Seq, source: Tensor, real: Tensor | None = None, limit: int = 80
) -> list[list[int]]:
    """The likeliest token at every step for sources (B, S): token numbers without the end mark."""
    memory, cache = network.read(source, real), Cache()
    token = torch.full((len(source), 1), BEGIN, device=source.device)
    written: list[list[int]] = [[] for _ in source]
    open_rows = set(range(len(source)))
    for _ in range(min(limit, network.config.context)):
        token = network.write(memory, token, real, cache=cache)[:, -1:].argmax(-1)  # (B, 1)
        for row in list(open_rows):
            number = int(token[row])
            if number == END:
                open_rows.remove(row)
            else:
                written[row].append(number)
        if not open_rows:
            break
    return written


def write_all(
    network: TransformerSeq2Seq, sources: list[list[int]], size: int = 64
) -> list[list[int]]:
    """`write` for many sources, in batches of like lengths; in the order given."""
    order = sorted(range(len(sources)), key=lambda k: len(sources[k]))
    found: list[list[int]] = [[]] * len(sources)
    device = network.output_bias.device
    for first in range(0, len(order), size):
        rows = order[first : first + size]
        longest = max(len(sources[k]) for k in rows)
        padded = torch.full((len(rows), longest), END)
        real = torch.zeros(len(rows), longest, dtype=torch.bool)
        for row, k in enumerate(rows):
            padded[row, : len(sources[k])] = torch.tensor(sources[k])
            real[row, : len(sources[k])] = True
        texts = write(network, padded.to(device), real.to(device))
        for k, text in zip(rows, texts, strict=True):
            found[k] = text
    return found


def writer(network: TransformerSeq2Seq, data) -> Callable[[list[str]], list[str]]:
    """A way to write what the likeliest tokens make of many texts."""
    source, target = data.vocabularies

    def write_texts(texts: list[str]) -> list[str]:
        return [target.join(ids) for ids in write_all(network, source.encode_many(texts))]

    return write_texts


def train(recipe, data, run: Path, device: str = "cpu") -> tuple[dict[str, Tensor], dict, bool]:
    """Train or go on training, with `data` as in `translation.train`. Returns the best weights by
    validation, the progress so far and whether the recipe ran to its end."""
    run.mkdir(parents=True, exist_ok=True)
    keep_vocabularies(data, run)
    torch.manual_seed(recipe.seed)
    network = TransformerSeq2Seq(recipe.config(*map(len, data.vocabularies)))
    network = network.initialize(torch.Generator().manual_seed(recipe.seed)).to(device)

    def losses(epoch: int) -> tuple[Iterator[Tensor], int]:
        pairs, random = data.epoch(epoch, recipe.seed), Random(f"{recipe.seed} {epoch}")
        made = batches(pairs, recipe.batch_size, random)
        placed = (Batch(one.source.to(device), one.target.to(device)) for one in made)
        return (loss(network, batch, recipe.smoothing) for batch in placed), len(made)

    def score(mean: TransformerSeq2Seq) -> float:
        return data.score(writer(mean, data))

    optimizer = Muon(network, recipe.learning_rate, recipe.ratio)
    return train_epochs(network, recipe, run, losses, score, device, MEAN, optimizer)
