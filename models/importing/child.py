"""Read a stranger's file in a process of its own, which may take so much and no more.

The reader is written to be safe by itself; this is the second wall. If a file should still find a
way to take all memory, to run forever or to crash, it takes down a child that holds nothing.

On Linux the child limits itself before it looks at the file: address space, processor seconds,
bytes of a file that it writes, no core, no new process, few open files. Elsewhere the system takes
some of these or none; the limit on time, which the parent keeps, is there everywhere.
"""

import errno
import json
import os
import stat
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from models.importing.refused import CODES, Refused
from models.importing.written import EXTRAS, TENSORS

RESULT = "result.json"
MAX_RESULT_BYTES = 64 << 10
MAX_EXTRAS_BYTES = 64 << 20
MAIN = Path(__file__).with_name("__main__.py")
# What numpy needs of an environment: nothing, but Windows does not start without its own.
_KEPT = ("SYSTEMROOT", "SYSTEMDRIVE")


@dataclass(frozen=True)
class ChildLimits:
    """What a child may take; None: what a good file of its size can need.

    numpy alone takes 300 MiB of address space, reading at most about twice the file, and an .npz
    that was deflated what it comes to.
    """

    memory_bytes: int | None = None  # of address space
    cpu_seconds: int = 60
    wall_seconds: float = 120.0
    output_bytes: int | None = None  # of one file that it writes

    def of(self, size: int) -> "ChildLimits":
        """The limits for a file of so many bytes."""
        memory = self.memory_bytes or (768 << 20) + 4 * size
        return replace(
            self,
            memory_bytes=memory,
            output_bytes=self.output_bytes or min(4 << 30, MAX_EXTRAS_BYTES + 10 * size),
        )


def read_in_child(path: Path, out: Path, limits: ChildLimits | None = None) -> dict:
    """Read `path` in a child, which writes tensors.safetensors and extras.json into `out`.

    extras.json is {"extras", "left_out"}. Returns {"format", "tensors", "bytes"}: "pt",
    "safetensors" or "npz", how many tensors, and the bytes of tensors.safetensors. Raises
    `Refused` for a bad file and for one that is too much for the limits, OSError where the disk
    is full. Whatever is raised, nothing of it stays in `out`, a folder that exists.
    """
    path, out = Path(path).absolute(), Path(out).absolute()
    limits = (limits or ChildLimits()).of(_size(path) or 0)
    names = [out / name for name in (TENSORS, EXTRAS, RESULT)]
    try:
        found = _run(path, out, limits)
    except BaseException:
        for name in names:
            name.unlink(missing_ok=True)
        raise
    (out / RESULT).unlink(missing_ok=True)
    return found


def _run(path: Path, out: Path, limits: ChildLimits) -> dict:
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    command = [sys.executable, "-I", str(MAIN), str(path), str(out), json.dumps(asdict(limits))]
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        cwd=out,
    )
    try:
        child.wait(limits.wall_seconds)
    except subprocess.TimeoutExpired as error:
        raise _too_much(f"Reading the file took more than {limits.wall_seconds:g} s.") from error
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    result = _result(out / RESULT)
    if result is None:
        raise _too_much("Reading the file took more memory or time than it is given.")
    if "refused" in result:
        raise Refused(*(text[:2000] for text in result["refused"]))
    if result.get("disk_full"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    extras = _size(out / EXTRAS)
    if _size(out / TENSORS) != result["bytes"] or extras is None or extras > MAX_EXTRAS_BYTES:
        raise _too_much("The file was not read to its end.")
    return {name: result[name] for name in ("format", "tensors", "bytes")}


def _result(path: Path) -> dict | None:
    """What the child said, every field checked: a child gone wrong may say anything."""
    size = _size(path)
    if size is None or size > MAX_RESULT_BYTES:
        return None
    try:
        said = json.loads(path.read_text("ascii"))
    except (ValueError, OSError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    refused = said.get("refused")
    if refused is not None:
        texts = isinstance(refused, list) and [type(x) for x in refused] == [str] * 3
        return said if texts and refused[0] in CODES else None
    if said.get("disk_full") is True:
        return said
    good = said.get("format") in ("pt", "safetensors", "npz")
    good = good and all(type(said.get(n)) is int and said[n] >= 0 for n in ("tensors", "bytes"))
    return said if good else None


def _size(path: Path) -> int | None:
    """The bytes of a plain file; None where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _too_much(message: str) -> Refused:
    return Refused("too_large_file", message, "Save the weights alone, or a smaller network.")
