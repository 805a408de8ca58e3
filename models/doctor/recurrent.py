"""Recurrent layers with at most an embedding before them and one linear layer after.

That is what most people train first: a model of characters or words, a classifier of texts, a
forecaster of a series. Which of them it is follows from three widths: what the layers read, how
many rows an embedding has, how many numbers the output has.
"""

from collections.abc import Mapping
from functools import partial

from models.doctor.around import Around, around
from models.doctor.diagnosis import Case, Found, Said, Sentence, Settled, Shapes, Stack, say
from models.doctor.names import (
    WORDS,
    Layers,
    Misfit,
    chain,
    modules,
    numbered,
    of_training,
    stack,
    strip,
)
from models.doctor.uses import ROLES

ROWS = {"lstm": 4, "gru": 3, "rnn_tanh": 1}


def recognise(names: Shapes, extras: Mapping) -> Found | None:
    """A recurrent stack and what stands around it; None where nothing recurs."""
    left = {name: shape for name, shape in names.items() if not of_training(name)}
    layers = modules(left)
    if not layers:
        return None
    says = _about_names(names, left)
    uses = frozenset(names.keys() - left.keys())
    projected = [name for one in layers for name in one.projected]
    if projected:
        return _refused(
            says,
            uses,
            left,
            Said(
                "{name} {shape} projects the hidden state of an LSTM (proj_size): such layers are "
                "not run here. Train without proj_size.",
                name=projected[0],
                shape=left[projected[0]],
            ),
        )
    try:
        whole = one_stack(layers, left)
    except Misfit as error:
        return _refused(says, uses, left, error.says)
    beside = around(left, whole)
    says += _about_layers(whole, left, layers)
    says += _about_rest(beside, left, whole)
    return Found(
        Said("{cell} network", cell=WORDS[whole.cell]),
        tuple(says),
        uses | frozenset(left.keys() - set(beside.over)),
        partial(settle, stack=whole, beside=beside, names=left),
        (whole,),
    )


def one_stack(layers: list[Layers], names: Shapes) -> Stack:
    """All recurrent modules of a file as one stack. Raises `Misfit` where they are not one."""
    parts = [stack(one, names) for one in layers]
    if len(parts) == 1:
        return parts[0]
    # A module at the root has no path: it is called by a tensor of its own.
    paths = ", ".join(one.path.rstrip(".") or min(one.names.values()) for one in layers)
    if len({numbered(one.path) for one in layers}) > 1:
        raise Misfit(
            "{n} separate stacks of recurrent layers ({paths}), expected one: how they are joined "
            "does not follow from the names.",
            n=len(parts),
            paths=paths,
        )
    joined = chain(parts)
    if joined is None:
        raise Misfit(
            "{paths} do not follow each other as layers of one width ({sizes}), expected each to "
            "read what the one before it gives, and all of one kind and size.",
            paths=paths,
            sizes="; ".join(f"{p.input_size} → {p.hidden_size}" for p in parts),
        )
    return joined


def _refused(says: list[Sentence], uses: frozenset, names: Shapes, problem: str) -> Found:
    recurrent = frozenset(name for one in modules(names) for name in one.names.values())
    return Found(
        Said("recurrent network"),
        tuple(says),
        uses | recurrent,
        lambda case: Settled(None, problems=(problem,)),
    )


def _about_names(names: Shapes, left: Shapes) -> list[Sentence]:
    says, prefix = [], strip(left)
    if prefix:
        says.append(say("Every name begins with {prefix} (a wrapper): taken off.", prefix=prefix))
    aside = [name for name in names if name not in left]
    if aside:
        says.append(say("{n} tensors of the training are left aside.", *aside[:4], n=len(aside)))
    return says


def _about_layers(stack: Stack, names: Shapes, layers: list[Layers]) -> list[Sentence]:
    hh, ih = stack.names["weight_hh_l0"], stack.names["weight_ih_l0"]
    if stack.cell == "rnn_tanh":
        cell = "Plain RNN: the recurrent matrix has as many rows as columns."
    else:
        cell = "{cell}: the recurrent matrix has {n} times as many rows as columns."
    sizes = "Layers: {layers}; hidden units: {hidden}; numbers read a step: {width}."
    says = [
        say(cell, hh, shape=names[hh], cell=WORDS[stack.cell], n=ROWS[stack.cell]),
        say(
            sizes,
            ih,
            shape=names[ih],
            layers=stack.num_layers,
            hidden=stack.hidden_size,
            width=stack.input_size,
        ),
    ]
    if len(layers) > 1:
        paths = [one.path.rstrip(".") for one in layers]
        says.append(
            say("{n} modules, each reading the one before, are its layers.", *paths, n=len(paths))
        )
    if layers[0].single:
        says.append(say("Single cells, stepped by hand: what a layer of torch does in one go."))
    if stack.bidirectional:
        says.append(
            say("Every layer reads in both directions.", stack.names["weight_hh_l0_reverse"])
        )
    if not stack.bias:
        says.append(say("The recurrent layers have no biases."))
    return says


def _about_rest(beside: Around, names: Shapes, stack: Stack) -> list[Sentence]:
    says = []
    if beside.embedding:
        V, E = names[beside.embedding]
        text = "An embedding of {n} symbols, {width} numbers each."
        says.append(say(text, beside.embedding, shape=(V, E), n=V, width=E))
    if beside.projection:
        text = "A linear layer stands between what is read and the recurrent layers."
        says.append(say(text, beside.projection, shape=names[beside.projection]))
    if beside.output:
        K, width = names[beside.output]
        text = "A linear layer makes {n} numbers of the {width} of the last layer."
        says.append(say(text, beside.output, shape=(K, width), n=K, width=width))
        if beside.output_bias is None:
            says.append(say("The linear layer has no bias.", beside.output))
    if beside.embedding and beside.embedding == beside.output:
        says.append(say("Embedding and output are one matrix (tied).", beside.output))
    return says


def settle(case: Case, stack: Stack, beside: Around, names: Shapes) -> Settled:
    """What runs it, by its widths and the answers: the first role that takes it."""
    if beside.output is None:
        width = stack.hidden_size * (1 + stack.bidirectional)
        return Settled(
            None,
            problems=(
                Said(
                    "No linear layer after the recurrent ones: expected a matrix with {width} "
                    "columns.",
                    width=width,
                ),
            ),
        )
    return next(
        settled for role in ROLES if (settled := role(case, stack, beside, names)) is not None
    )
