"""Pictures that were looked at: the encoder's grids, and nothing else of them.

All checkpoints share one encoder and one thread. Decoding and encoding take 30 to 50 ms of one
core, for the most part outside the interpreter's lock, so that neither the event loop nor the
engine's threads wait. Grids are remembered under the SHA-256 of the picture's bytes, those used
last up to a number of bytes; the picture itself is forgotten at once.
"""

import asyncio
import hashlib
from collections import Counter, OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from threading import Lock

import torch
from torch import Tensor

from backend.engine.admission import shutting_down
from backend.engine.errors import EngineError, Full, TooMany
from models import efficientnet, vision


@dataclass(frozen=True, eq=False)
class Seen:
    """What is kept of a picture."""

    key: str  # SHA-256 of its bytes, in hexadecimal digits
    width: int  # pixels, upright
    height: int
    cells: Tensor = field(repr=False)  # (1, 49, 1280), row by row of the grid
    fine: Tensor = field(repr=False)  # (1, 49, 448), the same cells in the encoder's middle

    @property
    def bytes(self) -> int:
        """What it takes to remember it."""
        return self.cells.nbytes + self.fine.nbytes


@cache
def encoder() -> efficientnet.EfficientNetLite0:
    """The encoder of the process, read when the first picture comes."""
    return efficientnet.load()


class Upload:
    """A picture that is under way: its bytes count against the budget of all."""

    def __init__(self, pictures: "Pictures"):
        self._pictures, self.size = pictures, 0

    def add(self, count: int) -> None:
        """So many bytes more have come. Raises `Full` where all together are too many."""
        self._pictures.reserve(count)
        self.size += count


class Pictures:
    """The memory of grids. Everything but `_look` is called from an event loop, and blocks nothing.

    `max_bytes` of grids are remembered; `max_upload_bytes` of pictures may be under way, and
    `max_per_client` of one client; `max_waiting` may wait for the encoder.
    """

    def __init__(
        self, max_bytes: int, max_upload_bytes: int, max_waiting: int, max_per_client: int
    ):
        self.max_bytes, self.max_upload_bytes = max_bytes, max_upload_bytes
        self.max_waiting, self.max_per_client = max_waiting, max_per_client
        self.held = 0  # bytes of grids
        self.uploading = 0  # bytes of pictures under way
        self.waiting = 0  # pictures that are being looked at or wait for it
        self.clients: Counter[str] = Counter()  # pictures under way
        self._seen: OrderedDict[str, Seen] = OrderedDict()
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(1, "pictures")
        self._stopped = False

    @contextmanager
    def upload(self, client: str) -> Iterator[Upload]:
        """An `Upload`; what it holds is given back however it ends. Raises `TooMany`."""
        if self.clients[client] >= self.max_per_client:
            raise TooMany(f"This client has {self.max_per_client} pictures under way.", 2.0)
        self.clients[client] += 1
        one = Upload(self)
        try:
            yield one
        finally:
            self.uploading -= one.size
            self.clients[client] -= 1
            if not self.clients[client]:
                del self.clients[client]

    def reserve(self, count: int) -> None:
        """Count bytes of an upload. Raises `Full`."""
        if self.uploading + count > self.max_upload_bytes:
            raise Full(f"{self.uploading} bytes of pictures are under way.", 2.0)
        self.uploading += count

    def recall(self, key: str) -> Seen | None:
        """A picture that is remembered."""
        with self._lock:
            if key in self._seen:
                self._seen.move_to_end(key)
            return self._seen.get(key)

    async def look(self, raw: bytes) -> Seen:
        """The grid of a picture, remembered or made. Raises `vision.PictureError`, `Full`, and
        `EngineError` where there is no encoder or the server stops."""
        if self.waiting > self.max_waiting:  # one of them is being looked at
            raise Full(f"{self.waiting} pictures wait.", 2.0)
        if self._stopped:
            raise shutting_down()
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._look, raw)
        finally:
            self.waiting -= 1

    def stop(self) -> None:
        """Refuse what has not begun."""
        self._stopped = True
        self._thread.shutdown(wait=False)

    @torch.no_grad()
    def _look(self, raw: bytes) -> Seen:
        if self._stopped:
            raise shutting_down()
        key = hashlib.sha256(raw).hexdigest()
        known = self.recall(key)
        if known is not None:
            return known
        picture = vision.read(raw)
        try:
            network = encoder()
        except RuntimeError as error:
            raise EngineError("no_encoder", f"Pictures cannot be read: {error}.") from error
        grids = network.both_cells(vision.to_tensor(picture.image)[None])
        seen = Seen(key, picture.width, picture.height, *grids)
        with self._lock:
            self._seen[key] = seen
            self.held += seen.bytes
            while self.held > self.max_bytes and len(self._seen) > 1:
                self.held -= self._seen.popitem(last=False)[1].bytes
        return seen
