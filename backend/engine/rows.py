"""What live generations have in common, however they are stepped: they join, pause and leave.

A generation is a row. Rows join and leave between steps. One whose reader is behind pauses: it
keeps what it has, and is not part of the steps until its reader has caught up. In a crowd it may
be less far behind: where the readers are slower than the model, each has a few steps often, and not
many steps seldom.
"""

import math
from collections.abc import Callable
from time import monotonic

from backend.engine.errors import EngineError
from backend.engine.job import End
from backend.engine.limits import Limits
from backend.engine.stream import Stream

UNREAD = 4096  # steps that all rows together may be ahead of their readers, ...
EACH = 8  # ... but for so many of each


class Row:
    """One generation under way."""

    __slots__ = ("stream", "since", "until", "paused_until")

    def __init__(self, stream: Stream, now: float, limits: Limits):
        self.stream = stream
        self.since = now
        self.until = now + limits.max_seconds
        self.paused_until = math.inf


class Rows:
    """The rows that one thread steps, at most `places` of them.

    A subclass makes rows in `join`, steps them in `tick` and gives back in `_free` what a row
    held. `on_leave(stream, seconds)` is called once for every row that leaves.
    """

    def __init__(
        self, runner, places: int, limits: Limits, on_leave: Callable[[Stream, float], None]
    ):
        self.runner, self.places, self.limits = runner, places, limits
        self.running: list = []
        self.paused: list = []
        self.steps = 0  # of all together
        self.tokens = 0  # of rows
        self._on_leave = on_leave
        self._changed = True  # `running` is not what it was

    def join(self, stream: Stream) -> None:
        """Take a stream in; it takes part from the next step on."""
        raise NotImplementedError

    def tick(self, now: float) -> bool:
        """Make a step; False where there is none to make."""
        raise NotImplementedError

    def _free(self, row: Row) -> None:
        """Give back what a row held."""

    def _leave(self, row: Row, outcome: End | EngineError | None) -> None:
        """Free a row; the caller takes it out of `running` or `paused`."""
        self._free(row)
        self._on_leave(row.stream, monotonic() - row.since)
        if outcome is not None:
            row.stream.finish(outcome)

    def fail(self, error: EngineError) -> None:
        """End every row with an error."""
        rows, self.running, self.paused = self.running + self.paused, [], []
        self._changed = True
        for row in rows:
            self._leave(row, EngineError(error.code, error.message))

    @property
    def rows(self) -> int:
        """Rows that hold a place."""
        return len(self.running) + len(self.paused)

    @property
    def room(self) -> int:
        """Places that are free."""
        return self.places - self.rows

    @property
    def leaked(self) -> int:
        """Rows whose reader has gone."""
        return sum(row.stream.closed for row in [*self.running, *self.paused])

    # -- pausing -----------------------------------------------------------------------------

    @property
    def ahead(self) -> int:
        """Steps that a row may be ahead of its reader."""
        return max(EACH, UNREAD // max(1, self.rows))

    @staticmethod
    def _caught_up(stream: Stream, ahead: int) -> bool:
        """Whether a paused row may go on."""
        return stream.unread * 2 <= min(stream.capacity, ahead)

    def _pause(self, row: Row, now: float) -> None:
        """Mark a row whose reader is behind; the caller moves it to `paused`."""
        row.stream.paused = True
        row.paused_until = now + self.limits.reader_deadline_seconds

    def review(self, now: float) -> None:
        """Take paused rows back whose reader has caught up, and end those out of time."""
        still, ahead = [], self.ahead
        for row in self.paused:
            stream = row.stream
            if stream.closed:
                self._leave(row, None)
            elif self._caught_up(stream, ahead):
                stream.paused = False
                row.paused_until = math.inf
                self.running.append(row)
                self._changed = True
            elif now >= row.until:
                self._leave(row, self._out_of_time())
            elif now >= row.paused_until:
                seconds = self.limits.reader_deadline_seconds
                message = f"Nobody read this stream for {seconds:g} seconds."
                stream.drop()
                self._leave(row, EngineError("slow_reader", message))
            else:
                still.append(row)
        self.paused = still

    @property
    def ready(self) -> bool:
        """Whether there is something to do for a paused row."""
        ahead = self.ahead
        return any(row.stream.closed or self._caught_up(row.stream, ahead) for row in self.paused)

    @property
    def patience(self) -> float:
        """Seconds until a paused row has to be looked at again."""
        moments = [min(row.paused_until, row.until) for row in self.paused]
        return max(0.0, min(moments, default=math.inf) - monotonic())

    def _out_of_time(self) -> EngineError:
        seconds = self.limits.max_seconds
        return EngineError("time_limit", f"A stream may run for {seconds:g} seconds.")
