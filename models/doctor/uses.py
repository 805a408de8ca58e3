"""What recurrent layers are for, by three widths: what they read, the embedding, the output.

Each role looks at a case and answers with what would run it, or with None where it is not its own.
"""

import re
from collections.abc import Callable

import numpy as np

from models.doctor.answers import choice_of, vocabulary_of
from models.doctor.around import Around
from models.doctor.diagnosis import (
    ONE_HOT,
    Case,
    Question,
    Said,
    Sentence,
    Settled,
    Shapes,
    Stack,
    say,
)
from models.doctor.vocabulary import how_read

WIDEST = 8192  # symbols of a one-hot input: all of them at once make a square matrix
Role = Callable[[Case, Stack, Around, Shapes], Settled | None]


def over(beside: Around, names: Shapes) -> list[str]:
    """Why what has no place here cannot be left out."""
    return [
        Said(
            "{name} {shape} has no place between embedding, recurrent layers and one linear layer: "
            "what it does is not run here.",
            name=name,
            shape=names[name],
        )
        for name in beside.over
        if not name.endswith(("bias", "num_batches_tracked"))
    ] or [Said("{name} {shape} has no place here.", name=n, shape=names[n]) for n in beside.over]


def cell_of(case: Case, stack: Stack) -> tuple[str, list[Question], list[Sentence]]:
    """The cell, once tanh and relu are told apart: nothing in the weights does it."""
    if stack.cell != "rnn_tanh":
        return stack.cell, [], []
    told = [
        (where, value)
        for where, value in _strings(case.extras)
        if re.search(r"nonlin|activ|rnn_?type|cell|model", where, re.I)
        and re.search(r"relu|tanh", value, re.I)
    ]
    if told and "nonlinearity" not in case.answers:
        where, value = told[0]
        name = "relu" if "relu" in value.lower() else "tanh"
        says = [say("The file says {where} = {value}.", where=where, value=value)]
        return f"rnn_{name}", [], says
    question = Question(
        "nonlinearity",
        Said("Which function makes h of its sum? tanh is what torch takes unless told."),
        "choice",
        choices=(("tanh", "tanh"), ("relu", "relu")),
    )
    answer, open_ = choice_of(case.answers, question)
    return f"rnn_{answer or 'tanh'}", open_, []


def _strings(extras, where: str = ""):
    if isinstance(extras, str):
        yield where, extras
    elif isinstance(extras, dict):
        for name, value in extras.items():
            yield from _strings(value, f"{where}.{name}" if where else str(name))


def weights_of(case: Case, stack: Stack, beside: Around) -> tuple[dict, list[Sentence]]:
    """The numbers under the names of our kinds, zeros where a bias is none, and what to say."""
    tensors = case.tensors
    found = {f"rnn.{own}": tensors[name] for own, name in stack.names.items()}
    made = []
    if not stack.bias:
        for own, name in stack.names.items():
            if own.startswith("weight_hh"):
                zeros = np.zeros(len(tensors[name]), tensors[name].dtype)
                found |= {f"rnn.{own.replace('weight', 'bias')}": zeros}
                found |= {f"rnn.{own.replace('weight_hh', 'bias_ih')}": zeros}
        made.append("rnn")
    output = tensors[beside.output]
    found["output.weight"] = output
    if beside.output_bias is None:
        found["output.bias"] = np.zeros(len(output), output.dtype)
        made.append("output")
    else:
        found["output.bias"] = tensors[beside.output_bias]
    if beside.embedding:
        found["embedding.weight"] = tensors[beside.embedding]
    says = []
    if made:
        says.append(
            say("Biases that there are not are kept as zeros: every number stays the same.")
        )
    if beside.embedding and beside.embedding != beside.output:
        table = tensors[beside.embedding]
        if table.shape == output.shape and np.array_equal(table, output):
            text = "Output and embedding hold the same numbers, bit for bit (tied)."
            says.append(say(text, beside.embedding, beside.output))
    return found, says


def language_model(case: Case, stack: Stack, beside: Around, names: Shapes) -> Settled | None:
    """As many numbers out as symbols in: it says which symbol comes next."""
    V = names[beside.embedding][0] if beside.embedding else stack.input_size
    if names[beside.output][0] != V or V < 2:
        return None
    problems = over(beside, names)
    if beside.embedding and names[beside.embedding][1] != stack.input_size:
        return None
    if stack.bidirectional:
        problems.append(
            Said(
                "It reads in both directions and has as many outputs as symbols: it fills gaps and "
                "cannot write on. Nothing here runs it.",
            )
        )
    if not beside.embedding and V > WIDEST:
        text = "A one-hot input of {n} symbols is too wide, at most {most} are read."
        problems.append(Said(text, n=V, most=WIDEST))
    if problems:
        return Settled(None, problems=tuple(problems))
    cell, questions, says = cell_of(case, stack)
    symbols, asked, heard = vocabulary_of(case, V)
    weights, more = weights_of(case, stack, beside)
    what = say(
        "As many numbers out as symbols in: it says which symbol comes next.",
        beside.output,
        shape=names[beside.output],
    )
    if not beside.embedding:
        text = "No embedding: its input is one-hot, as wide as the vocabulary."
        says.append(say(text, stack.names["weight_ih_l0"]))
    config = {
        "cell": cell,
        "vocab_size": V,
        "hidden_size": stack.hidden_size,
        "num_layers": stack.num_layers,
        "embedding_size": stack.input_size if beside.embedding else 0,
    }
    if symbols and (reads := how_read(symbols)) != "characters":
        config["reads"] = reads
    return Settled(
        "char_rnn",
        config,
        tuple(questions + asked),
        (),
        (what, *says, *heard, *more),
        weights,
        symbols,
        inputs={stack.name: case.tensors[beside.embedding] if beside.embedding else ONE_HOT},
        symbols=symbols,
    )


def nothing(case: Case, stack: Stack, beside: Around, names: Shapes) -> Settled:
    """What is left: no role for such widths."""
    begins = names[beside.embedding] if beside.embedding else None
    return Settled(
        None,
        problems=(
            *over(beside, names),
            Said(
                "Nothing here reads {width} numbers a step (embedding: {begins}) and makes {out} "
                "of them.",
                width=stack.input_size,
                begins=begins or "none",
                out=names[beside.output][0],
            ),
        ),
    )


ROLES: list[Role] = [language_model, nothing]
