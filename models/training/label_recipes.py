"""Recipes of networks that give labels: one to a text, or one to every word."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from models.training.labelled import Labelled, read_films, read_names, read_treebank


@dataclass(frozen=True)
class LabelRecipe:
    """How a labeller is trained. Units: texts, steps of one batch, nats."""

    title: str
    read: Callable[[Path], Labelled]
    kind: str  # sequence_classifier, tagger
    network: dict = field(default_factory=dict)  # config without vocab_size and labels
    least: int = 1  # how often a word occurs in training to have a row of its own
    epochs: int = 20
    batch_size: int = 32
    learning_rate: float = 2e-3  # peak of the cosine
    warmup: int = 100  # steps
    clip: float = 1.0  # norm of the gradient
    decay: float = 0.0  # of the weights, AdamW's
    forget: float = 0.0  # a word of count c is read as unknown with chance forget / (forget + c)
    drop: float = 0.0  # chance that any word is read as unknown, a character as another one
    balance: float = 0.0  # a label's loss is weighted by (1 / its count) to this power
    smoothing: float = 0.0  # share of the target that is spread over all labels
    foretell: float = 0.0  # weight of the loss of what comes next after every step
    start: Literal["", "bayes"] = ""  # bayes: the first numbers of a word tell of its labels
    keep: float = 0.998  # share of the running mean that a step keeps
    chosen_by: tuple[str, ...] = ("accuracy",)  # the best epoch: the sum of these on validation
    seed: int = 1
    prompt: str = ""
    language: str = "en"
    examples: tuple[str, ...] = ()
    note: str = ""  # what a reader of the figures must know


LABEL_RECIPES: dict[str, LabelRecipe] = {
    "surnames": LabelRecipe(
        "Surnames of 18 languages",
        read_names,
        "sequence_classifier",
        {
            "cell": "gru",
            "reads": "characters",
            "hidden_size": 128,
            "embedding_size": 24,
            "dropout": 0.3,
        },
        epochs=22,
        batch_size=64,
        learning_rate=4e-3,
        decay=0.02,
        balance=0.4,
        foretell=0.5,
        chosen_by=("accuracy", "macro_f1"),
        prompt="Schmidhuber",
        examples=("Nakamura", "Rossi", "Petrov", "O'Brien", "Nguyen", "Dvorak"),
    ),
    "sentiment": LabelRecipe(
        "Sentences about films",
        read_films,
        "sequence_classifier",
        {
            "cell": "lstm",
            "reads": "words",
            "hidden_size": 24,
            "embedding_size": 12,
            "bidirectional": True,
            "pooling": "attention",
            "attention_size": 16,
            "dropout": 0.5,
        },
        least=5,
        epochs=12,
        learning_rate=3e-3,
        decay=0.05,
        forget=1.0,
        drop=0.1,
        smoothing=0.1,
        start="bayes",
        note="""
The network and naive Bayes are level: a bag of single words holds nearly all that 8,000 sentences
can teach. What `not` does to the words behind it the network has hardly learned; see below.
""",
        prompt="A clever film with a warm heart, but its ending is far too long.",
        examples=(
            "A dull, stupid and boring mess.",
            "It is good.",
            "It is not good.",
            "It is not bad.",
            "The best thing about it is that it ends.",
            "Funny, touching and beautifully acted.",
        ),
    ),
    "tagger-en": LabelRecipe(
        "Parts of speech, English",
        read_treebank,
        "tagger",
        {
            "cell": "lstm",
            "hidden_size": 48,
            "embedding_size": 16,
            "pieces": 2048,
            "piece_size": 16,
            "shape_size": 8,
            "dropout": 0.3,
        },
        least=5,
        epochs=15,
        learning_rate=4e-3,
        forget=0.5,
        prompt="They can fish, and I can open a can of fish.",
        examples=(
            "Time flies like an arrow; fruit flies like a banana.",
            "I saw her duck, and then I fed the duck.",
            "The old man the boats.",
            "A glorpy wug blicked the daxes blickingly.",
        ),
    ),
}
