"""The thread of one device: steps the batches of all its models in turn.

While anything runs, a round seats those who may start, steps every model once and wakes the
readers. With nothing to do the thread sleeps until somebody submits, reads or closes.
"""

import logging
import math
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic

from backend.engine.admission import Admission, shutting_down
from backend.engine.batch import Batch
from backend.engine.errors import EngineError
from backend.engine.job import Runner
from backend.engine.rows import Rows
from backend.engine.stream import Mailbox, Stream
from backend.engine.turns import RING, Ring, Turns
from models import choosing

log = logging.getLogger("unrolled")


def places(runner: Runner | Ring, admission: Admission) -> int:
    """How many generations of a model, or of all that take turns, may run at once."""
    most = admission.limits.max_active
    return most if runner is RING else min(most, len(runner.stepper.state))


class Worker:
    """Runs batches on a thread of its own. Everything here but `_run` may be called by others."""

    def __init__(self, name: str, admission: Admission, on_free: Callable[[], None]):
        self.admission = admission
        self._on_free = on_free  # a place or bytes are free: any worker may have use for them
        self.batches: dict[int, Rows] = {}  # by the identity of the runner
        self._waited_for: dict[int, Runner | Ring] = {}  # models that may have somebody in line
        self._look = False  # a line may have become longer, or a place free
        self._past = [0, 0]  # steps and tokens of batches that are gone
        self._mailboxes: dict[Mailbox, None] = {}
        self._wake = Event()
        self._stop_at = math.inf
        self._flush_at = 0.0
        self._thread = Thread(target=self._run, name=f"engine-{name}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, stream: Stream) -> None:
        """Put a stream in line. Raises what `Admission.enter` raises."""
        runner = stream.job.runner
        self.admission.enter(stream, places(runner, self.admission))
        self._mailboxes[stream.mailbox] = None
        self._waited_for[id(runner)] = runner
        self.look()

    def look(self) -> None:
        """Look at the lines, and at the readers of paused rows, before the next step."""
        self._look = True
        self._wake.set()

    def stop(self, drain_seconds: float) -> None:
        """Let what runs go on for so long at most, then end it and the thread."""
        self._stop_at = monotonic() + drain_seconds
        self._wake.set()

    def join(self) -> None:
        """Wait for the thread to end; blocks."""
        self._thread.join()

    def counts(self) -> tuple[int, int, int]:
        """Steps, tokens, leaked rows."""
        batches = list(self.batches.values())
        return (
            self._past[0] + sum(batch.steps for batch in batches),
            self._past[1] + sum(batch.tokens for batch in batches),
            sum(batch.leaked for batch in batches),
        )

    @property
    def widest(self) -> int:
        """Rows of the widest batch."""
        return max((len(batch.running) for batch in list(self.batches.values())), default=0)

    @property
    def paused(self) -> int:
        """Rows that wait for their readers."""
        return sum(len(batch.paused) for batch in list(self.batches.values()))

    # -- the thread --------------------------------------------------------------------------

    def _run(self) -> None:
        choosing.warm_up()
        while True:
            try:
                now = monotonic()
                if self._look:
                    self._seat()
                busy = False
                for batch in list(self.batches.values()):
                    busy |= self._tick(batch, now)
                if not busy or monotonic() >= self._flush_at:
                    self._flush()
                if now >= self._stop_at or (self._stop_at < math.inf and not self.batches):
                    break
                if not busy:
                    self._sleep()
            except Exception:
                log.exception("a round of the engine failed")
        for batch in list(self.batches.values()):
            batch.fail(shutting_down())
        self._flush()

    def _flush(self) -> None:
        """Wake the readers. Not after every step of a fast model: what a wake-up costs is paid
        in the interpreter's lock, which the next step waits for."""
        self._flush_at = monotonic() + self.admission.limits.flush_seconds
        for mailbox in list(self._mailboxes):
            mailbox.flush()

    def _tick(self, batch: Rows, now: float) -> bool:
        try:
            busy = batch.tick(now)
        except Exception:
            log.exception("a batch failed")
            batch.fail(EngineError("model_failed", "The engine failed on this step."))
            busy = True
        if not batch.rows and id(batch.runner) not in self._waited_for:
            self._past[0] += batch.steps
            self._past[1] += batch.tokens
            del self.batches[id(batch.runner)]
        return busy

    def _seat(self) -> None:
        """Give free slots to those in line."""
        self._look = False  # before looking: who enters from now on is seen next round
        for key, runner in list(self._waited_for.items()):
            del self._waited_for[key]
            batch = self.batches.get(key)
            room = batch.room if batch else places(runner, self.admission)
            while room and (stream := self.admission.admit(key)):
                if batch is None:
                    make = Turns if runner is RING else Batch
                    batch = make(runner, room, self.admission.limits, self._left)
                    self.batches[key] = batch
                batch.join(stream)
                room -= 1
            if self.admission.waits(key):
                self._waited_for[key] = runner

    def _left(self, stream: Stream, seconds: float) -> None:
        self.admission.release(stream, seconds)
        self._on_free()

    def _sleep(self) -> None:
        self._wake.clear()
        if self._look or self._stop_at <= monotonic():
            return
        batches = self.batches.values()
        if any(batch.ready for batch in batches):
            return
        seconds = min([self._stop_at - monotonic(), *(batch.patience for batch in batches)])
        self._wake.wait(None if seconds == math.inf else max(0.0, seconds))
