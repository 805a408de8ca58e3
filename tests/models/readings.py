"""Toys that read a text, for the tests of readings, of slices and of edits."""

import numpy as np

from models.reading import Reading
from models.slicing import Slice
from models.transformer_lm import TransformerLM, TransformerLMConfig
from models.transformer_seq2seq import TransformerSeq2Seq, TransformerSeq2SeqConfig
from tests.models.stacks import lively

IDS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]
V, D, H, L = 11, 12, 4, 3


def one_text() -> TransformerLM:
    """A language model with two heads of queries to one of keys."""
    config = TransformerLMConfig(V, 16, D, L, H, 20, num_kv_heads=2, positions="learned")
    return lively(TransformerLM(config))


def two_texts() -> TransformerSeq2Seq:
    """A translator of two layers a side."""
    return lively(TransformerSeq2Seq(TransformerSeq2SeqConfig(V, 9, 16, D, 2, 2, H, 20)))


def cut(reading: Reading, point: str, **options) -> np.ndarray:
    """The numbers of a slice."""
    return reading.slice(Slice(point, **options)).data
