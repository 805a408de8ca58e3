"""From trained weights to a checkpoint folder: measure what is stored, write the model card."""

import math
from pathlib import Path

from models.char_rnn import CharRNN, CharRunner
from models.checkpoint import write_checkpoint
from models.text import Characters
from models.training import ngram
from models.training.corpus import Corpus
from models.training.language import evaluate
from models.training.recipes import Recipe
from models.training.runs import stored
from models.training.samples import write_on

CELL_NAMES = {
    "lstm": "LSTM",
    "gru": "GRU",
    "rnn_tanh": "RNN, tanh",
    "rnn_relu": "RNN, ReLU",
    "mut1": "MUT1",
    "mut2": "MUT2",
    "mut3": "MUT3",
}

# How weights rest, as a card tells it.
HALF = "float16 weights"
PACKED = "weights (matrices in rows of 8-bit integers with a float16 scale each)"


def measure(network, corpus: Corpus, evaluate=evaluate) -> dict:
    """Figures in nats per character on the split of `Corpus.split`, beside an n-gram's.

    `evaluate(network, tokens, the text before)` measures one part. The n-gram's order is the best
    one of 1..8 on validation.
    """
    train, validation, test = (corpus.split(part) for part in ("train", "validation", "test"))
    size = len(corpus.symbols)
    order_limit = min(8, int(62 / math.log2(size)))
    by_order = ngram.cross_entropy(train, validation, size, order_limit)
    order = min(range(order_limit), key=by_order.__getitem__) + 1
    test_nats = evaluate(network, test, validation)
    return {
        "test_nats": round(test_nats, 4),
        "test_bits": round(test_nats / math.log(2), 4),
        "validation_nats": round(evaluate(network, validation, train), 4),
        "ngram_order": order,
        "ngram_test_nats": round(ngram.cross_entropy(train, test, size, order)[-1], 4),
        "test_characters": len(test),
    }


def figures_table(figures: dict, stored: str = HALF) -> str:
    """What was measured, as a card tells it."""
    return f"""\
| measured on the stored {stored}, computed in float32 | nats/character | bits/character |
|---|---|---|
| test (the last 5% of the text by position, {figures["test_characters"]:,} characters) | \
**{figures["test_nats"]:.3f}** | **{figures["test_bits"]:.3f}** |
| validation (the 5% before it; the best epoch was chosen on it) | \
{figures["validation_nats"]:.3f} | {figures["validation_nats"] / math.log(2):.3f} |
| test, {figures["ngram_order"]}-gram of the same training text (interpolated Witten-Bell, order \
chosen on validation) | {figures["ngram_test_nats"]:.3f} | \
{figures["ngram_test_nats"] / math.log(2):.3f} |"""


def sources(recipe, corpus: Corpus, sample: str) -> str:
    """Where the text comes from, and what the model writes, as a card tells it."""
    return f"""\
## Data

- {recipe.source.title}: `{recipe.source.file}`, {len(corpus.tokens):,} characters
- origin: {recipe.source.origin}
- licence: {recipe.source.licence}
- SHA-256: `{corpus.sha256}`

## A sample, unedited

Prefix `{recipe.prompt}`, temperature 0.7, seed 1:

```
{sample}
```
"""


def about_network(kind: str, recipe, corpus: Corpus, config, figures, progress, read: int) -> dict:
    """The config.json of a network that has read so many characters of a corpus."""
    return {
        "kind": kind,
        "title": recipe.title,
        "language": recipe.language,
        "licence": recipe.source.licence,
        "prompt": recipe.prompt,
        "config": config.to_dict(),
        "figures": figures,
        "data": {
            "file": recipe.source.file,
            "sha256": corpus.sha256,
            "origin": recipe.source.origin,
            "licence": recipe.source.licence,
        },
        "training": {
            "epochs": recipe.epochs,
            "characters": read,
            "seconds": round(progress["seconds"]),
            "history": progress["history"],
        },
    }


def finish(
    name: str, recipe: Recipe, corpus: Corpus, weights: dict, progress: dict, folder: Path
) -> None:
    """Round the weights as they will rest, measure them in float32, write the folder."""
    config = recipe.config(len(corpus.symbols))
    network = stored(CharRNN(config), weights, recipe.pack)
    figures = measure(network, corpus)
    runner = CharRunner(network, Characters(corpus.symbols), capacity=1)
    sample = write_on(runner, recipe.prompt, 400, temperature=0.7, seed=1)
    read = progress["step"] * recipe.batch_size * recipe.chunk
    about = about_network(CharRNN.kind, recipe, corpus, config, figures, progress, read)
    count = sum(value.numel() for value in weights.values())
    card = _card(name, recipe, corpus, count, figures, progress, sample)
    write_checkpoint(folder, about, corpus.symbols, weights, card, recipe.pack)
    print(f"{folder}: test {figures['test_nats']} nats, {figures['test_bits']} bits a character")


def _card(name, recipe, corpus, count, figures, progress, sample) -> str:
    net = recipe.config(len(corpus.symbols)).to_dict()
    source = f"embedding {net['embedding_size']}" if net["embedding_size"] else "one-hot input"
    read = progress["step"] * recipe.batch_size * recipe.chunk
    layers = "layer" if net["num_layers"] == 1 else "layers"
    return f"""# {name}

{recipe.title}: a character model, {net["num_layers"]} {layers} \
of {net["hidden_size"]} ({CELL_NAMES[net["cell"]]}), {source}, {len(corpus.symbols)} symbols, \
{count:,} parameters.

{figures_table(figures, PACKED if recipe.pack else HALF)}

The command that trained it and measured these figures: `make train NAME={name}`
({recipe.epochs} epochs, {read:,} characters read, chunks of {recipe.chunk} in {recipe.batch_size} \
streams with the state carried over, Adam at {recipe.learning_rate:g} with a cosine, gradient \
norm clipped at {recipe.clip:g}, dropout {net["dropout"]:g}, input weights started at \
{recipe.input_gain:g} times Xavier's, {"bfloat16" if recipe.bfloat16 else "float32"} products \
while training, \
{progress["seconds"] / 60:.0f} minutes on {progress.get("device", "one busy CPU core")}).
{recipe.note}
{sources(recipe, corpus, sample)}"""
