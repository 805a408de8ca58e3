"""What is in the checkpoints folder: listed at once, loaded behind the first page.

A folder that cannot be used is listed as failed with its reason, and the others serve. Loading
happens on one thread, in order of name. Checkpoints come and go while the server runs: `entries`
is replaced and never changed, so who goes through it sees the catalogue of one moment.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.errors import Invalid, NotFound, Unavailable

log = logging.getLogger("unrolled")
LANGUAGES = ("language", "source_language", "target_language")  # the last two: of a translator
STATED = ("title", "kind", "parameters", "licence", *LANGUAGES, "figures")
SHOWN = ("config", "data", "prompt", "sampling", "examples", "pair")  # of one checkpoint, beside
TYPES = dict.fromkeys(("title", "kind", "licence", *LANGUAGES, "prompt", "pair"), str) | {
    "parameters": int,
    "config": dict,
    "figures": dict,
    "data": dict,
    "sampling": dict,
    "examples": list,
}
MOST_DIGITS = 18  # of a whole number: what is told again, and formatted, fits 64 bits
# Files of weights as others write them: named where a folder of our form was expected.
WEIGHTS = (".pt", ".pth", ".ckpt", ".bin", ".safetensors", ".npz")
BRING = "bring it on the page of checkpoints, or ask `python -m backend inspect` what it is"


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"it holds a number of {len(digits)} digits, at most {MOST_DIGITS}")
    return int(digits)


@dataclass
class Entry:
    """A checkpoint folder and what has become of it."""

    id: str
    folder: Path
    about: dict
    status: str = "loading"  # loading, ready, failed
    reason: str = ""
    card: str = ""
    runner: Any = None
    device: str = ""  # where it runs; '' until it is loaded
    full: bool = False  # the GPU had no memory for it: it moves when it is opened next
    moved: bool = False  # it runs on the CPU because the GPU has no memory for it
    imported: bool = False  # brought by a person, and may be deleted again
    joined: bool = False  # while the server ran: nobody who asks whether it is ready waits for it
    ready: asyncio.Future | None = field(default=None, repr=False)

    def summary(self, device: str) -> dict:
        """One line of the catalogue."""
        runner = self.runner
        points = runner.points if runner else ()
        return {
            "id": self.id,
            **{name: self.about.get(name) for name in STATED},
            "tasks": list(runner.tasks) if runner else [],
            "device": self.device or device,
            "moved": self.moved,
            "status": self.status,
            "reason": self.reason,
            "imported": self.imported,
            "points": [
                {"name": p.name, "axes": p.axes, "range": p.range, "shape": p.shape} for p in points
            ],
        }


class Catalog:
    """The checkpoints of one folder."""

    def __init__(self, folder: Path, device: str, capacity: int):
        self.folder, self.device, self.capacity = folder, device, capacity
        self.entries: dict[str, Entry] = {}
        self._thread = ThreadPoolExecutor(1, "loader")
        self._started = asyncio.Event()
        self.when_loaded: Callable[[], None] = lambda: None  # on the loader's thread
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            id = path.name.encode("utf-8", "replace").decode()  # bytes that are no text
            if path.name.startswith("."):
                continue
            if path.is_dir():
                self.entries[id] = Entry(id, path, *self._about(path))
            elif path.suffix in WEIGHTS:
                self.entries[id] = Entry(id, path, {}, "failed", f"it is no folder: {BRING}")

    @staticmethod
    def _about(path: Path) -> tuple[dict, str, str]:
        try:
            text = (path / "config.json").read_text("utf-8")
            about = json.loads(text, parse_int=_whole)
            if not isinstance(about, dict):
                raise ValueError("it must be an object")
            for name, expected in TYPES.items():
                found = about.get(name)
                if found is not None and type(found) is not expected:
                    raise ValueError(f"{name} is {found!r:.60}, expected {expected.__name__}")
            for example in about.get("examples") or ():
                if not isinstance(example, str):
                    raise ValueError(f"examples holds {example!r:.60}, expected str")
            json.dumps(about, ensure_ascii=False, allow_nan=False).encode()  # can be told again
            return about, "loading", ""
        except FileNotFoundError:
            found = sorted(p.name for p in path.glob("*") if p.suffix in WEIGHTS)
            more = f"; as for {found[0]!a}, {BRING}" if found else ""
            return {}, "failed", f"config.json is missing{more}"
        except (ValueError, RecursionError, OSError) as error:
            return {}, "failed", f"config.json cannot be read: {error}"

    def start(self) -> None:
        """Begin loading everything; call from the event loop."""
        for entry in self.entries.values():
            self._load(entry)
        with suppress(RuntimeError):  # it has been stopped
            self._thread.submit(self.when_loaded)
        self._started.set()

    def _load(self, entry: Entry) -> None:
        if entry.status == "loading":
            loop = asyncio.get_running_loop()
            try:
                entry.ready = loop.run_in_executor(self._thread, self._open, entry)
            except RuntimeError:  # it has been stopped
                entry.status, entry.reason = "failed", "the server stops"

    def add(self, id: str, folder: Path) -> Entry:
        """List a folder that was brought, in place of one of that name; it is loaded behind."""
        entry = Entry(
            id, folder, *self._about(folder), imported=True, joined=self._started.is_set()
        )
        self.entries = {**self.entries, id: entry}
        if entry.joined:
            self._load(entry)
        return entry

    def remove(self, id: str) -> None:
        """No longer list it: who runs it goes on, nobody can begin."""
        self.entries = {name: entry for name, entry in self.entries.items() if name != id}

    def fail(self, reason: str) -> None:
        """Nothing can be loaded at all, and why."""
        for entry in self.entries.values():
            entry.status, entry.reason = "failed", reason
        self._started.set()

    def stop(self) -> None:
        """Give up what is not loaded yet."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _open(self, entry: Entry) -> None:
        # Imported here: torch takes a second, and the first page does not wait for it.
        from models.checkpoint import CheckpointError
        from models.kinds import read_files

        if entry.status != "loading":
            return
        try:
            files = read_files(entry.folder)
            self._build(entry, files)
            if "kind" not in entry.about:  # a folder of a form that says it differently
                entry.about = files.about
            entry.card = files.card
            entry.status = "ready"
        except (CheckpointError, OSError, ValueError) as error:
            entry.status, entry.reason = "failed", str(error)
            log.warning("checkpoint %s failed: %s", entry.id, error)
        except Exception as error:
            entry.status, entry.reason = "failed", f"{type(error).__name__}: {error}"
            log.exception("checkpoint %s failed", entry.id)

    def _build(self, entry: Entry, files) -> None:
        """Make the runner: on the device of the catalogue, or on the CPU where that is full."""
        from backend.engine.memory import is_full
        from models.kinds import build

        entry.device = "cpu" if entry.moved else self.device
        try:
            entry.runner = build(files, entry.device, self.capacity)
            return
        except (RuntimeError, MemoryError) as error:
            if entry.device == "cpu" or not is_full(error):
                raise
        self._leave_gpu(entry)
        entry.runner = build(files, "cpu", self.capacity)

    def _leave_gpu(self, entry: Entry) -> None:
        entry.device, entry.moved, entry.runner = "cpu", True, None
        self.release()
        log.warning("no GPU memory for checkpoint %s: it runs on the CPU from now on", entry.id)

    def _move(self, entry: Entry) -> None:
        from models.kinds import build, read_files

        if entry.device == "cpu":
            return  # somebody else was here first
        runner = build(read_files(entry.folder), "cpu", self.capacity)
        self._leave_gpu(entry)
        entry.runner, entry.full = runner, False

    async def move_to_cpu(self, entry: Entry) -> None:
        """Read a network again, from its files, to where there is memory."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._move, entry)

    @staticmethod
    def release() -> None:
        """Give back the GPU memory that torch keeps for later; blocks."""
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def entry(self, id: str) -> Entry:
        """An entry by its name. Raises `NotFound`."""
        if id not in self.entries:
            known = ", ".join(self.entries) or "none"
            raise NotFound(
                f"There is no checkpoint {id!r}." if id.isprintable() else "No such checkpoint.",
                f"The checkpoints here are: {known}.",
                "unknown_checkpoint",
            )
        return self.entries[id]

    def describe(self, id: str) -> dict:
        """One checkpoint whole: its line in the catalogue, config, figures and card."""
        entry = self.entry(id)
        about = {name: entry.about.get(name) for name in SHOWN}
        return {**entry.summary(self.device), **about, "card": entry.card}

    async def settled(self, id: str) -> dict:
        """`describe` once loading has ended, well or badly."""
        await self._settle(self.entry(id))
        return self.describe(id)

    async def _settle(self, entry: Entry) -> None:
        if entry.status == "loading":
            await self._started.wait()
        if entry.ready is not None:
            await asyncio.shield(entry.ready)

    async def open(self, id: str, task: str | None = None) -> Entry:
        """An entry that is ready to run, and can do a task.

        Raises `NotFound`, `Unavailable`, or `Invalid` naming what it can do and which others can.
        """
        entry = self.entry(id)
        await self._settle(entry)
        if entry.status != "ready":
            raise Unavailable(
                f"Checkpoint {id} could not be loaded: {entry.reason or entry.status}.",
                "Replace its files and start the server again.",
                "checkpoint_failed",
            )
        if entry.full:
            await self.move_to_cpu(entry)
        if task is not None and task not in entry.runner.tasks:
            able = [e.id for e in self.entries.values() if e.runner and task in e.runner.tasks]
            raise Invalid(
                f"Checkpoint {id} cannot {task}, it can {' and '.join(entry.runner.tasks)}.",
                f"Ask one that can {task}: {', '.join(able) or 'there is none here'}.",
                "wrong_task",
                tasks=list(entry.runner.tasks),
                checkpoints=able,
            )
        return entry

    def summaries(self) -> list[dict]:
        """The whole catalogue."""
        return [entry.summary(self.device) for entry in self.entries.values()]
