"""Who runs, who waits, who is refused.

Each model has a line of waiting streams. A free place goes to the client with the fewest streams
running, and among equals to who came first: in order of arrival while everyone asks for one,
and no client can fill the places with a pile of requests while another has none. The numbers
that may wait unread are reserved from the start of a stream until its reader is done with it, so
the budget in all cannot be overrun.

Every method may be called from any thread; the lock is held for dictionary work only.
"""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock

from backend.engine.errors import EngineError, Full, TooMany
from backend.engine.limits import Limits
from backend.engine.stream import Stream


def shutting_down() -> EngineError:
    """What everyone hears once the engine stops."""
    return EngineError("shutting_down", "The server is stopping; ask again in a moment.")


@dataclass
class Line:
    """The streams of one model."""

    waiting: dict[str, dict[Stream, int]] = field(default_factory=dict)  # client -> arrivals
    running: Counter = field(default_factory=Counter)  # client -> streams
    seconds: float = 1.0  # how long a stream of this model has lasted, of late

    @property
    def queued(self) -> int:
        return sum(len(streams) for streams in self.waiting.values())

    @property
    def active(self) -> int:
        return self.running.total()


class Admission:
    """The lines of all models, and what is reserved by whom."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self.closing = False
        self._lock = Lock()
        self._lines: dict[int, Line] = {}  # by the identity of the runner
        self._under_way: Counter[str] = Counter()  # by client, all that are not closed
        self._held = 0  # bytes reserved by streams that run or are not read to their end
        self._unread: set[Stream] = set()  # have left the batch, and their readers not
        self._arrivals = 0

    def enter(self, stream: Stream, places: int) -> None:
        """Put a stream in line for one of a model's `places`.

        Raises `Full` or `TooMany`, or the `shutting_down` error once `close` was called.
        """
        limits, key = self.limits, id(stream.job.runner)
        with self._lock:
            if self.closing:
                raise shutting_down()
            line = self._lines.get(key) or Line()
            under_way = line.active + line.queued
            wait = line.seconds * max(1, under_way - places + 1) / places
            retry_after = min(60.0, max(1.0, wait))
            if self._under_way[stream.client] >= limits.max_per_client:
                raise TooMany(
                    f"This client has {limits.max_per_client} streams under way already.",
                    retry_after,
                )
            if under_way >= places + limits.max_queued:
                raise Full(f"{line.active} streams run and {line.queued} wait.", retry_after)
            self._lines[key] = line
            self._arrivals += 1
            line.waiting.setdefault(stream.client, {})[stream] = self._arrivals
            self._under_way[stream.client] += 1

    def admit(self, key: int) -> Stream | None:
        """The next stream of a model to run; None where none waits or none may start yet."""
        with self._lock:
            line = self._lines.get(key)
            if line is None or not line.waiting:
                return None
            client = min(
                line.waiting,
                key=lambda name: (line.running[name], next(iter(line.waiting[name].values()))),
            )
            stream = next(iter(line.waiting[client]))
            if self._held and self._held + stream.reserved > self.limits.max_held_bytes:
                return None  # the first in line keeps its turn until others have ended
            self._unqueue(line, stream)
            self._held += stream.reserved
            line.running[client] += 1
            return stream

    def withdraw(self, stream: Stream) -> None:
        """The reader has closed the stream: out of the line, or done with what was left unread.

        A stream that is still in the batch counts until `release`.
        """
        with self._lock:
            line = self._lines.get(id(stream.job.runner))
            if line is not None and stream in line.waiting.get(stream.client, ()):
                self._unqueue(line, stream)
                self._forget(stream)
            elif stream in self._unread:
                self._unread.remove(stream)
                self._held -= stream.reserved
                self._forget(stream)

    def release(self, stream: Stream, seconds: float) -> None:
        """A stream that ran for so many seconds has left the batch."""
        with self._lock:
            line = self._lines[id(stream.job.runner)]
            line.running[stream.client] -= 1
            if not line.running[stream.client]:
                del line.running[stream.client]
            line.seconds += 0.1 * (seconds - line.seconds)
            if stream.closed:
                self._held -= stream.reserved
                self._forget(stream)
            else:
                self._unread.add(stream)
            self._tidy(stream)

    def close(self) -> list[Stream]:
        """Refuse everyone from now on; takes those who wait out of their lines."""
        with self._lock:
            self.closing = True
            lines = list(self._lines.values())
            waiting = [stream for line in lines for s in line.waiting.values() for stream in s]
        for stream in waiting:
            self.withdraw(stream)
        return waiting

    def waits(self, key: int) -> bool:
        """Whether anybody waits for a model."""
        with self._lock:
            return key in self._lines and bool(self._lines[key].waiting)

    def counts(self) -> tuple[int, int]:
        """Streams that run, streams that wait."""
        with self._lock:
            lines = self._lines.values()
            return sum(line.active for line in lines), sum(line.queued for line in lines)

    @property
    def held(self) -> int:
        """Bytes of captured numbers that are reserved."""
        return self._held

    @property
    def idle(self) -> bool:
        """Whether nothing is counted against anybody."""
        return not (self._lines or self._under_way or self._unread or self._held)

    def _unqueue(self, line: Line, stream: Stream) -> None:
        streams = line.waiting[stream.client]
        del streams[stream]
        if not streams:
            del line.waiting[stream.client]

    def _forget(self, stream: Stream) -> None:
        self._under_way[stream.client] -= 1
        if not self._under_way[stream.client]:
            del self._under_way[stream.client]
        self._tidy(stream)

    def _tidy(self, stream: Stream) -> None:
        line = self._lines.get(id(stream.job.runner))
        if line is not None and not line.waiting and not line.running:
            del self._lines[id(stream.job.runner)]
