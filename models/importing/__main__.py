"""The child of `models.importing.child`: read one file, write what it holds, say how it went.

Usage: python -I models/importing/__main__.py FILE FOLDER LIMITS, or, from the root of the project,
python -m models.importing FILE FOLDER. LIMITS is JSON, see `ChildLimits`.
"""

import errno
import json
import sys
from pathlib import Path

TRY_AGAIN = "Save it again, best as safetensors."


def limit(limits: dict) -> None:
    """Take away what is not needed, before anything of the file is seen."""
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = {
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": 0,
        "RLIMIT_NOFILE": 64,
        "RLIMIT_AS": limits["memory_bytes"],
        "RLIMIT_CPU": limits["cpu_seconds"],
        "RLIMIT_FSIZE": limits["output_bytes"],
    }
    for name, value in wanted.items():
        try:
            kind = getattr(resource, name)
            hard = resource.getrlimit(kind)[1]
            if hard != resource.RLIM_INFINITY:
                value = min(value, hard)
            resource.setrlimit(kind, (value, value))
        except (AttributeError, ValueError, OSError):  # this system does not know it
            continue


def main(path: str, out: str, limits: str = "") -> None:
    """Read `path`, write tensors, extras and the result into the folder `out`."""
    if limits:
        limit(json.loads(limits))
    # -I leaves the project's root out of the path, as it should: only this root comes in
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from models.importing.child import RESULT
    from models.importing.foreign_file import read_foreign
    from models.importing.refused import Refused
    from models.importing.written import EXTRAS, TENSORS, write_extras, write_tensors

    folder = Path(out)
    try:
        found = read_foreign(Path(path))
        size = write_tensors(folder / TENSORS, found.tensors)
        write_extras(folder / EXTRAS, found.extras, found.left_out)
        said = {"format": found.format, "tensors": len(found.tensors), "bytes": size}
    except Refused as error:
        said = {"refused": [error.code, error.message[:2000], error.hint[:2000]]}
    except MemoryError:
        message = "Reading the file takes more memory than it is given."
        said = {"refused": ["too_large_file", message, "Save the weights alone."]}
    except OSError as error:
        if error.errno == errno.EFBIG:
            message = "What the file holds is larger than it may be."
            said = {"refused": ["too_large_file", message, "Save the weights alone."]}
        elif error.errno in (errno.ENOSPC, errno.EDQUOT):
            for name in (TENSORS, EXTRAS):  # so that there is room to say so
                (folder / name).unlink(missing_ok=True)
            said = {"disk_full": True}
        else:
            said = {"refused": ["damaged_file", f"The file cannot be read: {error}.", TRY_AGAIN]}
    except Exception as error:  # a case that nobody thought of is a refusal too
        message = f"The file cannot be read: {type(error).__name__}."
        said = {"refused": ["damaged_file", message, TRY_AGAIN]}
    (folder / RESULT).write_text(json.dumps(said), "ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
