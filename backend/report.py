"""A diagnosis as text for a terminal: aligned, wrapped, with colours only where it is one."""

import os
import shutil
import textwrap
from collections.abc import Iterator, Mapping

NARROWEST, WIDEST = 60, 110
COLOURS = {"good": "32", "look": "33", "bad": "31"}
INDENT = "  "
GUESSES = 4  # that are told of each question
SYMBOLS = 40  # characters of a guess


def plain(text) -> str:
    """A stranger's words, unable to steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def told(about: Mapping, diagnosis, usable: bool, written: str = "", colours: bool = False) -> str:
    """The whole report."""
    width = max(NARROWEST, min(WIDEST, shutil.get_terminal_size((100, 0)).columns))
    colours = colours and not os.environ.get("NO_COLOR")
    lines = [*_head(about, diagnosis)]
    for title, body in (
        ("what it is", _says(diagnosis, width)),
        (f"proof, on {plain(diagnosis.probe)}", _proof(diagnosis)),
        ("health", _health(diagnosis, width, colours)),
        ("asked", _asked(diagnosis, width)),
        ("what is wrong", _wrong(about, diagnosis, width)),
    ):
        body = list(body)
        if body:
            lines += ["", title, *body]
    return "\n".join([*lines, "", *_verdict(diagnosis, usable, written, width)])


def _head(about: Mapping, diagnosis) -> Iterator[str]:
    size = about["bytes"] / 1e6
    yield f"{plain(about['file'])}: {about['format']}, {about['tensors']} tensors, {size:.1f} MB"
    kind = about["folder_of"] or diagnosis.kind
    yield f"{plain(diagnosis.title)}" + (f", run as {kind}" if kind else "")


def _wrap(text: str, width: int, first: str = INDENT, rest: str = "") -> list[str]:
    rest = rest or " " * len(first)
    return textwrap.wrap(plain(text), width, initial_indent=first, subsequent_indent=rest)


def _says(diagnosis, width: int) -> Iterator[str]:
    for sentence in diagnosis.says:
        yield from _wrap(sentence.text, width, f"{INDENT}- ")
        if sentence.names:
            shape = f" {tuple(sentence.shape)}" if sentence.shape else ""
            yield from _wrap(f"{', '.join(sentence.names)}{shape}", width, INDENT * 3)


def _proof(diagnosis) -> Iterator[str]:
    widest = max((len(proof.layer) for proof in diagnosis.proof), default=0)
    for proof in diagnosis.proof:
        yield (
            f"{INDENT}{plain(proof.layer):<{widest}}  {proof.quantity}  {proof.digits:4.1f} digits "
            f"agree with torch  (largest difference {proof.largest_difference:.1e})"
        )


def _health(diagnosis, width: int, colours: bool) -> Iterator[str]:
    for finding in diagnosis.health:
        where = f" [{finding.where}]" if finding.where else ""
        lines = _wrap(f"{finding.says}{where}", width, f"{INDENT}{finding.level:<4}  ")
        if colours:
            code = COLOURS[finding.level]
            lines[0] = lines[0].replace(finding.level, f"\033[{code}m{finding.level}\033[0m", 1)
        yield from lines


def _asked(diagnosis, width: int) -> Iterator[str]:
    for question in diagnosis.questions:
        yield from _wrap(f"{question.name}: {question.text}", width, f"{INDENT}- ")
        for value, says in question.choices:
            yield from _wrap(f"{value}: {says}", width, INDENT * 3)
        for guess in question.guesses[:GUESSES]:
            shown = "".join(guess.value) if _characters(guess.value) else str(guess.value)
            short = shown if len(shown) <= SYMBOLS else f"{shown[:SYMBOLS]}..."
            yield from _wrap(f"a guess: {guess.says}: {short}", width, INDENT * 3)


def _characters(value) -> bool:
    return isinstance(value, list) and all(isinstance(s, str) and len(s) == 1 for s in value)


def _wrong(about: Mapping, diagnosis, width: int) -> Iterator[str]:
    if about["folder_of"]:  # it runs as what its config.json says
        return
    for problem in (*([about["problem"]] if about["problem"] else []), *diagnosis.problems):
        yield from _wrap(problem, width, f"{INDENT}- ")


def _verdict(diagnosis, usable: bool, written: str, width: int) -> list[str]:
    if written:
        return [f"Written to {plain(written)}."]
    if usable:
        return ["It runs here."]
    if diagnosis.problems or diagnosis.kind is None:
        return ["Nothing here runs it."]
    names = [question.name for question in diagnosis.questions]
    how = [
        "--vocabulary FILE" if name == "vocabulary" else f"--answer {name}=..." for name in names
    ]
    return _wrap(f"It runs here once this is answered: {' '.join(how)}", width, "", " ")
