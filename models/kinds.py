"""The kinds of network there are: from a checkpoint folder to something that runs.

A kind is a module with a function `open_checkpoint(files, device, capacity)`. What it returns
declares its own `tasks` and `points`; nothing else in the house asks which kind it is.
"""

from importlib import import_module
from pathlib import Path

from models.checkpoint import CheckpointError, read_checkpoint

KINDS = {
    "char_rnn": "models.char_rnn",
    "seq2seq": "models.translator",
    "captioner": "models.describer",
    "vqa": "models.answerer",
    "transformer_lm": "models.language_reader",
    "transformer_seq2seq": "models.transformer_translator",
    "encoder": "models.encoder_reader",
}


def open_checkpoint(folder: Path, device: str = "cpu", capacity: int = 128):
    """Read a checkpoint folder and build what runs it, for `capacity` generations at once.

    Raises `CheckpointError`.
    """
    files = read_checkpoint(folder)
    kind = files.about["kind"]
    if kind not in KINDS:
        raise CheckpointError(f"kind {kind!r} is not known; known kinds: {', '.join(KINDS)}")
    return import_module(KINDS[kind]).open_checkpoint(files, device, capacity)
