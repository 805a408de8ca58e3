"""What recurrent layers are for, by three widths: what they read, the embedding, the output.

Each role looks at a case and answers with what would run it, or with None where it is not its own.
"""

import re
from collections.abc import Callable

import numpy as np

from models.doctor.answers import choice_of, labels_of, numbers_of, vocabulary_of
from models.doctor.around import Around
from models.doctor.diagnosis import (
    ONE_HOT,
    Case,
    Guess,
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


def language_model(case: Case, stack: Stack, beside: Around, names: Shapes) -> Settled | None:
    """As many numbers out as symbols in: it says which symbol comes next."""
    V = beside.symbols(names, stack)
    if names[beside.output][0] != V or V < 2:
        return None
    problems = over(beside, names)
    if stack.bidirectional:
        problems.append(
            Said(
                "It reads in both directions and has as many outputs as symbols: it fills gaps and "
                "cannot write on. Nothing here runs it.",
            )
        )
    one_hot = not (beside.embedding or beside.projection)
    if one_hot and V > WIDEST:
        text = "A one-hot input of {n} symbols is too wide, at most {most} are read."
        problems.append(Said(text, n=V, most=WIDEST))
    if problems:
        return refused(case, stack, beside, problems)
    cell, questions, says = cell_of(case, stack)
    symbols, asked, heard = vocabulary_of(case, V)
    asked += table_of(case, beside)[1]
    weights, more = weights_of(case, stack, beside)
    what = say(
        "As many numbers out as symbols in: it says which symbol comes next.",
        beside.output,
        shape=names[beside.output],
    )
    if one_hot:
        text = "No embedding: its input is one-hot, as wide as the vocabulary."
        says.append(say(text, stack.names["weight_ih_l0"]))
    config = {
        "cell": cell,
        "vocab_size": V,
        "hidden_size": stack.hidden_size,
        "num_layers": stack.num_layers,
        "embedding_size": 0 if one_hot else stack.input_size,
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
        inputs=input_of(case, stack, beside),
        symbols=symbols,
    )


TASK = Question(
    "task",
    Said("It has another number of outputs than of symbols: what does it say of a text?"),
    "choice",
    choices=(
        ("classify", Said("one label for the whole text")),
        ("tag", Said("a label for every token")),
    ),
)
POOLING = Question(
    "pooling",
    Said("What does the linear layer read of a text?"),
    "choice",
    choices=(
        ("last", Said("the state after the whole text (of both directions: torch's h_n)")),
        ("mean", Said("the mean of the states of all steps")),
    ),
)
INPUT = Question(
    "input",
    Said("There is no embedding. What does the first layer read at every step?"),
    "choice",
    choices=(
        ("symbols", Said("a symbol, one-hot: as many numbers as symbols, one of them 1")),
        ("numbers", Said("measured numbers")),
    ),
)


def labels(case: Case, stack: Stack, beside: Around, names: Shapes) -> Settled | None:
    """Another number of outputs than of symbols: labels, of a text or of its tokens."""
    if stack.input_size < 2:
        return None
    questions, problems = [], over(beside, names)
    one_hot = not (beside.embedding or beside.projection)
    if one_hot:
        answer, questions = choice_of(case.answers, INPUT)
        if answer == "numbers":
            return None
        if stack.input_size > WIDEST:
            return None
    V = beside.symbols(names, stack)
    K = names[beside.output][0]
    cell, more, says = cell_of(case, stack)
    questions += more
    if cell == "rnn_relu":
        problems.append(Said("Networks of labels are run with tanh, LSTM or GRU, not with relu."))
    if problems:
        return refused(case, stack, beside, problems)
    task, more = choice_of(case.answers, TASK)
    questions += more
    symbols, more, heard = vocabulary_of(case, V)
    questions += more + table_of(case, beside)[1]
    called, more, named = labels_of(case, max(2, K))
    questions += more
    weights, told = weights_of(case, stack, beside)
    if K == 1:
        weights |= two_of_one(weights)
        told.append(
            say(
                "Its one number is a logit (of a sigmoid): kept as two labels, the logit of the "
                "first always 0, which gives the same probability.",
                beside.output,
            )
        )
    config = {
        "cell": cell,
        "vocab_size": V,
        "labels": called or [],
        "hidden_size": stack.hidden_size,
        "num_layers": stack.num_layers,
        "embedding_size": 0 if one_hot else stack.input_size,
        "bidirectional": stack.bidirectional,
    }
    kind = "tagger" if task == "tag" else "sequence_classifier"
    if task == "tag":
        if one_hot:
            # The same products: row v of the unit matrix, times W, is column v of W.
            weights["embedding.weight"] = np.eye(V, dtype=weights["output.weight"].dtype)
            config["embedding_size"] = V
            told.append(say("Its one-hot input is kept as an embedding: the unit matrix."))
        config |= {"piece_size": 0, "shape_size": 0}
    else:
        pooling, more = choice_of(case.answers, POOLING)
        questions += more if task else []
        config["pooling"] = pooling or "last"
    if symbols:
        reads = how_read(symbols)
        if reads == "characters":
            as_they_are = "characters_and_signs" if task == "tag" else "characters_as_they_are"
            reads = as_they_are
        config["reads"] = reads
    return Settled(
        kind,
        config,
        tuple(questions),
        (),
        (*says, *heard, *named, *told),
        weights,
        symbols,
        inputs=input_of(case, stack, beside),
        symbols=symbols,
    )


def two_of_one(weights: dict) -> dict:
    """A row of zeros before the only row of an output: softmax([0, x]) = (1 - s(x), s(x))."""
    return {
        name: np.concatenate([np.zeros_like(weights[name]), weights[name]])
        for name in ("output.weight", "output.bias")
    }


SCALE = Question(
    "scale",
    Said(
        "Which values of your series are 0 and 1 to the network? Give the low one and the high "
        "one; 0 and 1 where it reads them as they are."
    ),
    "list",
    2,
    guesses=(
        Guess(Said("as they are"), [0, 1]),
        Guess(Said("AirPassengers, all of it between 0 and 1"), [104, 622]),
    ),
)
WINDOW = 12  # steps that a forecaster reads unless told


def forecaster(case: Case, stack: Stack, beside: Around, names: Shapes) -> Settled | None:
    """One number in, one number out: a series and the value after it."""
    if stack.input_size != 1 or names[beside.output][0] != 1 or beside.embedding:
        return None
    problems = over(beside, names)
    if stack.bidirectional:
        problems.append(Said("It reads a series in both directions: no forecaster here does."))
    cell, questions, says = cell_of(case, stack)
    if cell == "rnn_relu":
        problems.append(Said("A forecaster is run here with tanh, LSTM or GRU, not with relu."))
    if problems:
        return Settled(None, problems=tuple(problems))
    scale, more = numbers_of(case.answers, SCALE)
    weights, told = weights_of(case, stack, beside)
    low, high = scale or (0.0, 1.0)
    window = case.answers.get("window", WINDOW)
    text = "One number in, one number out: it forecasts a series, from {window} values before it."
    return Settled(
        "forecaster",
        {
            "cell": cell,
            "hidden_size": stack.hidden_size,
            "num_layers": stack.num_layers,
            "window": window if type(window) is int else WINDOW,
            "low": low,
            "high": high,
        },
        (*questions, *more),
        (),
        (say(text, beside.output, window=window), *says, *told),
        weights,
    )


def nothing(case: Case, stack: Stack, beside: Around, names: Shapes) -> Settled:
    """What is left: no role for such widths."""
    problems = over(beside, names)
    if not problems:
        text = (
            "Nothing here runs layers that read {width} numbers a step and make {out} of them: "
            "expected an embedding before them, a one-hot input as wide as the output, or one "
            "number in and one out."
        )
        problems = [Said(text, width=stack.input_size, out=names[beside.output][0])]
    return Settled(None, problems=tuple(problems))


ROLES: list[Role] = [forecaster, language_model, labels, nothing]
