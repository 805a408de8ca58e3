"""Where checkpoints that people brought lie: a folder each, named by what the file was.

    imports/
      import-0123456789ab/     the first 12 hex digits of the file's SHA-256
        import.json            what the file was called, its size, hash, format, when; the answers
        tensors.safetensors    its numbers as they were found
        extras.json            what else it held that is plain data
        diagnosis.json         what the doctor says of it
        config.json, model.safetensors, ...  the network in our form, once nothing is asked any more
      .arriving-...            one that is being read; none of these is listed

A folder is made whole beside the others and then renamed, so that a crash leaves nothing that is
listed. Names of people's files are never paths here. Links are not followed.
"""

import errno
import json
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.errors import Full

ID = re.compile(r"import-[0-9a-f]{12}")
ARRIVING, LEAVING = ".arriving-", ".leaving-"
NAME_CHARACTERS = 120
# Characters that no name shows, but for the two that join letters and signs of some scripts.
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
JOINERS = "\u200c\u200d"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def id_of(digest: str) -> str:
    """What an import is called, by the SHA-256 of its file in hex."""
    return f"import-{digest[:12]}"


def shown(text: str) -> str:
    """A text as it is shown: without what cannot be seen, cut at 120 characters."""
    seen = (c for c in text if c in JOINERS or unicodedata.category(c) not in UNSEEN)
    return "".join(seen).strip()[:NAME_CHARACTERS].strip()


def shown_name(name: str) -> str:
    """A file's name as it is shown: its last part."""
    return shown(re.split(r"[/\\]", name)[-1]) or "unnamed"


def title_of(name: str) -> str:
    """A title for the network of a file: its name without the ending."""
    stem, _, ending = name.rpartition(".")
    return stem if stem and re.fullmatch(r"[A-Za-z]{1,11}", ending) else name


@contextmanager
def room_on_disk() -> Iterator[None]:
    """A disk that is full, as the error that says so."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise Full(
            "The disk of the server is full: nothing of this file was kept.",
            "Free some room on the disk, or delete checkpoints that were brought.",
        ) from error


class Shelf:
    """The folder of all imports, of at most `most` bytes on disk."""

    def __init__(self, folder: Path, most: int):
        self.folder, self.most = folder, most

    def sweep(self) -> None:
        """Remove what a crash has left."""
        for path in self._inside():
            if path.name.startswith((ARRIVING, LEAVING)):
                shutil.rmtree(path, ignore_errors=True)

    def ids(self) -> list[str]:
        """Every import that is whole, by its name. A folder that holds a link is none."""
        return [path.name for path in self._inside() if self.holds(path.name)]

    def _inside(self) -> list[Path]:
        try:
            with os.scandir(self.folder) as entries:
                found = [Path(e.path) for e in entries if e.is_dir(follow_symlinks=False)]
        except OSError:  # there is none yet
            return []
        return sorted(found)

    def holds(self, id: str) -> bool:
        """Whether this import is here."""
        if not ID.fullmatch(id):
            return False
        folder = self.folder / id
        try:
            if folder.is_symlink() or any(path.is_symlink() for path in folder.iterdir()):
                return False
        except OSError:
            return False
        return (folder / "import.json").is_file()

    def complete(self, id: str) -> bool:
        """Whether the network lies there in our form."""
        return (self.folder / id / "config.json").is_file()

    def used(self) -> int:
        """Bytes on disk of all imports, those included that are being read."""
        total = 0
        for folder, _, files in os.walk(self.folder):
            for name in files:
                try:
                    total += os.lstat(os.path.join(folder, name)).st_size
                except OSError:  # it has just gone
                    continue
        return total

    def check_room(self, more: int) -> None:
        """Refuse what would pass the limit of all imports, or what the disk has no room for."""
        used = self.used()
        if used + more > self.most:
            raise Full(
                f"Checkpoints that were brought take {used} bytes here, with this one they would "
                f"take {used + more}; at most {self.most} are kept.",
                "Delete one that is not needed any more, or start the server with a larger "
                "--max-imports-bytes.",
                "imports_full",
                used=used,
                limit=self.most,
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if more > free:
            raise Full(
                f"This needs {more} bytes, the disk of the server has {free} left.",
                "Free some room on the disk, or delete checkpoints that were brought.",
                free=free,
            )

    @contextmanager
    def arriving(self) -> Iterator[Path]:
        """A folder to make an import in. What has not been moved out of it goes at the end."""
        with room_on_disk():
            self.folder.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=self.folder, prefix=ARRIVING))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, folder: Path, id: str) -> None:
        """Make what was prepared in a folder the import of this name, whole or not at all."""
        for path in folder.iterdir():
            settle(path)
        settle(folder)
        os.chmod(folder, 0o755)
        os.rename(folder, self.folder / id)
        settle(self.folder)

    def renew(self, folder: Path, id: str) -> None:
        """Move what was prepared into an import that is there: what says "complete" comes last.

        Without a config.json among it the import is complete no more.
        """
        if not (folder / "config.json").exists():
            (self.folder / id / "config.json").unlink(missing_ok=True)
        last = ("config.json", "diagnosis.json", "import.json")
        paths = sorted(folder.iterdir(), key=lambda p: last.index(p.name) if p.name in last else -1)
        for path in paths:
            settle(path)
            os.replace(path, self.folder / id / path.name)
        settle(self.folder / id)

    def delete(self, id: str) -> None:
        """Remove an import: at once for who looks, then file by file."""
        away = Path(tempfile.mkdtemp(dir=self.folder, prefix=LEAVING))
        os.rename(self.folder / id, away / id)
        shutil.rmtree(away, ignore_errors=True)

    def read(self, id: str, name: str) -> dict:
        """One of an import's JSON files; {} where it cannot be read."""
        try:
            found = json.loads((self.folder / id / name).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def write_json(path: Path, value: dict) -> None:
    """Write an object; what it lies in is renamed once all of it is there."""
    raw = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    with path.open("wb") as file:
        file.write(raw)


def settle(path: Path) -> None:
    """What was written is on the disk, and not only on its way."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(path, flags)
    except OSError:  # a folder, where the system does not open these
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno in (*NO_ROOM, errno.EIO):
            raise
    finally:
        os.close(handle)
