"""Checkpoints that people bring: received, read in a child process, diagnosed, listed.

The bytes of a stranger are written to a folder that is not listed, counted and hashed on the way.
A child process with limits reads them and writes plain tensors; the original is deleted. The
doctor looks at the tensors on a thread, and what it understands without a question is written in
the project's form at once. Only then the folder gets its name. One file is read at a time.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
)
from contextlib import aclosing, contextmanager
from pathlib import Path
from weakref import WeakValueDictionary

from backend.catalog import Catalog
from backend.errors import (
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    Late,
    NotFound,
    TooLarge,
    Unavailable,
    Unsupported,
)
from backend.examining import ABOUT, DIAGNOSIS, ORIGINAL, Arrived, check_asked, examine, renew
from backend.settings import Settings
from backend.shelf import Shelf, id_of, room_on_disk, shown, shown_name, title_of

PIECE = 1 << 20  # bytes written and hashed in one go
MOST_AT_ONCE, MOST_PER_CLIENT = 6, 2  # imports under way
REFUSALS = {"unknown_format": Unsupported, "too_large_file": TooLarge}
OFF = (
    "This server takes no checkpoints of others.",
    "Start it with --importing on, or let it listen on 127.0.0.1 only.",
    "importing_off",
)


class Imports:
    """All imports of a server, those in its folder and those under way."""

    def __init__(self, settings: Settings, catalog: Catalog):
        self.settings, self.catalog = settings, catalog
        self.shelf = Shelf(settings.imports, settings.max_imports_bytes)
        self._clients: Counter[str] = Counter()
        self._reading = asyncio.Semaphore(1)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.shelf.sweep()
        for id in self.shelf.ids():
            if self.shelf.complete(id) and id not in catalog.entries:
                catalog.add(id, self.shelf.folder / id)

    # -- what is there -----------------------------------------------------------------------

    def listed(self) -> list[dict]:
        """A line of each import, the last one first."""
        lines = [self._line(id) for id in self.shelf.ids()]
        return sorted(lines, key=lambda line: line["imported"], reverse=True)

    def _line(self, id: str) -> dict:
        about = self.shelf.read(id, ABOUT)
        status, reason = self._status(id)
        stated = {name: about.get(name) for name in ("name", "title", "bytes", "sha256", "format")}
        return {
            "id": id,
            "status": status,
            "reason": reason,
            **stated,
            "imported": str(about.get("imported", "")),
        }

    def _status(self, id: str) -> tuple[str, str]:
        entry = self.catalog.entries.get(id)
        if entry is not None:
            return ("unusable" if entry.status == "failed" else entry.status), entry.reason
        problems = self.shelf.read(id, DIAGNOSIS).get("problems") or []
        return ("unusable" if problems else "asking"), " ".join(map(str, problems))

    def told(self, id: str) -> dict:
        """One import with its diagnosis and the answers that were given. Raises `NotFound`."""
        self._check_known(id)
        answers = self.shelf.read(id, ABOUT).get("answers") or {}
        return {
            **self._line(id),
            "answers": answers,
            "diagnosis": self.shelf.read(id, DIAGNOSIS),
        }

    def _check_known(self, id: str) -> None:
        if not self.shelf.holds(id):
            if id in self.catalog.entries:
                raise Forbidden(
                    f"{id} was not brought by anybody: it lies in the folder of checkpoints.",
                    "Only what was brought has a diagnosis and can be deleted.",
                    "not_imported",
                )
            raise NotFound(
                "There is no such import.",
                "Those that are here are listed at /api/imports.",
                "unknown_import",
            )

    def check_on(self) -> None:
        """Raises `Forbidden` where this server takes no imports."""
        if not self.settings.takes_imports:
            raise Forbidden(*OFF)

    # -- bringing, answering, deleting -------------------------------------------------------

    async def take(
        self,
        parts: AsyncIterator[bytes],
        name: str,
        declared: int,
        client: str,
        gone: Callable[[], Awaitable[bool]],
    ) -> dict:
        """Receive a file, read it and list it. What fails on the way leaves nothing behind.

        `declared` is its size in bytes as far as it is told, `gone` whether nobody waits any more.
        """
        self.check_on()
        with self._place(client), self.shelf.arriving() as folder:
            with room_on_disk():
                digest, size = await self._receive(parts, folder / ORIGINAL, declared)
            arrived, id = Arrived(shown_name(name), digest, size), id_of(digest)
            async with self._turn(id):
                self._check_new(id)
                await self._work(
                    examine, self.shelf, folder, arrived, self.settings.max_import_bytes
                )
                if await gone():
                    raise Unavailable("The client has gone.", code="client_gone")
                with room_on_disk():
                    await asyncio.to_thread(self.shelf.keep, folder, id)
                await self._list(id)
        return self.told(id)

    async def answer(self, id: str, answers: Mapping, title: str | None) -> dict:
        """Take answers to the doctor's questions, or another title; the rest stays as it was.

        An answer of None is taken back. Raises `Invalid` naming the answer that cannot be one.
        """
        self.check_on()
        async with self._turn(id):
            self._check_known(id)
            about = self.shelf.read(id, ABOUT)
            before = about.get("answers") or {}
            questions = self.shelf.read(id, DIAGNOSIS).get("questions") or []
            check_asked(answers, [*before, *(one["name"] for one in questions)])
            given = {**before, **answers}
            about["answers"] = {name: value for name, value in given.items() if value is not None}
            if title is not None:
                about["title"] = shown(title) or title_of(about["name"])
            with self.shelf.arriving() as folder:
                await self._work(
                    renew, self.shelf, self.shelf.folder / id, folder, about, bool(answers)
                )
                with room_on_disk():
                    await asyncio.to_thread(self.shelf.renew, folder, id)
            await self._list(id)
        return self.told(id)

    async def delete(self, id: str) -> None:
        """Delete an import. Who runs it goes on to the end, nobody can begin."""
        self.check_on()
        async with self._turn(id):
            self._check_known(id)
            self.catalog.remove(id)
            await asyncio.to_thread(self.shelf.delete, id)

    @contextmanager
    def _place(self, client: str) -> Iterator[None]:
        if self._clients.total() >= MOST_AT_ONCE or self._clients[client] >= MOST_PER_CLIENT:
            raise Busy("Other checkpoints are being brought just now.", 5, "Try again in a moment.")
        self._clients[client] += 1
        try:
            yield
        finally:
            self._clients[client] -= 1
            self._clients += Counter()  # forgets those with nothing under way

    def _turn(self, id: str) -> asyncio.Lock:
        """One at a time of the same file."""
        return self._locks.setdefault(id, asyncio.Lock())

    def _check_new(self, id: str) -> None:
        if self.shelf.holds(id):
            name = self.shelf.read(id, ABOUT).get("name")
            raise Conflict(
                f"This very file is here already, brought as {name!a}.",
                "Open that one, or delete it first.",
                "already_here",
                id=id,
            )

    async def _receive(
        self, parts: AsyncIterator[bytes], path: Path, declared: int
    ) -> tuple[str, int]:
        """Write a body to a file; its SHA-256 in hex and its size in bytes."""
        limit = self.settings.max_import_bytes
        if declared > limit:
            raise _too_large(limit)
        # The original, its tensors and their converted form: two of these at a time.
        self.shelf.check_room(2 * declared)
        hash, size, waiting = hashlib.sha256(), 0, bytearray()

        def write(piece: bytes) -> None:
            hash.update(piece)
            file.write(piece)

        try:
            with path.open("wb") as file:
                async with asyncio.timeout(self.settings.import_seconds), aclosing(parts):
                    async for part in parts:
                        waiting += part
                        if len(waiting) >= PIECE:
                            size += len(waiting)
                            if size > limit:
                                raise _too_large(limit)
                            await asyncio.to_thread(write, bytes(waiting))
                            waiting.clear()
                await asyncio.to_thread(write, bytes(waiting))
        except TimeoutError:
            raise Late(
                "The file did not arrive in time.",
                f"It has {self.settings.import_seconds:g} seconds. Try again, or bring it from a "
                "nearer place.",
            ) from None
        size += len(waiting)
        if not size:
            raise Invalid("The file is empty.", "Send the bytes of a checkpoint.", "empty_file")
        return hash.hexdigest(), size

    async def _work(self, work: Callable, *arguments) -> None:
        """Run what takes time on a thread, one at a time, its refusals as errors."""
        from models.importing.refused import Refused

        async with self._reading:
            try:
                with room_on_disk():
                    await asyncio.to_thread(work, *arguments)
            except Refused as error:
                kind = REFUSALS.get(error.code, Invalid)
                raise kind(error.message, error.hint, error.code) from None

    async def _list(self, id: str) -> None:
        """Show a complete one in the catalogue, and wait until it is loaded or has failed."""
        if self.shelf.complete(id):
            self.catalog.add(id, self.shelf.folder / id)
            await self.catalog.settled(id)
        else:
            self.catalog.remove(id)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"The file is larger than {limit} bytes.",
        "Save the weights alone, without the optimiser's state, or in float16; or start the "
        "server with a larger --max-import-bytes.",
        limit=limit,
    )
