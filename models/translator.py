"""A sequence-to-sequence checkpoint at work: it reads a text and writes another, step by step.

Decoding is a generator of steps, one text at a time in float32, so that its numbers depend on
nothing but the request. What the decoder looks at may be decided for it (`force`: the whole weight
of a step on one source position), and what it writes as well (`prefix`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from models.beam import Beam, Hypothesis, score, search
from models.cells import Recurrent, letter_range
from models.checkpoint import CheckpointError, CheckpointFiles, fill
from models.products import Products
from models.seq2seq import Advanced, Memory, Seq2Seq, Seq2SeqConfig
from models.subwords import BEGIN, END, UNKNOWN, Source, Vocabulary
from models.trace import Point, choose

CANDIDATES = 8  # likeliest tokens that a step tells


@dataclass(frozen=True)
class Step:
    """One written token, and what it was written from."""

    index: int
    token_id: int
    probability: float
    top: list[tuple[int, float]]  # the likeliest tokens with their probabilities
    attention: np.ndarray | None = field(repr=False)  # (S,)
    forced: int | None  # the source position it had to look at
    given: bool  # the token was decided by the request
    points: dict[str, np.ndarray] = field(repr=False)


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


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs a translation checkpoint. Raises `CheckpointError`, naming what is wrong."""
    try:
        config = Seq2SeqConfig(**files.about["config"])
    except TypeError as error:
        raise CheckpointError(f"config.json: {error}") from error
    config.check()
    sides = []
    for side, size in (("source", config.source_size), ("target", config.target_size)):
        name = f"{side}.tokenizer.json"
        if name not in files.tokenizers:
            raise CheckpointError(f"{name} is missing")
        vocabulary = Vocabulary.read(files.tokenizers[name])
        if len(vocabulary) != size:
            raise CheckpointError(
                f"{name} holds {len(vocabulary)} tokens, config.json says {side}_size {size}"
            )
        sides.append(vocabulary)
    with torch.device("meta"):
        network = Seq2Seq(config)
    fill(network, files.weights)
    # One text at a time: a step on the CPU costs less than its launches on a GPU would.
    return Translator(network, *sides)


