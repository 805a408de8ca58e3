"""`films-tuned` and `films-scratch`: what training on one text is worth for another.

`cells-gru` has read Shakespeare. It goes on with sentences about films, and the same network starts
on them from random weights: the same characters in the same order, the same steps, a learning rate
chosen the same way. All of it for several amounts of data and several seeds, a line a run in a
file, from which a stopped command goes on.
"""

import gzip
import hashlib
import json
import random
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from models.char_rnn import CharRNN, CharRNNConfig
from models.checkpoint import write_file
from models.training.corpus import encode, streams
from models.training.labelled import FILMS, PARTS, part_of
from models.training.language import evaluate
from models.training.runs import rate as rate_at
from models.training.runs import stored

BASE = "cells-gru"
NAMES: dict[str, "Start"] = {"films-tuned": "tuned", "films-scratch": "scratch"}
Start = Literal["tuned", "scratch", "output"]  # output: tuned, but for the output layer frozen
KEPT = 30_000  # characters that the two checkpoints were trained on
# Characters of the training part, 0 for all of it, and the most steps that a run takes on them.
STEPS = {3_000: 400, 10_000: 400, 30_000: 400, 100_000: 400, 300_000: 700, 0: 1000}
RATES = (2e-3, 1e-2)  # the better one on validation, with the first seed, is every seed's
SEEDS = (1, 2, 3)  # of the order of the sentences, and of random weights
FEWER = {300_000: 2, 0: 1}  # seeds where a run is long
STREAMS, CHUNK = 32, 32  # fewer streams where one would be shorter than 300 characters
WARMUP, CLIP = 20, 1.0
EVERY, PATIENCE = 25, 6  # steps between validations, and how many without a better one end a run
VALIDATION = 20_000  # characters of the validation part that are read each time
WRITTEN = {"''": '"', "’": "'", "`": "'", "–": "-", "æ": "ae"}


@dataclass(frozen=True)
class Films:
    """The sentences of each part, in symbols of another text's alphabet."""

    sha256: str
    symbols: list[str]
    parts: dict[str, list[str]]  # without the newline that ends each in `tokens`
    changed: Counter  # characters that are written otherwise: é as e
    dropped: Counter  # characters that are left out

    def tokens(self, part: str, seed: int | None = None, size: int = 0) -> Tensor:
        """A part as symbol numbers (N,), a sentence a line: in the order of the file or of a
        seed, and of that the first `size` characters, 0 for all."""
        sentences = list(self.parts[part])
        if seed is not None:
            random.Random(seed).shuffle(sentences)
        text = "".join(f"{sentence}\n" for sentence in sentences)
        return encode(text[: size or None], self.symbols)


def plain(text: str, symbols: set[str], changed: Counter, dropped: Counter) -> str:
    """A text in these symbols alone, and what became of the others is counted."""
    for written, instead in WRITTEN.items():
        changed[written] += text.count(written)
        text = text.replace(written, instead)
    kept = []
    for character in text:
        if character in symbols:
            kept.append(character)
            continue
        base = unicodedata.normalize("NFD", character)[0]
        (changed if base in symbols else dropped)[character] += 1
        kept.append(base if base in symbols else "")
    return "".join(kept)


def read(folder: Path, symbols: list[str]) -> Films:
    """The sentences, with and without a clear score. Raises FileNotFoundError."""
    raw = (folder / FILMS.file).read_bytes()
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    changed, dropped, known = Counter(), Counter(), set(symbols)
    for line, row in enumerate(gzip.decompress(raw).decode("utf-8").splitlines(), 1):
        text = row.partition("\t")[2]
        parts[part_of(line)].append(plain(text, known, changed, dropped))
    return Films(hashlib.sha256(raw).hexdigest(), symbols, parts, +changed, dropped)


def start(kind: Start, config: CharRNNConfig, weights: dict[str, Tensor], seed: int) -> CharRNN:
    """The network before its first step."""
    network = CharRNN(config)
    if kind == "scratch":
        return network.initialize(torch.Generator().manual_seed(seed))
    network.load_state_dict({name: value.float() for name, value in weights.items()})
    if kind == "output":
        network.embedding.requires_grad_(False)
        network.rnn.requires_grad_(False)
    return network


def copied(network: CharRNN) -> dict[str, Tensor]:
    """The weights of now."""
    return {name: value.clone() for name, value in network.state_dict().items()}


@dataclass(frozen=True)
class Schedule:
    """What the learning rate of a step is made from; see `runs.rate`."""

    learning_rate: float
    warmup: int = WARMUP


