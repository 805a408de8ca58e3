"""What every role takes of a network: its cell, the table that it reads, its weights renamed."""

import re

import numpy as np

from models.doctor.answers import choice_of
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


BETWEEN = Question(
    "between",
    Said("What is done with the numbers of the linear layer before the recurrent ones read them?"),
    "choice",
    choices=(("nothing", Said("nothing")), ("relu", "relu"), ("tanh", "tanh")),
)
BENT = {
    "nothing": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
}


def table_of(case: Case, beside: Around) -> tuple[np.ndarray | None, list[Question]]:
    """The vector that the layers read for each symbol, (V, input); None where it is one-hot.

    A linear layer behind the embedding sees one symbol at a time: what it makes of each is worked
    out once, in float64, and kept as the table.
    """
    table = case.tensors[beside.embedding] if beside.embedding else None
    if beside.projection is None:
        return table, []
    answer, open_ = choice_of(case.answers, BETWEEN)
    weight = case.tensors[beside.projection].astype(np.float64)
    made = weight.T if table is None else table.astype(np.float64) @ weight.T
    if beside.projection_bias:
        made = made + case.tensors[beside.projection_bias]
    return BENT[answer or "nothing"](made).astype(np.float32), open_


def input_of(case: Case, stack: Stack, beside: Around) -> dict:
    """What the layers read, as `Settled.inputs` says it."""
    table, _ = table_of(case, beside)
    return {stack.name: ONE_HOT if table is None else table}


def refused(case: Case, stack: Stack, beside: Around, problems: list[str]) -> Settled:
    """Nothing runs it, and why; it can be tried all the same."""
    return Settled(None, problems=tuple(problems), inputs=input_of(case, stack, beside))


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
    table, _ = table_of(case, beside)
    if table is not None:
        found["embedding.weight"] = table
    says = []
    if beside.projection:
        text = (
            "The linear layer before the recurrent ones is multiplied into the table of symbols: "
            "worked out in float64 and kept as float32, so up to rounding the same."
        )
        says.append(say(text, beside.projection, shape=tensors[beside.projection].shape))
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
