"""A reader of lines of text in pictures: seven convolutions, recurrent layers in both directions
with a linear layer after each, and a last one that scores symbols and a blank in every column.

It goes by the shapes of the weights in the order of their names, whatever a person called them.
Where a picture is made smaller between convolutions leaves no trace in a file: that is taken from
the published network (Shi, Bai, Yao 2015).
"""

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from models.doctor.answers import choice_of, list_of
from models.doctor.diagnosis import (
    Case,
    Found,
    Guess,
    Question,
    Said,
    Sentence,
    Settled,
    Shapes,
    Stack,
    say,
)
from models.doctor.names import Misfit, modules, natural, of_training, stack, strip

PLACES = (0, 3, 6, 8, 11, 14, 18)  # of the convolutions in a row of layers, as `crnn` numbers them
NORMS = {4: 12, 5: 15}  # the place of the normalisation behind the 4th and 5th, from 0
NORM = ("weight", "bias", "running_mean", "running_var")
COUNTER = "num_batches_tracked"  # of a normalisation: nothing reads it once training has ended
BLANK = "<blank>"
LETTERS = string.ascii_uppercase + string.ascii_lowercase
LINES_TO_TRY = ("Hello, world", "To be, or not to be", "illicit Illusion", "hello", "0123456789")
HEARD = re.compile(r"char|vocab|alphabet|symbol|label|class", re.I)
HEIGHT = Question(
    "height",
    Said("How many pixels high are the pictures that it was trained on? The weights do not say."),
    "choice",
    choices=(
        ("64", Said("64, as EasyOCR's networks")),
        ("32", Said("32, as the network of the first paper")),
    ),
)
KNOWN = [
    (
        "blank, 0 to 9, the marks of ASCII, space, €, A to Z, a to z: the English of EasyOCR",
        [BLANK, *string.digits, *string.punctuation, *" €", *LETTERS],
    ),
    (
        "blank, 0 to 9, a to z: the usual benchmarks of scene text",
        [BLANK, *string.digits, *string.ascii_lowercase],
    ),
    (
        "blank, 0 to 9, a to z, A to Z, the marks of ASCII",
        [BLANK, *string.digits, *string.ascii_letters, *string.punctuation],
    ),
]


@dataclass(frozen=True)
class Parts:
    """Names in the file, by the names of our weights; the recurrent layers apart."""

    names: Mapping[str, str]
    stacks: tuple[Stack, ...]
    channels: tuple[int, ...]
    linear_size: int
    classes: int


def recognise(names: Shapes, extras: Mapping) -> Found | None:
    """Convolutions, recurrent layers with linear ones, a last one; None where anything differs."""
    left = {
        name: shape
        for name, shape in names.items()
        if not of_training(name) and not name.endswith(COUNTER)
    }
    parts = _parts(left)
    if parts is None:
        return None
    return Found(
        Said("reader of lines of text (CRNN)"),
        tuple(_says(names, left, parts)),
        frozenset(names),
        partial(_settle, parts=parts),
        parts.stacks,
    )


def _parts(left: Shapes) -> Parts | None:
    order = sorted(left, key=natural)
    weights = [name for name in order if len(left[name]) == 4]
    shapes = [left[name] for name in weights]
    if len(shapes) != len(PLACES):
        return None
    a, b, c, d = shapes[0][0], shapes[1][0], shapes[2][0], shapes[4][0]
    three = [(a, 1), (b, a), (c, b), (c, c), (d, c), (d, d)]
    if shapes != [*((*sides, 3, 3) for sides in three), (d, d, 2, 2)]:
        return None
    found = {f"features.{at}.weight": name for at, name in zip(PLACES, weights, strict=True)}
    for number, at in enumerate(PLACES):
        if number not in NORMS:
            found[f"features.{at}.bias"] = weights[number].removesuffix("weight") + "bias"
    means = [name for name in order if name.endswith(".running_mean")]
    if len(means) != len(NORMS):
        return None
    for at, name in zip(NORMS.values(), means, strict=True):
        stem = name.removesuffix("running_mean")
        found |= {f"features.{at}.{what}": stem + what for what in NORM}
    try:
        stacks = [stack(one, left) for one in modules(left)]
    except Misfit:
        return None
    matrices = [name for name in order if len(left[name]) == 2]
    recurrent = {name for one in stacks for name in one.names.values()}
    linear = [name for name in matrices if name not in recurrent]
    if not stacks or len(linear) != len(stacks) + 1:
        return None
    H = stacks[0].hidden_size
    # The last map stands apart; the others stand in one module with the layers that they follow.
    together = tuple(f"{name.rsplit('.', 2)[0]}." for name in recurrent if name.count(".") > 1)
    outer = [name for name in linear if not name.startswith(together)] or linear[-1:]
    inner = [name for name in linear if name not in outer]
    if len(inner) != len(stacks) or len(outer) != 1:
        return None
    U = left[inner[0]][0]
    widths = [d, *[U] * (len(stacks) - 1)]
    fits = all(
        one.cell == stacks[0].cell
        and one.hidden_size == H
        and one.input_size == width
        and one.bidirectional
        and one.bias
        and one.num_layers == 1
        for one, width in zip(stacks, widths, strict=True)
    )
    if not fits or any(left[name] != (U, 2 * H) for name in inner) or left[outer[0]][1] != U:
        return None
    for number, name in enumerate(inner):
        found |= _map(f"linear.{number}", name)
    found |= _map("output", outer[0])
    for number, one in enumerate(stacks):
        found |= {f"rnn.{number}.{own}": name for own, name in one.names.items()}
    if set(found.values()) != set(left):
        return None
    named = [replace(one, first=number) for number, one in enumerate(stacks)]
    return Parts(found, tuple(named), (a, b, c, d), U, left[outer[0]][0])


