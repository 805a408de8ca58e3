"""The reader's end of a generation: an asynchronous iterator with a bounded queue.

The worker's thread appends, the event loop's thread takes; neither waits for the other. What has
gathered since the last look is handed over in one list, so a reader that is slower than the
model gets longer lists and not more wake-ups. All streams of one event loop share a `Mailbox`,
which calls into the loop at most once for all that became ready meanwhile. Readers stand in its
line for every list: one for whom there is always more, because its model is faster than the loop,
would never let go of the loop otherwise.

The two threads meet in three places only, each safe because one side writes first and then
looks, and so does the other: the waiter (set, then look into the queue / append, then look for a
waiter), the pause (mark, then look / take, then look for the mark), and the outcome (appended
steps come before it / it is read before the steps).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from backend.engine.columns import Columns
from backend.engine.errors import EngineError
from backend.engine.job import End, Job, Step

if TYPE_CHECKING:
    from backend.engine.turns import Turn


AT_ONCE = 16  # readers that are woken together


class Mailbox:
    """Tells one event loop which of its streams have something to read."""

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self.loop = loop
        self._ready: deque[Stream] = deque()
        self._scheduled = False

    def post(self, stream: "Stream") -> None:
        """Worker: this stream's reader is asleep and has something to read."""
        if not stream.in_line:  # once: who is there twice has two turns
            stream.in_line = True
            self._ready.append(stream)

    def stand_in_line(self, stream: "Stream") -> None:
        """Loop: this stream's reader has something to read, when it is its turn."""
        self.post(stream)
        self._go_on()

    def _go_on(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self.loop.call_soon(self._deliver)

    def flush(self) -> None:
        """Worker: wake the readers that were posted; one call into the loop for all of them."""
        if self._ready and not self._scheduled:
            self._scheduled = True
            try:
                self.loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:  # the loop is closed, and its readers with it
                while self._ready:
                    self._ready.popleft().closed = True

    def _deliver(self) -> None:
        """Loop: wake some of those who were posted, then let the loop look at everything else
        before the next ones: what it has to do for hundreds of readers takes tens of ms."""
        self._scheduled = False  # before looking: what is posted from now on calls again
        woken = 0
        while self._ready and woken < AT_ONCE:
            stream = self._ready.popleft()
            stream.in_line = False  # before it wakes: what is put from now on, it sees or posts
            woken += stream.wake()
        if self._ready:
            self._go_on()


class Stream:
    """The steps of one job: `async for` yields lists of `Step` (of items, for a `Turn`), then one
    `End`.

    Raises `EngineError` where the generation cannot go on, after the steps that were made.
    Close it in `finally`: what a stream holds counts against its client until it is closed or
    read to its end. A stream that is closed leaves the batch within two steps.
    """

    __slots__ = (
        "job",
        "client",
        "columns",
        "capacity",
        "mailbox",
        "closed",
        "paused",
        "in_line",
        "_queue",
        "_outcome",
        "_waiter",
        "_on_close",
        "_on_space",
        "__weakref__",
    )

    def __init__(
        self,
        job: "Job | Turn",
        client: str,
        columns: "Columns | Turn",
        capacity: int,
        mailbox: Mailbox,
        on_close: Callable[["Stream"], None],
        on_space: Callable[[], None],
    ):
        self.job, self.client = job, client
        self.columns = columns  # what a step keeps: how many bytes
        self.capacity = capacity  # steps that wait unread before the row pauses
        self.mailbox = mailbox
        self.closed = False  # by its reader
        self.paused = False  # by the worker, until the reader has made space
        self.in_line = False  # of the mailbox
        self._queue: deque[Step] = deque()
        self._outcome: End | EngineError | None = None
        self._waiter: asyncio.Future | None = None
        self._on_close = on_close  # whom to tell that the reader has gone
        self._on_space = on_space  # whom to tell that a paused stream has been read

    # -- the reader's side: one task of the event loop ---------------------------------------

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> list[Step] | End:
        mine = False  # the turn
        while not self.closed:
            outcome = self._outcome  # before the queue: no step is appended after it is set
            if self._queue:
                if mine:
                    return self.take()
            elif isinstance(outcome, End):
                self.close()
                return outcome
            elif outcome is not None:
                self.close()
                raise outcome
            self._waiter = self.mailbox.loop.create_future()
            try:
                if self._queue or self._outcome is not None:
                    self.mailbox.stand_in_line(self)
                await self._waiter
            finally:
                self._waiter = None
            mine = True
        raise StopAsyncIteration

    def take(self) -> list[Step]:
        """Every step that waits, without waiting for one."""
        queue, steps = self._queue, []
        try:
            while True:
                steps.append(queue.popleft())
        except IndexError:
            pass
        if self.paused:
            self._on_space()
        return steps

    def close(self) -> None:
        """Stop the generation and give back what it holds; may be called twice."""
        if not self.closed:
            self.closed = True
            self._on_close(self)
            self._queue.clear()
            self.wake()

    def refuse(self, error: EngineError) -> None:
        """Loop: end a stream that has not begun."""
        self._outcome = error
        self.wake()

    def wake(self) -> bool:
        """Loop: let the reader look again; whether it slept."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            return False
        waiter.set_result(None)
        return True

    # -- the worker's side -------------------------------------------------------------------

    @property
    def reserved(self) -> int:
        """Bytes of captured numbers that may wait unread."""
        return self.capacity * self.columns.bytes

    @property
    def unread(self) -> int:
        """Steps that wait for the reader."""
        return len(self._queue)

    @property
    def ended(self) -> bool:
        """Whether an end or an error has been set."""
        return self._outcome is not None

    def put(self, step: Step) -> None:
        """Append a step; the caller flushes the mailbox when its round is over."""
        self._queue.append(step)
        if self._waiter is not None:
            self.mailbox.post(self)

    def finish(self, outcome: End | EngineError) -> None:
        """Nothing follows what is queued but this. The first outcome stays."""
        if self._outcome is None:
            self._outcome = outcome
            self.mailbox.post(self)

    def drop(self) -> None:
        """Forget the steps nobody came for."""
        self._queue.clear()
