"""From a text to a checkpoint of counts: count, leave out, measure what is stored, write the
card."""

import math
import time
from pathlib import Path

from models.checkpoint import write_checkpoint
from models.counts import count_orders, pruned
from models.ngram import NGram, NGramRunner, from_tensors, to_tensors
from models.text import Characters
from models.training import ngram
from models.training.corpus import Corpus
from models.training.finish import about_network, measure, sources
from models.training.ngram_recipes import NGramRecipe
from models.training.samples import write_on


def make(name: str, recipe: NGramRecipe, corpus: Corpus, folder: Path) -> None:
    """Count the training text, and write the folder; the figures are of the stored counts."""
    started = time.perf_counter()
    config, V = recipe.config(len(corpus.symbols)), len(corpus.symbols)
    train = corpus.split("train").numpy()
    whole = count_orders(train, config.order, V)
    tensors = to_tensors(pruned(whole, recipe.least, V), V)
    orders = from_tensors(tensors, config)

    def evaluate(orders, test, before) -> float:
        return list(ngram.cross_entropies(orders, test.numpy(), V))[-1]

    figures = measure(orders, corpus, evaluate)
    figures["orders"] = [len(one.grams) for one in orders]
    figures["counted"] = [len(one.grams) for one in whole]
    network = NGram(config, orders)
    runner = NGramRunner(network, Characters(corpus.symbols), capacity=1)
    sample = write_on(runner, recipe.prompt, 400, temperature=0.7, seed=1)
    progress = {"seconds": time.perf_counter() - started, "history": []}
    about = about_network(NGram.kind, recipe, corpus, config, figures, progress, len(train))
    numbers = sum(value.numel() for value in tensors.values())
    rows = "\n".join(
        f"| {n} | {counted:,} | {kept:,} | {least:g} |"
        for n, (counted, kept, least) in enumerate(
            zip(figures["counted"], figures["orders"], recipe.least, strict=True), 1
        )
    )
    card = f"""# {name}

{recipe.title}: no network, but counts of what followed the last {config.order - 1} characters or \
fewer in the training text, mixed by interpolated Witten-Bell smoothing; {V} symbols, {numbers:,} \
parameters: all whole numbers that the file holds, symbols and the shape of the tree among them.

{_table(figures)}

Of all n-grams of the training text those are kept that save it more than so many nats against the \
next shorter ones; what was left out counts for the shorter ones:

| order | n-grams in the text | kept | saves more than, nats |
|---|---|---|---|
{rows}

The command that counted and measured these figures: `make train NAME={name}` \
({len(train):,} characters read once, {progress["seconds"]:.0f} seconds on one busy CPU core).

{sources(recipe, corpus, sample)}"""
    write_checkpoint(folder, about, corpus.symbols, tensors, card)
    print(f"{folder}: test {figures['test_nats']} nats, {figures['test_bits']} bits a character")


def _table(figures: dict) -> str:
    def row(what: str, nats: float) -> str:
        return f"| {what} | {nats:.3f} | {nats / math.log(2):.3f} |"

    order = figures["ngram_order"]
    test = f"the last 5% of the text by position, {figures['test_characters']:,} characters"
    return "\n".join(
        [
            "| measured on the stored counts | nats/character | bits/character |",
            "|---|---|---|",
            row(f"**test** ({test})", figures["test_nats"]),
            row("validation (the 5% before it)", figures["validation_nats"]),
            row(f"test, {order}-gram with nothing left out", figures["ngram_test_nats"]),
        ]
    )
