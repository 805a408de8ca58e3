"""Many to one: a recurrent network reads a text and says which of its labels it carries.

Source: Elman 1990 for the network that reads step by step; Yang et al. 2016 for the attention that
pools (`pooling`). Characters or words go through an embedding (or one-hot), a `torch.nn` RNN, LSTM
or GRU in one direction or both, its names under `rnn.`; the states of all steps become one vector,
and one linear layer gives a logit a label.

What it shows beside its gates is exact. Where the last state alone is read, and it is read in one
direction, `labels` is what the network would say if the text ended at that step. Where states are
weighted, the logits are the bias plus a sum over steps, and `evidence` holds its terms:

    logits = U (sum over t of a_t h_t) + b = b + sum over t of a_t (U h_t)
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from models.cells import LAYERS, CellName, Recurrent
from models.checkpoint import (
    CheckpointError,
    CheckpointFiles,
    check_choice,
    check_sizes,
    config_of,
    fill,
)
from models.pooling import POOLINGS, Attention, last, mask_of
from models.text import Characters, FoldedCharacters
from models.tokens import MarkedCharacters, Tokens
from models.trace import Point, choose
from models.words import Words

READERS = {
    "characters": FoldedCharacters,
    "words": Words,
    # vocabularies made elsewhere, in their own order
    "characters_as_they_are": Characters,
    "characters_and_signs": MarkedCharacters,
    "tokens": Tokens,
}
MOST_LABELS = 1000


@dataclass(frozen=True)
class SequenceClassifierConfig:
    """Everything that fixes the shapes of a classifier, and what it reads."""

    cell: CellName
    reads: Literal[
        "characters", "words", "characters_as_they_are", "characters_and_signs", "tokens"
    ]
    vocab_size: int
    labels: list[str]  # what it may say, in the order of its logits
    hidden_size: int
    num_layers: int = 1
    embedding_size: int = 0  # 0: the input is one-hot, as wide as the vocabulary
    bidirectional: bool = False
    pooling: Literal["last", "mean", "attention"] = "last"
    attention_size: int = 0  # of W h + b in the scores, where attention pools
    dropout: float = 0.0  # while training only: after the embedding, between layers, before output

    @property
    def input_size(self) -> int:
        """Width of what the first layer reads."""
        return self.embedding_size or self.vocab_size

    @property
    def pooled_size(self) -> int:
        """Width of the vector that stands for the whole text."""
        return self.hidden_size * (1 + self.bidirectional)

    def check(self) -> None:
        """Refuse what no checkpoint of this kind has, before memory is taken for it."""
        check_choice(self, "cell", get_args(CellName))
        check_choice(self, "reads", READERS)
        check_choice(self, "pooling", POOLINGS)
        if type(self.bidirectional) is not bool:
            raise CheckpointError(
                f"bidirectional is {self.bidirectional!r}, expected true or false"
            )
        check_sizes(
            self,
            {
                "vocab_size": (1, 65536),
                "hidden_size": (1, 8192),
                "num_layers": (1, 16),
                "embedding_size": (0, 8192),
                "attention_size": (1 if self.pooling == "attention" else 0, 8192),
            },
        )
        check_labels(self.labels)

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return asdict(self)


def check_labels(labels) -> None:
    """Refuse what is no list of distinct names. Raises `CheckpointError`."""
    named = isinstance(labels, list) and all(isinstance(one, str) and one for one in labels)
    if not named or len(set(labels)) != len(labels) or not 2 <= len(labels) <= MOST_LABELS:
        raise CheckpointError(f"labels must be a list of 2..{MOST_LABELS} distinct names")


class SequenceClassifier(nn.Module):
    """`forward` maps tokens (T, B), padded, and lengths (B) to logits (B, labels)."""

    kind = "sequence_classifier"
    tasks = ("trace", "classify")

    def __init__(self, config: SequenceClassifierConfig):
        super().__init__()
        self.config = config
        self.embedding = (
            nn.Embedding(config.vocab_size, config.embedding_size)
            if config.embedding_size
            else None
        )
        self.rnn = LAYERS[config.cell](
            config.input_size,
            config.hidden_size,
            config.num_layers,
            bidirectional=config.bidirectional,
            dropout=config.dropout if config.num_layers > 1 else 0.0,
        )
        self.attention = (
            Attention(config.pooled_size, config.attention_size)
            if config.pooling == "attention"
            else None
        )
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.pooled_size, len(config.labels))

    def embed(self, tokens: Tensor) -> Tensor:
        """Tokens (...) -> inputs (..., input_size)."""
        if self.embedding is None:
            return F.one_hot(tokens, self.config.vocab_size).to(self.output.weight.dtype)
        return self.embedding(tokens)

    def weights(self, states: Tensor, lengths: Tensor) -> Tensor | None:
        """How much each step of states (T, B, D * H) counts: (T, B), of sum 1 over the steps; None
        where the last states alone are read."""
        mask = mask_of(states, lengths)
        if self.attention is not None:
            return self.attention(states, mask)
        return mask / mask.sum(0) if self.config.pooling == "mean" else None

    def pool(self, states: Tensor, lengths: Tensor) -> Tensor:
        """States (T, B, D * H) of texts of these lengths (B) -> one vector each (B, D * H)."""
        weights = self.weights(states, lengths)
        if weights is None:
            return last(states, lengths, self.config.hidden_size)
        return (weights.unsqueeze(-1) * states).sum(0)

    def states(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Tokens (T, B), anything past the lengths (B) -> states (T, B, D * H), 0 past them."""
        x = self.dropout(self.embed(tokens))  # (T, B, input_size)
        packed = pack_padded_sequence(x, lengths.cpu(), enforce_sorted=False)
        return pad_packed_sequence(self.rnn(packed)[0])[0]

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Tokens (T, B), anything past the lengths (B) -> logits (B, labels)."""
        states = self.states(tokens, lengths)
        return self.output(self.dropout(self.pool(states, lengths)))

    @torch.no_grad()
    def initialize(self, generator: torch.Generator) -> "SequenceClassifier":
        """Seeded start: orthogonal recurrent blocks, Xavier elsewhere, zero biases; the forget gate
        of an LSTM starts open (bias 1; Jozefowicz et al. 2015)."""
        start_recurrent(self, self.config.cell, self.config.hidden_size, generator)
        return self


@torch.no_grad()
def start_recurrent(network: nn.Module, cell: str, hidden_size: int, generator) -> None:
    """Seeded weights for every parameter of a network with a recurrent part `rnn`."""
    for name, parameter in network.named_parameters():
        if "weight_hh" in name:
            for block in parameter.split(hidden_size):  # (H, H) a gate
                nn.init.orthogonal_(block, generator=generator)
        elif parameter.dim() == 2 and "embedding" in name:
            nn.init.normal_(parameter, std=0.3, generator=generator)
        elif parameter.dim() == 2:
            nn.init.xavier_uniform_(parameter, generator=generator)
        else:
            nn.init.zeros_(parameter)
            if cell == "lstm" and "bias_ih" in name:
                parameter[hidden_size : 2 * hidden_size] = 1.0


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs a classifier's checkpoint. Raises `CheckpointError`, naming what is wrong."""
    config = config_of(SequenceClassifierConfig, files.about)
    reads = reader_of(READERS[config.reads], files.vocabulary, config.vocab_size)
    with torch.device("meta"):
        network = SequenceClassifier(config)
    return Classifier(fill(network, files.weights).to(device), reads)


