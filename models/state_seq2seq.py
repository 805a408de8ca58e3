"""Sequence to sequence by the state alone: the decoder begins where the encoder ended.

The encoder reads forwards; the decoder begins with the state that the encoder ended with, layer by
layer, and from then on sees nothing but the tokens it has written:

    h_t, (c_t) = cell(embedding(y_{t-1}), h_{t-1}, (c_{t-1}))
    p(y_t)     = softmax(W h_t + b)

Source: Sutskever, Vinyals, Le 2014 (arXiv:1409.3215), who read the source backwards. `seq2seq`
differs: its encoder reads both ways and maps what it ends with, and each step sees it again.

`encoder` and `decoder` have the parameter names of torch's layers of their cell.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.beam import Beam, search
from models.cells import LAYERS, Direction, Recurrent, advance, gates
from models.checkpoint import (
    CheckpointFiles,
    check_choice,
    check_sizes,
    config_of,
    fill,
)
from models.listed import Listed, ListedTarget
from models.products import Products
from models.subwords import Source, both_sides
from models.trace import Point, choose
from models.translator import text_of
from models.writing import CANDIDATES, End, Step, check_prefix, write_with

DECODER_INPUTS: dict[str, Callable[[Tensor], Tensor]] = {"plain": lambda x: x, "relu": torch.relu}


@dataclass(frozen=True)
class StateSeq2SeqConfig:
    """Everything that fixes the shapes."""

    cell: str  # rnn_tanh, rnn_relu, lstm or gru, of encoder and decoder
    source_size: int  # tokens that can be read
    target_size: int  # tokens that can be written
    source_embedding_size: int
    target_embedding_size: int
    hidden_size: int  # of encoder and decoder: the state is handed over as it is
    num_layers: int = 1
    decoder_input: str = "plain"  # of what the decoder's cell reads: vectors, or their relu

    def check(self) -> None:
        """Refuse sizes that no checkpoint of this kind has, before memory is taken for them."""
        check_choice(self, "cell", LAYERS)
        check_choice(self, "decoder_input", DECODER_INPUTS)
        bounds = {
            "source_size": (2, 1 << 20),
            "target_size": (3, 1 << 20),
            "source_embedding_size": (1, 8192),
            "target_embedding_size": (1, 8192),
            "hidden_size": (1, 8192),
            "num_layers": (1, 16),
        }
        check_sizes(self, bounds)

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return asdict(self)


class StateSeq2Seq(nn.Module):
    """`forward` maps a source and the target up to each step to the logits of its tokens."""

    kind = "state_seq2seq"
    tasks = ("translate",)
    never_written: tuple[int, ...] = ()  # tokens that no text holds
    end = -1  # the token after which nothing is written; both are the vocabulary's to say

    def __init__(self, config: StateSeq2SeqConfig):
        super().__init__()
        self.config = config
        layer, H, L = LAYERS[config.cell], config.hidden_size, config.num_layers
        self.linear = F.linear  # what makes the products of a step; `products` is faster for few
        self.source_embedding = nn.Embedding(config.source_size, config.source_embedding_size)
        self.target_embedding = nn.Embedding(config.target_size, config.target_embedding_size)
        self.encoder = layer(config.source_embedding_size, H, L)
        self.decoder = layer(config.target_embedding_size, H, L)
        self.output = nn.Linear(H, config.target_size)

    def written(self, tokens: Tensor) -> Tensor:
        """Written tokens (...) -> what the decoder's cell reads of them, (..., N)."""
        return DECODER_INPUTS[self.config.decoder_input](self.target_embedding(tokens))

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Teacher forcing: source (S, B), target (T, B) that begins with the mark of the beginning
        -> logits (T, B, target_size) of the token after each."""
        _, state = self.encoder(self.source_embedding(source))
        return self.output(self.decoder(self.written(target), state)[0])


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs such a checkpoint. Raises `CheckpointError`, naming what is wrong."""
    config = config_of(StateSeq2SeqConfig, files.about)
    sides = both_sides(files, (config.source_size, config.target_size), (Listed, ListedTarget))
    with torch.device("meta"):
        network = StateSeq2Seq(config)
    fill(network, files.weights)
    # One text at a time: a step on the CPU costs less than its launches on a GPU would.
    return StateTranslator(network, *sides)


