"""Toys made of blocks: language models, an encoder, a translator."""

from dataclasses import replace
from pathlib import Path

import torch

from models.encoder import Encoder, EncoderConfig
from models.subwords import END, Vocabulary
from models.transformer_lm import TransformerLM, TransformerLMConfig
from models.transformer_seq2seq import TransformerSeq2Seq, TransformerSeq2SeqConfig
from tests.toys import SYMBOLS, about, attentive, write
from tests.toys.translators import ENGLISH, vocabularies

_SHAPE = {"context": 32, "hidden_size": 16, "num_layers": 2, "num_heads": 4, "mlp_size": 24}
_LLAMA = {"num_kv_heads": 2, "positions": "rotary", "norm": "rms", "activation": "silu",
          "gated": True, "bias": False, "tied": False}  # fmt: skip
LANGUAGE_MODELS = {
    "toy-gpt": TransformerLMConfig(len(SYMBOLS), **_SHAPE),
    "toy-llama": TransformerLMConfig(len(SYMBOLS), **_SHAPE | _LLAMA),
}
ENCODER = EncoderConfig(len(SYMBOLS), **_SHAPE, masked_words=True)
TRANSFORMER_TRANSLATOR = TransformerSeq2SeqConfig(
    *map(len, vocabularies("toy-transformer")), 24, 16, 2, 2, 4, 24
)


def language_model(config: TransformerLMConfig, seed: int = 0) -> TransformerLM:
    """A network with weights of a seed."""
    return attentive(TransformerLM(config), seed)


def write_language_model(
    folder: Path, config: TransformerLMConfig, symbols=SYMBOLS, seed: int = 0
) -> TransformerLM:
    """Write a checkpoint folder; returns the network it was written from."""
    config = replace(config, vocab_size=len(symbols))
    built = language_model(config, seed)
    said = {**about(config, "A toy that attends"), "kind": "transformer_lm"}
    write(folder, said, list(symbols), built.state_dict(), seed)
    return built


def encoder(config: EncoderConfig = ENCODER, seed: int = 0) -> Encoder:
    """A network with weights of a seed."""
    return attentive(Encoder(config), seed)


def write_encoder(
    folder: Path, config: EncoderConfig = ENCODER, symbols=SYMBOLS, seed: int = 0
) -> Encoder:
    """Write a checkpoint folder; returns the network it was written from."""
    config = replace(config, vocab_size=len(symbols))
    built = encoder(config, seed)
    said = {**about(config, "A toy that sees both ways"), "kind": "encoder", "figures": {}}
    write(folder, said, list(symbols), built.state_dict(), seed)
    return built


def transformer_translator(
    config: TransformerSeq2SeqConfig = TRANSFORMER_TRANSLATOR, seed: int = 0, ends: bool = False
) -> TransformerSeq2Seq:
    """A network with weights of a seed. Unless it `ends`, it writes as long as it may."""
    built = attentive(TransformerSeq2Seq(config), seed)
    if not ends:
        built.output_bias[END] = -30.0
    return built


def write_transformer_translator(
    folder: Path,
    config: TransformerSeq2SeqConfig = TRANSFORMER_TRANSLATOR,
    sides: tuple[Vocabulary, Vocabulary] | None = None,
    seed: int = 0,
    ends: bool = False,
) -> TransformerSeq2Seq:
    """Write a checkpoint folder; returns the network it was written from."""
    built = transformer_translator(config, seed, ends)
    said = {
        **about(config, "A toy that translates with heads"),
        "kind": "transformer_seq2seq",
        "source_language": "en",
        "target_language": "fr",
        "prompt": ENGLISH[0],
        "examples": list(ENGLISH),
        "figures": {},
    }
    names = ("source.tokenizer.json", "target.tokenizer.json")
    sides = sides or vocabularies("toy-transformer")
    files = dict(zip(names, (side.save() for side in sides), strict=True))
    write(folder, said, files, built.state_dict(), seed)
    return built


def write_transformers(folder: Path) -> dict[str, torch.nn.Module]:
    """Write one checkpoint of each; the networks by the checkpoints' names."""
    built = {
        name: write_language_model(folder / name, config)
        for name, config in LANGUAGE_MODELS.items()
    }
    built["toy-encoder"] = write_encoder(folder / "toy-encoder")
    built["toy-transformer"] = write_transformer_translator(folder / "toy-transformer")
    return built
