"""What uvicorn does not bound by itself: connections, heads, senders and readers that dawdle.

    connections   so many in all and from one address; the next is told 503 or 429 and closed
    heads         a request's line and headers: so many bytes, so many headers, so many seconds
    bodies        what comes of one after its answer: so many bytes, then the connection is closed
    readers       an answer that nobody reads is dropped with its connection after a while

Everything that cannot be read as a request is told in the one error shape, too.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from backend.errors import Busy, Error, Late, Malformed, Unavailable
from backend.guards.bodies import DRAIN_BYTES
from backend.guards.headers import HEADERS
from backend.guards.refusals import raw, refuse
from backend.settings import Settings

MOST_HEADERS = 100
SPARE = 64  # connections past the most that are told so; the next are closed without a word
OTHER_FILES = 256  # that are open beside the connections
LINGER = 5.0  # seconds in which the end of a stream, that came for want of a reader, is kept
AGAIN = 5.0  # seconds after which who was refused may try again


class HeadTooLarge(Error):
    status, code = 431, "head_too_large"


@dataclass
class Places:
    """Who is connected to one server."""

    most: int
    most_each: int
    each: Counter = field(default_factory=Counter)

    def refusal(self, host: str) -> Error | None:
        """Why one more from `host` is not served, or None."""
        if self.each.total() > self.most:
            return Unavailable("All connections are taken.", "Try again in a moment.", "too_many")
        if self.each[host] > self.most_each:
            return Busy("Your address has too many connections.", AGAIN, "Close some of them.")
        return None


def allow_files(connections: int) -> None:
    """Let this process have so many connections open, as far as the system permits it."""
    try:
        import resource
    except ImportError:  # a system that counts in another way
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE + OTHER_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def protocol(settings: Settings) -> Callable[..., "Connection"]:
    """What uvicorn is told to make of each connection of one server."""
    places = Places(settings.max_connections, settings.connections_per_address)
    return partial(Connection, settings=settings, places=places)


class Connection(HttpToolsProtocol):
    """One connection, and the requests that come over it one after another."""

    def __init__(self, *arguments, settings: Settings, places: Places, **named):
        super().__init__(*arguments, **named)
        self.settings, self.places = settings, places
        self._head = 0  # bytes of a head that is not whole yet
        self._in_head = False
        self._late: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._refusal: Error | None = None  # what is wrong with a head
        self._after = 0  # bytes of a body that has been answered
        self._host = ""

    # Of the transport

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        self._host = self.client[0] if self.client else ""
        self.places.each[self._host] += 1
        if refusal := self.places.refusal(self._host):
            if self.places.each.total() > self.places.most + SPARE:
                transport.abort()
            self.app = _telling(refusal)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self.places.each[self._host] -= 1
        if not self.places.each[self._host]:
            del self.places.each[self._host]
        for timer in (self._late, self._stuck):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head += len(data)
            if self._head > self.settings.max_head_bytes:
                self._refusal = self._head_too_large()
                self.send_400_response("")
                return
        self._watch_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stuck is None:
            self._watch_reader(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._watch_end()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_end()

    # Of the parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head, self._after = True, 0, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > MOST_HEADERS:
            self._refusal = HeadTooLarge(
                f"The request has more than {MOST_HEADERS} headers.", "Send fewer."
            )
            raise ValueError

    def on_headers_complete(self) -> None:
        self._in_head = False
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self.settings.max_head_bytes:
            self._refusal = self._head_too_large()
            raise ValueError
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self.cycle.response_complete:
            self._after += len(body)
            if self._after > DRAIN_BYTES:
                self.transport.close()
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """What is wrong with a request that no application is asked about."""
        if not self._answering():  # else it would stand in the middle of an answer
            hint = "Send a request of HTTP/1.1."
            self.transport.write(
                raw(self._refusal or Malformed("This cannot be read as a request.", hint))
            )
        self.transport.close()

    # Of time

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _watch_head(self) -> None:
        """A head has its time from the first byte after an answer to its own last."""
        if self._answering():
            if self._late is not None:
                self._late.cancel()
                self._late = None
        elif self._late is None:
            self._late = self.loop.call_later(self.settings.head_seconds, self._give_up)

    def _give_up(self) -> None:
        if self._in_head and not self.transport.is_closing():
            seconds = f"{self.settings.head_seconds:g}"
            self._refusal = Late(
                f"The headers did not arrive in {seconds} seconds.", "Send the request again."
            )
            self.send_400_response("")
        self.transport.close()

    def _watch_end(self) -> None:
        """A connection that is to be closed waits until all has been read."""
        left = self.transport.get_write_buffer_size()
        if left and self._stuck is None and self.transport.is_closing():
            self._watch_reader(left)

    def _watch_reader(self, before: int) -> None:
        """Where nothing at all was read for so long, nobody reads."""

        def look() -> None:
            self._stuck = None
            left = self.transport.get_write_buffer_size()
            if 0 < left < before:
                self._watch_reader(left)
            elif left:
                self.transport.abort()

        self._stuck = self.loop.call_later(self.settings.reader_seconds + LINGER, look)

    def _head_too_large(self) -> HeadTooLarge:
        limit = self.settings.max_head_bytes
        return HeadTooLarge(
            f"The request's line and headers are larger than {limit} bytes.",
            "Send a long text in the body, not in the address.",
            limit=limit,
        )


def _telling(error: Error):
    """An application that says the same to all."""

    async def app(scope, receive, send) -> None:
        await refuse(scope, send, error, (b"connection", b"close"), *HEADERS)

    return app
