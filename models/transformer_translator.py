"""A translator of the transformer family at work: it reads a text and writes another."""

from collections.abc import Sequence

import torch

from models.checkpoint import CheckpointError, CheckpointFiles, config_of, fill
from models.reading import NOTHING, Edits, Reading, points_of
from models.subwords import Source, Vocabulary
from models.transformer_runner import read_pair
from models.transformer_seq2seq import TransformerSeq2Seq, TransformerSeq2SeqConfig


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs a translator. Raises `CheckpointError`, naming what is wrong."""
    config = config_of(TransformerSeq2SeqConfig, files.about)
    sides = []
    for side, size in (("source", config.source_size), ("target", config.target_size)):
        name = f"{side}.tokenizer.json"
        if name not in files.tokenizers:
            raise CheckpointError(f"{name} is missing")
        vocabulary = Vocabulary.read(files.tokenizers[name])
        if len(vocabulary) != size:
            raise CheckpointError(
                f"{name} holds {len(vocabulary)} tokens, config.json says {side}_size {size}"
            )
        sides.append(vocabulary)
    with torch.device("meta"):
        network = TransformerSeq2Seq(config)
    fill(network, files.weights)
    return TransformerTranslator(network, *sides)


class TransformerTranslator:
    """What the server runs: `read` a source, `translate` it, take a `reading` of both."""

    kind, tasks = TransformerSeq2Seq.kind, ("slices", "translate")
    attends, forces = True, False  # its attention is there to see, and cannot be forced

    def __init__(self, network: TransformerSeq2Seq, source: Vocabulary, target: Vocabulary):
        self.network, self.source, self.target = network, source, target
        self.config = network.config
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
