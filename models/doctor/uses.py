"""What recurrent layers are for, by three widths: what they read, the embedding, the output.

Each role looks at a case and answers with what would run it, or with None where it is not its own.
"""

from collections.abc import Callable

import numpy as np

from models.doctor.answers import choice_of, labels_of, numbers_of, vocabulary_of
from models.doctor.around import Around
from models.doctor.diagnosis import (
    Case,
    Guess,
    Question,
    Said,
    Settled,
    Shapes,
    Stack,
    say,
)
from models.doctor.parts import cell_of, input_of, over, refused, table_of, weights_of
from models.doctor.vocabulary import how_read, pieces

WIDEST = 8192  # symbols of a one-hot input: all of them at once make a square matrix
MOST_SIGNS = 4  # symbols that an output may lack and still be one of next symbols
NEVER = -30000.0  # a logit that no float16 turns into infinity, and exp into 0
NEXT = {"next_but_first": "first", "next_but_last": "last"}
Role = Callable[[Case, Stack, Around, Shapes], Settled | None]


def language_model(case: Case, stack: Stack, beside: Around, names: Shapes) -> Settled | None:
    """As many numbers out as symbols in, or nearly: it says which symbol comes next."""
    V, K = beside.symbols(names, stack), names[beside.output][0]
    missing = V - K
    at = NEXT.get(str(case.answers.get("task"))) if _nearly(V, K) else None
    if V < 2 or (missing and at is None):
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
    if missing:
        weights |= never(weights, missing, at)
        text = "It says which symbol comes next; {n} of the symbols are never written."
        what = say(text, beside.output, shape=names[beside.output], n=missing)
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
        if pieces(symbols):
            heard.append(
                say(
                    "Its symbols look like the pieces of a tokenizer: a text is split at white "
                    "space here, and a word that is no piece by itself counts as unknown."
                )
            )
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


def _nearly(V: int, K: int) -> bool:
    """Whether a few signs, padding say, may be all that the output lacks."""
    return 0 < V - K <= MOST_SIGNS < K


def never(weights: dict, missing: int, at: str) -> dict:
    """Rows of an output for symbols that it lacks: their probability is 0 to the last bit."""
    weight, bias = weights["output.weight"], weights["output.bias"]
    none = np.zeros((missing, weight.shape[1]), weight.dtype)
    low = np.full(missing, NEVER, bias.dtype)
    order = 1 if at == "first" else -1
    return {
        "output.weight": np.concatenate([none, weight][::order]),
        "output.bias": np.concatenate([low, bias][::order]),
    }


CLASSIFY = ("classify", Said("one label for the whole text"))
TAG = ("tag", Said("a label for every token"))


def task_of(V: int, K: int) -> Question:
    """What an output of K numbers says, where V symbols are read."""
    n = V - K
    near = (
        ("next_but_first", Said("the next symbol: all but the first {n}", n=n)),
        ("next_but_last", Said("the next symbol: all but the last {n}", n=n)),
    )
    return Question(
        "task",
        Said("It has another number of outputs than of symbols: what does it say of a text?"),
        "choice",
        choices=(*(near if _nearly(V, K) else ()), CLASSIFY, TAG),
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
    task, more = choice_of(case.answers, task_of(V, K))
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
