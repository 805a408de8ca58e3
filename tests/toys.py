"""Tiny seeded checkpoints, written as real folders: what the server's tests serve."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from models.captioner import Captioner, CaptionerConfig
from models.char_conv import CharConv, CharConvConfig
from models.char_rnn import CharRNN, CharRNNConfig
from models.checkpoint import write_checkpoint
from models.counts import count_orders, pruned
from models.crnn import CRNN, CRNNConfig
from models.encoder import Encoder, EncoderConfig
from models.forecaster import Forecaster, ForecasterConfig
from models.listed import source_list, target_list
from models.ngram import NGram, NGramConfig, to_tensors
from models.questions import ANSWERS, vocabulary
from models.scenes import MOST
from models.seq2seq import Seq2Seq, Seq2SeqConfig
from models.sequence_classifier import SequenceClassifier, SequenceClassifierConfig
from models.state_seq2seq import StateSeq2Seq, StateSeq2SeqConfig
from models.subwords import END, Vocabulary, characters, source_pieces, target_pieces, words
from models.tagger import Tagger, TaggerConfig
from models.transformer_lm import TransformerLM, TransformerLMConfig
from models.transformer_seq2seq import TransformerSeq2Seq, TransformerSeq2SeqConfig
from models.vqa import Vqa, VqaConfig

# Letters, and what JSON, HTML and UTF-8 find difficult.
SYMBOLS = sorted(set(" \n\"\\/<&>'abcdefghiо́ж\u2028😀"))
TEXT = 'abba <"cd"> \\ жo\u2028😀 fade\nbee'.replace("o", "о")

CONFIGS = {
    "toy-lstm": CharRNNConfig("lstm", len(SYMBOLS), 12, 2, embedding_size=5),
    "toy-gru": CharRNNConfig("gru", len(SYMBOLS), 9, 2),
    "toy-rnn": CharRNNConfig("rnn_tanh", len(SYMBOLS), 7, 1),
    "toy-relu": CharRNNConfig("rnn_relu", len(SYMBOLS), 6, 2, embedding_size=4),
}


def network(config: CharRNNConfig, seed: int = 0) -> CharRNN:
    """A network with weights of a seed, lively enough that its states and choices differ."""
    generator = torch.Generator().manual_seed(seed)
    spread = 0.4 if config.cell == "rnn_relu" else 0.8
    return _lively(CharRNN(config), spread, generator)


def _lively(built, spread: float, generator: torch.Generator):
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.copy_(spread * torch.randn(parameter.shape, generator=generator))
            parameter.copy_(parameter.half().float())  # as it will be stored
    return built.eval().requires_grad_(False)


def about(config: CharRNNConfig, title: str = "A toy") -> dict:
    """What `config.json` says, but for the number of parameters."""
    return {
        "kind": "char_rnn",
        "title": title,
        "language": "en",
        "licence": "CC0-1.0",
        "prompt": "ab",
        "config": config.to_dict(),
        "figures": {"test_nats": 1.5},
        "data": {"file": "none"},
    }


def write_toy(folder: Path, config: CharRNNConfig, symbols=SYMBOLS, seed: int = 0) -> CharRNN:
    """Write a checkpoint folder; returns the network it was written from."""
    config = replace(config, vocab_size=len(symbols))
    built = network(config, seed)
    card = f"# {folder.name}\n\nA toy of seed {seed}.\n"
    write_checkpoint(folder, about(config), list(symbols), built.state_dict(), card)
    return built


def write_toys(folder: Path) -> dict[str, CharRNN]:
    """Write one checkpoint of each cell; the networks by the checkpoints' names."""
    return {name: write_toy(folder / name, config) for name, config in CONFIGS.items()}


# -- translators -----------------------------------------------------------------------------

ENGLISH = ("A dog runs on the beach.", "Two men are playing in the snow.", "The dog sees a man.")
FRENCH = ("Un chien court sur la plage.", "Deux hommes jouent dans la neige.", "Le chien voit.")
DAYS = "0123456789 abcdefghijklmnopqrstuvwxyz.,"


