"""The live generations of one model: all of them advance by one token together.

Two things are done for a crowd, where a step of all rows costs more than one of a few. Whoever has
more rows than others gets no more steps for them: each client has one row in a step, then a second
one, as long as the step stays narrow, and its rows take turns. And those that still read their
prefix get steps of their own in between, at most as much work as the others have: a text that was
just asked for has its first character soon, however many are being written. (A step has a price of
its own, whoever takes part: it is counted as that of two narrow ones.)

A row holds a slot of the stepper's state from its first step to its last, paused or not. A prefix
is read through the same steps as what is written after it, its tokens forced, so its
probabilities are recorded the same way.
"""

import logging
import math
from collections import Counter
from collections.abc import Callable
from time import monotonic

import numpy as np

from backend.engine.errors import EngineError
from backend.engine.job import End, Runner, Step
from backend.engine.limits import Limits
from backend.engine.memory import is_full
from backend.engine.rows import Row, Rows
from backend.engine.stream import Stream
from models.choosing import Choice, Settings, choose

log = logging.getLogger("unrolled")
SEED_MASK = (1 << 64) - 1
NARROW = 32  # rows of a step that is cheap: every further row adds its whole cost


def failure(error: Exception) -> EngineError:
    """What the readers of a step that failed are told."""
    if is_full(error):
        return EngineError("no_memory", "There is no memory left for this step.")
    return EngineError("model_failed", "The model failed on this step.")


class BatchRow(Row):
    """One generation in the batch."""

    __slots__ = ("slot", "index", "token", "read", "start", "last", "probability", "top", "turn")

    def __init__(self, stream: Stream, slot: int, now: float, limits: Limits):
        super().__init__(stream, now, limits)
        job = stream.job
        self.slot = slot
        self.index = 0  # of the token that is read next
        self.token = job.prefix[0]
        self.read = len(job.prefix)  # tokens that are read, before some are written
        self.start = job.start
        self.last = job.length - 1  # index of the last token
        self.probability: float | None = None
        self.top: list = []
        self.turn = 0  # number of the step that it was last part of

    @property
    def forced(self) -> int:
        """The token after the one that is read next, where the prefix says it; else -1."""
        following = self.index + 1
        return self.stream.job.prefix[following] if following < self.read else -1