def side_by_side(size: int) -> int:
    """How many streams a text of so many characters is cut into."""
    return max(1, min(STREAMS, size // 300))


def train(
    network: CharRNN, tokens: Tensor, validate: Callable[[CharRNN], float], rate: float, steps: int
) -> tuple[dict[str, Tensor], list[tuple[int, float]]]:
    """Train on a text (N,) that is read again and again.

    Returns the best weights by validation, and the validation (step, nats) every 25 steps, from
    before the first one on. Ends when six validations in a row were no better.
    """
    batch = side_by_side(len(tokens))
    chunks = (len(tokens) - CHUNK) // batch // CHUNK
    trained = [value for value in network.parameters() if value.requires_grad]
    optimizer = torch.optim.Adam(trained, betas=(0.9, 0.99))
    history = [(0, validate(network))]
    best, weights = history[0][1], copied(network)
    schedule, worse, state, text = Schedule(rate), 0, None, tokens
    for step in range(steps):
        epoch, at = divmod(step, chunks)
        if at == 0:
            text, state = streams(tokens, batch, (epoch * 37) % CHUNK), None
        network.train()
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, steps, schedule)
        inputs = text[at * CHUNK : at * CHUNK + CHUNK]  # (T, B)
        targets = text[at * CHUNK + 1 : at * CHUNK + CHUNK + 1]
        logits, state = network(inputs[: len(targets)], state)
        state = state.detach()
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(trained, CLIP)
        optimizer.step()
        if (step + 1) % EVERY == 0:
            history.append((step + 1, validate(network)))
            worse = 0 if history[-1][1] < best else worse + 1
            if worse == 0:
                best, weights = history[-1][1], copied(network)
            if worse == PATIENCE:
                break
    return weights, history


def seeds(size: int) -> tuple[int, ...]:
    """The seeds that an amount of data is tried with."""
    return SEEDS[: FEWER.get(size)]


@dataclass(frozen=True)
class Run:
    """One training: where from, on how much, how."""

    start: Start
    size: int  # characters, 0 for all
    rate: float
    seed: int

    @property
    def name(self) -> str:
        return f"{self.start}-{self.size}-{self.rate:g}-{self.seed}"


class Grid:
    """All runs, those there are and those that are still to be made.

    `folder` holds runs.jsonl, a line a run: its name, its history, and the weights beside it.
    """

    def __init__(self, folder: Path, films: Films, config: CharRNNConfig, weights: dict):
        self.folder, self.films, self.config, self.weights = folder, films, config, weights
        self.file = folder / "runs.jsonl"
        lines = self.file.read_text("utf-8").splitlines() if self.file.is_file() else []
        self.rows = {row["name"]: row for row in map(json.loads, lines)}
        self.validation = films.tokens("validation")[:VALIDATION]

    def run(self, one: Run) -> list[tuple[int, float]]:
        """The history of a run, which is made if it is not there."""
        if one.name not in self.rows:
            network = start(one.start, self.config, self.weights, one.seed)
            tokens = self.films.tokens("train", one.seed, one.size)
            best, history = train(
                network,
                tokens,
                lambda network: evaluate(network, self.validation),
                one.rate,
                STEPS[one.size],
            )
            self.folder.mkdir(parents=True, exist_ok=True)
            save_file(best, self.folder / f"{one.name}.safetensors")
            self.rows[one.name] = {"name": one.name, "history": history}
            lines = (json.dumps(row) + "\n" for row in self.rows.values())
            write_file(self.file, "".join(lines))
            print(one.name, f"{self.best(one):.4f} after", history[-1][0], flush=True)
        return self.rows[one.name]["history"]

    def best(self, one: Run) -> float:
        """Nats a character on validation, at the best moment."""
        return min(nats for _, nats in self.run(one))

    def chosen(self, start: Start, size: int) -> list[Run]:
        """The runs of all seeds at the rate that is the better one with the first."""
        first = min((Run(start, size, rate, SEEDS[0]) for rate in RATES), key=self.best)
        runs = [Run(start, size, first.rate, seed) for seed in seeds(size)]
        for one in runs:
            self.run(one)
        return runs

    def network(self, one: Run | None) -> CharRNN:
        """The network of a run as it is stored, in float16; of None, untuned."""
        weights = (
            self.weights if one is None else load_file(self.folder / f"{one.name}.safetensors")
        )
        return stored(CharRNN(self.config), weights)

    def all(self) -> None:
        """Every run, the smallest amounts of data first."""
        for size in STEPS:
            for kind in ("tuned", "scratch"):
                self.chosen(kind, size)
        self.chosen("output", KEPT)
