"""Text that a model writes, for model cards and tests: the server's own steps and draws."""

import numpy as np

from models.sampling import draw, uniform


def write_on(
    runner, prefix: str, count: int, temperature: float = 1.0, seed: int = 0, top_k: int = 0
) -> str:
    """`prefix` and `count` characters after it, drawn as the server draws them."""
    tokens = runner.characters.encode(prefix)
    stepper, slot = runner.stepper, np.zeros(1, np.int64)
    stepper.reset(0)
    logits = None
    for position in range(len(tokens) + count):
        if position == len(tokens):
            chosen, _, _ = draw(
                logits,
                np.full(1, temperature, np.float32),
                np.full(1, top_k, np.int64),
                np.ones(1, np.float32),
                np.full(1, uniform(seed, position)),
            )
            tokens.append(int(chosen[0]))
        _, logits = stepper.step(slot, np.full(1, tokens[position], np.int64))
    return runner.characters.decode(tokens)