def vocabularies(id: str) -> tuple[Vocabulary, Vocabulary]:
    """Source and target of a toy: pieces of words, or characters."""
    if id == "toy-characters":
        return characters(DAYS, lower=True), characters("0123456789-")
    return source_pieces(ENGLISH * 3, 70), target_pieces(FRENCH * 3, 70)


def _translator(id: str, cell: str, attention: str, **sizes) -> Seq2SeqConfig:
    source, target = map(len, vocabularies(id))
    shape = {"embedding_size": 6, "encoder_size": 5, "decoder_size": 7} | sizes
    return Seq2SeqConfig(cell, attention, source, target, **shape)


TRANSLATORS = {
    "toy-additive": _translator("toy-additive", "gru", "additive", attention_size=4),
    "toy-general": _translator("toy-general", "lstm", "general", encoder_layers=2),
    "toy-characters": _translator("toy-characters", "gru", "dot", decoder_size=10),
    "toy-plain": _translator("toy-plain", "gru", "none"),
}


def translator(config: Seq2SeqConfig, seed: int = 0, ends: bool = False) -> Seq2Seq:
    """A network with weights of a seed. Unless it `ends`, it writes as long as it may."""
    built = _lively(Seq2Seq(config), 0.8, torch.Generator().manual_seed(seed))
    if not ends:
        built.output_bias[END] = -30.0
    return built


def write_translator(folder: Path, id: str, seed: int = 0, ends: bool = False) -> Seq2Seq:
    """Write a checkpoint folder of one of TRANSLATORS; returns the network it was written from."""
    config = TRANSLATORS[id]
    built = translator(config, seed, ends)
    said = {
        **about(config, "A toy that translates"),
        "kind": "seq2seq",
        "source_language": "en",
        "target_language": "fr",
        "prompt": "3 may 2026" if id == "toy-characters" else ENGLISH[0],
        "examples": list(ENGLISH),
        "pair": "toy-plain" if id == "toy-additive" else "toy-additive",
        "figures": {},
    }
    names = ("source.tokenizer.json", "target.tokenizer.json")
    files = dict(zip(names, (side.save() for side in vocabularies(id)), strict=True))
    card = f"# {folder.name}\n\nA toy of seed {seed}.\n"
    write_checkpoint(folder, said, files, built.state_dict(), card)
    return built


def write_translators(folder: Path) -> dict[str, Seq2Seq]:
    """Write one checkpoint of each score and of none; the networks by the checkpoints' names."""
    return {id: write_translator(folder / id, id) for id in TRANSLATORS}


# -- networks that look at pictures ----------------------------------------------------------

CAPTIONS = ("a dog runs on the grass", "two men play in the snow", "a child jumps into the water")
SEES = words(CAPTIONS * 2, 1)
CAPTIONERS = {
    f"toy-{name}": CaptionerConfig(attention, len(SEES), 6, 9, 5, 4)
    for name, attention in {"soft": "soft", "hard": "hard", "blind": "none"}.items()
}


def captioner(config: CaptionerConfig, seed: int = 0, ends: bool = False) -> Captioner:
    """A network with weights of a seed. Unless it `ends`, it writes as long as it may."""
    generator = torch.Generator().manual_seed(seed)
    built = _lively(Captioner(config), 0.8, generator)
    shape = built.familiar.typical.shape
    rows = torch.nn.functional.normalize(torch.randn(shape, generator=generator), dim=-1)
    built.familiar.typical.copy_(rows.half().float())
    if not ends:
        built.output_bias[END] = -30.0
    return built


