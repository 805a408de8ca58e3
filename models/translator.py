"""A sequence-to-sequence checkpoint at work: it reads a text and writes another (`writing`)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from models.beam import Beam
from models.cells import Recurrent
from models.checkpoint import CheckpointFiles, config_of, fill
from models.decoder import Memory
from models.products import Products
from models.seq2seq import Seq2Seq, Seq2SeqConfig
from models.subwords import Source, Vocabulary, both_sides
from models.trace import Point, choose
from models.writing import End, Step, check, memory_points, points_of, write


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs a translation checkpoint. Raises `CheckpointError`, naming what is wrong."""
    config = config_of(Seq2SeqConfig, files.about)
    sides = both_sides(files, (config.source_size, config.target_size))
    with torch.device("meta"):
        network = Seq2Seq(config)
    fill(network, files.weights)
    # One text at a time: a step on the CPU costs less than its launches on a GPU would.
    return Translator(network, *sides)


def text_of(
    target: Vocabulary, source: Source, token_ids: Sequence[int], looks: Sequence[int | None]
) -> str:
    """The written text, each `<unk>` replaced by the copied word it looked at most, or, with
    nothing to look with, by the next one (Luong et al. 2015, arXiv:1410.8206)."""
    written = [k for k, number in enumerate(token_ids) if number == target.unknown]
    if not source.copied or not written:
        return target.join(token_ids)
    copies = []
    for nth, k in enumerate(written):
        look = looks[k] if k < len(looks) else None
        at = look if look in source.copied else source.copied[min(nth, len(source.copied) - 1)]
        copies.append(source.tokens[at])
    return target.join(token_ids, copies)


class Translator:
    """What the server runs: `read` a source, then `translate` it."""

    kind, tasks = Seq2Seq.kind, Seq2Seq.tasks
    context = None  # tokens that can be read: as many as there are

    def __init__(self, network: Seq2Seq, source: Vocabulary, target: Vocabulary):
        self.network, self.source, self.target = network, source, target
        config = network.config
        self.attends = self.forces = config.attention != "none"
        network.linear = Products()
        if network.attention is not None:
            network.attention.linear = network.linear
        self.target_tokens = target.tokens
        self.encoder = Recurrent(config.cell, dict(network.encoder.state_dict()))
        self.points = self._points()

    def _points(self) -> list[Point]:
        config = self.network.config
        bounded, C = "signed", 2 * config.encoder_size
        return [
            *(
                Point(_encoder(p.name), ("source", "unit"), p.range, (None, p.shape[-1]))
                for p in self.encoder.points
            ),
            Point("annotation", ("source", "unit"), bounded, (None, C)),
            *points_of(self.network, "target", {"source": None}, bounded),
        ]

    def read(self, text: str) -> Source:
        """A text as tokens. Raises `UnknownCharacters` where the source is read by characters."""
        return self.source.read_text(text)

    @torch.no_grad()
    def source_points(self, source: Source, names: Collection[str] | None) -> dict[str, np.ndarray]:
        """The points asked for (None: all) that do not depend on what is written."""
        wanted = choose(names, (point.name for point in self.points))
        known = [p.name for p in self.points if "target" not in p.axes and p.name in wanted]
        found = self._remember(source, {name for name in known if name.startswith("encoder.")})[2]
        return {name: found[name] for name in known}

    def _remember(
        self, source: Source, encoder: Collection[str] = ()
    ) -> tuple[Memory, Tensor, dict[str, np.ndarray]]:
        """The source read: the memory, the first state, and every point of the source side."""
        network = self.network
        x = network.source_embedding(torch.tensor(source.ids))[:, None]  # (S, 1, N)
        run = self.encoder.run(x, None, [f"rnn{name[len('encoder') :]}" for name in encoder])
        memory, state = network.remember(run.output)
        points = {_encoder(name): value[:, 0].numpy() for name, value in run.points.items()}
        return memory, state, points | memory_points(network, memory)

    def check(
        self, source: Source, prefix: Sequence[int] = (), force: Mapping[int, int] | None = None
    ) -> None:
        """Raise ValueError for a prefix that cannot be written or a force that cannot be done."""
        check(self.network, self.target_tokens, len(source.ids), prefix, force or {})

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
        """Write a translation: the steps of the search, of the text it found, and its end.

        `prefix` is written first, whatever its probability, and `max_new_tokens` after it at most;
        one that ends with the end mark is only read. `force` maps a step to the source position
        it has to look at. Raises ValueError as `check` does, and `UnknownPoint`.
        """
        self.check(source, prefix, force)
        names = choose(points, (point.name for point in self.points))
        return self._write(
            source,
            beam_size=beam_size,
            length_penalty=length_penalty,
            limit=len(prefix) + max_new_tokens,
            prefix=tuple(prefix),
            force=force or {},
            points=names,
        )

    def _write(self, source: Source, **options) -> Iterator[Beam | Step | End]:
        with torch.no_grad():
            memory, state, _ = self._remember(source)
        text = partial(text_of, self.target, source)
        yield from write(self.network, memory, state, text, **options)


def _encoder(name: str) -> str:
    """`rnn.0.reverse.h` -> `encoder.0.reverse.h`."""
    return f"encoder{name[len('rnn') :]}"