class Batch(Rows):
    """The rows of one model, on the thread of its device."""

    def __init__(
        self, runner: Runner, places: int, limits: Limits, on_leave: Callable[[Stream, float], None]
    ):
        super().__init__(runner, places, limits, on_leave)
        self.stepper = runner.stepper
        self.free = list(range(places))[::-1]
        self._most = places  # rows that a step takes at once
        self._until = math.inf  # when the first running row is out of time
        self._each = places  # rows of one client in a step, at most
        self._credit = 0  # rows of steps that those who read their prefix may have by themselves
        self._rows: list[BatchRow] = []  # of the next step; what follows belongs to them
        self._slots: np.ndarray  # (B,) int64, and so are the next three
        self._tokens: np.ndarray  # to read
        self._positions: np.ndarray  # of the tokens to choose
        self._forced: np.ndarray  # the tokens of the prefix there, -1 past its end
        self._settings: Settings

    # -- joining and leaving -----------------------------------------------------------------

    def join(self, stream: Stream) -> None:
        """Give a stream a slot; it takes part from the next step on."""
        slot = self.free[-1]
        self.stepper.reset(slot)
        self.running.append(BatchRow(stream, slot, monotonic(), self.limits))
        self.free.pop()
        self._changed = True

    def _free(self, row: BatchRow) -> None:
        self.free.append(row.slot)

    @property
    def room(self) -> int:
        """Slots that are free."""
        return len(self.free)

    @property
    def leaked(self) -> int:
        """Slots that are taken and by no row, and rows whose reader has gone."""
        return max(0, self.places - len(self.free) - self.rows) + super().leaked

    # -- one step ----------------------------------------------------------------------------

    def tick(self, now: float) -> bool:
        """Advance every running row by one token; False where there was none."""
        if self.paused:
            self.review(now)
        if not self.running:
            return False
        if self._changed:
            self._count()
        rows = self._turn()
        if self._changed or rows is not self._rows:
            self._arrange(rows)
        try:
            captured, logits = self._step()
            choice = choose(logits, self._settings, self._positions, self._forced)
        except Exception as error:
            log.exception("a step of %s failed", rows[0].stream.job.model_id)
            self.fail(failure(error))
            return True
        self.steps += 1
        self.tokens += len(rows)
        self._tokens = choice.tokens
        self._positions += 1
        left = self._report(captured, logits, choice, now)
        if rows is not self.running:
            for row in rows:
                row.turn = self.steps
            left = left or any(row.stream.closed for row in self.running)
        if left or now >= self._until:
            self._sweep(now)
        return True

    def _step(self) -> tuple[np.ndarray, np.ndarray]:
        """A step of all rows, in parts where there is no memory for all of them at once.

        A part that fails has advanced none of its rows, so half of it is tried next; those before
        it are not taken twice.
        """
        rows, done, parts = len(self._slots), 0, []
        while done < rows:
            stop = min(rows, done + self._most)
            try:
                part = self.stepper.step(self._slots[done:stop], self._tokens[done:stop])
            except Exception as error:
                if stop - done == 1 or not is_full(error):
                    raise
                self._most = (stop - done) // 2
                log.warning("no memory for a step of %d rows, now %d", stop - done, self._most)
                continue
            if stop - done == rows:
                return part
            parts.append([numbers.copy() for numbers in part])
            done = stop
        captured, logits = zip(*parts, strict=True)
        return np.concatenate(captured), np.concatenate(logits)

    # -- who takes part in a step ------------------------------------------------------------

    def _turn(self) -> list[BatchRow]:
        """The rows of the next step; `running` itself where it is all of them."""
        rows = self.running
        if len(rows) <= NARROW:
            return rows
        reading = [row for row in rows if row.index + 1 < row.read]
        if 0 < len(reading) <= len(rows) // 2:
            first = list({row.stream.client: row for row in reading}.values())
            cost = 2 * NARROW + len(first)
            if cost <= self._credit:
                self._credit -= cost
                return first
        rows = self._shares()
        self._credit = min(self._credit, len(rows)) + len(rows)
        return rows

    def _shares(self) -> list[BatchRow]:
        """At most `_each` rows of a client, those that have waited longest."""
        if self._each >= self.places:
            return self.running
        chosen, taken = [], Counter()
        for row in sorted(self.running, key=lambda row: (row.turn, row.index)):
            client = row.stream.client
            if taken[client] < self._each:
                taken[client] += 1
                chosen.append(row)
        return chosen

    def _count(self) -> None:
        """How many rows of a client go into a step: as many as fit into a narrow one, and one."""
        counts = sorted(Counter(row.stream.client for row in self.running).values())
        self._each = self.places
        if len(self.running) <= NARROW or counts[0] == counts[-1]:
            return
        left, clients = NARROW, len(counts)
        for count in counts:  # the smallest first: what they leave is the others'
            if count * clients > left:
                self._each = max(1, left // clients)
                return
            left, clients = left - count, clients - 1

    # -- what comes of it --------------------------------------------------------------------

    def _report(self, captured: np.ndarray, logits: np.ndarray, choice: Choice, now: float) -> bool:
        """Hand out what each row has read, and note what it reads next; True where any leaves
        or pauses. This loop is what a step costs in Python: it is kept short."""
        sort, ahead = False, self.ahead
        for b, (row, sound, token, probability, *candidates) in enumerate(
            zip(self._rows, *(column.tolist() for column in choice), strict=True)
        ):
            stream = row.stream
            try:
                if stream.closed:
                    sort = True
                    continue
                if not sound:
                    raise EngineError(
                        "non_finite",
                        f"The model gave a number that is not finite at token {row.index}.",
                    )
                index = row.index
                if index >= row.start:
                    columns = stream.columns
                    stream.put(
                        Step(
                            index,
                            row.token,
                            index < row.read,
                            row.probability,
                            row.top,
                            columns,
                            columns.take(captured, logits, b),
                        )
                    )
                    if stream.unread >= ahead or stream.unread >= stream.capacity:
                        self._pause(row, now)
                        sort = True
                row.top = list(zip(*candidates, strict=True))
                if index == row.last:
                    stream.finish(End(row.top))
                    sort = True
                row.index = index + 1
                row.token, row.probability = token, probability
                if index <= row.read:
                    self._forced[b] = row.forced
            except EngineError as error:
                stream.finish(error)
                sort = True
            except Exception:
                log.exception("a row of %s failed", stream.job.model_id)
                stream.finish(EngineError("row_failed", "This stream failed on this step."))
                sort = True
        return sort

    def _sweep(self, now: float) -> None:
        """Sort the rows after a step into those that go on, pause or have left."""
        going = []
        for row in self.running:
            if row.stream.closed or row.stream.ended:
                self._leave(row, None)
            elif now >= row.until:
                self._leave(row, self._out_of_time())
            elif row.stream.paused:
                self.paused.append(row)
            else:
                going.append(row)
        self.running = going
        self._changed = True

    def _arrange(self, rows: list[BatchRow]) -> None:
        """Arrays that match the rows of a step."""
        self._rows = rows
        self._slots = np.array([row.slot for row in rows], np.int64)
        self._tokens = np.array([row.token for row in rows], np.int64)
        self._positions = np.array([row.index + 1 for row in rows], np.int64)
        self._forced = np.array([row.forced for row in rows], np.int64)
        jobs = [row.stream.job for row in rows]
        self._settings = Settings(
            np.array([job.temperature for job in jobs], np.float64),
            np.array([job.top_k for job in jobs], np.int64),
            np.array([job.top_p for job in jobs], np.float64),
            np.array([job.seed & SEED_MASK for job in jobs], np.uint64),
        )
        self._until = min((row.until for row in self.running), default=math.inf)
        self._changed = False
