"""Toys that give labels: to a text, and to every word."""

from pathlib import Path

import torch

from models.sequence_classifier import SequenceClassifier, SequenceClassifierConfig
from models.tagger import Tagger, TaggerConfig
from tests.toys import about, lively, write

LANGUAGES = ["one", "two", "three"]
TAGS = ["NOUN", "VERB", "X"]
WORDS = ["<unk>", ".", "a", "fish", "n't", "the"]
CLASSIFIERS = {
    "toy-names": SequenceClassifierConfig("gru", "characters", 6, LANGUAGES, 7),
    "toy-plain-names": SequenceClassifierConfig("rnn_tanh", "characters", 6, LANGUAGES, 5, 2),
    "toy-both-ways": SequenceClassifierConfig(
        "lstm", "words", len(WORDS), LANGUAGES, 4, embedding_size=3, bidirectional=True
    ),
    "toy-mean": SequenceClassifierConfig(
        "gru", "words", len(WORDS), LANGUAGES, 4, embedding_size=3, pooling="mean"
    ),
    "toy-attention": SequenceClassifierConfig(
        "lstm", "words", len(WORDS), LANGUAGES, 4, 1, 3, True, "attention", 5
    ),
}
TAGGERS = {
    "toy-tagger": TaggerConfig("lstm", len(WORDS), TAGS, 5, 1, 4, 16, 3, 2),
    "toy-tagger-one-way": TaggerConfig("gru", len(WORDS), TAGS, 5, 2, 4, 16, 3, 2, False),
}


def symbols_of(config) -> list[str]:
    """The vocabulary of a toy that gives labels."""
    return list("-abcde") if getattr(config, "reads", "words") == "characters" else WORDS


def write_labeller(folder: Path, config, seed: int = 0):
    """Write a checkpoint folder of a classifier or a tagger; returns its network."""
    kind = Tagger if isinstance(config, TaggerConfig) else SequenceClassifier
    built = lively(kind(config), 0.8, torch.Generator().manual_seed(seed))
    said = {**about(config, "A toy that labels"), "kind": kind.kind}
    write(folder, said, symbols_of(config), built.state_dict(), seed)
    return built


def write_labellers(folder: Path) -> dict:
    """Write every classifier and tagger; the networks by the checkpoints' names."""
    every = CLASSIFIERS | TAGGERS
    return {name: write_labeller(folder / name, config) for name, config in every.items()}
