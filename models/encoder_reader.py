"""An encoder of the BERT family at work: it reads a text, and every token sees every other."""

from collections.abc import Sequence

import torch

from models.checkpoint import CheckpointFiles, config_of, fill
from models.edits import NOTHING, Edits
from models.encoder import Encoder, EncoderConfig
from models.language_reader import tokens_of
from models.reading import Reading, points_of
from models.transformer_runner import read_stack


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs an encoder. Raises `CheckpointError`, naming what is wrong."""
    config = config_of(EncoderConfig, files.about)
    reads = tokens_of(files, config.vocab_size)
    with torch.device("meta"):
        network = Encoder(config)
    fill(network, files.weights)
    return EncoderReader(network.to(device), reads)


class EncoderReader:
    """What the server runs."""

    kind, tasks = Encoder.kind, ("slices", "trace")

    def __init__(self, network: Encoder, reads):
        self.network, self.reads = network, reads
        self.config, self.context = network.config, network.config.context
        self.vocab_size = network.config.vocab_size
        self.points = points_of(network, getattr(network, "lens", None))

    def reading(
        self, ids: Sequence[int], edits: Edits = NOTHING, target_ids: Sequence[int] | None = None
    ) -> Reading:
        """Raises `TooLong` and `BadEdits`."""
        return read_stack(self.network, ids, edits)
