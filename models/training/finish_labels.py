"""From a trained labeller to a checkpoint folder: measure what is stored, write the model card."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from models.checkpoint import write_checkpoint
from models.sequence_classifier import READERS, Classifier
from models.tagger import WordTagger
from models.training.finish import CELL_NAMES
from models.training.label_figures import confusion, figures
from models.training.label_recipes import LabelRecipe
from models.training.labelled import UNDECIDED, Labelled
from models.training.labelling import Prepared, build, guess, units_of
from models.training.runs import stored
from models.training.simple_labels import MostFrequent, bayes
from models.words import Words, cut, normal

PERCENT = {"accuracy": "accuracy", "macro_recall": "mean recall", "macro_f1": "mean F1"}
SPLITS = {
    "names": "every tenth line of each file is test, the line after it validation",
    "sentiment/movie-snippets.tsv.gz": "every tenth line is test, the line after it validation",
    "pos/ud-ewt-{part}.tsv.gz": "the treebank's own train, dev and test",
}
SIMPLE = {
    "characters": "naive Bayes on character n-grams",
    "words": "naive Bayes on word n-grams",
    "tags": "a word's most frequent tag",
}


def measure(recipe: LabelRecipe, data: Labelled, prepared: Prepared, network: nn.Module) -> dict:
    """Figures of the network on test and validation, and of the baselines on the same test."""
    count = len(data.labels)
    guesses, truth = guess(network, prepared.parts["test"])
    found = figures(guesses, truth, count)
    found["validation"] = figures(*guess(network, prepared.parts["validation"]), count)
    most = Counter(label for _, label in _flat(data.parts["train"])).most_common(1)[0][0]
    found["majority"] = figures([most] * len(truth), truth, count)
    new = strangers(recipe, data)
    if recipe.kind == "tagger":
        simple = MostFrequent(data.parts["train"])
        simple_guesses = [simple.tag(w) for words, _ in data.parts["test"] for w in words]
        found["simple"] = figures(simple_guesses, truth, count)
        found["simple_by"] = {"strangers": data.labels[simple.rare]}
    else:
        characters = recipe.network["reads"] == "characters"
        parts = {
            part: [
                ([normal(unit) for unit in units_of(recipe, text)], label) for text, label in all
            ]
            for part, all in data.parts.items()
        }
        longest = (2, 3, 4, 5) if characters else (1, 2)
        score = lambda found, true: sum(figures(found, true, count)[n] for n in recipe.chosen_by)
        simple_guesses, settings = bayes(parts, count, longest, characters, score)
        found["simple"] = figures(simple_guesses, truth, count)
        found["simple_by"] = settings
    if recipe.network.get("reads") != "words":
        at = [k for k, is_new in enumerate(new) if is_new]
        pick = lambda labels: [labels[k] for k in at]
        found["unseen"] = {
            "count": len(at),
            **figures(pick(guesses), pick(truth), count),
            "simple": figures(pick(simple_guesses), pick(truth), count),
        }
    counts = confusion(guesses, truth, count)
    found["labels"] = [
        {"label": name, "test": int(row.sum()), "recall": round(float(row[k] / row.sum()), 4)}
        for k, (name, row) in enumerate(zip(data.labels, counts, strict=True))
        if row.sum()
    ]
    return found | {"test": len(truth), "left_out": data.left_out}


def _flat(examples: Sequence[tuple]) -> list[tuple]:
    """(text, label) as they are; (words, tags) word by word."""
    if examples and isinstance(examples[0][1], list):
        return [pair for words, tags in examples for pair in zip(words, tags, strict=True)]
    return list(examples)


def strangers(recipe: LabelRecipe, data: Labelled) -> list[bool]:
    """Of each text of the test part, or each of its words: whether training never had it."""
    seen = {normal(text) for text, _ in _flat(data.parts["train"])}
    return [normal(text) not in seen for text, _ in _flat(data.parts["test"])]


def finish(
    name: str,
    recipe: LabelRecipe,
    data: Labelled,
    prepared: Prepared,
    weights: dict,
    progress: dict,
    folder: Path,
) -> None:
    """Round the weights to float16, measure them in float32, write the folder."""
    network = stored(build(recipe, prepared.symbols, data.labels), weights)
    found = measure(recipe, data, prepared, network)
    about = {
        "kind": recipe.kind,
        "title": recipe.title,
        "language": recipe.language,
        "licence": data.source.licence,
        "prompt": recipe.prompt,
        "examples": list(recipe.examples),
        "config": network.config.to_dict(),
        "figures": found,
        "data": {
            "file": data.source.file,
            "sha256": data.sha256,
            "origin": data.source.origin,
            "licence": data.source.licence,
        },
        "training": {
            "epochs": recipe.epochs,
            "seconds": round(progress["seconds"]),
            "history": progress["history"],
        },
    }
    count = sum(value.numel() for value in weights.values())
    text = card(name, recipe, data, network, count, found, progress)
    text += sayings(recipe, network, prepared.symbols)
    write_checkpoint(folder, about, prepared.symbols, weights, text)
    print(f"{folder}: accuracy {found['accuracy']:.4f}, simple {found['simple']['accuracy']:.4f}")


# -- the card --------------------------------------------------------------------------------


def table(recipe: LabelRecipe, found: dict) -> str:
    """What was measured, as a card tells it."""
    kind = "tags" if recipe.kind == "tagger" else recipe.network["reads"]
    by = found["simple_by"]
    how = (
        f"; words never seen: {by['strangers']}"
        if kind == "tags"
        else f" up to {by['longest']}, counts + {by['alpha']:g}"
        + (", all labels equally likely before" if by["flat"] else "")
        + ", chosen on validation"
    )
    rows = [
        ("**the network**, test", found, "**"),
        ("the network, validation (the best epoch was chosen on it)", found["validation"], ""),
        (f"{SIMPLE[kind]}{how}, test", found["simple"], ""),
        ("the most frequent label, test", found["majority"], ""),
    ]
    if "unseen" in found:
        what = "words" if kind == "tags" else "names"
        said = f"test {what} that training never had ({found['unseen']['count']:,})"
        rows[1:1] = [(f"**the network**, {said}", found["unseen"], "**")]
        rows.append((f"{SIMPLE[kind]}, {said}", found["unseen"]["simple"], ""))
    lines = [
        "| on the stored float16 weights, computed in float32 | "
        + " | ".join(PERCENT.values())
        + " |",
        "|---|" + "---|" * len(PERCENT),
    ]
    for told, own, bold in rows:
        cells = " | ".join(f"{bold}{own[name]:.2%}{bold}" for name in PERCENT)
        lines.append(f"| {told} | {cells} |")
    return "\n".join(lines)


def each_label(found: dict) -> str:
    """Recall of every label, most frequent first."""
    rows = sorted(found["labels"], key=lambda one: -one["test"])
    lines = [f"| {r['label']} | {r['test']:,} | {r['recall']:.1%} |" for r in rows]
    return "\n".join(["| label | in test | found again |", "|---|---|---|", *lines])


def inside(recipe: LabelRecipe, network: nn.Module) -> str:
    """What the network is, in words."""
    net = network.config
    ways = "in both directions" if net.bidirectional else "in one direction"
    layers = f"{CELL_NAMES[net.cell]} of {net.hidden_size} {ways}"
    if net.num_layers > 1:
        layers = f"{net.num_layers} layers, {layers}"
    if recipe.kind == "tagger":
        return (
            f"A word is a row of {net.embedding_size} numbers for {net.vocab_size - 1:,} known "
            f"words (one row for all others), beside the sum of the rows of its pieces (its "
            f"first three letters, its last one to four; {net.pieces:,} rows of {net.piece_size}, "
            f"hashed) and a row of {net.shape_size} for its shape. Then one {layers}, and a "
            "linear layer on both states of a word."
        )
    pools = {
        "last": "The last state goes through a linear layer",
        "mean": "The mean of all states goes through a linear layer",
        "attention": f"Attention (v . tanh(W h + b), {net.attention_size} wide, softmax over the "
        "words) makes one vector of all states, and a linear layer reads it",
    }[net.pooling]
    read = f"{net.vocab_size:,} {net.reads}" + (
        ", capital letters read as small ones" if net.reads == "characters" else
        f" (those that training has at least {recipe.least} times; one row for all others)"
    )  # fmt: skip
    table = f"an embedding of {net.embedding_size}" if net.embedding_size else "one-hot input"
    return f"It reads {read}: {table}, {layers}. {pools}."


def sayings(recipe: LabelRecipe, network: nn.Module, symbols: list[str]) -> str:
    """What the network says of the prompt and the examples, as a card tells it."""
    lines = []
    for text in (recipe.prompt, *recipe.examples):
        if recipe.kind == "tagger":
            words = [text[start:stop] for start, stop in cut(text)]
            tags = WordTagger(network, Words(symbols)).tag(words).probabilities.argmax(-1)
            said = " ".join(
                f"{word}/{network.config.labels[k]}"
                for word, k in zip(words, tags.tolist(), strict=True)
            )
            lines.append(f"- {said}")
        else:
            runner = Classifier(network, READERS[network.config.reads](symbols))
            found = runner.classify(runner.reads.encode(text)).probabilities
            top = int(found.argmax())
            lines.append(f"- `{text}` {runner.labels[top]}, {found[top]:.0%}")
    return "\n".join(["\n## What it says", "", *lines, ""])


def card(name, recipe, data, network, count, found, progress) -> str:
    """The model card."""
    sizes = {part: len(texts) for part, texts in data.parts.items()}
    texts = "sentences" if recipe.network.get("reads") != "characters" else "names"
    left = (
        f"\n- left out of training and of every figure: {data.left_out:,} sentences whose mean "
        f"score is nearer to 0 than {UNDECIDED:g} (scores go from -4 to 4); "
        f"{sum(sizes.values()):,} remain, the sign of the score is their label"
        if data.left_out
        else ""
    )
    extras = [
        f"AdamW at {recipe.learning_rate:g} with a cosine, weight decay {recipe.decay:g}",
        f"batches of {recipe.batch_size}",
        f"dropout {network.config.dropout:g}",
    ]
    if recipe.forget:
        extras.append(
            f"a word of count c read as unknown with chance {recipe.forget:g} / "
            f"({recipe.forget:g} + c)" + (f", any with {recipe.drop:g}" if recipe.drop else "")
        )
    if recipe.balance:
        extras.append(f"a label's loss weighted by 1 / count to the power {recipe.balance:g}")
    if recipe.drop and recipe.network.get("reads") == "characters":
        extras.append(f"{recipe.drop:g} of the characters exchanged for others")
    if recipe.foretell:
        extras.append(
            f"{recipe.foretell:g} times the loss of what comes next after every step was added "
            "(its layer is not kept)"
        )
    if recipe.start == "bayes":
        extras.append(
            "the first numbers of a word's embedding start as what naive Bayes knows of it: the "
            "log of its share among the words of each label, less the mean over the labels"
        )
    if recipe.smoothing:
        extras.append(f"{recipe.smoothing:g} of the target spread over all labels")
    best = max(progress["history"], key=lambda row: (row["score"], row["epoch"]))
    error = math.sqrt(found["accuracy"] * (1 - found["accuracy"]) / found["test"])
    mean = (
        "Mean recall and mean F1 count every label the same, however rare it is. On "
        f"{found['test']:,} {'words' if recipe.kind == 'tagger' else texts} the standard error of "
        f"the accuracy is {100 * error:.2f} points."
    )
    return f"""# {name}

{recipe.title}: {count:,} parameters. {inside(recipe, network)}

{table(recipe, found)}

{mean}
{recipe.note}
{each_label(found)}

The command that trained it and measured these figures: `make train NAME={name}`
({recipe.epochs} epochs, the best was number {best["epoch"]}; {"; ".join(extras)}; a running mean \
of the weights; {progress["seconds"] / 60:.0f} minutes on one busy CPU core).

## Data

- {data.source.title}: `{data.source.file}`, {sizes["train"]:,} + {sizes["validation"]:,} + \
{sizes["test"]:,} {texts} to train, validate and test: {SPLITS[data.source.file]}{left}
- origin: {data.source.origin}
- licence: {data.source.licence}
- SHA-256{
        " (of all files one after the other)"
        if data.source.file not in ("sentiment/movie-snippets.tsv.gz",)
        else ""
    }: `{data.sha256}`
"""