class StateTranslator:
    """What the server runs: `read` a source, then `translate` it."""

    kind, tasks = StateSeq2Seq.kind, StateSeq2Seq.tasks
    context = None  # tokens that can be read: as many as there are
    attends = forces = False

    def __init__(self, network: StateSeq2Seq, source: Listed, target: ListedTarget):
        self.network, self.source, self.target = network, source, target
        network.linear = Products()
        network.never_written, network.end = (target.begin,), target.end
        self.target_tokens = target.tokens
        cell = network.config.cell
        self.encoder = Recurrent(cell, dict(network.encoder.state_dict()))
        self.decoder = Recurrent(cell, dict(network.decoder.state_dict()))
        self.points = [
            Point(_side(side, p.name), (axis, "unit"), p.range, p.shape)
            for side, axis in (("encoder", "source"), ("decoder", "target"))
            for p in self.encoder.points
        ]

    def read(self, text: str) -> Source:
        """A text as tokens. Raises `UnknownCharacters` where the source is read by characters."""
        return self.source.read_text(text)

    @torch.no_grad()
    def source_points(self, source: Source, names: Collection[str] | None) -> dict[str, np.ndarray]:
        """The points asked for (None: all) that do not depend on what is written."""
        wanted = choose(names, (point.name for point in self.points))
        known = [p.name for p in self.points if "target" not in p.axes and p.name in wanted]
        return self._read(source, known)[1]

    def _read(
        self, source: Source, names: Sequence[str] = ()
    ) -> tuple[Tensor, dict[str, np.ndarray]]:
        """The state that is handed over (S, 1, H), and points of the encoder."""
        x = self.network.source_embedding(torch.tensor(source.ids))[:, None]  # (S, 1, N)
        run = self.encoder.run(x, None, [f"rnn{name[len('encoder') :]}" for name in names])
        return run.state, {_side("encoder", n): v[:, 0].numpy() for n, v in run.points.items()}

    def translate(
        self,
        source: Source,
        beam_size: int = 1,
        length_penalty: float = 1.0,
        max_new_tokens: int = 60,
        prefix: Sequence[int] = (),
        force: Mapping[int, int] | None = None,
        points: Collection[str] | None = None,
    ) -> Iterator[Beam | Step | End]:
        """Write a translation, as `Translator.translate` does. Raises `UnknownPoint`, and
        ValueError for a prefix that cannot be written and for any `force`."""
        check_prefix(self.network, self.target_tokens, prefix)
        if force:
            raise ValueError("this network has no attention to force")
        names = choose(points, (point.name for point in self.points))
        return self._write(
            source,
            names,
            beam_size=beam_size,
            length_penalty=length_penalty,
            limit=len(prefix) + max_new_tokens,
            prefix=tuple(prefix),
        )

    def _write(self, source: Source, names: Collection[str], **options):
        with torch.no_grad():
            state, _ = self._read(source)
        text = partial(text_of, self.target, source)
        yield from write_with(_Writing(self, state, names), text, end=self.target.end, **options)


class _Writing:
    """The decoder in the middle of a text; see `writing.Writing`."""

    def __init__(self, runner: StateTranslator, state: Tensor, names: Collection[str]):
        self.network, self.layers = runner.network, runner.decoder.layers
        self.cell, self.names = runner.network.config.cell, names
        self.begin, self.end = runner.target.begin, runner.target.end
        self.first, self.state, self.last = state, state, self.begin
        self.total = 0.0  # log probability of the tokens written so far

    def _step(self, direction: Direction, x: Tensor, before: Tensor) -> dict[str, Tensor]:
        """One layer: x (B, input), the state before it (1 or 2, B, H) -> its points by letter."""
        linear = self.network.linear
        from_x = linear(x, direction.weight_ih, direction.bias_ih)
        from_h = linear(before[0], direction.weight_hh, direction.bias_hh)
        now = gates(self.cell, from_x, from_h)
        return now | advance(self.cell, now, before)

    def _advance(self, state: Tensor, tokens: Tensor) -> tuple[dict, Tensor, Tensor]:
        """Read the last token of each path (B,) -> the points, the state after it (S, B, H), and
        the log probabilities (B, V) of the token it writes."""
        network, found, after = self.network, {}, []
        x = network.written(tokens)  # (B, N)
        for (direction,) in self.layers:
            now = self._step(direction, x, state[direction.rows])
            found |= {_side("decoder", f"{direction.name}.{k}"): v for k, v in now.items()}
            x = now["h"]
            after += [now[letter] for letter in ("h", "c")[: len(state[direction.rows])]]
        log_p = network.linear(x, network.output.weight, network.output.bias).log_softmax(-1)
        log_p[:, network.never_written] = -torch.inf
        return found, torch.stack(after), log_p

    @torch.no_grad()
    def search(self, prefix: Sequence[int], width: int, length_penalty: float, limit: int):
        """Beam search behind a prefix; see `beam.search`."""
        state, total, last = self.first, 0.0, self.begin
        for token in prefix:
            _, state, log_p = self._advance(state, torch.tensor([last]))
            total, last = total + log_p[0, token].item(), token

        def step(index: int, state: Tensor, tokens: Tensor):
            _, state, log_p = self._advance(state, tokens)
            return log_p, state

        yield from search(
            step,
            lambda state, rows: state[:, rows],
            state,
            last,
            end=self.end,
            width=width,
            limit=limit,
            length_penalty=length_penalty,
            prefix=prefix,
            log_probability=total,
        )

    @torch.no_grad()
    def write(self, index: int, choice: int | None, given: bool) -> Step:
        """Write one token, the likeliest or `choice`."""
        found, self.state, log_p = self._advance(self.state, torch.tensor([self.last]))
        probabilities = log_p[0].exp()
        best = probabilities.topk(min(CANDIDATES, len(probabilities)))
        top = list(zip(best.indices.tolist(), best.values.tolist(), strict=True))
        token = self.last = top[0][0] if choice is None else choice
        self.total += log_p[0, token].item()  # a probability may be too small for a float32
        points = {name: value[0].numpy() for name, value in found.items() if name in self.names}
        return Step(index, token, float(probabilities[token]), top, None, None, given, points)


def _side(side: str, name: str) -> str:
    """`rnn.0.h` -> `encoder.0.h`."""
    return f"{side}{name[len('rnn') :]}"
