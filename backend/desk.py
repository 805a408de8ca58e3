"""Short work: so many pieces at once, and the clients in turn.

A trace, a label or a gradient is worked out on a thread, two of them at a time. Who has asked for
many has them one after another, while others, who have asked for one, come in between; whoever has
too many under way is told to wait.
"""

from asyncio import CancelledError, Future, get_running_loop
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from backend.errors import Busy


class Desk:
    """`places` for work, and at most `per_client` pieces of a client that work or wait.

    All of it happens on one event loop.
    """

    def __init__(self, places: int, per_client: int):
        self.per_client = per_client
        self._places = self._free = places
        self._lines: dict[str, deque[Future]] = {}  # client -> those who wait; the next one first
        self._under_way: Counter[str] = Counter()
        self._seconds = 0.1  # that a piece has taken, of late

    @asynccontextmanager
    async def place(self, client: str) -> AsyncIterator[None]:
        """A place, once it is this client's turn. Raises `Busy` where it has too many under way."""
        if self._under_way[client] >= self.per_client:
            wait = self._seconds * self._under_way.total() / self._places
            raise Busy(
                f"{self.per_client} of your requests are under way already.",
                min(30.0, max(1.0, wait)),
                "Try again after the seconds told.",
            )
        self._under_way[client] += 1
        try:
            await self._sit(client)
            began = monotonic()
            try:
                yield
            finally:
                self._seconds += 0.1 * (monotonic() - began - self._seconds)
                self._rise()
        finally:
            self._under_way[client] -= 1
            if not self._under_way[client]:
                del self._under_way[client]

    async def _sit(self, client: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn: Future = get_running_loop().create_future()
        self._lines.setdefault(client, deque()).append(turn)
        try:
            await turn
        except CancelledError:
            if turn.cancelled():
                self._leave(client, turn)
            else:  # the place came at the moment of leaving
                self._rise()
            raise

    def _rise(self) -> None:
        """Give a place to the next client's first piece, and let that client wait for its turn."""
        while self._lines:
            client = next(iter(self._lines))
            line = self._lines.pop(client)
            turn = line.popleft()
            if line:
                self._lines[client] = line
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _leave(self, client: str, turn: Future) -> None:
        line = self._lines.get(client, deque())
        if turn in line:
            line.remove(turn)
            if not line:
                del self._lines[client]

    def counts(self) -> tuple[int, int]:
        """Pieces that are worked on, pieces that wait."""
        waiting = sum(len(line) for line in list(self._lines.values()))
        return self._places - self._free, waiting

    @property
    def idle(self) -> bool:
        """Whether nobody works or waits."""
        return not (self._lines or self._under_way) and self._free == self._places
