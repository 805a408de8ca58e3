"""Writing with a decoder, step by step: one text at a time in float32, so that its numbers depend
on nothing but the request.

What the decoder looks at may be decided for it (`force`: the whole weight of a step on one
annotation), and what it writes as well (`prefix`). A beam search comes first where more than one
path is wanted; the path that it found is then read, so that every step tells all its points.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from models.beam import Beam, Hypothesis, score, search
from models.cells import letter_range
from models.decoder import BEGIN, END, Advanced, Decoder, Memory
from models.trace import Point

CANDIDATES = 8  # likeliest tokens that a step tells
# The text of token numbers, given where each was looked at most (None: nowhere, not known).
Text = Callable[[Sequence[int], Sequence[int | None]], str]
# Hard attention: a step and its weights (B, S) -> the one annotation (B,) that it looks at.
Look = Callable[[int, Tensor], Tensor]


@dataclass(frozen=True)
class Step:
    """One written token, and what it was written from."""

    index: int
    token_id: int
    probability: float
    top: list[tuple[int, float]]  # the likeliest tokens with their probabilities
    attention: np.ndarray | None = field(repr=False)  # (S,)
    forced: int | None  # the annotation it had to look at
    given: bool  # the token was decided by the request
    points: dict[str, np.ndarray] = field(repr=False)
    chosen: int | None = None  # the annotation that hard attention looked at


@dataclass(frozen=True)
class Written:
    """A hypothesis with its text."""

    token_ids: list[int]
    text: str
    log_probability: float
    score: float


@dataclass(frozen=True)
class End:
    """The text is complete."""

    token_ids: list[int]
    text: str
    log_probability: float
    score: float
    ended: bool  # False: cut at the length limit
    hypotheses: list[Written]


LETTERS = {"lstm": ("h", "c", "i", "f", "g", "o"), "gru": ("h", "r", "z", "n")}


def points_of(
    network: Decoder, step: str, places: Mapping[str, int | None], range: str
) -> list[Point]:
    """What there is to see of a decoder and of what it looks at, the annotations left out.

    `step` is the axis of the tokens, `places` the axes of the annotations with their sizes, `range`
    that of an annotation's numbers.
    """
    D, attention = network.decoder.hidden_size, network.attention
    C = network.decoder.input_size - network.token_width
    points = [
        Point(f"decoder.0.{x}", (step, "unit"), letter_range(network.cell, x), (None, D))
        for x in LETTERS[network.cell]
    ]
    if attention is None:
        return [*points, Point("context", ("unit",), range, (C,))]
    axes, sizes = tuple(places), tuple(places.values())
    points += [
        Point("attention", (step, *axes), "probability", (None, *sizes)),
        Point("attention.energy", (step, *axes), "real", (None, *sizes)),
        Point("context", (step, "unit"), range, (None, C)),
    ]
    if attention.query is not None:
        A = attention.query.out_features
        points.append(Point("attention.query", (step, "unit"), "real", (None, A)))
    if attention.key is not None:
        points += [
            Point("attention.key", (*axes, "unit"), "real", (*sizes, A)),
            Point("attention.v", ("unit",), "real", (A,)),
        ]
    return points


def memory_points(network: Decoder, memory: Memory) -> dict[str, np.ndarray]:
    """The points of a memory of one row: what every step looks at."""
    points = {"annotation": memory.annotations[0].numpy()}
    if memory.fixed is not None:
        points["context"] = memory.fixed[0].numpy()
    elif network.attention.key is not None:
        points["attention.key"] = memory.keys[0].numpy()
        points["attention.v"] = network.attention.v.numpy()
    return points


def check(
    network: Decoder,
    tokens: Sequence[str],
    annotations: int,
    prefix: Sequence[int],
    force: Mapping[int, int],
) -> None:
    """Raise ValueError for a prefix that cannot be written or a force that cannot be done."""
    check_prefix(network, tokens, prefix)
    if force and network.attention is None:
        raise ValueError("this network has no attention to force")
    for step, position in force.items():
        if step < 0 or not 0 <= position < annotations:
            raise ValueError(
                f"step {step} cannot look at {position}: steps count from 0, "
                f"positions are 0..{annotations - 1}"
            )


def check_prefix(network, tokens: Sequence[str], prefix: Sequence[int]) -> None:
    """Raise ValueError for a prefix that cannot be written."""
    for at, number in enumerate(prefix):
        if not 0 <= number < len(tokens):
            raise ValueError(f"prefix[{at}] is {number}, tokens are 0..{len(tokens) - 1}")
        if number in network.never_written or (number == network.end and at < len(prefix) - 1):
            raise ValueError(f"prefix[{at}] is {tokens[number]}, which cannot stand inside a text")


def write(
    network: Decoder,
    memory: Memory,
    state: Tensor,
    text: Text,
    *,
    beam_size: int,
    length_penalty: float,
    limit: int,
    prefix: Sequence[int],
    force: Mapping[int, int],
    points: Collection[str],
    look: Look | None = None,
) -> Iterator[Beam | Step | End]:
    """Write from a memory of one row: the steps of the search, of the text it found, and its end.

    `limit` tokens at most, the prefix counted; `points` are the names that a step captures; with a
    `look` attention is hard.
    """
    writing = _Writing(network, memory, state, force, points, look)
    rest = {"beam_size": beam_size, "length_penalty": length_penalty, "limit": limit}
    yield from write_with(writing, text, prefix=prefix, **rest)


class Writing(Protocol):
    """A network in the middle of a text, whatever it is built of."""

    total: float  # log probability of the tokens written so far

    def search(
        self, prefix: Sequence[int], width: int, length_penalty: float, limit: int
    ) -> Iterator[Beam | list[Hypothesis]]:
        """Beam search behind a prefix, from the start of the text; see `beam.search`."""

    def write(self, index: int, choice: int | None, given: bool) -> Step:
        """Write one token, the likeliest or `choice`."""


def write_with(
    writing: Writing,
    text: Text,
    *,
    beam_size: int,
    length_penalty: float,
    limit: int,
    prefix: Sequence[int],
    end: int = END,
) -> Iterator[Beam | Step | End]:
    """The steps of the search, of the text it found, and its end, which is the token `end`."""
    found: list[Hypothesis] | None = None
    # A prefix that is whole is read; a search follows where more than one path is wanted.
    chosen = list(prefix)
    if beam_size > 1 and not (prefix and prefix[-1] == end) and len(prefix) < limit:
        for item in writing.search(prefix, beam_size, length_penalty, limit):
            if isinstance(item, Beam):
                yield item
            else:
                found = item
        chosen = found[0].token_ids
    token_ids, looks = [], []
    for index in range(limit):
        choice = chosen[index] if index < len(chosen) else None
        if choice is None and found is not None:
            break
        step = writing.write(index, choice, given=index < len(prefix))
        token_ids.append(step.token_id)
        looks.append(None if step.attention is None else int(step.attention.argmax()))
        yield step
        if step.token_id == end:
            break
    written = text(token_ids, looks)
    total = writing.total
    rank = score(total, len(token_ids), length_penalty)
    others = [
        Written(one.token_ids, text(one.token_ids, []), one.log_probability, one.score)
        for one in (found or [])[1:]
    ]
    first = Written(token_ids, written, total, rank)
    ended = bool(token_ids) and token_ids[-1] == end
    yield End(token_ids, written, total, rank, ended, [first, *others])


class _Writing:
    """The decoder in the middle of a text. Its state is after the tokens written so far."""

    def __init__(self, network: Decoder, memory: Memory, state: Tensor, force, names, look):
        self.network, self.memory = network, memory
        self.force, self.names, self.look = force, names, look
        self.first, self.state, self.last = state, state, BEGIN
        self.total = 0.0  # log probability of the tokens written so far

    def _advance(self, index: int, state: Tensor, tokens: Tensor) -> tuple[Advanced, Tensor]:
        """Read the token before step `index` in each row -> what the decoder did, and the log
        probabilities (B, V) of the token it writes."""
        network, memory = self.network, self.memory
        if len(tokens) > 1:
            memory = memory.take(torch.zeros(len(tokens), dtype=torch.long))
        force = None
        if index in self.force:
            force = torch.full((len(tokens),), self.force[index])
        look = None if self.look is None else partial(self.look, index)
        y = network.embed(tokens)  # (B, N)
        from_y, context_weight = network.token_part(y)
        done = network.advance(from_y, state, memory, context_weight, force, look)
        log_p = network.logits(done.state[0], done.context, y).log_softmax(-1)
        log_p[:, network.never_written] = -torch.inf
        return done, log_p

    @torch.no_grad()
    def search(self, prefix, width: int, length_penalty: float, limit: int):
        """Beam search behind a prefix; see `beam.search`."""
        state, total, last = self.first, 0.0, BEGIN
        for index, token in enumerate(prefix):
            done, log_p = self._advance(index, state, torch.tensor([last]))
            state, total, last = done.state, total + log_p[0, token].item(), token

        def step(index: int, state: Tensor, tokens: Tensor):
            done, log_p = self._advance(index, state, tokens)
            return log_p, done.state

        yield from search(
            step,
            lambda state, rows: state[:, rows],
            state,
            last,
            end=END,
            width=width,
            limit=limit,
            length_penalty=length_penalty,
            prefix=prefix,
            log_probability=total,
        )

    @torch.no_grad()
    def write(self, index: int, choice: int | None, given: bool) -> Step:
        """Write one token, the likeliest or `choice`."""
        done, log_p = self._advance(index, self.state, torch.tensor([self.last]))
        probabilities = log_p[0].exp()
        best = probabilities.topk(min(CANDIDATES, len(probabilities)))
        top = list(zip(best.indices.tolist(), best.values.tolist(), strict=True))
        token = top[0][0] if choice is None else choice
        self.state, self.last = done.state, token
        self.total += log_p[0, token].item()  # a probability may be too small for a float32
        attended = done.attended
        return Step(
            index,
            token,
            float(probabilities[token]),
            top,
            None if attended is None else attended.weights[0].numpy(),
            self.force.get(index),
            given,
            self._captured(done),
            None if attended is None or attended.chosen is None else int(attended.chosen),
        )

    def _captured(self, done: Advanced) -> dict[str, np.ndarray]:
        found = {f"decoder.0.{letter}": value for letter, value in done.gates.items()}
        found["decoder.0.h"] = done.state[0]
        if len(done.state) > 1:
            found["decoder.0.c"] = done.state[1]
        if done.attended is not None:
            found["context"] = done.context
            found["attention"] = done.attended.weights
            found["attention.energy"] = done.attended.energy
            if done.attended.query is not None:
                found["attention.query"] = done.attended.query
        if done.gate is not None:
            found["gate"] = done.gate
        return {name: value[0].numpy() for name, value in found.items() if name in self.names}
