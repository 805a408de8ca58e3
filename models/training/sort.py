"""`sort-attention`, the smallest transformer whose attention can be read by eye: one block with one
head writes letters in order.

With one block, keys and values are of single symbols: only the place of the one that comes next
knows it, so the head has to look there. Positions are left out, letters in any order are the same
set; and the feed-forward part is small, so that it cannot sort what a head has mixed. The stop that
ends a text is copied like a letter: a mark of another kind would need no sharp look.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.checkpoint import write_checkpoint
from models.training.letters import (
    LONGEST,
    SHORTEST,
    STOP,
    SYMBOLS,
    by_length,
    encode,
    in_order,
    numbers,
    texts,
)
from models.training.loop import train_epochs
from models.training.muon import Muon
from models.training.runs import stored
from models.transformer import attention_of
from models.transformer_lm import TransformerLM, TransformerLMConfig

NAME = "sort-attention"
EPOCH = 20_000  # texts
FIGURES = 2_000  # texts that are drawn for a figure
LENGTHS = ((2, 4), (5, 6), (7, 8), (9, 10), (11, 12))  # letters
LONGER = (13, 15)  # letters; more than it was trained on, and as many as the context holds
MEAN = 0.998  # share of the running mean that a step keeps
CONFIG = TransformerLMConfig(
    vocab_size=len(SYMBOLS),
    context=32,
    hidden_size=32,
    num_layers=1,
    num_heads=1,
    mlp_size=4,
    positions="none",
)


@dataclass(frozen=True)
class SortRecipe:
    """How it is trained. Units: texts, steps of a batch."""

    epochs: int = 12
    batch_size: int = 128
    learning_rate: float = 0.05  # of Muon, peak of the cosine; sharp looks need large maps
    ratio: float = 0.1  # of it: the rate of Adam for what is no hidden matrix
    warmup: int = 100  # steps
    clip: float = 1.0  # norm of the gradient
    seed: int = 1


RECIPE = SortRecipe()
LINES = ("qmdzbxka.abdkmqxz.", "sorting.ginorst.", "python.hnopty.", "dbca.", "zyxwvutsrqpo.")


def loss(network: TransformerLM, tokens: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats a symbol behind the first stop, of `encode`'s tensors."""
    return F.cross_entropy(network.logits(tokens).flatten(0, 1), targets.flatten())


@torch.no_grad()
def write(network: TransformerLM, texts: list[str]) -> list[str]:
    """What the likeliest symbols make of texts of one length, the stop last if there is one."""
    n = len(texts[0])
    tokens = numbers([text + STOP for text in texts])
    for _ in range(n + 1):
        tokens = torch.cat([tokens, network.logits(tokens)[:, -1:].argmax(-1)], dim=1)
    lines = ["".join(SYMBOLS[number] for number in row) for row in tokens[:, n + 1 :].tolist()]
    return ["".join(line.partition(STOP)[:2]) for line in lines]


@torch.no_grad()
def looks(network: TransformerLM, text: str, written: str) -> Tensor:
    """The head's weights at the step that wrote each symbol: (symbols written, places of the text,
    its stop and the symbols before it). Later places are zero."""
    points: dict[str, Tensor] = {}
    tokens = numbers([(text + STOP + written)[:-1]])  # the last is written, and not read
    network(tokens, record=points.__setitem__)
    T = tokens.shape[1]
    mask = torch.ones(T, T, dtype=torch.bool).tril()
    weights = attention_of(points["blocks.0.q"], points["blocks.0.k"], mask)  # (1, 1, T, T)
    return weights[0, 0, len(text) :]


def measure(network: TransformerLM, texts: list[str]) -> dict:
    """The share of texts that come out in order, by length too; the share of symbols whose own
    place was the likeliest key when they were written, and the mean weight on it."""
    right, hits, weights = {}, [], []
    for length, same in by_length(texts).items():
        pairs = list(zip(same, write(network, same), strict=True))
        right[length] = [written == in_order(text) + STOP for text, written in pairs]
        for text, written in pairs:
            for symbol, row in zip(written, looks(network, text, written), strict=True):
                at = (text + STOP).find(symbol)
                hits.append(int(row.argmax()) == at)
                weights.append(float(row[at]) if at >= 0 else 0.0)
    rows = []
    for low, high in LENGTHS:
        some = [one for length in range(low, high + 1) for one in right.get(length, [])]
        if some:
            rows.append({"from": low, "to": high, "texts": len(some), "exact": _share(some)})
    return {
        "exact": _share([one for some in right.values() for one in some]),
        "exact_texts": len(texts),
        "exact_by_length": rows,
        "looks": _share(hits),
        "looks_weight": _share(weights),
        "looks_symbols": len(hits),
    }


def tested() -> list[str]:
    """The texts that figures are measured on, each once: of the shortest there are not many."""
    return list(dict.fromkeys(texts(0, FIGURES, "test")))


