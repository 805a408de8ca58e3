"""A checkpoint of visual question answering at work: it reads a question, looks and answers."""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from models.calibration import Calibrated
from models.cells import Recurrent
from models.checkpoint import CheckpointError, CheckpointFiles, config_of, fill
from models.subwords import Vocabulary
from models.trace import Point, choose
from models.vqa import Looked, Vqa, VqaConfig

VOCABULARY = "source.tokenizer.json"


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs such a checkpoint. Raises `CheckpointError`, naming what is wrong."""
    config = config_of(VqaConfig, files.about)
    if VOCABULARY not in files.tokenizers:
        raise CheckpointError(f"{VOCABULARY} is missing")
    vocabulary = Vocabulary.read(files.tokenizers[VOCABULARY])
    if len(vocabulary) != config.question_size:
        raise CheckpointError(
            f"{VOCABULARY} holds {len(vocabulary)} tokens, "
            f"config.json says question_size {config.question_size}"
        )
    with torch.device("meta"):
        network = Vqa(config)
    fill(network, files.weights)
    # One question at a time: it costs less on the CPU than its launches on a GPU would.
    return Answerer(network, vocabulary)


@dataclass(frozen=True)
class Question:
    """A question as it is read. The end mark is its last token."""

    text: str
    ids: list[int]
    tokens: list[str]  # as the user wrote them
    spans: list[tuple[int, int]]  # of each token in the text, in characters
    unknown: list[int]  # tokens that are words it does not know


@dataclass(frozen=True)
class Answered:
    """The answers to a question, and where the network looked."""

    answers: list[str]  # all that can be answered, the likeliest first
    probabilities: np.ndarray  # (answers,), of the answers in that order
    attention: np.ndarray = field(repr=False)  # (hops, rows, columns)
    points: dict[str, np.ndarray] = field(repr=False)


class Answerer(Calibrated):
    """What the server runs: `read` a question, then `answer` it about a picture."""

    kind, tasks = Vqa.kind, Vqa.tasks

    def __init__(self, network: Vqa, vocabulary: Vocabulary):
        self.network, self.vocabulary = network, vocabulary
        self.gru = Recurrent("gru", dict(network.question.state_dict()))
        self.points = self._points()

    def _points(self) -> list[Point]:
        config = self.network.config
        H, A, G, K = config.state_size, config.attention_size, config.grid, config.hops
        cells, hops = ("row", "column"), ("layer", "row", "column")
        return [
            *(Point(_question(p.name), p.axes, p.range, p.shape) for p in self.gru.points),
            Point("annotation", (*cells, "unit"), "real", (G, G, H)),
            Point("attention", hops, "probability", (K, G, G)),
            Point("attention.energy", hops, "real", (K, G, G)),
            Point("attention.query", ("layer", "unit"), "real", (K, A)),
            Point("attention.key", (*hops, "unit"), "real", (K, G, G, A)),
            Point("attention.v", ("layer", "unit"), "real", (K, A)),
            Point("context", ("layer", "unit"), "real", (K, H)),
            Point("asked", ("layer", "unit"), "signed", (K, H)),
            Point("counter", cells, "unit", (G, G)),
            Point("counter.energy", cells, "real", (G, G)),
            Point("tally", ("unit",), "unit", (config.most + 1,)),
        ]

    def read(self, text: str) -> Question:
        """A question as tokens; what is not a known word is `<unk>`, and told so."""
        found = self.vocabulary.read_text(text)
        spans = [_word(text, *span) for span in found.spans]
        tokens = [text[start:stop] for start, stop in spans[:-1]]
        return Question(text, found.ids, [*tokens, found.tokens[-1]], spans, found.copied)

    @torch.no_grad()
    def answer(
        self, cells: Tensor, question: Question, points: Collection[str] | None = None
    ) -> Answered:
        """Answer a question about the picture of `cells` (1, S, F), float32.

        `points` are the names to capture (None: all). Raises `UnknownPoint`, and ValueError for
        another shape of cells.
        """
        wanted = choose(points, (point.name for point in self.points))
        network, config = self.network, self.network.config
        G = config.grid
        if tuple(cells.shape) != (1, G * G, config.feature_size):
            raise ValueError(
                f"cells have shape {tuple(cells.shape)}, "
                f"expected (1, {G * G}, {config.feature_size})"
            )
        x = network.embedding(torch.tensor(question.ids))[:, None]  # (T, 1, N)
        names = [p.name for p in self.gru.points if _question(p.name) in wanted]
        run = self.gru.run(x, None, names)
        annotations = network.annotations(cells)
        looked = network.look(run.output[-1], annotations)
        probabilities = looked.logits[0].softmax(-1)
        order = probabilities.argsort(descending=True, stable=True)
        found = {_question(name): value[:, 0] for name, value in run.points.items()}
        found |= self._points_of(looked, annotations)
        return Answered(
            [config.answers[k] for k in order.tolist()],
            probabilities[order].numpy(),
            found["attention"].numpy(),
            {name: value.numpy() for name, value in found.items() if name in wanted},
        )

    def _points_of(self, looked: Looked, annotations: Tensor) -> dict[str, Tensor]:
        """What was seen and counted, by the names of the points."""
        hops, hop_modules = looked.hops, self.network.hops
        grid = (self.network.config.grid,) * 2
        return {
            "annotation": annotations[0].unflatten(0, grid),
            "attention": torch.cat([hop.weights for hop in hops]).unflatten(1, grid),
            "attention.energy": torch.cat([hop.energy for hop in hops]).unflatten(1, grid),
            "attention.query": torch.cat([hop.query for hop in hops]),
            "attention.key": torch.cat([h.keys(annotations) for h in hop_modules]).unflatten(
                1, grid
            ),
            "attention.v": torch.stack([hop.v for hop in hop_modules]),
            "context": torch.cat([hop.context for hop in hops]),
            "asked": torch.cat(looked.asked),
            "counter": looked.counted[0].unflatten(0, grid),
            "counter.energy": looked.counter.energy[0].unflatten(0, grid),
            "tally": looked.tally[0],
        }


def _word(text: str, start: int, stop: int) -> tuple[int, int]:
    """A span of a text without the spaces and the punctuation around the word in it."""
    while start < stop and not text[start].isalnum():
        start += 1
    while start < stop and not text[stop - 1].isalnum():
        stop -= 1
    return start, stop


def _question(name: str) -> str:
    """`rnn.0.h` -> `question.0.h`."""
    return f"question{name[len('rnn') :]}"
