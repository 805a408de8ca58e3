"""Character-level convolutional language models: a stack of causal, dilated, gated convolutions.

Source: van den Oord et al. 2016 (arXiv:1609.03499) for convolutions that see the past alone, each
layer twice as far apart as the one below, and for the gate beside a tanh; Dauphin et al. 2017
(arXiv:1612.08083) for language; Bai et al. 2018 (arXiv:1803.01271), who held such stacks against
recurrent ones. A block normalizes the stream, looks at `kernel_size` places of it that are
`dilation` apart, makes a gate and a candidate of them, and adds a map of their product back.

It differs from `torch.nn.Conv1d` in how the weights lie: each of the two convolutions is one matrix
(units, kernel_size * channels), the earliest place first, so a step of one character is one product
with the vectors that were kept.
"""

from collections.abc import Callable, Collection
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.char_rnn import alphabet
from models.checkpoint import (
    CheckpointError,
    CheckpointFiles,
    check_sizes,
    config_of,
    fill,
)
from models.convolution_stepper import ConvolutionStepper
from models.text import Characters
from models.trace import Point

MOST_KEPT = 1 << 18  # numbers of the past that writing keeps of one text
# Takes the name of a point and its value; most are dropped by it.
Record = Callable[[str, Tensor], None]


@dataclass(frozen=True)
class CharConvConfig:
    """Everything that fixes the shapes of a convolutional model."""

    vocab_size: int
    hidden_size: int  # of the residual stream
    gate_size: int  # units of a block: so many gates, and as many candidates
    num_layers: int
    kernel_size: int = 3  # places that a unit looks at, the newest character's own among them
    tied: bool = True  # the embedding's table is the output's too
    norm_eps: float = 1e-5
    dropout: float = 0.0  # while training only: of what a block adds

    @property
    def dilations(self) -> list[int]:
        """How far apart the places of each layer are, in characters: 1, 2, 4, ..."""
        return [2**layer for layer in range(self.num_layers)]

    @property
    def receptive_field(self) -> int:
        """Characters that the next one is predicted from."""
        return 1 + (self.kernel_size - 1) * sum(self.dilations)

    def check(self) -> None:
        """Refuse sizes that no checkpoint of this kind has, before memory is taken for them."""
        check_sizes(
            self,
            {
                "vocab_size": (1, 65536),
                "hidden_size": (1, 8192),
                "gate_size": (1, 8192),
                "num_layers": (1, 16),
                "kernel_size": (2, 16),
            },
        )
        if type(self.tied) is not bool:
            raise CheckpointError(f"tied is {self.tied!r}, expected true or false")
        if type(self.norm_eps) not in (int, float) or not 0 < self.norm_eps < 1:
            raise CheckpointError(f"norm_eps is {self.norm_eps!r}, expected a number 0..1")
        kept = self.receptive_field * self.hidden_size
        if kept > MOST_KEPT:
            raise CheckpointError(
                f"a receptive field of {self.receptive_field} characters times hidden_size "
                f"{self.hidden_size} is {kept} numbers, at most {MOST_KEPT} are kept of a text"
            )

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return asdict(self)


def drop_all(name: str, value: Tensor) -> None:
    """The record of a pass that nobody looks into."""


def places(x: Tensor, kernel_size: int, dilation: int) -> Tensor:
    """x (B, T, D) -> what each time sees, the earliest place first: (B, T, kernel_size * D).

    Before the text there are zeros.
    """
    T = x.shape[1]
    padded = F.pad(x, (0, 0, (kernel_size - 1) * dilation, 0))
    return torch.cat([padded[:, k * dilation :][:, :T] for k in range(kernel_size)], -1)


class Block(nn.Module):
    """One layer: x + output(sigmoid(gate) * tanh(candidate)), both of the same places."""

    def __init__(self, config: CharConvConfig, dilation: int):
        super().__init__()
        D, H, K = config.hidden_size, config.gate_size, config.kernel_size
        self.kernel_size, self.dilation = K, dilation
        self.norm = nn.RMSNorm(D, config.norm_eps)
        self.gate = nn.Linear(K * D, H)
        self.candidate = nn.Linear(K * D, H)
        self.output = nn.Linear(H, D, bias=False)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, name: str = "", record: Record = drop_all) -> Tensor:
        """The residual stream (B, T, D) before the block -> after it."""
        seen = places(self.norm(x), self.kernel_size, self.dilation)  # (B, T, K * D)
        gate, candidate = self.gate(seen).sigmoid(), self.candidate(seen).tanh()  # (B, T, H)
        x = x + self.drop(self.output(gate * candidate))
        for word, value in (("gate", gate), ("candidate", candidate), ("residual", x)):
            record(f"{name}.{word}", value)
        return x