def _share(of: list) -> float:
    return round(sum(of) / max(1, len(of)), 4)


def train(
    run: Path, recipe: SortRecipe = RECIPE, device: str = "cpu"
) -> tuple[dict[str, Tensor], dict, bool]:
    """Train or go on training. Returns the best weights by validation, the progress so far and
    whether the recipe ran to its end."""
    network = TransformerLM(CONFIG).initialize(torch.Generator().manual_seed(recipe.seed))
    network = network.to(device)
    validation = by_length(texts(0, FIGURES, "validation"))

    def losses(epoch: int) -> tuple[Iterator[Tensor], int]:
        whole = encode(texts(f"{recipe.seed} {epoch}", EPOCH))
        parts = list(zip(*(x.to(device).split(recipe.batch_size) for x in whole), strict=True))
        return (loss(network, *part) for part in parts), len(parts)

    def score(mean: nn.Module) -> float:
        pairs = [pair for same in validation.values()
                 for pair in zip(same, write(mean, same), strict=True)]  # fmt: skip
        return _share([written == in_order(text) + STOP for text, written in pairs])

    optimizer = Muon(network, recipe.learning_rate, recipe.ratio)
    return train_epochs(network, recipe, run, losses, score, device, MEAN, optimizer)


def finish(weights: dict, progress: dict, folder: Path, recipe: SortRecipe = RECIPE) -> None:
    """Round the weights to float16, measure them in float32, write the folder."""
    network = stored(TransformerLM(CONFIG), weights)
    figures = measure(network, tested())
    figures["exact_longer"] = measure(network, texts(1, FIGURES // 4, "test", LONGER))["exact"]
    origin, licence = "`models/training/letters.py`", "CC0-1.0"
    about = {
        "kind": TransformerLM.kind,
        "title": "Letters in order, one head",
        "language": "en",
        "licence": licence,
        "prompt": LINES[0],
        "examples": list(LINES),
        "sampling": {"top_k": 1, "length": LONGEST + 1},
        "config": CONFIG.to_dict(),
        "figures": figures,
        "data": {"origin": origin, "licence": licence},
        "training": {
            "epochs": progress["epoch"],
            "steps": progress["step"],
            "seconds": round(progress["seconds"]),
            "history": progress["history"],
        },
    }
    rows = [
        ("the whole text is right, letters never trained on together "
         f"({figures['exact_texts']:,} texts of {SHORTEST} to {LONGEST} letters)",
         f"**{figures['exact']:.2%}**"),
        *((f"the same, {row['from']} to {row['to']} letters ({row['texts']} texts)",
           f"{row['exact']:.2%}") for row in figures["exact_by_length"]),
        (f"the same, {LONGER[0]} to {LONGER[1]} letters, more than it was trained on",
         f"{figures['exact_longer']:.2%}"),
        ("the head's likeliest key is the symbol that is written "
         f"({figures['looks_symbols']:,} symbols)", f"**{figures['looks']:.2%}**"),
        ("mean weight on that symbol", f"{figures['looks_weight']:.2%}"),
    ]  # fmt: skip
    table = "\n".join(f"| {what} | {figure} |" for what, figure in rows)
    given = [line.partition(STOP)[0] for line in LINES]
    samples = "\n".join(f"- `{text}.`\n  `{write(network, [text])[0]}`" for text in given)
    count = sum(value.numel() for value in weights.values())
    card = f"""# {NAME}

Letters in order, one head: a transformer of one block of width {CONFIG.hidden_size} with one head \
and a feed-forward part of {CONFIG.mlp_size}, no positions, LayerNorm before each part, the output \
tied to the embedding; {len(SYMBOLS)} symbols, {count:,} parameters. It reads distinct letters and \
a stop and writes the same letters in order, and a stop.

| measured on the stored float16 weights, computed in float32 | share |
|---|---|
{table}

The command that trained it and measured these figures: `make train NAME={NAME}`
({progress["epoch"]} epochs, {progress["step"]:,} steps of up to {recipe.batch_size} texts, Muon \
at {recipe.learning_rate:g} for the matrices inside, Adam at \
{recipe.learning_rate * recipe.ratio:g} for the rest, with a cosine, gradient norm clipped at \
{recipe.clip:g}, running mean of the weights, the best epoch by validation, \
{progress["seconds"] / 60:.0f} minutes on one busy CPU core). Only what stands behind the \
first stop was asked for.

## Data

- distinct letters in random order, and in the order of the alphabet, by this code
- origin: {origin}
- licence: {licence}

## Samples, unedited, the likeliest symbol each time

{samples}
"""
    write_checkpoint(folder, about, SYMBOLS, weights, card)
    print(f"{folder}: {figures['exact']:.2%} in order, {figures['looks']:.2%} looked at")
