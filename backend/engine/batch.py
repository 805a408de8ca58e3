"""The live generations of one model: all of them advance by one token together.

A generation is a row; it holds a slot of the stepper's state from its first step to its last.
Rows join and leave between steps. A prefix is read through the same steps as what is written
after it, its tokens forced, so its probabilities are recorded the same way. A row whose reader
is behind pauses: it keeps its slot and its numbers, and is not part of the steps.
"""

import logging
import math
from collections.abc import Callable
from time import monotonic

import numpy as np

from backend.engine.errors import EngineError
from backend.engine.job import End, Runner, Step
from backend.engine.limits import Limits
from backend.engine.stream import Stream
from models.sampling import draw, top, uniform

log = logging.getLogger("unrolled")
CANDIDATES = 5


class Row:
    """One generation in the batch."""

    __slots__ = (
        "stream",
        "slot",
        "index",
        "token",
        "prefix",
        "start",
        "last",
        "seed",
        "probability",
        "top",
        "since",
        "until",
        "paused_until",
    )

    def __init__(self, stream: Stream, slot: int, now: float, limits: Limits):
        job = stream.job
        self.stream, self.slot = stream, slot
        self.index = 0  # of the token that is read next
        self.token = job.prefix[0]
        self.prefix = job.prefix
        self.start = job.start
        self.last = job.length - 1  # index of the last token
        self.seed = job.seed
        self.probability: float | None = None
        self.top: list = []
        self.since = now
        self.until = now + limits.max_seconds
        self.paused_until = math.inf


