"""Train a sequence-to-sequence network on pairs of texts.

Teacher forcing with label smoothing, by the `loop` of epochs.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from torch.nn import functional as F

from models.checkpoint import write_file
from models.seq2seq import Seq2Seq
from models.subwords import BEGIN, END, Vocabulary
from models.training.loop import train_epochs
from models.training.pairs import IGNORED, Batch, batches
from models.training.teacher_forcing import forward

MEAN = 0.998  # share of the running mean that a step keeps


def inputs(target: Tensor) -> Tensor:
    """Targets (T, B) -> the tokens before them: `<s>` and all but the last."""
    begin = torch.full_like(target[:1], BEGIN)
    return torch.cat([begin, target[:-1].masked_fill(target[:-1] == IGNORED, END)])


def loss(network: Seq2Seq, batch: Batch, smoothing: float = 0.0, mixed: bool = False) -> Tensor:
    """Mean cross-entropy in nats a target token."""
    logits = forward(network, batch.source, inputs(batch.target), mixed)  # (T, B, V)
    return F.cross_entropy(
        logits.float().flatten(0, 1),
        batch.target.flatten(),
        ignore_index=IGNORED,
        label_smoothing=smoothing,
    )


@torch.no_grad()
def write(
    network: Seq2Seq, source: Tensor, lengths: Tensor | None = None, limit: int = 80
) -> list[list[int]]:
    """The likeliest token at every step for sources (S, B): token numbers without the end mark."""
    memory, state = network.read(source, lengths)
    B = source.shape[1]
    token = torch.full((B,), BEGIN, device=source.device)
    written: list[list[int]] = [[] for _ in range(B)]
    open_rows = set(range(B))
    for _ in range(limit):
        y = network.embed(token)
        from_y, context_weight = network.token_part(y)
        step = network.advance(from_y, state, memory, context_weight)
        state = step.state
        token = network.logits(state[0], step.context, y).argmax(-1)
        for row in list(open_rows):
            number = int(token[row])
            if number == END:
                open_rows.remove(row)
            else:
                written[row].append(number)
        if not open_rows:
            break
    return written


def write_all(network: Seq2Seq, sources: list[list[int]], size: int = 64) -> list[list[int]]:
    """`write` for many sources, in batches of like lengths; in the order given."""
    order = sorted(range(len(sources)), key=lambda k: len(sources[k]))
    found: list[list[int]] = [[]] * len(sources)
    device = network.output_bias.device
    for first in range(0, len(order), size):
        rows = order[first : first + size]
        lengths = torch.tensor([len(sources[k]) for k in rows])
        padded = torch.full((int(lengths.max()), len(rows)), END)
        for column, k in enumerate(rows):
            padded[: len(sources[k]), column] = torch.tensor(sources[k])
        padded, lengths = padded.to(device), lengths.to(device)
        for k, text in zip(rows, write(network, padded, lengths), strict=True):
            found[k] = text
    return found


def writer(network: Seq2Seq, data) -> Callable[[list[str]], list[str]]:
    """A way to write what the likeliest tokens make of many texts."""
    source, target = data.vocabularies

    def write_texts(texts: list[str]) -> list[str]:
        return [target.join(ids) for ids in write_all(network, source.encode_many(texts))]

    return write_texts


def keep_vocabularies(data, run: Path) -> None:
    """The vocabularies that a run began with, kept beside its weights.

    Learned anew, the same tokens may get other numbers. Raises FileNotFoundError for a run that
    has weights and no vocabularies.
    """
    files = [run / f"{side}.tokenizer.json" for side in ("source", "target")]
    if (run / "progress.json").exists():
        data.vocabularies = tuple(Vocabulary.read(file.read_text("utf-8")) for file in files)
    else:
        for file, vocabulary in zip(files, data.vocabularies, strict=True):
            write_file(file, vocabulary.save())


def train(
    recipe,
    data,
    run: Path,
    device: str = "cpu",
    mixed: bool = True,
) -> tuple[dict[str, Tensor], dict, bool]:
    """Train or go on training. Returns the best weights by validation, the progress so far and
    whether the recipe ran to its end.

    `data.epoch(number, seed)` gives the pairs of token numbers of an epoch, and `data.score(write)`
    tells how good a way to write is, higher is better; `mixed` computes the products in bfloat16
    while training.
    """
    run.mkdir(parents=True, exist_ok=True)
    keep_vocabularies(data, run)
    torch.manual_seed(recipe.seed)
    network = Seq2Seq(recipe.config(*map(len, data.vocabularies)))
    network = network.initialize(torch.Generator().manual_seed(recipe.seed)).to(device)

    def losses(epoch: int) -> tuple[Iterator[Tensor], int]:
        pairs, random = data.epoch(epoch, recipe.seed), Random(f"{recipe.seed} {epoch}")
        made = batches(pairs, recipe.batch_size, random)
        placed = (Batch(one.source.to(device), one.target.to(device)) for one in made)
        return (loss(network, batch, recipe.smoothing, mixed) for batch in placed), len(made)

    def score(mean: Seq2Seq) -> float:
        return data.score(writer(mean, data))

    return train_epochs(network, recipe, run, losses, score, device, keep=MEAN)
