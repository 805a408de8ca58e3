"""What is done with a file that has arrived, on a thread: read apart, diagnosed, written.

Everything is written into a folder that is not listed yet; who called gives it its name.
"""

import json
import os
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from backend import folder_zip
from backend.errors import Invalid
from backend.shelf import Shelf, settle, shown, title_of, write_json

ORIGINAL, FORM = "original", "form"
TENSORS, EXTRAS, DIAGNOSIS, ABOUT = (
    "tensors.safetensors",
    "extras.json",
    "diagnosis.json",
    "import.json",
)


@dataclass(frozen=True)
class Arrived:
    """A file that has been received whole."""

    name: str  # as it is shown
    sha256: str
    bytes: int


def examine(shelf: Shelf, folder: Path, arrived: Arrived, most: int) -> None:
    """Read what has arrived in a folder, and leave only what is kept there.

    Weights of at most `most` bytes are unpacked. Raises `Refused` or an `Error`.
    """
    from models.importing.child import ChildLimits, read_in_child

    original = folder / ORIGINAL
    whole = bool(folder_zip.found_in(original))
    if whole:
        folder_zip.unpack(original, folder / FORM, most)
        original.unlink()
        original = folder / FORM / folder_zip.WEIGHTS
    found = read_in_child(original, folder, ChildLimits())
    original.unlink()  # of a stranger's bytes nothing is kept as it came
    about = {
        "name": arrived.name,
        "title": title_of(arrived.name),
        "bytes": arrived.bytes,
        "sha256": arrived.sha256,
        "format": "folder" if whole else found["format"],
        "imported": datetime.now(UTC).isoformat(timespec="seconds"),
        "answers": {},
    }
    if whole:
        _adopt(folder, about)
    else:
        _judge(shelf, folder, folder, about)


def renew(shelf: Shelf, folder: Path, into: Path, about: dict, answered: bool) -> None:
    """Judge an import again with other answers; where there is only another title, write it."""
    config = folder / "config.json"
    if answered or not config.is_file():
        return _judge(shelf, folder, into, about)
    said = json.loads(config.read_text("utf-8"))
    write_json(into / "config.json", {**said, "title": about["title"]})
    write_json(into / ABOUT, about)


def _judge(shelf: Shelf, folder: Path, into: Path, about: dict) -> None:
    """Diagnose the tensors of a folder, and write their network where nothing is asked."""
    from models.doctor import NotUsable, convert, write

    tensors, extras = _read_back(folder)
    answers = about["answers"]
    data = {"file": about["name"], "sha256": about["sha256"]}
    try:
        converted = convert(tensors, extras, answers, about["title"], data)
    except NotUsable as error:
        diagnosis = error.diagnosis
        _check_answers(answers, diagnosis.questions)
    else:
        diagnosis = converted.diagnosis
        shelf.check_room(sum(array.nbytes for array in tensors.values()))
        write(into, converted)
    write_json(into / DIAGNOSIS, plain(diagnosis.to_dict()))
    write_json(into / ABOUT, about)


def _adopt(folder: Path, about: dict) -> None:
    """A folder of our own form: its files as they are, its weights as the child wrote them."""
    from models.doctor import diagnose

    form = folder / FORM
    config = folder_zip.read_about(form)
    title = config.get("title")
    if isinstance(title, str):
        about["title"] = shown(title) or about["title"]
    for path in form.iterdir():
        os.replace(path, folder / path.name)
    form.rmdir()
    shutil.copyfile(folder / TENSORS, folder / folder_zip.WEIGHTS)
    write_json(folder / "config.json", {**config, "title": about["title"]})
    found = plain(diagnose(*_read_back(folder), {}).to_dict())
    found |= {"questions": [], "problems": [], "usable": True}
    known = {name: config.get(name) for name in ("kind", "config")}
    write_json(folder / DIAGNOSIS, found | plain(known))
    write_json(folder / ABOUT, about)
    settle(folder)


def _read_back(folder: Path) -> tuple[dict[str, np.ndarray], dict]:
    """The tensors and the plain data of an import, read as carefully as any."""
    from models.importing.foreign_file import read_foreign

    tensors = read_foreign(folder / TENSORS).tensors
    return tensors, json.loads((folder / EXTRAS).read_text("utf-8"))["extras"]


def _check_answers(answers: Mapping, still_asked: Sequence) -> None:
    """Refuse an answer that was given and did not do; its question says what is wrong with it."""
    for question in still_asked:
        if question.name in answers:
            given = answers[question.name]
            found = len(given) if isinstance(given, list) else None
            raise Invalid(
                str(question.text),
                "What was answered before is kept. Correct this answer and send it again.",
                "bad_answer",
                name=question.name,
                found=found,
                expected=question.size,
            )


def check_asked(names: Iterable[str], asked: Collection[str]) -> None:
    """Refuse an answer to what nobody asked."""
    for name in names:
        if name not in asked:
            raise Invalid(
                f"{name[:40]!a} is not asked of this file.",
                f"What is asked: {', '.join(asked) or 'nothing'}.",
                "bad_answer",
                name=name[:40],
            )


def plain(value):
    """What JSON can hold: numpy's numbers as Python's, NaN and infinity as null."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
