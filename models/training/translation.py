"""Train a sequence-to-sequence network on pairs of texts.

Teacher forcing with label smoothing; Adam with a cosine; the weights that are kept are a running
mean of those the optimizer has been at (Polyak and Juditsky 1992), the best by the score on
validation. A run is saved after every epoch and goes on from the last one.
"""

import json
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from random import Random

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from models.checkpoint import TOKENIZERS, write_file
from models.seq2seq import Seq2Seq
from models.subwords import BEGIN, END, Vocabulary
from models.training.pairs import IGNORED, Batch, batches
from models.training.runs import rate, restore, save, stop_on_interrupt
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
    files = [run / name for name in TOKENIZERS]
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
    torch.manual_seed(recipe.seed)  # dropout draws from the global generator
    network = Seq2Seq(recipe.config(*map(len, data.vocabularies)))
    network = network.initialize(torch.Generator().manual_seed(recipe.seed)).to(device)
    mean = deepcopy(network).eval().requires_grad_(False)
    optimizer = torch.optim.Adam(network.parameters(), betas=(0.9, 0.98))
    progress = {"epoch": 0, "step": 0, "best": -1.0, "seconds": 0.0, "history": []}
    if (run / "progress.json").exists():
        progress = json.loads((run / "progress.json").read_text())
        restore(run, {"network": network, "mean": mean}, optimizer, device)
    started = time.monotonic() - progress["seconds"]
    ended = progress["epoch"] >= recipe.epochs
    with stop_on_interrupt() as asked:
        for epoch in range(progress["epoch"], recipe.epochs):
            torch.manual_seed(recipe.seed * 1000 + epoch)
            random = Random(f"{recipe.seed} {epoch}")
            pairs = data.epoch(epoch, recipe.seed)
            made = batches(pairs, recipe.batch_size, random)
            average, network = 0.0, network.train()
            bar = tqdm(made, desc=f"epoch {epoch + 1}", unit="step", mininterval=5)
            for k, batch in enumerate(bar):
                if asked["stop"]:
                    break
                at = epoch + k / len(made)
                for group in optimizer.param_groups:
                    group["lr"] = rate(progress["step"], _steps(progress, at, recipe), recipe)
                batch = Batch(batch.source.to(device), batch.target.to(device))
                value = loss(network, batch, recipe.smoothing, mixed)
                optimizer.zero_grad(set_to_none=True)
                value.backward()
                nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
                optimizer.step()
                follow_mean(
                    mean, network, min(MEAN, (1 + progress["step"]) / (10 + progress["step"]))
                )
                average += value.item() / len(made)
                progress["step"] += 1
            if asked["stop"]:
                break
            figure = data.score(writer(mean, data))
            progress["epoch"] = epoch + 1
            progress["seconds"] = time.monotonic() - started
            progress["history"].append({"epoch": epoch + 1, "train": average, "score": figure})
            if figure >= progress["best"]:  # of equals the later: it has seen more
                progress["best"] = figure
                save_file(mean.state_dict(), run / "best.safetensors")
            save(run, {"network": network, "mean": mean}, optimizer, progress)
            print(f"epoch {epoch + 1}: train {average:.4f} nats, score {figure:.4f}", flush=True)
        else:
            ended = True
    best = run / "best.safetensors"
    weights = load_file(best) if best.exists() else mean.state_dict()
    return weights, progress, ended


def _steps(progress: dict, at: float, recipe) -> int:
    """About how many steps the whole run will have: batches differ a little between epochs."""
    return max(1, round(progress["step"] / at * recipe.epochs)) if at > 0.05 else 10**6


@torch.no_grad()
def follow_mean(mean: nn.Module, network: nn.Module, keep: float) -> None:
    for kept, now in zip(mean.parameters(), network.parameters(), strict=True):
        kept.lerp_(now, 1 - keep)