def reader_of(kind: type, vocabulary: list[str] | None, size: int):
    """A vocabulary as its reader, found to be as large as the config says."""
    if vocabulary is None:
        raise CheckpointError("vocabulary.json is missing")
    if size != len(vocabulary):
        raise CheckpointError(
            f"vocabulary.json holds {len(vocabulary)} symbols, config.json says vocab_size {size}"
        )
    try:
        return kind(vocabulary)
    except ValueError as error:
        raise CheckpointError(f"vocabulary.json: {error}") from error


@dataclass(frozen=True)
class Classified:
    """What `Classifier.classify` returns."""

    probabilities: Tensor  # (labels)
    points: dict[str, Tensor]  # first axis: time


class Classifier:
    """A classifier's checkpoint at work: it reads a text and says what it is."""

    kind, tasks = SequenceClassifier.kind, SequenceClassifier.tasks
    context = None  # tokens that can be read: as many as there are

    def __init__(self, network: SequenceClassifier, reads):
        self.network, self.reads = network, reads
        config = network.config
        self.labels = list(config.labels)
        self.recurrent = Recurrent(config.cell, dict(network.rnn.state_dict()))
        self.points = [*self.recurrent.points, *self._own_points(config)]

    @staticmethod
    def _own_points(config: SequenceClassifierConfig) -> list[Point]:
        labels = len(config.labels)
        if config.pooling != "last":
            weights = Point("attention", ("time",), "probability", (None,))
            evidence = Point("evidence", ("time", "label"), "real", (None, labels))
            return [weights, evidence] if config.pooling == "attention" else [evidence]
        if config.bidirectional:
            return []  # a state of the middle of a text has read one half of it
        return [Point("labels", ("time", "label"), "probability", (None, labels))]

    @torch.no_grad()
    def classify(self, tokens: list[int], points: Collection[str] | None = ()) -> Classified:
        """Read a text: what each label's probability is, and the points asked for (None: all)."""
        wanted = choose(points, [point.name for point in self.points])
        network = self.network
        device = network.output.weight.device
        x = network.embed(torch.tensor(tokens, device=device))[:, None]  # (T, 1, input_size)
        inside = [p.name for p in self.recurrent.points if p.name in wanted]
        run = self.recurrent.run(x, None, inside)
        lengths = torch.tensor([len(tokens)], device=device)
        logits = network.output(network.pool(run.output, lengths))[0]  # (labels)
        found = {name: value[:, 0] for name, value in run.points.items()}
        if "labels" in wanted:
            found["labels"] = network.output(run.output[:, 0]).softmax(-1)
        if wanted & {"attention", "evidence"}:
            weights = network.weights(run.output, lengths)  # (T, 1)
            terms = weights * F.linear(run.output[:, 0], network.output.weight)  # (T, labels)
            own = {"attention": weights[:, 0], "evidence": terms}
            found |= {name: value for name, value in own.items() if name in wanted}
        return Classified(logits.softmax(-1), found)

    def trace(self, tokens: list[int], points: Collection[str] | None, start: int, stop: int):
        """The points of steps start..stop of the whole text: both directions, and what pools, read
        all of it. Nothing is predicted and no token is likely: None twice."""
        found = self.classify(tokens, points).points
        return {name: value[start:stop] for name, value in found.items()}, None, None