class Translator:
    """What the server runs: `read` a source, then `translate` it."""

    kind, tasks = Seq2Seq.kind, Seq2Seq.tasks

    def __init__(self, network: Seq2Seq, source: Vocabulary, target: Vocabulary):
        self.network, self.source, self.target = network, source, target
        config = network.config
        self.attends = config.attention != "none"
        network.linear = Products()
        if network.attention is not None:
            network.attention.linear = network.linear
        self.target_tokens = target.tokens
        self.encoder = Recurrent(config.cell, dict(network.encoder.state_dict()))
        self.points = self._points()

    def _points(self) -> list[Point]:
        config = self.network.config
        C, D, A = 2 * config.encoder_size, config.decoder_size, config.attention_size
        points = [
            Point(_encoder(p.name), ("source", "unit"), p.range, (None, p.shape[-1]))
            for p in self.encoder.points
        ]
        bounded = "signed"
        points.append(Point("annotation", ("source", "unit"), bounded, (None, C)))
        letters = ("h", "c", "i", "f", "g", "o") if config.cell == "lstm" else ("h", "r", "z", "n")
        points += [
            Point(f"decoder.0.{x}", ("target", "unit"), letter_range(config.cell, x), (None, D))
            for x in letters
        ]
        if not self.attends:
            return [*points, Point("context", ("unit",), bounded, (C,))]
        both = ("target", "source")
        points += [
            Point("attention", both, "probability", (None, None)),
            Point("attention.energy", both, "real", (None, None)),
            Point("context", ("target", "unit"), bounded, (None, C)),
        ]
        if config.attention == "additive":
            points += [
                Point("attention.query", ("target", "unit"), "real", (None, A)),
                Point("attention.key", ("source", "unit"), "real", (None, A)),
                Point("attention.v", ("unit",), "real", (A,)),
            ]
        elif config.attention == "general":
            points.append(Point("attention.query", ("target", "unit"), "real", (None, C)))
        return points

    def read(self, text: str) -> Source:
        """A text as tokens. Raises `UnknownCharacters` where the source is read by characters."""
        return self.source.read_text(text)

    @torch.no_grad()
    def source_points(self, source: Source, names: Collection[str] | None) -> dict[str, np.ndarray]:
        """The points asked for (None: all) that do not depend on what is written."""
        wanted = choose(names, (point.name for point in self.points))
        known = [p.name for p in self.points if "target" not in p.axes and p.name in wanted]
        found = self._remember(source, {name for name in known if name.startswith("encoder.")})[2]
        return {name: found[name] for name in known}

    def _remember(
        self, source: Source, encoder: Collection[str] = ()
    ) -> tuple[Memory, Tensor, dict[str, np.ndarray]]:
        """The source read: the memory, the first state, and every point of the source side."""
        network = self.network
        x = network.source_embedding(torch.tensor(source.ids))[:, None]  # (S, 1, N)
        run = self.encoder.run(x, None, [f"rnn{name[len('encoder') :]}" for name in encoder])
        memory, state = network.remember(run.output)
        points = {_encoder(name): value[:, 0].numpy() for name, value in run.points.items()}
        points["annotation"] = memory.annotations[0].numpy()
        if memory.fixed is not None:
            points["context"] = memory.fixed[0].numpy()
        elif network.attention.key is not None:
            points["attention.key"] = memory.keys[0].numpy()
            points["attention.v"] = network.attention.v.numpy()
        return memory, state, points

    def check(
        self, source: Source, prefix: Sequence[int] = (), force: Mapping[int, int] | None = None
    ) -> None:
        """Raise ValueError for a prefix that cannot be written or a force that cannot be done."""
        for at, number in enumerate(prefix):
            if not 0 <= number < len(self.target):
                raise ValueError(f"prefix[{at}] is {number}, tokens are 0..{len(self.target) - 1}")
            if number == BEGIN or (number == END and at < len(prefix) - 1):
                token = self.target.tokens[number]
                raise ValueError(f"prefix[{at}] is {token}, which cannot stand inside a text")
        if force and not self.attends:
            raise ValueError("this network has no attention to force")
        for step, position in (force or {}).items():
            if step < 0 or not 0 <= position < len(source.ids):
                raise ValueError(
                    f"step {step} cannot look at {position}: steps count from 0, "
                    f"source positions are 0..{len(source.ids) - 1}"
                )

    def _text(self, source: Source, token_ids: Sequence[int], looks: Sequence[int | None]) -> str:
        """The written text, each `<unk>` replaced by the copied word it looked at most, or, with
        nothing to look with, by the next one (Luong et al. 2015, arXiv:1410.8206)."""
        written = [k for k, number in enumerate(token_ids) if number == UNKNOWN]
        if not source.copied or not written:
            return self.target.join(token_ids)
        copies = []
        for nth, k in enumerate(written):
            look = looks[k] if k < len(looks) else None
            at = look if look in source.copied else source.copied[min(nth, len(source.copied) - 1)]
            copies.append(source.tokens[at])
        return self.target.join(token_ids, copies)

    def translate(
        self,
        source: Source,
        beam_size: int = 1,
        length_penalty: float = 1.0,
        max_new_tokens: int = 60,
        prefix: Sequence[int] = (),
        force: Mapping[int, int] | None = None,
        points: Collection[str] | None = None,
    ) -> Iterator[Beam | Step | End]:
        """Write a translation: the steps of the search, of the text it found, and its end.

        `prefix` is written first, whatever its probability, and `max_new_tokens` after it at most;
        one that ends with the end mark is only read. `force` maps a step to the source position
        it has to look at. Raises ValueError as `check` does, and `UnknownPoint`.
        """
        self.check(source, prefix, force)
        names = choose(points, (point.name for point in self.points))
        return self._translate(
            source,
            beam_size,
            length_penalty,
            len(prefix) + max_new_tokens,
            tuple(prefix),
            force or {},
            names,
        )

    def _translate(self, source, beam_size, length_penalty, limit, prefix, force, names):
        writing = _Writing(self, *self._begin(source), force, names)
        found: list[Hypothesis] | None = None
        # A prefix that is whole is read; a search follows where more than one path is wanted.
        chosen = list(prefix)
        if beam_size > 1 and not (prefix and prefix[-1] == END) and len(prefix) < limit:
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
            if step.token_id == END:
                break
        text = self._text(source, token_ids, looks)
        total = writing.total
        rank = score(total, len(token_ids), length_penalty)
        others = [
            Written(one.token_ids, self._text(source, one.token_ids, []), one.log_probability,
                    one.score)
            for one in (found or [])[1:]
        ]  # fmt: skip
        first = Written(token_ids, text, total, rank)
        ended = bool(token_ids) and token_ids[-1] == END
        yield End(token_ids, text, total, rank, ended, [first, *others])

    @torch.no_grad()
    def _begin(self, source: Source) -> tuple[Memory, Tensor]:
        memory, state, _ = self._remember(source)
        return memory, state


class _Writing:
    """The decoder in the middle of a text. Its state is after the tokens written so far."""

    def __init__(self, translator: Translator, memory, state, force: Mapping[int, int], names):
        self.translator, self.memory = translator, memory
        self.network, self.force, self.names = translator.network, force, names
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
        y = network.embed(tokens)  # (B, N)
        from_y, context_weight = network.token_part(y)
        done = network.advance(from_y, state, memory, context_weight, force)
        log_p = network.logits(done.state[0], done.context, y).log_softmax(-1)
        log_p[:, BEGIN] = -torch.inf  # never seen as a target
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
        return {
            point.name: found[point.name][0].numpy()
            for point in self.translator.points
            if point.name in found and point.name in self.names
        }


def _encoder(name: str) -> str:
    """`rnn.0.reverse.h` -> `encoder.0.reverse.h`."""
    return f"encoder{name[len('rnn') :]}"
