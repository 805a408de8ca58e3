"""Many to many, step by step: a recurrent network in both directions gives every word a tag.

Source: Graves and Schmidhuber 2005 for the two directions; Plank, Søgaard and Goldberg 2016 for
tags from a bidirectional LSTM that also reads how words are spelled. The vector of a word is its
row in a table of known words (row 0 stands for all others), beside the sum of the rows of its
pieces and the row of its shape (`spelling`), where these have a size: a word that was never seen
still ends in -ing. A `torch.nn` RNN, LSTM or GRU reads these forwards and backwards, its names
under `rnn.`, and one linear layer reads both states of a word: `tags` is its softmax.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
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
from models.sequence_classifier import (
    check_labels,
    reader_of,
    start_recurrent,
)
from models.spelling import PIECES, SHAPES, pieces_of, shape_of
from models.tokens import MarkedCharacters, Tokens
from models.trace import Point, choose
from models.words import Words

READERS = {"words": Words, "characters_and_signs": MarkedCharacters, "tokens": Tokens}
FEATURES = 2 + PIECES  # numbers that a word is read as: itself, its shape, its pieces


@dataclass(frozen=True)
class TaggerConfig:
    """Everything that fixes the shapes of a tagger."""

    cell: CellName
    vocab_size: int
    labels: list[str]  # the tags, in the order of their logits
    hidden_size: int  # of each direction
    num_layers: int = 1
    embedding_size: int = 24  # of a known word
    pieces: int = 1024  # rows of the table of pieces
    piece_size: int = 24  # 0: pieces are not read
    shape_size: int = 8  # 0: shapes are not read
    bidirectional: bool = True
    reads: Literal["words", "characters_and_signs", "tokens"] = "words"
    dropout: float = 0.0  # while training only: of what is read, between layers, before output

    @property
    def input_size(self) -> int:
        """Width of what the first layer reads."""
        return self.embedding_size + self.piece_size + self.shape_size

    def check(self) -> None:
        """Refuse what no checkpoint of this kind has, before memory is taken for it."""
        check_choice(self, "cell", get_args(CellName))
        if type(self.bidirectional) is not bool:
            raise CheckpointError(
                f"bidirectional is {self.bidirectional!r}, expected true or false"
            )
        check_choice(self, "reads", READERS)
        bounds = dict.fromkeys(("hidden_size", "embedding_size"), (1, 8192))
        bounds |= dict.fromkeys(("piece_size", "shape_size"), (0, 8192))
        bounds |= {"vocab_size": (1, 65536), "pieces": (1, 1 << 20), "num_layers": (1, 16)}
        check_sizes(self, bounds)
        check_labels(self.labels)

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return asdict(self)


def features(word: str, reads, pieces: int) -> list[int]:
    """A word as the network reads it: FEATURES numbers. `reads` is one of READERS."""
    return [reads.number(word), shape_of(word), *pieces_of(word, pieces)]


class Tagger(nn.Module):
    """`forward` maps words (T, B, FEATURES), padded, and lengths (B) to logits (T, B, tags)."""

    kind = "tagger"
    tasks = ("tag",)

    def __init__(self, config: TaggerConfig):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size)
        pieces, shape = config.piece_size, config.shape_size
        self.piece_embedding = nn.Embedding(config.pieces, pieces) if pieces else None
        self.shape_embedding = nn.Embedding(len(SHAPES), shape) if shape else None
        self.rnn = LAYERS[config.cell](
            config.input_size,
            config.hidden_size,
            config.num_layers,
            bidirectional=config.bidirectional,
            dropout=config.dropout if config.num_layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden_size * (1 + config.bidirectional), len(config.labels))

    def embed(self, words: Tensor) -> Tensor:
        """Words (..., FEATURES) -> inputs (..., input_size)."""
        parts = [self.embedding(words[..., 0])]
        if self.piece_embedding is not None:
            parts.append(self.piece_embedding(words[..., 2:]).sum(-2))
        if self.shape_embedding is not None:
            parts.append(self.shape_embedding(words[..., 1]))
        return torch.cat(parts, dim=-1)

    def forward(self, words: Tensor, lengths: Tensor) -> Tensor:
        """Words (T, B, FEATURES), anything past the lengths (B) -> logits (T, B, tags)."""
        x = self.dropout(self.embed(words))
        packed = pack_padded_sequence(x, lengths.cpu(), enforce_sorted=False)
        states, _ = pad_packed_sequence(self.rnn(packed)[0])  # (T, B, D * H)
        return self.output(self.dropout(states))

    @torch.no_grad()
    def initialize(self, generator: torch.Generator) -> "Tagger":
        """Seeded start, as that of a classifier."""
        start_recurrent(self, self.config.cell, self.config.hidden_size, generator)
        return self


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs a tagger's checkpoint. Raises `CheckpointError`, naming what is wrong."""
    config = config_of(TaggerConfig, files.about)
    reads = reader_of(READERS[config.reads], files.vocabulary, config.vocab_size)
    with torch.device("meta"):
        network = Tagger(config)
    return WordTagger(fill(network, files.weights).to(device), reads)


@dataclass(frozen=True)
class Tagged:
    """What `WordTagger.tag` returns."""

    probabilities: Tensor  # (T, tags)
    known: list[bool]  # whether a word has a row of its own
    points: dict[str, Tensor]  # (T, ...)


class WordTagger:
    """A tagger's checkpoint at work: it reads words and says what each of them is."""

    kind, tasks = Tagger.kind, Tagger.tasks
    context = None  # words that can be read: as many as there are

    def __init__(self, network: Tagger, reads):
        self.network, self.reads = network, reads
        self.labels = list(network.config.labels)
        self.recurrent = Recurrent(network.config.cell, dict(network.rnn.state_dict()))
        tags = Point("tags", ("time", "label"), "probability", (None, len(self.labels)))
        self.points = [*self.recurrent.points, tags]

    @torch.no_grad()
    def tag(self, words: list[str], points: Collection[str] | None = ()) -> Tagged:
        """Read words as they are typed: the probabilities of their tags, and the points asked for
        (None: all)."""
        wanted = choose(points, [point.name for point in self.points])
        network = self.network
        read = [features(word, self.reads, network.config.pieces) for word in words]
        device = network.output.weight.device
        x = network.embed(torch.tensor(read, device=device))[:, None]  # (T, 1, input_size)
        run = self.recurrent.run(x, None, [name for name in wanted if name != "tags"])
        found = {name: value[:, 0] for name, value in run.points.items()}
        probabilities = network.output(run.output[:, 0]).softmax(-1)
        if "tags" in wanted:
            found["tags"] = probabilities
        return Tagged(probabilities, [self.reads.knows(numbers[0]) for numbers in read], found)
