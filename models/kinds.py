"""The kinds of network there are: from a checkpoint folder to something that runs.

A kind is a module with a function `open_checkpoint(files, device, capacity)`. What it returns
declares its own `tasks` and `points`; nothing else in the house asks which kind it is.
"""

from importlib import import_module
from pathlib import Path

from models.checkpoint import CheckpointError, CheckpointFiles, read_checkpoint, read_json

KINDS = {
    "char_rnn": "models.char_rnn",
    "char_conv": "models.char_conv",
    "seq2seq": "models.translator",
    "state_seq2seq": "models.state_seq2seq",
    "crnn": "models.crnn",
    "captioner": "models.describer",
    "vqa": "models.answerer",
    "transformer_lm": "models.language_reader",
    "transformer_seq2seq": "models.transformer_translator",
    "encoder": "models.encoder_reader",
    "forecaster": "models.forecaster",
    "sequence_classifier": "models.sequence_classifier",
    "tagger": "models.tagger",
    "ngram": "models.ngram",
}


def read_files(folder: Path) -> CheckpointFiles:
    """Read a checkpoint folder, of our form or of Hugging Face's. Raises `CheckpointError`."""
    about = read_json(folder / "config.json")
    if isinstance(about, dict) and "kind" not in about and "model_type" in about:
        return import_module("models.huggingface").read_folder(folder)
    return read_checkpoint(folder)


def build(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """What runs a checkpoint, for `capacity` generations at once. Raises `CheckpointError`."""
    kind = files.about["kind"]
    if kind not in KINDS:
        raise CheckpointError(f"kind {kind!r} is not known; known kinds: {', '.join(KINDS)}")
    return import_module(KINDS[kind]).open_checkpoint(files, device, capacity)


def open_checkpoint(folder: Path, device: str = "cpu", capacity: int = 128):
    """`read_files`, then `build`. Raises `CheckpointError`."""
    return build(read_files(folder), device, capacity)
