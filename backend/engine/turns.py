"""Generations that are generators: all of them, of whatever models, advance an item in turn.

The turns are the clients': in a round, each who has any generation has one item, and whoever has
several has them in turn.

For networks whose steps are not batched together, such as a translator with its beam search. One
thread of its own goes round: each generator makes one item, then the next one has its turn, so a
short generation is never behind a long one, and the batches of other workers never wait. Each
is a batch of one: its numbers do not depend on who is there beside it.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any, ClassVar

from backend.engine.errors import EngineError
from backend.engine.job import End
from backend.engine.limits import Limits
from backend.engine.memory import is_full
from backend.engine.rows import Row, Rows
from backend.engine.stream import Stream

log = logging.getLogger("unrolled")


class Ring:
    """Where those who take turns sit: one line, one set of places, one thread for all models."""

    device = "turns"


RING = Ring()


@dataclass(frozen=True, eq=False)
class Turn:
    """One generation that takes turns.

    `begin` is called on the engine's thread and returns an iterator; its stream yields lists of
    what that makes, then an empty `End`. None is a turn that has nothing to tell yet. Raise
    `EngineError` inside it to choose the error that its reader gets.
    """

    model_id: str
    begin: Callable[[], Iterator[Any]]
    length: int  # items with captured numbers, at most
    bytes: int  # of such numbers in an item, on average at most

    runner: ClassVar[Ring] = RING
    start: ClassVar[int] = 0  # every item is handed on

    @property
    def kept(self) -> "Turn":
        """What says how many `bytes` an item keeps."""
        return self


class Turner(Row):
    """A row with its generator."""

    __slots__ = ("items",)

    def __init__(self, stream: Stream, limits: Limits):
        super().__init__(stream, monotonic(), limits)
        self.items = _items(stream.job)


def _items(job: Turn):
    """A generator whatever `begin` returns; nothing of it runs before its first turn."""
    yield from job.begin()


class Turns(Rows):
    """The generators under way; a tick is one item of one of them."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._had: set[str] = set()  # clients that have had their turn in this round

    def join(self, stream: Stream) -> None:
        """Seat a stream; its first turn comes after everybody else's next."""
        self.running.append(Turner(stream, self.limits))

    def _free(self, row: Turner) -> None:
        try:
            row.items.close()  # here: no other thread may close a generator that runs
        except Exception:
            log.exception("a generator of %s failed to close", row.stream.job.model_id)

    def tick(self, now: float) -> bool:
        """Give the next one its turn; False where there is nobody."""
        if self.paused:
            self.review(now)
        self._dismiss()
        if not self.running:
            return False
        row = self._next()
        outcome = self._advance(row)
        self.steps += 1
        self.tokens += 1
        if outcome is None and now >= row.until:
            outcome = self._out_of_time()
        if outcome is not None:
            self._leave(row, outcome)
        elif row.stream.unread >= min(row.stream.capacity, self.ahead):
            self._pause(row, now)
            self.paused.append(row)
        else:
            self.running.append(row)
        return True

    def _next(self) -> Turner:
        """Take out the first row of a client that has had no turn in this round."""
        had, rows = self._had, enumerate(self.running)
        at = next((at for at, row in rows if row.stream.client not in had), -1)
        if at < 0:
            at = 0
            had.clear()
        row = self.running.pop(at)
        had.add(row.stream.client)
        return row

    def _advance(self, row: Turner) -> End | EngineError | None:
        """Hand one item to a row's reader; how the row has ended, where it has."""
        try:
            item = next(row.items)
            if item is not None:
                row.stream.put(item)
        except StopIteration:
            return End([])
        except EngineError as error:
            return error
        except Exception as error:
            log.exception("a generator of %s failed", row.stream.job.model_id)
            if is_full(error):
                return EngineError("no_memory", "There is no memory left for this stream.")
            return EngineError("row_failed", "This stream failed on this step.")
        return None

    def _dismiss(self) -> None:
        """Let those go whose reader has left, before anybody waits for their turn."""
        for row in [row for row in self.running if row.stream.closed]:
            self.running.remove(row)
            self._leave(row, None)
