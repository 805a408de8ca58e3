"""A stranger's file while it is open: its size is fixed, and nothing outside it can be asked for.

Bytes are read where they are wanted, never mapped: a file that is cut short under a map kills the
process that looks at it.
"""

import os
import stat
from contextlib import contextmanager
from pathlib import Path

from models.importing.refused import Refused, damaged

MAX_FILE_BYTES = (4 << 30) - 2  # what needs no 64-bit sizes in an archive


class Source:
    """Reads of a file by offset and length, both in bytes."""

    def __init__(self, file, size: int):
        self._file = file
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes, or `Refused`: the file ends before them."""
        self.check(offset, length)
        self._file.seek(offset)
        found = self._file.read(length)
        if len(found) != length:
            raise damaged(f"The file ends at byte {offset + len(found)}, while it is read.")
        return found

    def fill(self, offset: int, into: memoryview) -> None:
        """Read over all of `into`, bytes that can be written."""
        self.check(offset, len(into))
        self._file.seek(offset)
        done = 0
        while done < len(into):
            count = self._file.readinto(into[done:])
            if not count:
                raise damaged(f"The file ends at byte {offset + done}, while it is read.")
            done += count

    def check(self, offset: int, length: int) -> None:
        """Refuse a place that is not wholly inside the file."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise damaged(
                f"The file has {self.size} bytes, and speaks of bytes {offset} to "
                f"{offset + length}: it was cut short, or its numbers are wrong."
            )


@contextmanager
def opened(path: Path):
    """Open a plain file, and nothing else: no folder, link, pipe or device. Yields a `Source`."""
    flags = os.O_RDONLY
    for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # those that the system has
        flags |= getattr(os, name, 0)
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise Refused(
                "unknown_format",
                "This is a folder, a link or a device, not a file.",
                "Give the file itself.",
            )
        handle = os.open(path, flags)
    except (OSError, ValueError) as error:  # ValueError: NUL in the name
        if isinstance(error, Refused):
            raise
        raise Refused(
            "unknown_format", f"The file cannot be opened: {error}.", "Give a file that is there."
        ) from error
    with open(handle, "rb", buffering=0) as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise Refused("unknown_format", "This is not a plain file.", "Give the file itself.")
        if found.st_size > MAX_FILE_BYTES:
            raise Refused(
                "too_large_file",
                f"The file has {found.st_size} bytes, at most {MAX_FILE_BYTES} are read.",
                "Save the weights alone, without the optimiser's state, or in float16.",
            )
        yield Source(file, found.st_size)
