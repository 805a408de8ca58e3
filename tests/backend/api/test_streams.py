"""Into the engine and out again, with an engine that does as it is told."""

import asyncio
import logging
from typing import ClassVar

import pytest

from backend.api.streams import EventStream, collect, submit
from backend.engine import End, EngineError, Full, TooLarge
from backend.errors import Busy, Error, Unavailable
from backend.errors import TooLarge as TooLargeAnswer
from tests.backend.serving import events

SCOPE = {"type": "http", "asgi": {"spec_version": "2.3"}, "method": "POST", "headers": []}


class Stream:
    """Yields what it is given, raises what is an error, and knows when it is closed."""

    def __init__(self, *parts):
        self.parts, self.closed = list(parts), False

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.parts:
            raise StopAsyncIteration
        part = self.parts.pop(0)
        if isinstance(part, Exception):
            raise part
        return part

    def close(self):
        self.closed = True


class Request:
    """Asks an engine that takes a job as `outcome` says; gone after so many looks."""

    scope: ClassVar[dict] = {"client": None}

    def __init__(self, outcome=None, looks=10**6):
        self.app = self.state = self
        self.outcome, self.looks = outcome, looks

    async def ready(self):
        return self

    def submit(self, job, client):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return (job, client)

    async def is_disconnected(self):
        self.looks -= 1
        return self.looks < 0


async def told(stream):
    async for part in stream:
        yield part


def answer(stream, gone: bool = False) -> bytes:
    """What an event stream sends to a client that reads on, or that has gone before it begins."""
    sent = []

    async def receive():
        if not gone:
            await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message.get("body", b""))

    asyncio.run(EventStream(stream, told(stream))(SCOPE, receive, send))
    return b"".join(sent)


def test_events_are_sent_as_they_come_and_the_stream_is_closed_after_them():
    stream = Stream(b"one ", b"two")
    assert answer(stream) == b"one two"
    assert stream.closed


def test_a_client_that_has_gone_before_the_answer_begins_leaves_a_closed_stream():
    stream = Stream(b"one")
    answer(stream, gone=True)
    assert stream.closed


def test_what_the_engine_ends_a_stream_with_becomes_an_event():
    stream = Stream(b"", EngineError("time_limit", "That was long."))
    (name, data) = events(answer(stream).decode())[-1]
    assert name == "error"
    assert data == {"error": {"code": "time_limit", "message": "That was long.", "hint": ""}}
    assert stream.closed


def test_a_defect_is_told_without_its_words_and_is_raised_again():
    stream = Stream(b"", RuntimeError("the secret of the house"))
    sent = []

    async def send(message):
        sent.append(message.get("body", b""))

    async def receive():
        await asyncio.sleep(60)

    with pytest.raises(RuntimeError, match="secret"):
        asyncio.run(EventStream(stream, told(stream))(SCOPE, receive, send))
    (name, data) = events(b"".join(sent).decode())[-1]
    assert (name, data["error"]["code"]) == ("error", "internal")
    assert b"secret" not in b"".join(sent)
    assert stream.closed


def test_a_job_is_submitted_in_the_name_of_the_client():
    request = Request()
    assert asyncio.run(submit(request, "a job")) == ("a job", "")


@pytest.mark.parametrize(
    ("outcome", "error", "code"),
    [
        (Full("full", 7.0), Busy, "busy"),
        (TooLarge("so many bytes", 5), TooLargeAnswer, "too_large"),
        (EngineError("shutting_down", "We are closing."), Unavailable, "shutting_down"),
    ],
)
def test_why_the_engine_does_not_take_a_job_is_told(outcome, error, code):
    with pytest.raises(error) as caught:
        asyncio.run(submit(Request(outcome), "a job"))
    assert caught.value.code == code
    assert caught.value.hint
    if error is Busy:
        assert caught.value.retry_after == 7.0


def test_a_whole_stream_is_collected_in_order_without_its_end():
    stream = Stream([1, 2], [3], End([]))
    assert asyncio.run(collect(Request(), stream)) == [1, 2, 3]
    assert stream.closed


@pytest.mark.parametrize(
    ("code", "status"),
    [("shutting_down", 503), ("time_limit", 503), ("row_failed", 500), ("non_finite", 500)],
)
def test_what_a_collected_stream_ends_with_is_told_with_its_code(code, status):
    stream = Stream([1], EngineError(code, "It cannot go on."))
    with pytest.raises(Error) as caught:
        asyncio.run(collect(Request(), stream))
    assert (caught.value.status, caught.value.code) == (status, code)
    assert stream.closed


def test_nothing_is_collected_for_a_client_that_has_gone(caplog):
    caplog.set_level(logging.INFO)
    stream = Stream([1], [2], [3], End([]))
    with pytest.raises(Unavailable):
        asyncio.run(collect(Request(looks=1), stream))
    assert stream.closed
    assert stream.parts
    assert not caplog.records
