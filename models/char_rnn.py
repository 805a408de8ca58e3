"""Character-level recurrent language models: embed, recur, predict the next character.

Source: Mikolov et al. 2010 (recurrent language models); Karpathy, Johnson, Fei-Fei 2015
(arXiv:1506.02078) for the character form. The network is a `torch.nn` RNN, LSTM or GRU, or one
of `searched_cells`, with its own parameter names under `rnn.`, an embedding (or one-hot input)
before and one linear layer after it. What it reads may also be tokens of several characters
(`reads`), where a vocabulary was made elsewhere. This module holds the network as it is trained;
`cells` holds the explicit steps that show its gates.
"""

import math
from collections.abc import Callable, Collection
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.cells import LAYERS, Recurrent
from models.checkpoint import (
    CheckpointError,
    CheckpointFiles,
    check_choice,
    check_sizes,
    config_of,
    fill,
)
from models.searched_cells import SEARCHED, SearchedRecurrent, check_widths
from models.stepper import Stepper
from models.text import Characters
from models.tokens import MarkedCharacters, Tokens

CellName = Literal["rnn_tanh", "rnn_relu", "lstm", "gru", "mut1", "mut2", "mut3"]
CELLS: dict[str, Callable[..., nn.Module]] = {**LAYERS, **SEARCHED}
READERS = {
    "characters": Characters,
    "characters_and_signs": MarkedCharacters,
    "tokens": Tokens,
}
# What runs a cell and shows what it computes.
AT_WORK = dict.fromkeys(CELLS, Recurrent) | dict.fromkeys(SEARCHED, SearchedRecurrent)


@dataclass(frozen=True)
class CharRNNConfig:
    """Everything that fixes the shapes of a character model."""

    cell: CellName
    vocab_size: int
    hidden_size: int
    num_layers: int = 1
    embedding_size: int = 0  # 0: the input is one-hot, as wide as the vocabulary
    dropout: float = 0.0  # while training only: after the embedding, between layers, before output
    reads: Literal["characters", "characters_and_signs", "tokens"] = "characters"

    @property
    def input_size(self) -> int:
        """Width of what the first layer reads."""
        return self.embedding_size or self.vocab_size

    def check(self) -> None:
        """Refuse sizes that no checkpoint of this kind has, before memory is taken for them."""
        check_choice(self, "cell", CELLS)
        check_choice(self, "reads", READERS)
        bounds = {
            "vocab_size": (1, 65536),
            "hidden_size": (1, 8192),
            "num_layers": (1, 16),
            "embedding_size": (0, 8192),
        }
        check_sizes(self, bounds)
        try:
            check_widths(self.cell, self.input_size, self.hidden_size)
        except ValueError as error:
            raise CheckpointError(str(error)) from error

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return asdict(self)


class CharRNN(nn.Module):
    """Next-character model. `forward` maps tokens (T, B) to logits (T, B, V)."""

    kind = "char_rnn"
    tasks = ("trace", "generate")

    def __init__(self, config: CharRNNConfig):
        super().__init__()
        self.config = config
        self.embedding = (
            nn.Embedding(config.vocab_size, config.embedding_size)
            if config.embedding_size
            else None
        )
        self.rnn = CELLS[config.cell](
            config.input_size,
            config.hidden_size,
            config.num_layers,
            dropout=config.dropout if config.num_layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden_size, config.vocab_size)

    def embed(self, tokens: Tensor) -> Tensor:
        """Tokens (...) -> inputs (..., input_size)."""
        if self.embedding is None:
            one_hot = F.one_hot(tokens, self.config.vocab_size)
            return one_hot.to(self.output.weight.dtype)
        return self.embedding(tokens)

    def forward(self, tokens: Tensor, state=None) -> tuple[Tensor, object]:
        """Tokens (T, B) and a torch.nn state -> logits (T, B, V) and the state after them."""
        hidden, state = self.rnn(self.dropout(self.embed(tokens)), state)  # (T, B, H)
        return self.output(self.dropout(hidden)), state

    @torch.no_grad()
    def initialize(self, generator: torch.Generator, input_gain: float = 1.0) -> "CharRNN":
        """Seeded start: orthogonal recurrent blocks, Xavier inputs times a gain, zero biases.

        The LSTM's forget gate starts open (bias 1; Jozefowicz et al. 2015), so that early
        gradients reach back in time. Its gates halve the signal several times over, and with a gain
        of 1 it learns more slowly at first than the other cells do.
        """
        H = self.config.hidden_size
        for name, parameter in self.named_parameters():
            if "weight_hh" in name:
                for block in parameter.split(H):  # (H, H) a gate
                    nn.init.orthogonal_(block, generator=generator)
            elif parameter.dim() == 2 and name.startswith("embedding"):
                nn.init.normal_(parameter, std=0.5, generator=generator)
            elif parameter.dim() == 2:
                gain = input_gain if "weight_ih" in name else 1.0
                nn.init.xavier_uniform_(parameter, gain, generator=generator)
            else:
                nn.init.zeros_(parameter)
                if self.config.cell == "lstm" and "bias_ih" in name:
                    parameter[H : 2 * H] = 1.0
        return self


