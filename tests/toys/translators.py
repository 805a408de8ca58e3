"""Toys that translate: with attention, or by a state that an encoder hands over."""

from pathlib import Path

import torch

from models.listed import source_list, target_list
from models.seq2seq import Seq2Seq, Seq2SeqConfig
from models.state_seq2seq import StateSeq2Seq, StateSeq2SeqConfig
from models.subwords import END, Vocabulary, characters, source_pieces, target_pieces
from tests.toys import about, lively, write

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
    built = lively(Seq2Seq(config), 0.8, torch.Generator().manual_seed(seed))
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
    write(folder, said, files, built.state_dict(), seed)
    return built


def write_translators(folder: Path) -> dict[str, Seq2Seq]:
    """Write one checkpoint of each score and of none; the networks by the checkpoints' names."""
    return {id: write_translator(folder / id, id) for id in TRANSLATORS}


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
    built = lively(StateSeq2Seq(config), 0.8, torch.Generator().manual_seed(seed))
    built.output.bias[SOUNDS.index("</s>")] = 4.0 if ends else -30.0
    said = {**about(config, "A toy that speaks"), "kind": "state_seq2seq", "figures": {}}
    files = {
        "source.tokenizer.json": source_list(LETTERS).save(),
        "target.tokenizer.json": target_list(SOUNDS).save(),
    }
    write(folder, said, files, built.state_dict(), seed)
    return built
