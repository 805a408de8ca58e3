"""`python -m backend inspect FILE`: what a file of weights is, for a person or as JSON.

A stranger's file is read in a child process with limits. A folder of the form that this project
writes is read as the server reads it. Exit status: 0 it runs here, 1 it does not (or not yet,
something is asked), 2 the file is refused.
"""

import argparse
import hashlib
import json
import math
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.report import plain, told

USABLE, NOT_USABLE, REFUSED = 0, 1, 2
MAX_VOCABULARY_BYTES = 8 << 20
# What a config.json says that a bare file of weights would have to be asked.
FROM_CONFIG = ("cell", "labels", "pooling", "low", "high", "window", "reads")


@dataclass(frozen=True)
class Inspected:
    """What was read, before anybody looks at it."""

    name: str
    format: str
    bytes: int
    tensors: Mapping
    extras: Mapping
    own: str = ""  # the kind of a folder of ours that opens, else ""
    problem: str = ""  # why a folder of ours does not


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of the command."""
    parser.add_argument("file", type=Path, help="a .safetensors, .pt, .pth or .npz, or a folder")
    parser.add_argument("--json", action="store_true", help="the same as JSON, for a program")
    parser.add_argument(
        "--vocabulary",
        type=Path,
        metavar="FILE",
        help="its symbols in order: JSON (a list, or numbers by symbol), or one a line, or all of "
        "them on a single line",
    )
    parser.add_argument("--probe", metavar="TEXT", help="a text to try it on, not the fixed one")
    parser.add_argument(
        "--answer",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an answer to what it asks, such as pooling=last or labels=bad,good",
    )
    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="write it there in the form that the server reads"
    )


def run(parsed: argparse.Namespace) -> int:
    """Inspect a file and print what was found; the exit status."""
    from models.doctor import NotUsable, convert, diagnose, write
    from models.importing.refused import Refused

    try:
        answers = read_answers(parsed.answer, parsed.vocabulary)
        found = read(parsed.file)
    except Refused as error:
        return _refused(parsed, error.code, error.message, error.hint)
    except OSError as error:
        return _refused(parsed, "unreadable_file", f"{parsed.file}: {error.strerror}.", "")
    except ValueError as error:
        return _refused(parsed, "bad_answer", str(error), "")
    diagnosis = diagnose(found.tensors, found.extras, answers, parsed.probe)
    about = {"file": found.name, "format": found.format, "bytes": found.bytes}
    about |= {"tensors": len(found.tensors), "folder_of": found.own, "problem": found.problem}
    usable = bool(found.own) or (diagnosis.usable and not found.problem)
    written = ""
    if parsed.to and diagnosis.usable and not found.own:
        data = {"file": found.name, "sha256": digest(parsed.file)}
        try:
            write(parsed.to, convert(found.tensors, found.extras, answers, parsed.file.stem, data))
            written = str(parsed.to)
        except NotUsable as error:
            return _refused(parsed, "not_usable", str(error), "")
        except OSError as error:
            return _refused(parsed, "not_written", f"{parsed.to}: {error.strerror}.", "")
    if parsed.json:
        whole = {**about, **diagnosis.to_dict(), "usable": usable, "written": written}
        print(json.dumps(_numbers(whole), indent=2, allow_nan=False))
    else:
        print(told(about, diagnosis, usable, written, sys.stdout.isatty()))
    return USABLE if usable else NOT_USABLE


def read(path: Path) -> Inspected:
    """A file in a child, or a folder as the server reads it. Raises `Refused` or OSError."""
    if path.is_dir():
        return _folder(path)
    from models.importing.child import read_in_child
    from models.importing.foreign_file import read_foreign
    from models.importing.written import EXTRAS, TENSORS

    size = path.stat().st_size
    with tempfile.TemporaryDirectory(prefix="unrolled-") as out:
        said = read_in_child(path.resolve(), Path(out))  # one's own link is no trap
        tensors = read_foreign(Path(out) / TENSORS).tensors  # plain numbers, written by the child
        extras = json.loads((Path(out) / EXTRAS).read_text("ascii"))["extras"]
    return Inspected(path.name, said["format"], size, tensors, extras)


def _folder(path: Path) -> Inspected:
    from models.checkpoint import CheckpointError
    from models.importing.refused import Refused
    from models.kinds import build, read_files

    try:
        files = read_files(path)
    except CheckpointError as error:
        raise Refused("damaged_file", f"{path.name}: {error}.", "") from error
    own, problem = files.about["kind"], ""
    try:
        build(files, "cpu", 1)
    except (CheckpointError, ValueError) as error:
        own, problem = "", str(error)
    config = files.about.get("config") or {}
    extras = {name: config[name] for name in FROM_CONFIG if name in config}
    extras |= {"vocabulary": files.vocabulary} if files.vocabulary else {}
    tensors = {name: value.numpy() for name, value in files.weights.items()}
    size = sum(one.stat().st_size for one in path.iterdir() if one.is_file())
    return Inspected(path.name, "folder", size, tensors, extras, own, problem)


def read_answers(given: list[str], vocabulary: Path | None) -> dict:
    """Answers by the names of their questions. Raises ValueError, OSError."""
    answers = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise ValueError(f"--answer {one!r}: expected NAME=VALUE")
        answers[name] = _value(value)
    if vocabulary is not None:
        with vocabulary.open("rb") as file:
            raw = file.read(MAX_VOCABULARY_BYTES + 1)
        if len(raw) > MAX_VOCABULARY_BYTES:
            raise ValueError(f"{vocabulary} is larger than {MAX_VOCABULARY_BYTES} bytes")
        answers["vocabulary"] = symbols_of(raw.decode("utf-8"))
    return answers


def _value(text: str):
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.split(",") if "," in text else text


def symbols_of(text: str):
    """The symbols in a file: JSON, or one a line, or all characters of a single line."""
    try:
        found = json.loads(text)
        if isinstance(found, list | dict):
            return found
    except (ValueError, RecursionError):
        pass
    lines = text.removesuffix("\n").split("\n")
    return lines if len(lines) > 1 else list(lines[0])


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _numbers(value):
    """What JSON can hold: what is no finite number becomes null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(name): _numbers(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers(inner) for inner in value]
    return value


def _refused(parsed: argparse.Namespace, code: str, message: str, hint: str) -> int:
    if parsed.json:
        print(json.dumps({"error": {"code": code, "message": message, "hint": hint}}, indent=2))
    else:
        print(f"refused ({code}): {plain(message)} {plain(hint)}".rstrip(), file=sys.stderr)
    return REFUSED
