"""The engine: submit a job, read its stream, stop, look at the counts.

There is one worker a device, and one for those who take turns; others than the CPU get theirs with
their first job. Everything is
called from an event loop and nothing here blocks it.
"""

import asyncio
from dataclasses import dataclass

from backend.engine.admission import Admission, shutting_down
from backend.engine.errors import TooLarge
from backend.engine.job import Job
from backend.engine.limits import Limits
from backend.engine.stream import Mailbox, Stream
from backend.engine.turns import Turn
from backend.engine.worker import Worker


@dataclass(frozen=True)
class Stats:
    """What the engine has done and is doing."""

    active: int  # streams that run
    queued: int  # streams that wait for a place
    steps: int  # steps of batches since the start
    tokens: int  # steps of rows since the start
    leaked: int  # rows nobody reads: 0 once two steps have passed since the last close
    widest: int = 0  # rows of the widest batch
    held: int = 0  # bytes of captured numbers that are reserved


class Engine:
    """Runs jobs on their models' devices within `limits`."""

    def __init__(self, limits: Limits | None = None):
        self.limits = limits or Limits()
        self._admission = Admission(self.limits)
        self._workers: dict[str, Worker] = {}
        self._mailbox: Mailbox | None = None
        self._started = False

    def start(self) -> None:
        """Accept jobs, and begin to compile what they need; the first one waits for that."""
        self._started = True
        self._worker("cpu")

    def submit(self, job: Job | Turn, client: str = "") -> Stream:
        """Put a job in line and return its stream at once; call from a running event loop.

        `client` is whoever asks, for fairness. Raises `Full`, `TooMany` or `TooLarge`,
        `ValueError` for points the model does not have, and `EngineError` with the code
        `shutting_down` once `stop` was called.
        """
        if not self._started:
            raise RuntimeError("the engine is not started; call start() first")
        limits = self.limits
        columns = job.kept
        reported = job.length - job.start
        if reported * columns.bytes > limits.max_state_bytes:
            steps = limits.max_state_bytes // columns.bytes
            raise TooLarge(
                f"{reported} steps of these points are {reported * columns.bytes} bytes, one "
                f"stream may capture {limits.max_state_bytes}; {steps} steps would fit.",
                steps,
            )
        capacity = limits.queue_steps
        if columns.bytes:
            capacity = max(1, min(capacity, limits.max_held_bytes // columns.bytes))
        worker = self._worker(str(getattr(job.runner, "device", "cpu")))
        stream = Stream(job, client, columns, capacity, self._box(), self._closed, worker.look)
        worker.submit(stream)
        return stream

    async def stop(self, drain_seconds: float = 5.0) -> None:
        """Refuse new jobs and end those that wait; let the others finish for so many seconds."""
        for stream in self._admission.close():
            stream.refuse(shutting_down())
        workers = list(self._workers.values())
        for worker in workers:
            worker.stop(drain_seconds)
        for worker in workers:
            await asyncio.to_thread(worker.join)

    def stats(self) -> Stats:
        """Counts of this moment."""
        active, queued = self._admission.counts()
        workers = list(self._workers.values())
        counts = [worker.counts() for worker in workers]
        widest = max((worker.widest for worker in workers), default=0)
        steps, tokens, leaked = (sum(count[k] for count in counts) for k in range(3))
        return Stats(active, queued, steps, tokens, leaked, widest, self._admission.held)

    @property
    def busy(self) -> bool:
        """Whether a stream runs that does not wait for its reader."""
        active, _ = self._admission.counts()
        return active > sum(worker.paused for worker in list(self._workers.values()))

    def _closed(self, stream: Stream) -> None:
        # out of its line, where it waits; where it runs, its batch sees that it is closed
        self._admission.withdraw(stream)
        self._freed()

    def _freed(self) -> None:
        for worker in list(self._workers.values()):
            worker.look()

    def _worker(self, device: str) -> Worker:
        if device not in self._workers:
            self._workers[device] = Worker(device, self._admission, self._freed)
            self._workers[device].start()
        return self._workers[device]

    def _box(self) -> Mailbox:
        loop = asyncio.get_running_loop()
        if self._mailbox is None or self._mailbox.loop is not loop:
            self._mailbox = Mailbox(loop)
        return self._mailbox
