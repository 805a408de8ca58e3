"""An application that runs one small network of every kind, within limits that are soon reached."""

from pathlib import Path

from backend.settings import Settings
from tests import toys
from tests.toys import characters, labels, numbers, pictures, transformers, translators

LIMITS = {
    "max_new_tokens": 8,
    "max_target_tokens": 8,
    "max_forecast_steps": 8,
    "max_stream_seconds": 5.0,
    "max_training_seconds": 0.1,
    "max_streams": 16,
}


def write_everything(folder: Path) -> None:
    """Write a checkpoint of each kind."""
    toys.write_toy(folder / "toy-gru", toys.CONFIGS["toy-gru"])
    translators.write_translator(folder / "toy-additive", "toy-additive")
    pictures.write_captioner(folder / "toy-soft", "toy-soft")
    pictures.write_answerer(folder / "toy-shapes")
    transformers.write_language_model(folder / "toy-gpt", transformers.LANGUAGE_MODELS["toy-gpt"])
    transformers.write_encoder(folder / "toy-encoder")
    transformers.write_transformer_translator(folder / "toy-transformer")
    characters.write_convolution(folder / "toy-conv", "toy-conv")
    numbers.write_forecaster(folder / "toy-forecast-gru", "toy-forecast-gru")
    characters.write_ngram(folder / "toy-ngram")
    translators.write_handover(folder / "toy-speaks", next(iter(translators.HANDOVERS)))
    pictures.write_line_reader(folder / "toy-lines", next(iter(pictures.LINE_READERS)))
    for name in ("toy-names", "toy-tagger"):
        labels.write_labeller(folder / name, (labels.CLASSIFIERS | labels.TAGGERS)[name])


def served(root: Path) -> Settings:
    """Write the checkpoints below a folder; settings of a server of them that takes others too."""
    folder = root / "checkpoints"
    folder.mkdir()
    write_everything(folder)
    return Settings(
        checkpoints=folder, imports=root / "imports", device="cpu", metrics="on", **LIMITS
    )
