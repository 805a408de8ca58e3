"""Work for spare time: trainings, which step aside while generations run.

They take turns on a thread of their own, with limits of their own. Between two pieces of work, a
few milliseconds each, that thread looks whether anybody else is at work: then it rests, so long
that its work is no more than `SHARE` of the time, and goes on as soon as the others are done. Torch
and the interpreter's lock are shared, so this, and not the thread's priority, is what leaves a
generation its speed.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from time import monotonic, sleep
from typing import Any

from backend.engine.engine import Engine
from backend.engine.limits import Limits
from backend.engine.stream import Stream
from backend.engine.turns import Turn
from backend.engine.worker import Worker

SHARE = 0.05  # of the time, while others are at work
NAP = 0.01  # seconds after which it is seen that they are done
LONGEST = 0.25  # seconds of one rest: whoever leaves is let go within it


class Manners:
    """When the next piece of work may begin, whosever it is: all share one thread, and one rest."""

    def __init__(
        self,
        others: Callable[[], bool],
        clock: Callable[[], float] = monotonic,
        rest: Callable[[float], None] = sleep,
    ):
        self.others, self.clock, self.rest = others, clock, rest
        self.until = clock()  # where others are at work

    def stepping_aside(self, begin: Callable[[], Iterator[Any]]) -> Iterator[Any]:
        """What an iterator makes, each piece of its work after the rest that the last one asks for,
        if others are there."""
        items = begin()
        while True:
            while self.others() and (left := self.until - self.clock()) > 0:
                self.rest(min(NAP, left))
            began = self.clock()
            try:
                item = next(items)
            except StopIteration:
                return
            ended = self.clock()
            self.until = ended + min(LONGEST, (ended - began) * (1 / SHARE - 1))
            yield item


class Spare(Engine):
    """Runs turns in the time that `others`, which tells whether they are at work, leave it."""

    def __init__(self, limits: Limits, others: Callable[[], bool]):
        super().__init__(limits)
        self._manners = Manners(others)

    def start(self) -> None:
        """Accept work; the thread comes with the first of it."""
        self._started = True

    def submit(self, job: Turn, client: str = "") -> Stream:
        """As `Engine.submit`; an item that is None is not handed to the reader."""
        begin = partial(self._manners.stepping_aside, job.begin)
        return super().submit(replace(job, begin=begin), client)

    def _worker(self, device: str) -> Worker:
        return super()._worker("spare")
