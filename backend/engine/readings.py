"""Readings that are remembered: what passes left behind, those used last up to a number of bytes.

A reading grows while it is looked at, since a point may need a second pass, so its bytes are
counted again after each use. Two who ask for the same at once wait for one pass.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


@dataclass(eq=False)
class Kept:
    """One reading, or the place where it is being made."""

    lock: Lock = field(default_factory=Lock)
    reading: Any = None
    bytes: int = 0


class Readings:
    """The memory; every method may be called from any thread, and blocks while a pass is made.

    What is remembered has an attribute `bytes`. At most `max_bytes` are held, or one reading that
    alone is larger.
    """

    def __init__(self, max_bytes: int):
        self.max_bytes = max_bytes
        self.held = 0  # bytes
        self.passes = 0  # readings that were made
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    @contextmanager
    def use(self, key: Hashable, make: Callable[[], Any]) -> Iterator[Any]:
        """The reading of a key, remembered or made. What `make` raises is not remembered."""
        with self._lock:
            kept = self._kept.setdefault(key, Kept())
            self._kept.move_to_end(key)
        try:
            with kept.lock:
                if kept.reading is None:
                    kept.reading = make()
                    self.passes += 1
            yield kept.reading
        finally:
            self._count(key, kept)

    def clear(self) -> None:
        """Forget all; what is in use is kept by those who use it, until they are done."""
        with self._lock:
            self._kept.clear()
            self.held = 0

    def _count(self, key: Hashable, kept: Kept) -> None:
        """Count what a reading takes now, and forget the oldest where it is too much."""
        with self._lock:
            if self._kept.get(key) is not kept:
                return  # it was forgotten meanwhile
            if kept.reading is None:
                if not kept.lock.locked():  # nobody else is trying
                    del self._kept[key]
                return
            self.held += kept.reading.bytes - kept.bytes
            kept.bytes = kept.reading.bytes
            while self.held > self.max_bytes and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self.held -= oldest.bytes