def write_captioner(folder: Path, id: str, seed: int = 0, ends: bool = False) -> Captioner:
    """Write a checkpoint folder of one of CAPTIONERS; returns the network it was written from."""
    config = CAPTIONERS[id]
    built = captioner(config, seed, ends)
    said = {
        **about(config, "A toy that describes"),
        "kind": "captioner",
        "pair": "toy-blind" if id == "toy-soft" else "toy-soft",
        "figures": {},
        "calibration": {"distance": [0.2, 0.9, 1.1, 1.9], "log_probability": [-6.0, -2.0, -0.1]},
    }
    files = {"target.tokenizer.json": SEES.save()}
    card = f"# {folder.name}\n\nA toy of seed {seed}.\n"
    write_checkpoint(folder, said, files, built.state_dict(), card)
    return built


def write_answerer(folder: Path, seed: int = 0) -> Vqa:
    """Write a checkpoint folder that answers questions; returns the network it was written from."""
    known = vocabulary()
    config = VqaConfig(ANSWERS, len(known), 6, 8, 5, 7, 2, MOST)
    built = _lively(Vqa(config), 0.8, torch.Generator().manual_seed(seed))
    said = {**about(config, "A toy that answers"), "kind": "vqa", "figures": {}}
    files = {"source.tokenizer.json": known.save()}
    card = f"# {folder.name}\n\nA toy of seed {seed}.\n"
    write_checkpoint(folder, said, files, built.state_dict(), card)
    return built


# -- transformers ----------------------------------------------------------------------------

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
    return _attentive(TransformerLM(config), seed)


