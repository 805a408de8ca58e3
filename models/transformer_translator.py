"""A translator of the transformer family at work: it reads a text and writes another."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import torch

from models.beam import Beam
from models.checkpoint import CheckpointFiles, config_of, fill
from models.edits import NOTHING, Edits
from models.reading import Reading, points_of
from models.slicing import Slice
from models.subwords import Source, Vocabulary, both_sides
from models.trace import choose
from models.transformer_rows import step_axis
from models.transformer_runner import check_length, read_pair
from models.transformer_seq2seq import TransformerSeq2Seq, TransformerSeq2SeqConfig
from models.transformer_translating import translate
from models.translator import text_of
from models.writing import End, Step, check_prefix


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs a translator. Raises `CheckpointError`, naming what is wrong."""
    config = config_of(TransformerSeq2SeqConfig, files.about)
    sides = both_sides(files, (config.source_size, config.target_size))
    with torch.device("meta"):
        network = TransformerSeq2Seq(config)
    fill(network, files.weights)
    return TransformerTranslator(network, *sides)


class TransformerTranslator:
    """What the server runs: `read` a source, `translate` it, take a `reading` of both."""

    kind, tasks = TransformerSeq2Seq.kind, ("slices", "translate")
    attends, forces = True, False  # its attention is there to see, and cannot be forced
    step_axis = staticmethod(step_axis)

    def __init__(self, network: TransformerSeq2Seq, source: Vocabulary, target: Vocabulary):
        self.network, self.source, self.target = network, source, target
        self.config, self.context = network.config, network.config.context
        self.target_tokens = target.tokens
        self.points = [*points_of(network.encoder), *points_of(network.decoder, network.lens)]

    def read(self, text: str) -> Source:
        """A text as tokens. Raises `UnknownCharacters` where the source is read by characters."""
        return self.source.read_text(text)

    def reading(
        self, ids: Sequence[int], edits: Edits = NOTHING, target_ids: Sequence[int] | None = None
    ) -> Reading:
        """A source that ends with `</s>`, and what was written of it. Raises `TooLong` and
        `BadEdits`."""
        return read_pair(self.network, ids, target_ids or (), edits)

    def source_points(self, source: Source, names: Collection[str] | None) -> dict[str, np.ndarray]:
        """The points asked for (None: all) that do not depend on what is written."""
        wanted = choose(names, (point.name for point in self.points))
        fixed = [p.name for p in self.points if p.name in wanted and step_axis(p) is None]
        if not fixed:
            return {}
        reading = self.reading(source.ids)
        return {name: reading.slice(Slice(name)).data for name in fixed}

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
        """Write a translation, as `Translator.translate` does, and no more than the context holds.

        Raises `TooLong` for a source or a prefix longer than it, `UnknownPoint`, and ValueError for
        a prefix that cannot be written and for any `force`.
        """
        check_length(source.ids, self.config.context)
        check_length(prefix, self.config.context)
        check_prefix(self.network, self.target_tokens, prefix)
        if force:
            raise ValueError("attention in many heads cannot be forced to one place")
        names = choose(points, (point.name for point in self.points))
        return translate(
            self.network,
            source.ids,
            partial(text_of, self.target, source),
            beam_size=beam_size,
            length_penalty=length_penalty,
            limit=len(prefix) + max_new_tokens,
            prefix=prefix,
            points=[p.name for p in self.points if p.name in names and step_axis(p)],
        )
