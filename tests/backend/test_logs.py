"""One line stays one line, whatever it is made of; what people wrote is not in it."""

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.logs import MOST, Json, Text, escape, set_up, trace

HOSTILE = (
    "\nERROR all is lost",
    "\r\nGET /admin",
    "\x1b[2J\x1b[31mred",
    "\u202egnp.exe",
    "\u2066\u2069\u200b\ufeff",
    "\u2028\u2029\x85",
    "\x00\x07\x08\x7f\x9b",
    "\ud800",
)


def record(message: str, *arguments, error: BaseException | None = None, **extra):
    told = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("unrolled", logging.ERROR, "", 1, message, arguments, told)
    made.__dict__.update(extra)
    return made


def raised(message: str) -> BaseException:
    try:
        try:
            raise KeyError("the first secret")
        except KeyError as error:
            raise ValueError(message) from error
    except ValueError as error:
        return error


@given(st.text(st.characters(codec=None), max_size=50))
def test_an_escaped_text_is_printable_and_one_that_was_is_as_it_was(text):
    assert escape(text).isprintable()
    if text.isprintable():
        assert escape(text) == text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("form", [Text(), Json()])
def test_nothing_forges_a_line_or_steers_a_terminal(form, text):
    one = record("checkpoint %s failed", text, facts={"client": text, "bytes": 3})
    line = form.format(one)
    assert line.isprintable()
    assert len(line.splitlines()) == 1


def test_json_is_ascii_with_the_facts_as_they_are():
    told = json.loads(
        Json().format(record("Überraschung %d", 3, facts={"ms": 1.5, "route": "/{id}"}))
    )
    assert told["message"] == "Überraschung 3"
    assert (told["level"], told["ms"], told["route"]) == ("error", 1.5, "/{id}")
    assert told["time"].endswith("Z")
    assert Json().format(record("Ü\u202e")).isascii()


def test_long_texts_are_cut_and_their_length_is_told():
    cut = escape("x" * 10**6)
    assert len(cut) < MOST + 50
    assert cut.endswith("(1000000 characters)")


@pytest.mark.parametrize("form", [Text(), Json()])
def test_an_exception_is_told_by_its_type_and_place_and_not_by_what_it_says(form):
    line = form.format(record("it failed", error=raised("the second secret")))
    assert "secret" not in line
    assert "builtins.KeyError" in line
    assert "builtins.ValueError" in line
    assert "in raised" in line
    assert line.index("KeyError") < line.index("ValueError")


def test_what_the_servers_own_files_say_is_told_whole_and_escaped():
    line = Text().format(record("x", error=raised("bad\nfile"), whole=True))
    assert r"builtins.ValueError: bad\nfile" in line
    assert all(part.isprintable() for part in line.splitlines())


def test_the_trace_of_endless_recursion_is_short():
    def deeper():
        deeper()

    with pytest.raises(RecursionError) as caught:
        deeper()
    assert len(trace(caught.value)) < 50


@pytest.fixture
def restored():
    """The loggers of the process as they were, afterwards."""
    root, own = logging.getLogger(), logging.getLogger("unrolled")
    before = (root.handlers[:], root.level, own.level, logging.raiseExceptions)
    root.handlers[:] = []  # those of pytest would be closed
    yield
    root.handlers[:], root.level, level, logging.raiseExceptions = before
    own.setLevel(level)


@pytest.mark.parametrize(("form", "lines"), [("text", 1), ("json", 2)])
def test_text_tells_what_goes_wrong_and_json_every_request(restored, form, lines):
    stream = io.StringIO()
    set_up(form, stream)
    logging.getLogger("unrolled.requests").info("request")
    logging.getLogger("unrolled").warning("a\nb")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application\n")  # told by ours
    assert len(stream.getvalue().splitlines()) == lines
