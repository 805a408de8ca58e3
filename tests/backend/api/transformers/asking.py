"""What the tests of transformers share: ways to ask, and the readings to hold answers against."""

import numpy as np

from models.language_reader import LanguageReader
from models.text import Characters
from models.transformer_translator import TransformerTranslator
from tests.backend.serving import decode
from tests.toys import SYMBOLS, TEXT
from tests.toys.transformers import LANGUAGE_MODELS
from tests.toys.translators import vocabularies

TOLERANCE = 1e-5  # float32 sums in another order, absolute
STACKS = [*LANGUAGE_MODELS, "toy-encoder"]
PAIR = "toy-transformer"
SENTENCE = "A dog sees a man."


def reader(networks, id: str):
    """A runner of a toy's network."""
    network = networks[1][id]
    if id == PAIR:
        return TransformerTranslator(network, *vocabularies(id))
    return LanguageReader(network, Characters(SYMBOLS))  # an encoder is read the same way


def text_for(id: str) -> str:
    return SENTENCE if id == PAIR else TEXT


def ask(client, id: str = "toy-gpt", slices=(), **body):
    body = {"text": text_for(id), "slices": list(slices), **body}
    return client.post(f"/api/checkpoints/{id}/slices", json=body)


def cut(client, id: str = "toy-gpt", slices=(), **body) -> dict:
    answer = ask(client, id, slices, **body)
    assert answer.status_code == 200, answer.text[:500]
    return answer.json()


def values(told: dict) -> np.ndarray:
    """The numbers of a slice, of bytes what they stand for."""
    found = decode(told["data"])
    if told["data"]["dtype"] == "f4":
        return found
    share = found.astype(np.float64) / 255
    if told["scale"] == "sqrt":
        return share**2
    return told["low"] + share * (told["high"] - told["low"])
