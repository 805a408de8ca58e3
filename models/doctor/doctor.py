"""Diagnose, convert, write: the three things that are done with a stranger's network."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save as save_safetensors

from models.checkpoint import CheckpointError, CheckpointFiles, write_file
from models.doctor.card import card
from models.doctor.diagnosis import Case, Converted, Diagnosis, Found, Said, Settled
from models.doctor.health import broken, examine
from models.doctor.opening import opening
from models.doctor.probe import probe_of
from models.doctor.proof import prove
from models.doctor.recognisers import recognise

SHOWN = 6  # tensors of a file that is not recognised that are named


class NotUsable(ValueError):
    """A file that cannot be converted as it is: something is asked, or nothing runs it.

    `diagnosis` says which, where it was `convert` that found it.
    """

    diagnosis: Diagnosis | None = None


def diagnose(
    tensors: Mapping[str, np.ndarray],
    extras: Mapping,
    answers: Mapping | None = None,
    probe: str | None = None,
) -> Diagnosis:
    """What a file is, whether it was understood, whether it is healthy, and what is still asked.

    `answers` are those of a person to the questions of an earlier diagnosis, by their names;
    `probe` is a text to try it on instead of the fixed one. Raises nothing for whatever arrays.
    """
    return _look(tensors, extras, answers or {}, probe)[0]


def _look(tensors, extras, answers, probe=None) -> tuple[Diagnosis, Settled]:
    shapes = {name: tuple(value.shape) for name, value in tensors.items()}
    found = recognise(shapes, extras)
    if found is None:
        settled = Settled(None, problems=(_unknown(shapes),))
        return Diagnosis(None, Said("not recognised"), problems=settled.problems), settled
    settled = found.settle(Case(tensors, extras, answers))
    proofs, findings, says = _try(found, settled, tensors, probe)
    wrong = tuple(finding.says for finding in findings if finding.name == "finite")
    wrong += tuple(
        Said(
            "{name} holds {type}, expected floats of 16 to 64 bits.",
            name=name,
            type=str(value.dtype),
        )
        for name, value in settled.weights.items()
        if value.dtype.kind != "f"
    )
    diagnosis = Diagnosis(
        settled.kind,
        found.title,
        (*found.says, *settled.says),
        settled.config,
        settled.questions,
        tuple(proofs),
        tuple(findings),
        (*settled.problems, *wrong),
        says,
    )
    return diagnosis, settled


def _try(found: Found, settled: Settled, tensors, text):
    proofs, findings, said = [], list(broken(tensors)), ""
    for stack in found.stacks:
        cell = settled.config.get("cell", stack.cell)
        tried = probe_of(stack, settled, text)
        said = said or tried.says
        if all(np.isfinite(tensors[name]).all() for name in stack.names.values()):
            proofs += prove(stack, cell, tensors, tried.x)
        findings += examine(stack, cell, tensors, tried.x, settled)
    return proofs, findings, said


def _unknown(shapes) -> str:
    if not shapes:
        return Said("The file holds no tensors.")
    largest = sorted(shapes, key=lambda name: -math.prod(shapes[name]))[:SHOWN]
    return Said(
        "No recurrent layer among its {n} tensors: a name that ends in weight_hh_l0 or weight_hh "
        "is expected. The largest are {names}.",
        n=len(shapes),
        names=", ".join(f"{name} {shapes[name]}" for name in largest),
    )


def convert(
    tensors: Mapping[str, np.ndarray],
    extras: Mapping,
    answers: Mapping | None = None,
    title: str = "",
    data: Mapping | None = None,
) -> Converted:
    """The network in the project's form, its numbers untouched. `data` says where it came from.

    Raises `NotUsable`, naming what is still asked or what is wrong.
    """
    diagnosis, settled = _look(tensors, extras, answers or {})
    if not diagnosis.usable:
        asked = [f"{q.name} is asked: {q.text}" for q in diagnosis.questions]
        error = NotUsable(" ".join([*diagnosis.problems, *asked]) or "nothing runs it")
        error.diagnosis = diagnosis
        raise error
    about = {
        "kind": settled.kind,
        "title": title or str(diagnosis.title),
        "licence": None,
        "language": None,
        "config": dict(settled.config),
        "data": dict(data or {}),
        "figures": {},
        **({"prompt": text} if (text := opening(settled.symbols)) else {}),
        **settled.about,
        "parameters": sum(value.size for value in settled.weights.values()),
    }
    return Converted(about, settled.vocabulary, settled.weights, diagnosis)


def opened(converted: Converted, device: str = "cpu", capacity: int = 1):
    """What runs a converted network. Raises `NotUsable`, naming what does not fit."""
    import torch

    from models.kinds import build

    weights = {
        name: torch.from_numpy(np.ascontiguousarray(value)).float()
        for name, value in converted.weights.items()
    }
    vocabulary = converted.vocabulary
    listed = vocabulary if isinstance(vocabulary, list) else None
    named = vocabulary if isinstance(vocabulary, dict) else {}
    files = CheckpointFiles("import", converted.about, listed, weights, "", named)
    try:
        return build(files, device, capacity)
    except CheckpointError as error:
        raise NotUsable(str(error)) from error


def write(folder: Path, converted: Converted) -> None:
    """Write the folder of a checkpoint: the numbers bit for bit as found, config.json last."""
    weights = {name: np.ascontiguousarray(value) for name, value in converted.weights.items()}
    write_file(folder / "model.safetensors", save_safetensors(weights))
    vocabulary = converted.vocabulary
    if isinstance(vocabulary, list):
        vocabulary = {"vocabulary.json": json.dumps(vocabulary, ensure_ascii=False) + "\n"}
    for name, text in (vocabulary or {}).items():
        write_file(folder / name, text)
    write_file(folder / "README.md", card(converted))
    about = json.dumps(converted.about, ensure_ascii=False, indent=2)
    write_file(folder / "config.json", about + "\n")