class CharConv(nn.Module):
    """Next-character model. `logits` maps tokens (B, T) to (B, T, V)."""

    kind = "char_conv"
    tasks = ("trace", "generate")

    def __init__(self, config: CharConvConfig):
        super().__init__()
        self.config = config
        V, D = config.vocab_size, config.hidden_size
        self.embedding = nn.Embedding(V, D)
        self.blocks = nn.ModuleList(Block(config, d) for d in config.dilations)
        self.final_norm = nn.RMSNorm(D, config.norm_eps)
        self.output = None if config.tied else nn.Linear(D, V, bias=False)

    @property
    def output_weight(self) -> Tensor:
        """The map from the stream to the symbols, (V, D)."""
        return self.embedding.weight if self.output is None else self.output.weight

    def logits(self, tokens: Tensor, record: Record = drop_all) -> Tensor:
        """Tokens (B, T) -> logits (B, T, V) of what comes after each."""
        x = self.embedding(tokens)  # (B, T, D)
        for layer, block in enumerate(self.blocks):
            x = block(x, f"blocks.{layer}", record)
        return F.linear(self.final_norm(x), self.output_weight)

    def forward(self, tokens: Tensor) -> Tensor:
        """`logits`, with nothing recorded."""
        return self.logits(tokens)

    @torch.no_grad()
    def initialize(self, generator: torch.Generator) -> "CharConv":
        """Seeded start: weights of std 0.02, those that write to the stream smaller by
        sqrt(layers), zero biases."""
        small = 0.02 / self.config.num_layers**0.5
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.dim() == 2:
                writes = name.startswith("blocks") and name.endswith("output.weight")
                nn.init.normal_(parameter, std=small if writes else 0.02, generator=generator)
        return self


def points_of(config: CharConvConfig) -> list[Point]:
    """What there is to see, in the order in which it is computed."""
    sizes = {
        "gate": ("unit", config.gate_size),
        "candidate": ("signed", config.gate_size),
        "residual": ("real", config.hidden_size),
    }
    return [
        Point(f"blocks.{layer}.{name}", ("time", "unit"), kind, (None, size))
        for layer in range(config.num_layers)
        for name, (kind, size) in sizes.items()
    ]


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs a convolutional checkpoint. Raises `CheckpointError`, naming what is
    wrong."""
    config = config_of(CharConvConfig, files.about)
    characters = alphabet(files, config.vocab_size)
    with torch.device("meta"):
        network = CharConv(config)
    fill(network, files.weights)
    runner = CharConvRunner(network.to(device), characters, capacity)
    _ = runner.stepper  # packs the weights now, not when the first text is to be written
    return runner


class CharConvRunner:
    """A convolutional checkpoint at work: traces of whole texts, and steps for the engine.

    Traces run on the network's device; steps run on the CPU.
    """

    kind, tasks = CharConv.kind, CharConv.tasks
    context = None  # tokens that can be read: as many as there are

    def __init__(self, network: CharConv, characters: Characters, capacity: int = 128):
        self.network, self.characters, self.capacity = network, characters, capacity
        self.reads, self.config = characters, network.config
        self.vocab_size = len(characters)
        self.points = points_of(network.config)

    @cached_property
    def stepper(self) -> ConvolutionStepper:
        """One step for many rows at once."""
        network = self.network
        if network.embedding.weight.device.type != "cpu":
            network = deepcopy(network).cpu()
        return ConvolutionStepper(network, self.capacity)

    @property
    def layout(self) -> list[tuple[str, int, int]]:
        """Where each point lies in a row that a step captures."""
        return self.stepper.layout

    @torch.no_grad()
    def following(self, windows: Tensor) -> Tensor:
        """Texts (B, L), each as if it began there -> probabilities (B, L, V) of what comes next."""
        return self.network.logits(windows.to(self.network.embedding.weight.device)).softmax(-1)

    @torch.no_grad()
    def trace(self, tokens: list[int], points: Collection[str] | None, start: int, stop: int):
        """Show tokens[start:stop], reading only what these can see.

        Returns the points asked for (None: all) as float32 (T, units) tensors by name, the
        probabilities (T, V) of what comes next after each token, and the probability (T,) of
        each token given those before it, NaN for the first of the text. T = stop - start.
        """
        first = max(0, start - self.config.receptive_field)  # one more: what came before `start`
        names = [p.name for p in self.points] if points is None else list(points)
        wanted, found = set(names), {}

        def record(name: str, value: Tensor) -> None:
            if name in wanted:
                found[name] = value[0, start - first :]

        read = torch.tensor(tokens[first:stop], device=self.network.embedding.weight.device)
        after = self.network.logits(read[None], record)[0].softmax(-1)  # (stop - first, V)
        given = F.pad(after[:-1], (0, 0, 1, 0), value=torch.nan)
        probability = given.gather(1, read[:, None])[start - first :, 0]  # (T,)
        return {name: found[name] for name in names}, after[start - first :], probability
