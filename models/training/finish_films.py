"""From the runs of `films` to its two checkpoints: what all runs reached, on both texts."""

import math
from pathlib import Path
from statistics import mean, stdev

from models.char_rnn import CharRNN, CharRNNConfig, CharRunner
from models.checkpoint import CheckpointFiles, write_checkpoint
from models.text import Characters
from models.training import films, ngram
from models.training.corpus import Corpus
from models.training.films import KEPT, RATES, STEPS, Grid, Run
from models.training.labelled import FILMS
from models.training.language import evaluate
from models.training.samples import write_on

TITLES = {"films-tuned": "Films, tuned from Shakespeare", "films-scratch": "Films, from scratch"}
PROMPT = "The film is "
ORDERS = 6  # of n-grams that are tried


def spread(values: list[float], rate: float) -> dict:
    """What the seeds reached: each, their mean and their standard deviation."""
    return {
        "rate": rate,
        "test": [round(value, 4) for value in values],
        "mean": round(mean(values), 4),
        "deviation": round(stdev(values), 4) if len(values) > 1 else None,
    }


def counted(grid: Grid, size: int, seeds) -> dict:
    """An n-gram of the same characters, its order chosen on validation."""
    found = []
    V = len(grid.films.symbols)
    validation, test = grid.films.tokens("validation"), grid.films.tokens("test")
    for seed in seeds:
        train = grid.films.tokens("train", seed, size)
        by_order = ngram.cross_entropy(train, validation, V, ORDERS)
        order = min(range(ORDERS), key=by_order.__getitem__) + 1
        found.append((order, ngram.cross_entropy(train, test, V, order)[-1]))
    about = spread([nats for _, nats in found], 0.0)
    del about["rate"]
    return about | {"order": found[0][0]}


def measure(grid: Grid, old: Corpus) -> dict:
    """Every figure, in nats a character on the whole test parts: of the films and of `old`, the
    text that the pre-trained network has read."""
    test, before = grid.films.tokens("test"), old.split("validation")
    untuned = grid.network(None)
    rows = []
    for size in STEPS:
        seeds = films.seeds(size)
        row: dict = {"characters": len(grid.films.tokens("train", seeds[0], size))}
        for kind in ("tuned", "scratch"):
            runs = grid.chosen(kind, size)
            networks = [grid.network(one) for one in runs]
            row[kind] = spread([evaluate(one, test) for one in networks], runs[0].rate)
            if kind == "tuned":
                # One seed: the old text is long, and the seeds differ less than the sizes.
                row["old_test"] = round(evaluate(networks[0], old.split("test"), before), 4)
        row["ngram"] = counted(grid, size, seeds)
        rows.append(row)
    frozen = grid.chosen("output", KEPT)
    return {
        "by_size": rows,
        "untuned": {
            "test": round(evaluate(untuned, test), 4),
            "old_test": round(evaluate(untuned, old.split("test"), before), 4),
        },
        "by_rate": [
            {
                "characters": KEPT,
                "rate": rate,
                "test": round(evaluate(network, test), 4),
                "old_test": round(evaluate(network, old.split("test"), before), 4),
            }
            for rate in RATES
            for network in [grid.network(Run("tuned", KEPT, rate, films.SEEDS[0]))]
        ],
        "output_alone": {
            "characters": KEPT,
            "parameters": sum(value.numel() for value in untuned.output.parameters()),
            "old_test": round(evaluate(grid.network(frozen[0]), old.split("test"), before), 4),
            **spread([evaluate(grid.network(one), test) for one in frozen], frozen[0].rate),
        },
        "curves": {kind: grid.run(grid.chosen(kind, KEPT)[0]) for kind in ("tuned", "scratch")},
    }


def own(grid: Grid, one: Run) -> dict:
    """The figures of one network."""
    network, test = grid.network(one), grid.films.tokens("test")
    count = counted(grid, one.size, [one.seed])
    nats = evaluate(network, test)
    return {
        "test_nats": round(nats, 4),
        "test_bits": round(nats / math.log(2), 4),
        "validation_nats": round(evaluate(network, grid.films.tokens("validation")), 4),
        "ngram_order": count["order"],
        "ngram_test_nats": count["mean"],
        "test_characters": len(test),
    }


def make(name: str, data: films.Films, base: CheckpointFiles, old: Corpus, folder: Path, run: Path):
    """All runs, or those that are missing; then the checkpoint of this name."""
    grid = Grid(run, data, CharRNNConfig(**base.about["config"]), base.weights)
    grid.all()
    one = grid.chosen(films.NAMES[name], KEPT)[0]
    found = own(grid, one)
    if name == "films-tuned":
        found |= measure(grid, old)
    network = grid.network(one)
    steps, _ = min(grid.run(one), key=lambda entry: entry[1])
    runner = CharRunner(network, Characters(data.symbols), capacity=1)
    sample = write_on(runner, PROMPT, 300, temperature=0.7, seed=1)
    about = {
        "kind": CharRNN.kind,
        "title": TITLES[name],
        "language": "en",
        "licence": f"MIT (sentences); {base.about['licence']} (pre-training)"
        if name == "films-tuned"
        else "MIT",
        "prompt": PROMPT,
        "config": base.about["config"],
        "figures": found,
        "data": {
            "file": FILMS.file,
            "sha256": data.sha256,
            "origin": FILMS.origin,
            "licence": FILMS.licence,
        },
        "training": {
            "start": films.BASE if name == "films-tuned" else "random",
            "distinct": KEPT,
            "characters": steps * films.side_by_side(KEPT) * films.CHUNK,
            "steps": steps,
            "rate": one.rate,
            "seed": one.seed,
        },
    }
    card = _card(name, about, grid, sample)
    write_checkpoint(folder, about, data.symbols, network.state_dict(), card)
    print(f"{folder}: test {found['test_nats']} nats a character")


