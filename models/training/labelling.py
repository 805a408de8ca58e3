"""Training of networks that give labels: texts of several lengths side by side, padded."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from models.sequence_classifier import SequenceClassifier, SequenceClassifierConfig
from models.tagger import Tagger, TaggerConfig, features
from models.text import FoldedCharacters, small
from models.training.label_figures import figures
from models.training.label_recipes import LabelRecipe
from models.training.labelled import Labelled
from models.training.loop import train_epochs
from models.words import UNKNOWN, Words, cut, normal

NOTHING = -100  # a target that does not count
POOL = 20  # batches that are sorted by length together
Example = tuple[Tensor, Tensor]  # (T) or (T, FEATURES) numbers; the label () or the tags (T)


@dataclass(frozen=True)
class Prepared:
    """A data set as numbers, and the vocabulary that made them."""

    symbols: list[str]
    counts: Tensor  # (V), how often each symbol occurs in training
    parts: dict[str, list[Example]]


def units_of(recipe: LabelRecipe, text) -> list[str]:
    """What a network reads of a text: its characters, its words, or the words as they are given."""
    if recipe.kind == "tagger":
        return list(text)
    if recipe.network["reads"] == "characters":
        return [small(character) for character in text]
    return [text[start:stop] for start, stop in cut(text)]


def prepare(recipe: LabelRecipe, data: Labelled) -> Prepared:
    """Make the vocabulary from training (an alphabet: from all parts) and number all texts."""
    cut_up = {
        part: [(units_of(recipe, text), label) for text, label in texts]
        for part, texts in data.parts.items()
    }
    if recipe.network.get("reads") == "characters":
        every = Counter(c for texts in cut_up.values() for units, _ in texts for c in units)
        symbols = sorted(every)
        alphabet = FoldedCharacters(symbols)
        numbers = lambda units: alphabet.encode("".join(units))
        seen = every
    else:
        seen = Counter(normal(word) for units, _ in cut_up["train"] for word in units)
        symbols = [UNKNOWN, *sorted(w for w, count in seen.items() if count >= recipe.least)]
        words = Words(symbols)
        rows = recipe.network.get("pieces", 0)
        if recipe.kind == "tagger":
            numbers = lambda units: [features(word, words, rows) for word in units]
        else:
            numbers = lambda units: [words.number(word) for word in units]
    parts = {
        part: [(torch.tensor(numbers(units)), torch.tensor(label)) for units, label in texts]
        for part, texts in cut_up.items()
    }
    return Prepared(symbols, torch.tensor([float(seen[symbol]) for symbol in symbols]), parts)


def batch(examples: Sequence[Example]) -> tuple[Tensor, Tensor, Tensor]:
    """Examples side by side: numbers (T, B, ...), lengths (B), targets (B) or (T, B)."""
    numbers, targets = zip(*examples, strict=True)
    lengths = torch.tensor([len(one) for one in numbers])
    labels = (
        pad_sequence(targets, padding_value=NOTHING) if targets[0].dim() else torch.stack(targets)
    )
    return pad_sequence(numbers), lengths, labels


def batches(
    examples: Sequence[Example], size: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """All examples once, in batches of texts of about one length, in an order of the generator."""
    order = torch.randperm(len(examples), generator=generator).tolist()
    pools = [order[k : k + POOL * size] for k in range(0, len(order), POOL * size)]
    groups = []
    for pool in pools:
        pool.sort(key=lambda k: len(examples[k][0]))
        groups += [pool[k : k + size] for k in range(0, len(pool), size)]
    for k in torch.randperm(len(groups), generator=generator).tolist():
        yield batch([examples[n] for n in groups[k]])


def build(recipe: LabelRecipe, symbols: list[str], labels: list[str]) -> nn.Module:
    """The network of a recipe, its weights not started."""
    sizes = {"vocab_size": len(symbols), "labels": labels, **recipe.network}
    if recipe.kind == "tagger":
        return Tagger(TaggerConfig(**sizes))
    return SequenceClassifier(SequenceClassifierConfig(**sizes))


class Foretelling(SequenceClassifier):
    """A classifier that also says what comes next after every step, while it is trained: there is
    more to learn from a text than its one label (Rei 2017, arXiv:1704.07156)."""

    def __init__(self, config: SequenceClassifierConfig):
        super().__init__(config)
        self.foretold = nn.Linear(config.hidden_size, config.vocab_size)

    def both(self, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the labels (B, labels), and the loss of what is foretold, in nats."""
        states = self.states(tokens, lengths)
        logits = self.output(self.dropout(self.pool(states, lengths)))
        following = self.foretold(self.dropout(states[:-1])).flatten(0, 1)
        inside = torch.arange(1, len(tokens))[:, None] < lengths  # (T - 1, B)
        targets = tokens[1:].masked_fill(~inside, NOTHING)
        return logits, F.cross_entropy(following, targets.flatten(), ignore_index=NOTHING)