def alphabet(files: CheckpointFiles, size: int, kind: type = Characters):
    """What a character checkpoint reads. Raises `CheckpointError` unless it has so many symbols."""
    if files.vocabulary is None:
        raise CheckpointError("vocabulary.json is missing")
    if size != len(files.vocabulary):
        raise CheckpointError(
            f"vocabulary.json holds {len(files.vocabulary)} symbols, "
            f"config.json says vocab_size {size}"
        )
    try:
        return kind(files.vocabulary)
    except ValueError as error:
        raise CheckpointError(f"vocabulary.json: {error}") from error


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs a character checkpoint. Raises `CheckpointError`, naming the tensor."""
    config = config_of(CharRNNConfig, files.about)
    characters = alphabet(files, config.vocab_size, READERS[config.reads])
    with torch.device("meta"):
        network = CharRNN(config)
    fill(network, files.weights)
    runner = CharRunner(network.to(device), characters, capacity)
    _ = runner.stepper  # packs the weights now, not when the first text is to be written
    return runner


def at_work(network: CharRNN) -> Recurrent:
    """The recurrent layers of a network, from its weights."""
    cell = network.config.cell
    return AT_WORK[cell](cell, dict(network.rnn.state_dict()))


class CharRunner:
    """A character checkpoint at work: traces of whole texts, and steps for the engine.

    Traces run on the network's device; steps run on the CPU, where a step of one text costs less
    than a launch on a GPU does.
    """

    kind, tasks = CharRNN.kind, CharRNN.tasks
    context = None  # tokens that can be read: as many as there are

    def __init__(self, network: CharRNN, characters: Characters, capacity: int = 128):
        self.network, self.characters, self.capacity = network, characters, capacity
        self.reads = characters
        self.vocab_size = len(characters)
        self.recurrent = at_work(network)
        self.points = self.recurrent.points

    @cached_property
    def stepper(self) -> Stepper:
        """One step for many rows at once."""
        network, recurrent = self.network, self.recurrent
        if network.output.weight.device.type != "cpu":
            network = deepcopy(network).cpu()
            recurrent = at_work(network)
        table = network.embed(torch.arange(self.vocab_size))  # (V, input_size)
        return Stepper(recurrent, table, network.output.weight, network.output.bias, self.capacity)

    @property
    def layout(self) -> list[tuple[str, int, int]]:
        """Where each point lies in a row that a step captures."""
        return self.stepper.layout

    @torch.no_grad()
    def following(self, windows: Tensor) -> Tensor:
        """Texts (B, L), each from the zero state -> probabilities (B, L, V) of what comes next."""
        logits, _ = self.network(windows.T.to(self.network.output.weight.device))
        return logits.transpose(0, 1).softmax(-1)

    @torch.no_grad()
    def trace(self, tokens: list[int], points: Collection[str] | None, start: int, stop: int):
        """Read tokens[:stop] and show tokens[start:stop].

        Returns the points asked for (None: all) as float32 (T, H) tensors by name, the
        probabilities (T, V) of what comes next after each token, and the probability (T,) of
        each token given those before it, NaN for the first of the text. T = stop - start.
        """
        output = self.network.output
        read = torch.tensor(tokens[:stop], device=output.weight.device)
        x = self.network.embed(read)[:, None]  # (stop, 1, input_size)
        names = [p.name for p in self.points] if points is None else list(points)
        before = torch.full((1, self.vocab_size), math.nan, device=read.device)
        state = None
        if start:
            lead = self.recurrent.run(x[:start], None, ())
            state = lead.state
            before = output(lead.output[-1]).softmax(-1)  # (1, V)
        run = self.recurrent.run(x[start:], state, names)
        after = output(run.output[:, 0]).softmax(-1)  # (T, V)
        given = torch.cat([before, after[:-1]])
        probability = given.gather(1, read[start:, None])[:, 0]  # (T,)
        return {name: run.points[name][:, 0] for name in names}, after, probability