def _map(ours: str, weight: str) -> dict[str, str]:
    bias = weight.removesuffix("weight") + "bias"
    return {f"{ours}.weight": weight, f"{ours}.bias": bias}


def _says(names: Shapes, left: Shapes, parts: Parts) -> list[Sentence]:
    own, first = parts.names, parts.stacks[0]
    prefix = strip(names)
    wrapped = [say("Every name begins with {prefix}, a wrapper; it is taken off.", prefix=prefix)]
    counters = [name for name in names if name.endswith(COUNTER)]
    last = own[f"features.{PLACES[-1]}.weight"]
    return [
        *(wrapped if prefix else ()),
        say(
            "Seven convolutions read a grey picture: {channels} channels.",
            own["features.0.weight"],
            last,
            shape=left[last],
            channels=", ".join(map(str, parts.channels)),
        ),
        say(
            "Two of them are followed by batch normalisation, by the means and variances of "
            "training.",
            own["features.12.running_mean"],
            own["features.15.running_mean"],
        ),
        *(
            [say("What counted the batches of training is left aside.", *counters)]
            if counters
            else ()
        ),
        say(
            "{n} layer(s) of {cell} with {hidden} units read the columns in both directions, each "
            "with a linear layer behind it.",
            *(one.names["weight_hh_l0"] for one in parts.stacks),
            shape=left[first.names["weight_hh_l0"]],
            n=len(parts.stacks),
            cell=first.cell.upper(),
            hidden=first.hidden_size,
        ),
        say(
            "A last linear layer scores {n} symbols in every column, a blank among them (CTC).",
            own["output.weight"],
            shape=left[own["output.weight"]],
            n=parts.classes,
        ),
        say(
            "Where pictures are made smaller between the convolutions leaves no trace in a file: "
            "that is taken from the published network (Shi, Bai, Yao 2015)."
        ),
    ]


def _settle(case: Case, parts: Parts) -> Settled:
    size = parts.classes
    question = Question(
        "vocabulary",
        Said(
            "Which {n} symbols does it tell apart, in the order of their numbers? One of them is "
            "the blank, {blank}: mostly the first.",
            n=size,
            blank=BLANK,
        ),
        "list",
        size,
        guesses=tuple(
            Guess(Said(what), symbols) for what, symbols in KNOWN if len(symbols) == size
        ),
    )
    symbols, asked, says = list_of(case, question, HEARD, question.guesses)
    height, more = choice_of(case.answers, HEIGHT)
    first = parts.stacks[0]
    tried = [line for line in LINES_TO_TRY if set(line) <= set(symbols or ())]
    config = {
        "cell": first.cell,
        "channels": list(parts.channels),
        "hidden_size": first.hidden_size,
        "linear_size": parts.linear_size,
        "num_layers": len(parts.stacks),
        "classes": size,
        "height": int(height or 64),
    }
    return Settled(
        "crnn",
        config,
        (*asked, *more),
        says=tuple(says),
        weights={ours: case.tensors[theirs] for ours, theirs in parts.names.items()},
        vocabulary=symbols,
        about={"prompt": tried[0], "examples": tried} if tried else {},
    )
