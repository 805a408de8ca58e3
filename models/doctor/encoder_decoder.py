"""An encoder and a decoder joined by the state alone: two stacks of one size, a table for each, and
a linear layer that scores what is written.

Nothing but the state can join them where every tensor is accounted for: the decoder reads its own
embedding and no wider, so that no context comes in beside it.
"""

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from models.checkpoint import CheckpointError
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
from models.doctor.names import Misfit, modules, of_training, stack, strip

SIDES = ("encoder", "decoder")
# How people call the two sides of a network, in any part of a name.
CALLED = {
    "encoder": re.compile(r"(^|[._])(enc|encoder|src|source)(?=[._]|$)", re.I),
    "decoder": re.compile(r"(^|[._])(dec|decoder|tgt|trg|target)(?=[._]|$)", re.I),
}
SHORT = re.compile(r"(?P<path>.*?)[._]?(?P<what>w|b|weight|bias)_(?P<of>ih|hh)(?P<layer>_l\d+)?")
BETWEEN = Question(
    "decoder_input",
    Said(
        "What does the decoder's cell read of the token before? A function without weights leaves "
        "no trace in a file."
    ),
    "choice",
    choices=(
        ("plain", Said("its vector as it is, as in most")),
        ("relu", Said("its vector, negative numbers set to 0, as in PyTorch's tutorial")),
    ),
)
WORDS_TO_TRY = ("unrolled", "attention", "recurrent")  # where letters are read
WORDS = {"lstm": "LSTM", "gru": "GRU", "rnn_tanh": "plain RNN"}
HEARD = {
    "source": re.compile(r"src|source|input|enc|graphem", re.I),
    "target": re.compile(r"tgt|trg|target|output|dec|phonem", re.I),
}
VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW"
CONSONANTS = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH"
# ARPAbet as in the pronouncing dictionary of Carnegie Mellon: vowels carry a stress, 0, 1 or 2.
ARPABET = sorted(
    [*CONSONANTS.split(), *(f"{v}{stress}" for v in VOWELS.split() for stress in range(3))]
)
KNOWN: dict[str, Sequence[tuple[str, list[str]]]] = {
    "source": [
        (
            "<pad>, <unk>, </s>, then a to z: letters as g2p networks read them",
            ["<pad>", "<unk>", "</s>", *string.ascii_lowercase],
        ),
        ("<s>, </s>, then a to z", ["<s>", "</s>", *string.ascii_lowercase]),
    ],
    "target": [
        (
            "<pad>, <unk>, <s>, </s>, then ARPAbet with stresses and UW without: the sounds of "
            "English as g2p networks write them",
            ["<pad>", "<unk>", "<s>", "</s>", *sorted([*ARPABET, "UW"])],
        ),
        (
            "<pad>, <unk>, <s>, </s>, then ARPAbet with stresses",
            ["<pad>", "<unk>", "<s>", "</s>", *ARPABET],
        ),
        ("<s>, </s>, then a to z", ["<s>", "</s>", *string.ascii_lowercase]),
    ],
}


def plain(name: str) -> str:
    """`enc_w_ih` -> `enc.weight_ih`, as torch would write it; other names as they are."""
    match = SHORT.fullmatch(name)
    if match is None:
        return name
    what = {"w": "weight", "b": "bias"}.get(match["what"], match["what"])
    return f"{match['path']}.{what}_{match['of']}{match['layer'] or ''}".lstrip(".")


def recognise(names: Shapes, extras: Mapping) -> Found | None:
    """Two stacks of one size with a table each and one output; None for anything else."""
    left = {name: shape for name, shape in names.items() if not of_training(name)}
    pair = _pair(left)
    if pair is None:
        return None
    rest = [name for name in left if all(name not in one.names.values() for one in pair.values())]
    beside = _beside(rest, left, pair)
    if beside is None:
        return None
    return Found(
        Said("{cell} encoder and decoder", cell=WORDS[pair["encoder"].cell]),
        tuple(_says(left, pair, beside)),
        frozenset(names),
        partial(_settle, pair=pair, beside=beside, shapes=left),
        tuple(pair.values()),
    )


def _pair(left: Shapes) -> dict[str, Stack] | None:
    """The stacks by side, where there are two alike that read forwards."""
    own = {plain(name): name for name in left}
    shapes = {name: left[theirs] for name, theirs in own.items()}
    found = modules(shapes)
    sides = {
        side: one for one in found for side in SIDES if CALLED[side].search(one.path.rstrip("."))
    }
    if len(found) != 2 or len(sides) != 2:
        return None
    try:
        pair = {side: stack(sides[side], shapes, side) for side in SIDES}
    except Misfit:
        return None
    first, second = pair.values()
    alike = (first.cell, first.hidden_size, first.num_layers) == (
        second.cell,
        second.hidden_size,
        second.num_layers,
    )
    if not alike or first.bidirectional or second.bidirectional or not first.bias & second.bias:
        return None
    return {
        side: replace(one, names={name: own[theirs] for name, theirs in one.names.items()})
        for side, one in pair.items()
    }


