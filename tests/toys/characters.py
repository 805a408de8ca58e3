"""Toys that read characters as the character models do, by convolutions and by counts."""

from pathlib import Path

import numpy as np

from models.char_conv import CharConv, CharConvConfig
from models.counts import count_orders, pruned
from models.ngram import NGram, NGramConfig, to_tensors
from tests.toys import SYMBOLS, TEXT, about, attentive, write

CONVOLUTIONS = {
    "toy-conv": CharConvConfig(len(SYMBOLS), 10, 7, 3),
    "toy-wide-conv": CharConvConfig(len(SYMBOLS), 6, 9, 2, kernel_size=4, tied=False),
}


def convolution(config: CharConvConfig, seed: int = 0) -> CharConv:
    """A network with weights of a seed."""
    return attentive(CharConv(config), seed)


def write_convolution(folder: Path, id: str, seed: int = 0) -> CharConv:
    """Write a checkpoint folder of one of CONVOLUTIONS; returns the network it was written from."""
    built = convolution(CONVOLUTIONS[id], seed)
    said = {**about(built.config, "A toy of convolutions"), "kind": "char_conv"}
    write(folder, said, list(SYMBOLS), built.state_dict(), seed)
    return built


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
    write(folder, said, list(SYMBOLS), tensors, seed)
    return built