class Batch:
    """The rows of one model, on the thread of its device.

    `on_leave(stream, seconds)` is called once for every row that leaves.
    """

    def __init__(
        self, runner: Runner, places: int, limits: Limits, on_leave: Callable[[Stream, float], None]
    ):
        self.runner, self.limits = runner, limits
        self.stepper = runner.stepper
        self.places = places
        self.free = list(range(places))[::-1]
        self.running: list[Row] = []
        self.paused: list[Row] = []
        self.steps = 0  # steps of the batch
        self.tokens = 0  # steps of rows
        self._on_leave = on_leave
        self._changed = True  # the arrays below do not match `running`
        self._until = math.inf  # when the first running row is out of time
        self._slots = self._tokens = np.zeros(0, np.int64)
        self._settings: tuple[np.ndarray, ...] = ()  # temperature, top_k, top_p, each (B,)

    # -- joining and leaving -----------------------------------------------------------------

    def join(self, stream: Stream) -> None:
        """Give a stream a slot; it takes part from the next step on."""
        slot = self.free[-1]
        self.stepper.reset(slot)
        self.running.append(Row(stream, slot, monotonic(), self.limits))
        self.free.pop()
        self._changed = True

    def _leave(self, row: Row, outcome: End | EngineError | None) -> None:
        """Free a row's slot; the caller takes it out of `running` or `paused`."""
        self.free.append(row.slot)
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
        """Rows that hold a slot."""
        return len(self.running) + len(self.paused)

    @property
    def leaked(self) -> int:
        """Slots that are taken and by no row, and rows whose reader has gone."""
        lost = max(0, self.places - len(self.free) - self.rows)
        return lost + sum(row.stream.closed for row in [*self.running, *self.paused])

    # -- pausing -----------------------------------------------------------------------------

    def review(self, now: float) -> None:
        """Take paused rows back whose reader has caught up, and end those out of time."""
        still = []
        for row in self.paused:
            stream = row.stream
            if stream.closed:
                self._leave(row, None)
            elif stream.unread * 2 <= stream.capacity:
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
        return any(
            row.stream.closed or row.stream.unread * 2 <= row.stream.capacity
            for row in self.paused
        )

    @property
    def patience(self) -> float:
        """Seconds until a paused row has to be looked at again."""
        moments = [min(row.paused_until, row.until) for row in self.paused]
        return max(0.0, min(moments, default=math.inf) - monotonic())

    def _out_of_time(self) -> EngineError:
        seconds = self.limits.max_seconds
        return EngineError("time_limit", f"A stream may run for {seconds:g} seconds.")

    # -- one step ----------------------------------------------------------------------------

    def tick(self, now: float) -> bool:
        """Advance every running row by one token; False where there was none."""
        if self.paused:
            self.review(now)
        if not self.running:
            return False
        if self._changed:
            self._arrange()
        rows = self.running
        try:
            capture, logits = self.stepper.step(self._slots, self._tokens)
            sound = np.isfinite(logits).all(axis=1)
            if not sound.all():
                rows, capture, logits = self._drop_unsound(sound, capture, logits)
                if not rows:
                    return True
            u = np.array([uniform(row.seed, row.index + 1) for row in rows])
            tokens, own, drawn = draw(logits, *self._settings, u)
            order = top(own, CANDIDATES)  # (B, 5)
            at = np.arange(len(rows))[:, None]
            chances = zip(
                order.tolist(), own[at, order].tolist(), drawn[at, order].tolist(), strict=True
            )
        except Exception:
            log.exception("a step of %s failed", rows[0].stream.job.model_id)
            self.fail(EngineError("model_failed", "The model failed on this step."))
            return True
        self.steps += 1
        self.tokens += len(rows)
        left = now >= self._until  # rows may be out of time
        chosen = tokens.tolist()
        for b, (row, candidates) in enumerate(zip(rows, chances, strict=True)):
            try:
                left |= self._advance(row, capture[b], logits[b], chosen, own, b, candidates, now)
            except Exception:
                log.exception("a row of %s failed", row.stream.job.model_id)
                row.stream.finish(EngineError("row_failed", "This stream failed on this step."))
                left = True
        if left:
            self._sweep(now)
        else:
            self._tokens = np.array([row.token for row in rows], np.int64)
        return True

    def _advance(self, row, captured, logits, chosen, own, b, candidates, now) -> bool:
        """Report what a row read, choose what it reads next; True where it leaves or pauses."""
        stream, index = row.stream, row.index
        if stream.closed:
            return True
        if index >= row.start:
            columns = stream.columns
            stream.put(
                Step(
                    index,
                    row.token,
                    index < len(row.prefix),
                    row.probability,
                    row.top,
                    columns,
                    columns.take(captured, logits),
                )
            )
        row.top = list(zip(*candidates, strict=True))
        if index == row.last:
            stream.finish(End(row.top))
            return True
        row.index = index = index + 1
        row.token = token = row.prefix[index] if index < len(row.prefix) else chosen[b]
        row.probability = float(own[b, token])
        if stream.unread >= stream.capacity:
            stream.paused = True
            row.paused_until = now + self.limits.reader_deadline_seconds
            return True
        return False

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

    def _drop_unsound(self, sound: np.ndarray, capture: np.ndarray, logits: np.ndarray):
        """End the rows whose logits are not finite; returns the others and their numbers."""
        for row, fine in zip(self.running, sound, strict=True):
            if not fine:
                message = f"The model gave a number that is not finite at token {row.index}."
                self._leave(row, EngineError("non_finite", message))
        self.running = [row for row, fine in zip(self.running, sound, strict=True) if fine]
        self._arrange()
        return self.running, capture[sound], logits[sound]

    def _arrange(self) -> None:
        """Arrays that match `running`."""
        rows = self.running
        jobs = [row.stream.job for row in rows]
        self._slots = np.array([row.slot for row in rows], np.int64)
        self._tokens = np.array([row.token for row in rows], np.int64)
        self._settings = (
            np.array([job.temperature for job in jobs]),
            np.array([job.top_k for job in jobs]),
            np.array([job.top_p for job in jobs]),
        )
        self._until = min((row.until for row in rows), default=math.inf)
        self._changed = False