def _beside(rest: list[str], left: Shapes, pair: dict[str, Stack]) -> dict[str, str] | None:
    """Both tables, the output and its bias by what they are; None where anything is left."""
    H = pair["encoder"].hidden_size
    vectors = [name for name in rest if len(left[name]) == 1]
    matrices = [name for name in rest if len(left[name]) == 2]
    if len(vectors) != 1 or len(matrices) != 3 or len(rest) != 4:
        return None
    (bias,) = vectors
    outputs = [name for name in matrices if left[name] == (left[bias][0], H)]
    # The bias stands beside its weight; a table of the same shape has none.
    outputs.sort(key=lambda name: name[: len(name) - len("weight")] != bias[: len(bias) - 4])
    stem = bias.removesuffix("bias").removesuffix("b")
    outputs.sort(key=lambda name: not name.startswith(stem))
    if not outputs:
        return None
    tables = [name for name in matrices if name != outputs[0]]
    found = {"output": outputs[0], "output_bias": bias}
    for side in SIDES:
        fits = [name for name in tables if left[name][1] == pair[side].input_size]
        if side == "decoder":
            fits = [name for name in fits if left[name][0] == left[bias][0]]
        fits.sort(key=lambda name: not CALLED[side].search(name))
        if not fits:
            return None
        found[side] = fits[0]
        tables = [name for name in tables if name != fits[0]]
    return found


def _says(left: Shapes, pair: dict[str, Stack], beside: dict[str, str]) -> list[Sentence]:
    one, other = pair.values()
    prefix = strip(left)
    first = one.names["weight_hh_l0"]
    wrapped = [say("Every name begins with {prefix}, a wrapper; it is taken off.", prefix=prefix)]
    return [
        *(wrapped if prefix else ()),
        say(
            "Two stacks of {cell} of one size, an encoder and a decoder: {layers} layer(s) of "
            "{hidden} units.",
            first,
            other.names["weight_hh_l0"],
            shape=left[first],
            cell=WORDS[one.cell],
            layers=one.num_layers,
            hidden=one.hidden_size,
        ),
        say(
            "The encoder reads {n} symbols, {width} numbers each.",
            beside["encoder"],
            shape=left[beside["encoder"]],
            n=left[beside["encoder"]][0],
            width=one.input_size,
        ),
        say(
            "The decoder reads the {n} symbols that it writes, {width} numbers each, and nothing "
            "beside them: no attention, no context. So it begins with the state that the encoder "
            "ended with.",
            beside["decoder"],
            other.names["weight_ih_l0"],
            shape=left[beside["decoder"]],
            n=left[beside["decoder"]][0],
            width=other.input_size,
        ),
        say(
            "A linear layer scores the {n} symbols by the decoder's {width} numbers.",
            beside["output"],
            beside["output_bias"],
            shape=left[beside["output"]],
            n=left[beside["output"]][0],
            width=one.hidden_size,
        ),
    ]


def _settle(case: Case, pair: dict[str, Stack], beside: dict[str, str], shapes: Shapes) -> Settled:
    from models.listed import source_list, target_list

    questions, says, files, about = [], [], {}, {}
    for side, table, make in (
        ("source", beside["encoder"], source_list),
        ("target", beside["decoder"], target_list),
    ):
        question = _question(side, shapes[table][0])
        symbols, asked, heard = list_of(case, question, HEARD[side], question.guesses)
        says += heard
        if symbols is not None:
            try:
                files[f"{side}.tokenizer.json"] = make(symbols).save()
                if side == "source" and set(string.ascii_lowercase) <= set(symbols):
                    about = {"prompt": WORDS_TO_TRY[0], "examples": list(WORDS_TO_TRY)}
            except CheckpointError as error:
                wrong = Said("{wrong}. {text}", wrong=str(error), text=question.text)
                asked = [replace(question, text=wrong)]
        questions += asked
    between, more = choice_of(case.answers, BETWEEN)
    questions += more
    tensors, one = case.tensors, pair["encoder"]
    weights = {
        f"{side}.{own}": tensors[name]
        for side, stack in pair.items()
        for own, name in stack.names.items()
    }
    config = {
        "cell": one.cell,
        "source_size": shapes[beside["encoder"]][0],
        "target_size": shapes[beside["decoder"]][0],
        "source_embedding_size": one.input_size,
        "target_embedding_size": pair["decoder"].input_size,
        "hidden_size": one.hidden_size,
        "num_layers": one.num_layers,
        "decoder_input": between or "plain",
    }
    return Settled(
        "state_seq2seq",
        config,
        tuple(questions),
        says=tuple(says),
        weights={
            **weights,
            "source_embedding.weight": tensors[beside["encoder"]],
            "target_embedding.weight": tensors[beside["decoder"]],
            "output.weight": tensors[beside["output"]],
            "output.bias": tensors[beside["output_bias"]],
        },
        vocabulary=files,
        about=about,
        inputs={side: tensors[beside[side]] for side in SIDES},
    )


def _question(side: str, size: int) -> Question:
    text = {
        "source": "Which {n} symbols does the encoder read, in the order of their numbers? One of "
        "them marks the end, such as </s>.",
        "target": "Which {n} symbols does the decoder write, in the order of their numbers? Two "
        "of them mark beginning and end, such as <s> and </s>.",
    }[side]
    guesses = tuple(
        Guess(Said(what), symbols) for what, symbols in KNOWN[side] if len(symbols) == size
    )
    return Question(f"{side}_vocabulary", Said(text, n=size), "list", size, guesses=guesses)
