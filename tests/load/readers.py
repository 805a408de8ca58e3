"""Readers of streams over bare sockets: they count characters and parse nothing, so that two
hundred of them leave the processor to the server that they measure."""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field

WRITTEN = b'"prefix":false'  # once in every step that was written, in no step of the prefix
ENDS = (b"event: done", b"event: error")
EDGE = len(WRITTEN) - 1  # bytes of a mark that may have come with the part before
TAIL = 4096  # the last bytes that are kept: the final frame is among them


@dataclass
class Seen:
    """What one reader saw of one stream."""

    who: str  # the student
    began: float
    arrivals: list[tuple[float, int]] = field(default_factory=list)  # moment, characters
    status: int = 0
    ended: float | None = None
    tail: bytes = b""

    @property
    def first(self) -> float | None:
        """Seconds to the first character."""
        return self.arrivals[0][0] - self.began if self.arrivals else None

    @property
    def final(self) -> bool:
        """Whether the last frame is one that ends a stream, complete."""
        last = self.tail.rpartition(b"\n\n\r\n0\r\n\r\n")[0].rpartition(b"event: ")
        return (last[1] + last[2]).startswith(ENDS)

    def within(self, start: float, stop: float) -> int:
        """Characters that arrived between two moments."""
        return sum(count for moment, count in self.arrivals if start < moment <= stop)

    def gaps(self, start: float, stop: float) -> list[float]:
        """Seconds before each character that arrived between two moments; those that came
        together have 0."""
        found, before = [], max(start, self.began)
        for moment, count in self.arrivals:
            if start < moment <= stop:
                found.append(moment - before)
                found.extend([0.0] * (count - 1))
                before = moment
        return [*found, stop - before]


class Reader(asyncio.BufferedProtocol):
    """One request and its answer, which is read as it comes, or in bursts: `rests` gives the
    seconds to read and the seconds to stay away, again and again."""

    shared = bytearray(1 << 18)  # all readers are on one thread and look at once

    def __init__(self, request: bytes, seen: Seen, rests: random.Random | None = None):
        self.request, self.seen, self.rests = request, seen, rests
        self.done = asyncio.get_running_loop().create_future()
        self._edge = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        transport.write(self.request)
        if self.rests is not None:
            self._read_on()

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.shared

    def buffer_updated(self, size: int) -> None:
        shared, seen = self.shared, self.seen
        if not seen.status:
            seen.status = int(shared[9:12])
        count = shared.count(WRITTEN, 0, size)
        head = self._edge + shared[: min(EDGE, size)]
        if self._edge and WRITTEN in head:
            count += 1
        self._edge = bytes(shared[max(0, size - EDGE) : size])
        if count:
            seen.arrivals.append((time.perf_counter(), count))
        seen.tail = (seen.tail + bytes(shared[max(0, size - TAIL) : size]))[-TAIL:]

    def connection_lost(self, error: Exception | None) -> None:
        self.seen.ended = time.perf_counter()
        if not self.done.done():
            self.done.set_result(None)

    def _read_on(self) -> None:
        if not self.done.done():
            self.transport.resume_reading()
            loop = asyncio.get_running_loop()
            loop.call_later(self.rests.uniform(0.05, 0.4), self._stay_away)

    def _stay_away(self) -> None:
        if not self.done.done():
            self.transport.pause_reading()
            loop = asyncio.get_running_loop()
            loop.call_later(self.rests.uniform(0.2, 1.5), self._read_on)


@dataclass(frozen=True)
class Server:
    """Where requests go."""

    port: int
    checkpoint: str
    prefix: str
    points: list[str] | None  # None: every point, as the lab asks

    def request(self, cookie: str, tokens: int, seed: int) -> bytes:
        """The bytes that ask for a text of so many characters."""
        body = {"prefix": self.prefix, "max_new_tokens": tokens, "temperature": 1.0, "seed": seed}
        raw = json.dumps(body | ({} if self.points is None else {"points": self.points})).encode()
        head = self.head("POST", f"/api/checkpoints/{self.checkpoint}/generate", cookie)
        return (
            f"{head}Connection: close\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(raw)}\r\n\r\n"
        ).encode() + raw

    def head(self, method: str, path: str, cookie: str = "") -> str:
        """The first lines of a request."""
        host = f"127.0.0.1:{self.port}"
        cookie = f"Cookie: {cookie}\r\n" if cookie else ""
        return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n{cookie}"

    async def open(
        self, who: str, cookie: str, tokens: int, seed: int, rests: random.Random | None = None
    ) -> Reader:
        """A reader whose request is on its way."""
        seen = Seen(who, time.perf_counter())
        request = self.request(cookie, tokens, seed)
        loop = asyncio.get_running_loop()
        _, reader = await loop.create_connection(
            lambda: Reader(request, seen, rests), "127.0.0.1", self.port
        )
        return reader

    async def ask(self, method: str, path: str, cookie: str = "", form: str = "") -> bytes:
        """A whole answer, head and body, on a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        kind = "application/x-www-form-urlencoded"
        sent = f"Content-Type: {kind}\r\nContent-Length: {len(form)}\r\n" if form else ""
        head = self.head(method, path, cookie)
        writer.write(f"{head}{sent}Connection: close\r\n\r\n{form}".encode())
        try:
            return await reader.read()
        finally:
            writer.close()

    async def join(self, code: str) -> str:
        """The cookie of a new student."""
        answer = await self.ask("POST", "/en/join", form=f"code={code}")
        lines = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        (cookie,) = [line[12:].partition(";")[0] for line in lines if line[:12] == "set-cookie: "]
        return cookie

    async def counts(self) -> dict[str, float]:
        """What the server counts of itself."""
        text = (await self.ask("GET", "/metrics")).decode()
        if not text.startswith("HTTP/1.1 200"):
            raise RuntimeError(f"/metrics answered {text[:300]!r}")
        found = {}
        for line in text.split("\n"):
            name, _, value = line.strip().rpartition(" ")
            if name.startswith("unrolled_"):
                found[name] = float(value)
        return found
