"""What the tests of translation share: a folder of toys, and ways to ask."""

import numpy as np

from tests.backend.api.decoding import answered, told
from tests.toys.translators import TRANSLATORS

TOLERANCE = 1e-5  # float32 sums in another order, absolute
SENTENCE = "A dog runs on the beach."
DATE = "3 may 2026"
LONG = {"text": SENTENCE, "max_new_tokens": 200, "stream": True}  # the toys never end by themselves
ATTENDING = [id for id, config in TRANSLATORS.items() if config.attention != "none"]


def text_for(id: str) -> str:
    """A text that a toy can read."""
    return DATE if id == "toy-characters" else SENTENCE


def ask(client, id: str = "toy-additive", **body):
    body = {"text": text_for(id), "max_new_tokens": 12, **body}
    return client.post(f"/api/checkpoints/{id}/translate", json=body)


def whole(client, id: str = "toy-additive", **body) -> dict:
    return answered(ask(client, id, **body))


def streamed(client, id: str = "toy-additive", **body) -> list[tuple[str, dict]]:
    return told(ask(client, id, stream=True, **body))


def softmax(energy: np.ndarray) -> np.ndarray:
    power = np.exp(energy - energy.max(-1, keepdims=True))
    return power / power.sum(-1, keepdims=True)