@torch.no_grad()
def begin_with_shares(table: Tensor, examples: Sequence[Example], labels: int) -> None:
    """Let the first numbers of each word (V, E) be what naive Bayes knows of it: for every label
    the log of the word's share among the label's words, less the mean over the labels."""
    counts = torch.ones(labels, len(table))
    for numbers, label in examples:
        counts[label] += numbers.bincount(minlength=len(table))
    shares = (counts / counts.sum(1, keepdim=True)).log()
    table[:, :labels] = (shares - shares.mean(0)).T


def mistyped(numbers: Tensor, chance: float, counts: Tensor, generator: torch.Generator) -> Tensor:
    """Characters (T, B), some of them exchanged for others drawn as often as they occur."""
    other = counts.multinomial(numbers.numel(), True, generator=generator).view_as(numbers)
    return torch.where(torch.rand(numbers.shape, generator=generator) < chance, other, numbers)


def forgotten(numbers: Tensor, chance: Tensor, generator: torch.Generator) -> Tensor:
    """The numbers with some words read as unknown, each by its own chance (V)."""
    words = numbers if numbers.dim() == 2 else numbers[..., 0]  # (T, B)
    keep = torch.rand(words.shape, generator=generator) >= chance[words]
    if numbers.dim() == 2:
        return numbers * keep
    return torch.cat([(words * keep)[..., None], numbers[..., 1:]], dim=-1)


@torch.no_grad()
def guess(network: nn.Module, examples: Sequence[Example], size: int = 128) -> tuple[list, list]:
    """The likeliest label of every text, or of every word, one after the other; and the truth."""
    guesses, truth = [], []
    for k in range(0, len(examples), size):
        numbers, lengths, targets = batch(examples[k : k + size])
        found = network(numbers, lengths).argmax(-1)
        if targets.dim() == 2:  # text after text
            found, targets = found.t(), targets.t()
        counts = targets != NOTHING
        guesses += found[counts].tolist()
        truth += targets[counts].tolist()
    return guesses, truth


def train(recipe: LabelRecipe, data: Labelled, prepared: Prepared, run: Path):
    """Train or go on training: as `train_epochs`."""
    generator = torch.Generator().manual_seed(recipe.seed)
    network = build(recipe, prepared.symbols, data.labels)
    if recipe.foretell:
        network = Foretelling(network.config)
    network.initialize(generator)
    examples = prepared.parts["train"]
    if recipe.start == "bayes":
        begin_with_shares(network.embedding.weight, examples, len(data.labels))
    chance = recipe.drop + (1 - recipe.drop) * recipe.forget / (recipe.forget + prepared.counts)
    characters = recipe.network.get("reads") == "characters"
    labels = torch.cat([label.reshape(-1) for _, label in examples])
    weight = labels.bincount(minlength=len(data.labels)).float().pow(-recipe.balance)
    weight /= weight[labels].mean()  # the rate stays what it is

    def losses(epoch: int):
        drawn = torch.Generator().manual_seed(recipe.seed * 1000 + epoch)

        def each():
            for numbers, lengths, targets in batches(examples, recipe.batch_size, drawn):
                if characters:
                    numbers = mistyped(numbers, recipe.drop, prepared.counts, drawn)
                else:
                    numbers = forgotten(numbers, chance, drawn)
                extra = 0.0
                if recipe.foretell:
                    logits, told = network.both(numbers, lengths)
                    extra = recipe.foretell * told
                else:
                    logits = network(numbers, lengths)
                yield extra + F.cross_entropy(
                    logits.flatten(0, -2),
                    targets.flatten(),
                    weight if recipe.balance else None,
                    ignore_index=NOTHING,
                    label_smoothing=recipe.smoothing,
                )

        groups = range(0, len(examples), POOL * recipe.batch_size)
        whole = (min(POOL * recipe.batch_size, len(examples) - k) for k in groups)
        return each(), sum(-(-texts // recipe.batch_size) for texts in whole)

    def score(mean: nn.Module) -> float:
        found = figures(*guess(mean, prepared.parts["validation"]), len(data.labels))
        return sum(found[name] for name in recipe.chosen_by)

    optimizer = torch.optim.AdamW(
        network.parameters(), betas=(0.9, 0.98), weight_decay=recipe.decay
    )
    weights, progress, ended = train_epochs(
        network, recipe, run, losses, score, keep=recipe.keep, optimizer=optimizer
    )
    return own_weights(weights), progress, ended


def own_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the network itself, without what only helped to train it."""
    return {name: value for name, value in weights.items() if not name.startswith("foretold.")}