def _attentive(built, seed: int):
    """Weights of a seed, such that attention is neither even nor all on one token."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in built.named_parameters():
            spread = 1.6 if "query" in name or "key" in name else 1.0
            value = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 2 and "embedding" not in name:
                value *= spread * parameter.shape[1] ** -0.5
            elif "norm" in name and name.endswith("weight"):
                value = 1 + 0.1 * value
            else:  # tokens small: else what was read last, whose row is the output's, comes again
                value *= 0.1
            parameter.copy_(value.half().float())  # as it will be stored
    return built.eval().requires_grad_(False)


def write_language_model(
    folder: Path, config: TransformerLMConfig, symbols=SYMBOLS, seed: int = 0
) -> TransformerLM:
    """Write a checkpoint folder; returns the network it was written from."""
    config = replace(config, vocab_size=len(symbols))
    built = language_model(config, seed)
    said = {**about(config, "A toy that attends"), "kind": "transformer_lm"}
    card = f"# {folder.name}\n\nA toy of seed {seed}.\n"
    write_checkpoint(folder, said, list(symbols), built.state_dict(), card)
    return built


def encoder(config: EncoderConfig = ENCODER, seed: int = 0) -> Encoder:
    """A network with weights of a seed."""
    return _attentive(Encoder(config), seed)


def write_encoder(
    folder: Path, config: EncoderConfig = ENCODER, symbols=SYMBOLS, seed: int = 0
) -> Encoder:
    """Write a checkpoint folder; returns the network it was written from."""
    config = replace(config, vocab_size=len(symbols))
    built = encoder(config, seed)
    said = {**about(config, "A toy that sees both ways"), "kind": "encoder", "figures": {}}
    card = f"# {folder.name}\n\nA toy of seed {seed}.\n"
    write_checkpoint(folder, said, list(symbols), built.state_dict(), card)
    return built


def transformer_translator(
    config: TransformerSeq2SeqConfig = TRANSFORMER_TRANSLATOR, seed: int = 0, ends: bool = False
) -> TransformerSeq2Seq:
    """A network with weights of a seed. Unless it `ends`, it writes as long as it may."""
    built = _attentive(TransformerSeq2Seq(config), seed)
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
    card = f"# {folder.name}\n\nA toy of seed {seed}.\n"
    write_checkpoint(folder, said, files, built.state_dict(), card)
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


# -- convolutions ----------------------------------------------------------------------------

CONVOLUTIONS = {
    "toy-conv": CharConvConfig(len(SYMBOLS), 10, 7, 3),
    "toy-wide-conv": CharConvConfig(len(SYMBOLS), 6, 9, 2, kernel_size=4, tied=False),
}


def convolution(config: CharConvConfig, seed: int = 0) -> CharConv:
    """A network with weights of a seed."""
    return _attentive(CharConv(config), seed)


def write_convolution(folder: Path, id: str, seed: int = 0) -> CharConv:
    """Write a checkpoint folder of one of CONVOLUTIONS; returns the network it was written from."""
    built = convolution(CONVOLUTIONS[id], seed)
    said = {**about(built.config, "A toy of convolutions"), "kind": "char_conv"}
    card = f"# {folder.name}\n\nA toy of seed {seed}.\n"
    write_checkpoint(folder, said, list(SYMBOLS), built.state_dict(), card)
    return built


# -- counts ----------------------------------------------------------------------------------


def ngram(order: int = 4, least: float = 0.0, seed: int = 0) -> NGram:
    """Counts of a text that was drawn, with words in it that come again, and of TEXT."""
    generator, V = np.random.default_rng(seed), len(SYMBOLS)
    words = [generator.integers(0, V, n) for n in (2, 3, 3, 4, 5)]
    known = [SYMBOLS.index(character) for character in TEXT]
    text = np.concatenate([*(words[k] for k in generator.integers(0, 5, 200)), known])
    orders = pruned(count_orders(text, order, V), [least] * order, V)
    return NGram(NGramConfig(V, order), orders)


def write_ngram(folder: Path, order: int = 4, least: float = 0.0, seed: int = 0) -> NGram:
    """Write a checkpoint folder of counts; returns what it was written from."""
    built = ngram(order, least, seed)
    said = {**about(built.config, "A toy of counts"), "kind": "ngram"}
    tensors = to_tensors(built.orders, built.config.vocab_size)
    write_checkpoint(folder, said, list(SYMBOLS), tensors, f"# {folder.name}\n")
    return built


# -- networks that read numbers --------------------------------------------------------------

FORECASTERS = {
    "toy-forecast-rnn": ForecasterConfig("rnn_tanh", 4, 1, 2, 100.0, 400.0),
    "toy-forecast-lstm": ForecasterConfig("lstm", 3, 2, 5, 100.0, 400.0),
    "toy-forecast-gru": ForecasterConfig("gru", 4, 1, 8, 100.0, 400.0),
}


def forecaster(config: ForecasterConfig, seed: int = 0) -> Forecaster:
    """A network with weights of a seed."""
    return _lively(Forecaster(config), 0.8, torch.Generator().manual_seed(seed))


def write_forecaster(folder: Path, id: str, seed: int = 0) -> Forecaster:
    """Write a checkpoint folder of one of FORECASTERS; returns the network it was written from."""
    built = forecaster(FORECASTERS[id], seed)
    said = {**about(built.config, "A toy that forecasts"), "kind": "forecaster", "figures": {}}
    card = f"# {folder.name}\n\nA toy of seed {seed}.\n"
    write_checkpoint(folder, said, {}, built.state_dict(), card)
    return built


# -- networks that give labels ---------------------------------------------------------------

LANGUAGES = ["one", "two", "three"]
TAGS = ["NOUN", "VERB", "X"]
WORDS = ["<unk>", ".", "a", "fish", "n't", "the"]
CLASSIFIERS = {
    "toy-names": SequenceClassifierConfig("gru", "characters", 6, LANGUAGES, 7),
    "toy-plain-names": SequenceClassifierConfig("rnn_tanh", "characters", 6, LANGUAGES, 5, 2),
    "toy-both-ways": SequenceClassifierConfig(
        "lstm", "words", len(WORDS), LANGUAGES, 4, embedding_size=3, bidirectional=True
    ),
    "toy-mean": SequenceClassifierConfig(
        "gru", "words", len(WORDS), LANGUAGES, 4, embedding_size=3, pooling="mean"
    ),
    "toy-attention": SequenceClassifierConfig(
        "lstm", "words", len(WORDS), LANGUAGES, 4, 1, 3, True, "attention", 5
    ),
}
TAGGERS = {
    "toy-tagger": TaggerConfig("lstm", len(WORDS), TAGS, 5, 1, 4, 16, 3, 2),
    "toy-tagger-one-way": TaggerConfig("gru", len(WORDS), TAGS, 5, 2, 4, 16, 3, 2, False),
}


def symbols_of(config) -> list[str]:
    """The vocabulary of a toy that gives labels."""
    return list("-abcde") if getattr(config, "reads", "words") == "characters" else WORDS


def write_labeller(folder: Path, config, seed: int = 0):
    """Write a checkpoint folder of a classifier or a tagger; returns its network."""
    kind = Tagger if isinstance(config, TaggerConfig) else SequenceClassifier
    built = _lively(kind(config), 0.8, torch.Generator().manual_seed(seed))
    said = {**about(config, "A toy that labels"), "kind": kind.kind}
    write_checkpoint(folder, said, symbols_of(config), built.state_dict(), f"# {folder.name}\n")
    return built


def write_labellers(folder: Path) -> dict:
    """Write every classifier and tagger; the networks by the checkpoints' names."""
    every = CLASSIFIERS | TAGGERS
    return {name: write_labeller(folder / name, config) for name, config in every.items()}


