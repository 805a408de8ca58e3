"""What is written to the log: lines for a person, or JSON for a machine.

Whatever a line is made of, it stays one line: characters that steer a terminal, end a line or turn
the direction of a text are written as their numbers, and lengths are cut. What people send is not
logged. An exception is told by its type and by where it was raised, and not by what it says, which
may quote a text; a record that is of the server's own files says `extra={"whole": True}`.
"""

import json
import logging
import sys
import time
import traceback
from typing import TextIO

MOST = 2000  # characters of a message or of a line of a traceback that are kept
DEEPEST = 40  # frames of an exception that are told, the innermost ones
CHAINED = 5  # exceptions that led to each other
QUIET = "Exception in ASGI application"  # uvicorn's: the application has told of it already


def escape(text: str, most: int = MOST) -> str:
    r"""A text that stays within its line: `\n`, ESC, bidi marks and their like as `\x..`, `\u....`.

    At most about `most` characters of it.
    """
    if len(text) > most:
        text = f"{text[:most]}... ({len(text)} characters)"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def trace(error: BaseException, whole: bool = False) -> list[str]:
    """An exception and those that led to it, the first one first, a line each place and type."""
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and len(chain) < CHAINED:
        chain.append(at)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    lines = []
    for one in reversed(chain):
        frames = traceback.extract_tb(one.__traceback__)[-DEEPEST:]
        lines += [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        says = f": {one}" if whole else ""
        lines.append(f"{type(one).__module__}.{type(one).__qualname__}{says}")
    return [escape(line) for line in lines]


def _raised(record: logging.LogRecord) -> list[str]:
    error = record.exc_info[1] if record.exc_info else None
    return trace(error, getattr(record, "whole", False)) if error is not None else []


class Text(logging.Formatter):
    """`12:59:59 WARNING what happened`, and where an exception came from, indented below it."""

    def format(self, record: logging.LogRecord) -> str:
        told = time.strftime("%H:%M:%S", time.localtime(record.created))
        facts = getattr(record, "facts", {})
        words = [record.getMessage(), *(f"{name}={value}" for name, value in facts.items())]
        lines = [f"{told} {record.levelname} {escape(' '.join(words))}"]
        if raised := _raised(record):
            lines += ["Traceback, the first cause first:", *raised]
        return "\n    ".join(lines)


class Json(logging.Formatter):
    """One object a line, of ASCII only: time (UTC), level, logger, message, and the record's facts.

    A record's facts are what it was logged with as `extra={"facts": {...}}`: numbers and texts.
    """

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        told = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": escape(record.getMessage()),
        }
        for name, value in getattr(record, "facts", {}).items():
            told[name] = escape(value) if isinstance(value, str) else value
        if raised := _raised(record):
            told["traceback"] = raised
        return json.dumps(told)


def set_up(form: str, stream: TextIO | None = None) -> None:
    """Send every logger of the process to one stream; `form` is `text` or `json`.

    Text tells what goes wrong; JSON has a line for every request too.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Json() if form == "json" else Text())
    handler.addFilter(lambda record: not str(record.msg).startswith(QUIET))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("unrolled").setLevel(logging.INFO if form == "json" else logging.WARNING)
    logging.raiseExceptions = False  # a log that cannot be written does not fill the terminal
