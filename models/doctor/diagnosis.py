"""What the doctor says of a file: the forms its parts share.

A sentence is written once in English as a template with values, so that a page can say it in its
own language: `Said` is the English text and carries both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Level = Literal["good", "look", "bad"]
ONE_HOT = "one-hot"
Shapes = Mapping[str, tuple[int, ...]]


class Said(str):
    """A sentence: `template` with `values` put into its {names}."""

    template: str
    values: dict

    def __new__(cls, template: str, **values):
        made = super().__new__(cls, template.format(**values))
        made.template, made.values = template, values
        return made


@dataclass(frozen=True)
class Sentence:
    """Something that was found, and the tensors that show it."""

    text: str
    names: tuple[str, ...] = ()
    shape: tuple[int, ...] | None = None


def say(template: str, *names: str, shape: tuple[int, ...] | None = None, **values) -> Sentence:
    """A sentence about these tensors of the file."""
    return Sentence(Said(template, **values), names, shape)


@dataclass(frozen=True)
class Guess:
    """A possible answer, and why it is one."""

    says: str
    value: object  # what would be sent as the answer


@dataclass(frozen=True)
class Question:
    """What the file does not say and a person must."""

    name: str  # vocabulary, labels, pooling, ...: the key of its answer
    text: str
    form: Literal["list", "choice"]
    size: int | None = None  # of a list: how many symbols
    choices: tuple[tuple[str, str], ...] = ()  # of a choice: the answer, and what it means
    guesses: tuple[Guess, ...] = ()


@dataclass(frozen=True)
class Proof:
    """How closely our explicit formulas follow torch's own layer, over a probe."""

    layer: str  # rnn.0, rnn.0.reverse
    quantity: str  # h, c
    largest_difference: float
    digits: float  # decimal digits of the largest value that agree


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at in the weights, or in what they do on the probe."""

    name: str
    value: object
    says: str
    level: Level
    where: str = ""


@dataclass(frozen=True)
class Stack:
    """Recurrent layers of a file: `names` leads from torch.nn's names to those in the file."""

    name: str  # what its points are called: rnn, encoder, decoder
    cell: str  # of models.cells: rnn_tanh, rnn_relu, lstm, gru
    names: Mapping[str, str]  # weight_ih_l0 -> encoder.lstm.weight_ih_l0
    input_size: int
    hidden_size: int
    num_layers: int
    bidirectional: bool = False
    bias: bool = True
    first: int = 0  # the number of its first layer among all that have its name

    def called(self, direction: str) -> str:
        """A direction of these layers alone, `rnn.0.reverse`, as its points are called."""
        _, layer, *rest = direction.split(".")
        return ".".join([self.name, str(int(layer) + self.first), *rest])


@dataclass(frozen=True)
class Settled:
    """A network once answers are in: what would run it, or what is still missing.

    `weights` has the names of the kind that runs it, and the file's numbers themselves; nothing
    is rounded. `vocabulary` is what `models.checkpoint.write_checkpoint` takes. `inputs` says what
    each stack reads, by its name: a table (V, input) of vectors, or ONE_HOT; a stack that is not
    in it is tried on numbers. `symbols` are those of the tables, where they are known.
    """

    kind: str | None
    config: Mapping = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    problems: tuple[str, ...] = ()
    says: tuple[Sentence, ...] = ()
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    vocabulary: list[str] | dict[str, str] | None = None
    about: Mapping = field(default_factory=dict)  # more of config.json: prompt, sampling, data
    inputs: Mapping[str, np.ndarray | str] = field(default_factory=dict)
    symbols: list[str] | None = None


@dataclass(frozen=True)
class Case:
    """A file in front of the doctor."""

    tensors: Mapping[str, np.ndarray]  # as found
    extras: Mapping  # what else the file held that is plain data
    answers: Mapping  # by the names of the questions


@dataclass(frozen=True)
class Found:
    """What a recogniser makes of names and shapes alone.

    `uses` are the names of the file that the network reads; of two recognisers the one that leaves
    fewer names over is believed. `settle` makes of the numbers and the answers what is to run.
    """

    title: str  # "LSTM language model"
    says: tuple[Sentence, ...]
    uses: frozenset[str]
    settle: Callable[[Case], Settled]
    stacks: tuple[Stack, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """What a file is, whether it was understood, whether it is healthy, and what is still asked."""

    kind: str | None
    title: str
    says: tuple[Sentence, ...] = ()
    config: Mapping = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    proof: tuple[Proof, ...] = ()
    health: tuple[Finding, ...] = ()
    problems: tuple[str, ...] = ()
    probe: str = ""  # what the proof and the health were measured on

    @property
    def usable(self) -> bool:
        """Whether it can be converted as it is."""
        return self.kind is not None and not self.questions and not self.problems

    def to_dict(self) -> dict:
        """As JSON. `templates` leads from every sentence to its template and values."""
        sentences = [
            *(s.text for s in self.says),
            *(q.text for q in self.questions),
            *(g.says for q in self.questions for g in q.guesses),
            *(says for q in self.questions for _, says in q.choices),
            *(f.says for f in self.health),
            *self.problems,
            self.title,
            self.probe,
        ]
        return {
            "kind": self.kind,
            "title": str(self.title),
            "says": [
                {
                    "text": str(s.text),
                    "names": list(s.names),
                    "shape": None if s.shape is None else list(s.shape),
                }
                for s in self.says
            ],
            "config": dict(self.config),
            "questions": [
                {
                    "name": q.name,
                    "text": str(q.text),
                    "size": q.size,
                    "form": q.form,
                    "choices": [{"value": v, "says": str(says)} for v, says in q.choices],
                    "guesses": [{"says": str(g.says), "value": g.value} for g in q.guesses],
                }
                for q in self.questions
            ],
            "proof": [vars(p) for p in self.proof],
            "health": [{**vars(f), "says": str(f.says)} for f in self.health],
            "problems": [str(p) for p in self.problems],
            "probe": str(self.probe),
            "usable": self.usable,
            "templates": {
                str(s): {"template": s.template, "values": s.values}
                for s in sentences
                if isinstance(s, Said)
            },
        }


@dataclass(frozen=True)
class Converted:
    """A network in the project's form, not written yet."""

    about: dict  # config.json
    vocabulary: list[str] | dict[str, str] | None
    weights: Mapping[str, np.ndarray]  # numbers and type as found
    diagnosis: Diagnosis