# -- encoders that hand their state over -----------------------------------------------------

LETTERS = ["<pad>", "<unk>", "</s>", *"abcd"]
SOUNDS = ["<pad>", "<unk>", "<s>", "</s>", "AE1", "AH0", "B", "D", "K"]
HANDOVERS = {
    "toy-handover-gru": StateSeq2SeqConfig("gru", len(LETTERS), len(SOUNDS), 4, 5, 6),
    "toy-handover-lstm": StateSeq2SeqConfig("lstm", len(LETTERS), len(SOUNDS), 4, 5, 6, 2),
    "toy-handover-rnn": StateSeq2SeqConfig(
        "rnn_tanh", len(LETTERS), len(SOUNDS), 4, 4, 3, decoder_input="relu"
    ),
}


def write_handover(folder: Path, id: str, seed: int = 0, ends: bool = False) -> StateSeq2Seq:
    """Write a checkpoint folder of one of HANDOVERS; returns its network. Unless it `ends`, it
    writes as long as it may."""
    config = HANDOVERS[id]
    built = _lively(StateSeq2Seq(config), 0.8, torch.Generator().manual_seed(seed))
    built.output.bias[SOUNDS.index("</s>")] = 4.0 if ends else -30.0
    said = {**about(config, "A toy that speaks"), "kind": "state_seq2seq", "figures": {}}
    files = {
        "source.tokenizer.json": source_list(LETTERS).save(),
        "target.tokenizer.json": target_list(SOUNDS).save(),
    }
    write_checkpoint(folder, said, files, built.state_dict(), f"# {folder.name}\n")
    return built


# -- networks that read lines of text --------------------------------------------------------

SIGNS = ["<blank>", *"abc ", "é"]
LINE_READERS = {
    "toy-lines": CRNNConfig("lstm", (2, 3, 4, 5), 4, 6, 2, len(SIGNS), 32),
    "toy-lines-gru": CRNNConfig("gru", (2, 2, 3, 3), 3, 5, 1, len(SIGNS), 48),
}


def line_reader(config: CRNNConfig, seed: int = 0) -> CRNN:
    """A network with weights of a seed."""
    generator = torch.Generator().manual_seed(seed)
    built = _lively(CRNN(config), 0.6, generator)
    for name, value in built.named_buffers():
        value.copy_((torch.rand(value.shape, generator=generator) + 0.5).half())
        if name.endswith(("mean", "bias")):
            value.sub_(1.0)
    return built


def write_line_reader(folder: Path, id: str, seed: int = 0) -> CRNN:
    """Write a checkpoint folder of one of LINE_READERS; returns its network."""
    built = line_reader(LINE_READERS[id], seed)
    said = {**about(built.config, "A toy that reads lines"), "kind": "crnn", "figures": {}}
    write_checkpoint(folder, said, list(SIGNS), built.state_dict(), f"# {folder.name}\n")
    return built
