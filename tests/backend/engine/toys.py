"""Toy models for the engine's tests: a tiny seeded LSTM, and a stepper that does as it is told."""

import asyncio
from collections import Counter
from threading import Event

import numpy as np
import torch
from torch import nn

from backend.engine import End, Engine, EngineError, Job, Step
from models.cells import Recurrent
from models.stepper import Stepper

V, H = 13, 8


class TinyLSTM:
    """Two layers of 8 units over 13 tokens, weights from a seed."""

    vocab_size = V

    def __init__(self, capacity: int = 64, seed: int = 0, device: str = "cpu"):
        self.device = device
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            rnn, output = nn.LSTM(V, H, 2), nn.Linear(H, V)
            for parameter in [*rnn.parameters(), *output.parameters()]:
                parameter.copy_(torch.randn(parameter.shape, generator=generator))
        self.network = (rnn, output)
        recurrent = Recurrent("lstm", {k: v.detach() for k, v in rnn.named_parameters()})
        self.stepper = Stepper(
            recurrent, torch.eye(V), output.weight.detach(), output.bias.detach(), capacity
        )


class Script:
    """A model whose state counts the tokens it has read, and whose next token is token + 1.

    `rounds` counts its steps; `poison` is a token whose logits are NaN; `broken` makes a step
    raise; `gate`, when clear, holds a step until it is set.
    """

    vocab_size = 10
    layout = (("count", 0, 1), ("token", 1, 2), ("slot", 2, 3))

    def __init__(self, capacity: int = 8):
        self.stepper = self
        self.state = np.zeros((capacity, 1), np.float32)
        self.rounds = 0
        self.seen: Counter[int] = Counter()  # slot -> steps
        self.sizes: list[int] = []  # rows of each step
        self.read: list[int] = []  # tokens, in order
        self.poison: int | None = None
        self.broken = False
        self.gate = Event()
        self.gate.set()

    def reset(self, slot: int) -> None:
        self.state[slot] = 0

    def step(self, slots: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.gate.wait()
        if self.broken:
            raise RuntimeError("out of order")
        self.rounds += 1
        self.seen.update(slots.tolist())
        self.sizes.append(len(slots))
        self.read += tokens.tolist()
        self.state[slots] += 1
        capture = np.stack([self.state[slots, 0], tokens, slots], axis=1).astype(np.float32)
        logits = np.full((len(slots), self.vocab_size), -50, np.float32)
        logits[np.arange(len(slots)), (tokens + 1) % self.vocab_size] = 50
        if self.poison is not None:
            logits[tokens == self.poison] = np.nan
        return capture, logits


def job(runner, prefix=(1, 2, 3), max_new_tokens=5, **settings) -> Job:
    """A job for a toy, with short defaults."""
    return Job("toy", runner, tuple(prefix), max_new_tokens, **settings)


async def read(stream) -> tuple[list[Step], End | EngineError | None]:
    """Everything a stream gives, and how it ended (None: it just stopped)."""
    steps: list[Step] = []
    end: End | EngineError | None = None
    try:
        async for part in stream:
            if isinstance(part, End):
                end = part
            else:
                steps += part
    except EngineError as error:
        end = error
    finally:
        stream.close()
    return steps, end


async def until(condition) -> None:
    """Let other tasks and threads run until a condition holds."""
    while not condition():
        await asyncio.sleep(0.001)


def with_engine(scenario, limits=None):
    """Run `scenario(engine)` on an engine that is stopped afterwards, with nothing left over."""

    async def main():
        engine = Engine(limits)
        engine.start()
        try:
            return await scenario(engine)
        finally:
            await engine.stop(0)
            stats = engine.stats()
            assert (stats.active, stats.queued, stats.leaked) == (0, 0, 0)
            assert engine._admission.idle

    return asyncio.run(main())