def _quoted(symbol: str) -> str:
    return "the grave accent" if symbol == "`" else f"`{symbol}`"


def _cell(of: dict) -> str:
    return f"{of['mean']:.3f}" + (f" ± {of['deviation']:.3f}" if of["deviation"] else "")


def _table(figures: dict) -> str:
    untuned, frozen = figures["untuned"], figures["output_alone"]
    rows = "\n".join(
        f"| {row['characters']:,} | {_cell(row['tuned'])} (rate {row['tuned']['rate']:g}) "
        f"| {_cell(row['scratch'])} (rate {row['scratch']['rate']:g}) "
        f"| {_cell(row['ngram'])} (order {row['ngram']['order']}) | {row['old_test']:.3f} |"
        for row in figures["by_size"]
    )
    rates = ", ".join(
        f"{row['old_test']:.3f} at {row['rate']:g} ({row['test']:.3f} on the films)"
        for row in figures["by_rate"]
    )
    steps = ", ".join(
        f"{most:,} for {f'{size:,}' if size else 'all'}" for size, most in STEPS.items()
    )
    return f"""
## How much data, and what it is worth

Nats a character on the test sentences, mean and standard deviation over the seeds: three, two for
300,000 characters, one for all. The last column is the test part of Shakespeare after tuning, with
the first seed.

| characters | tuned | from scratch | n-gram | Shakespeare, after tuning |
|---|---|---|---|---|
| 0 (untuned) | {untuned["test"]:.3f} | - | - | {untuned["old_test"]:.3f} |
{rows}

The output layer alone ({frozen["parameters"]:,} parameters), the rest frozen, {KEPT:,} characters:
{_cell(frozen)} (rate {frozen["rate"]:g}), and {frozen["old_test"]:.3f} on Shakespeare.

On Shakespeare the learning rate counts for more than the amount: tuned on {KEPT:,} characters with
the first seed, {rates}.

Tuned and from scratch alike: batches of {films.STREAMS} streams (fewer where a stream would be
shorter than 300 characters) in chunks of {films.CHUNK} characters with the state carried over;
Adam with {films.WARMUP} steps of warm-up and a cosine. Steps at most: {steps}.
The best of the validations every {films.EVERY} steps, on {films.VALIDATION:,} characters, is kept,
and {films.PATIENCE} without a better one end a run. The learning rate is the one of
{" and ".join(f"{rate:g}" for rate in RATES)} that is better on validation with the first seed. A
seed deals the sentences into another order, of which the first characters are taken, and draws
the random weights. Runs that took all their steps might have gone on getting better with more.
"""


def _card(name: str, about: dict, grid: Grid, sample: str) -> str:
    figures, training, data = about["figures"], about["training"], grid.films
    tuned = name == "films-tuned"
    came = (
        f"`{films.BASE}`, which has read Shakespeare, trained on with {KEPT:,} characters of "
        "sentences about films; `films-scratch` is the same network from random weights"
        if tuned
        else f"`{films.BASE}`'s network from random weights, trained on {KEPT:,} characters of "
        "sentences about films; to be held against `films-tuned`, which began from Shakespeare"
    )
    count = sum(value.numel() for value in grid.weights.values())
    changed = ", ".join(f"{_quoted(symbol)} {n}" for symbol, n in data.changed.most_common())
    dropped = ", ".join(f"`{symbol}` {n}" for symbol, n in data.dropped.most_common())
    sizes = " + ".join(f"{len(data.parts[part]):,}" for part in ("train", "validation", "test"))
    return f"""# {name}

{came}: a character model, 1 layer of {about["config"]["hidden_size"]} (GRU), {count:,} parameters.

| measured on the stored float16 weights, computed in float32 | nats/character | bits/character |
|---|---|---|
| test ({figures["test_characters"]:,} characters) | **{figures["test_nats"]:.3f}** \
| **{figures["test_bits"]:.3f}** |
| validation (the best step was chosen on its first {films.VALIDATION:,} characters) \
| {figures["validation_nats"]:.3f} | {figures["validation_nats"] / math.log(2):.3f} |
| test, {figures["ngram_order"]}-gram of the same {KEPT:,} characters (interpolated Witten-Bell, \
order chosen on validation) | {figures["ngram_test_nats"]:.3f} \
| {figures["ngram_test_nats"] / math.log(2):.3f} |

The command that trained it and measured these figures: `make train NAME={name}`
(the best of its steps was number {training["steps"]}, Adam at {training["rate"]:g}, seed \
{training["seed"]}).
{_table(figures) if tuned else ""}
## Data

- {FILMS.title}: `{FILMS.file}`, {sizes} sentences
  to train, validate and test: every tenth line is test, the line after it validation; all
  sentences, also those without a clear score
- origin: {FILMS.origin}
- licence: {FILMS.licence}
- SHA-256: `{data.sha256}`
- Shakespeare's alphabet has {len(data.symbols)} symbols. Written otherwise, as the
  plain letter or mark: {changed}.
  Left out: {dropped}.

## A sample, unedited

Prefix `{PROMPT}`, temperature 0.7, seed 1:

```
{sample}
```
"""
