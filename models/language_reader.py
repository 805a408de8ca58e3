"""A language model of the transformer family at work: it reads a text, and writes on."""

from collections.abc import Collection, Iterator, Sequence

import torch
from torch import Tensor

from models.checkpoint import CheckpointError, CheckpointFiles, config_of, fill
from models.edits import NOTHING, Edits
from models.reading import Reading, points_of
from models.text import Characters
from models.trace import choose
from models.transformer_lm import TransformerLM, TransformerLMConfig
from models.transformer_runner import check_length, heads_of, read_stack
from models.transformer_writing import End, Step, write


def tokens_of(files: CheckpointFiles, size: int):
    """What a checkpoint reads text with: an alphabet, or pieces. Raises `CheckpointError`."""
    if files.vocabulary is not None:
        try:
            reads = Characters(files.vocabulary)
        except ValueError as error:
            raise CheckpointError(f"vocabulary.json: {error}") from error
        name = "vocabulary.json"
    else:
        from models.pieces import Pieces

        name = "tokenizer.json"
        if name not in files.tokenizers:
            raise CheckpointError("vocabulary.json or tokenizer.json is missing")
        reads = Pieces.read(files.tokenizers[name])
    # A table of tokens may be longer than the tokens are, rounded up for speed.
    if len(reads) > size or (name == "vocabulary.json" and len(reads) != size):
        raise CheckpointError(
            f"{name} holds {len(reads)} tokens, config.json says vocab_size {size}"
        )
    return reads


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs a language model. Raises `CheckpointError`, naming what is wrong."""
    config = config_of(TransformerLMConfig, files.about)
    reads = tokens_of(files, config.vocab_size)
    with torch.device("meta"):
        network = TransformerLM(config)
    fill(network, files.weights)
    return LanguageReader(network.to(device), reads)


class LanguageReader:
    """What the server runs: take a `reading` of a text, or `write` on."""

    kind, tasks = TransformerLM.kind, ("slices", "trace", "generate")

    def __init__(self, network: TransformerLM, reads):
        self.network, self.reads = network, reads
        self.config, self.context = network.config, network.config.context
        self.vocab_size = network.config.vocab_size
        self.points = points_of(network, network.lens)

    def reading(
        self, ids: Sequence[int], edits: Edits = NOTHING, target_ids: Sequence[int] | None = None
    ) -> Reading:
        """Raises `TooLong` and `BadEdits`."""
        return read_stack(self.network, ids, edits)

    @torch.no_grad()
    def following(self, windows: Tensor) -> Tensor:
        """Texts (B, L), each as if it began there -> probabilities (B, L, V) of what comes next."""
        device = self.network.token_embedding.weight.device
        return self.network.logits(windows.to(device)).softmax(-1)

    def off(self, heads: Collection[str]) -> dict[str, frozenset[int]]:
        """Heads such as `blocks.2.5` by their attention. Raises `BadEdits`."""
        return Edits(frozenset(heads)).off(heads_of(self.network))

    def write(
        self,
        prefix: Sequence[int],
        max_new_tokens: int,
        points: Collection[str] | None = None,
        heads_off: Collection[str] = (),
        **options,
    ) -> Iterator[Step | End]:
        """Write on; options as in `transformer_writing.write`. Raises `TooLong` for a prefix longer
        than the context, `BadEdits` for a head that is not there, and `UnknownPoint`."""
        check_length(prefix, self.config.context)
        names = choose(points, (point.name for point in self.points))
        return write(
            self.network,
            prefix,
            max_new_tokens,
            points=names,
            heads_off=self.off(heads_off),
            known=len(self.reads),
            **options,
        )
