"""Servers of toys, each for all tests: two are asked in the process, one listens."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from backend.settings import Settings
from models.char_rnn import CharRNN
from tests.backend.serving import Live, in_process, live
from tests.toys import write_toys
from tests.toys.pictures import write_answerer, write_captioner
from tests.toys.transformers import write_transformers
from tests.toys.translators import write_translator


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory) -> Path:
    """A folder of toy checkpoints, one of each cell."""
    return tmp_path_factory.mktemp("toys")


@pytest.fixture(scope="session")
def networks(toy_folder: Path) -> dict[str, CharRNN]:
    """The toys' networks by name; the toys lie in their folder."""
    return write_toys(toy_folder)


@pytest.fixture(scope="session")
def client(toy_folder: Path, networks) -> Iterator[TestClient]:
    """Asks an application that has loaded the toys."""
    with in_process(Settings(checkpoints=toy_folder, device="cpu")) as client:
        yield client


@pytest.fixture(scope="session")
def server(toy_folder: Path, networks) -> Iterator[Live]:
    """A server that listens and has loaded the toys; nothing may be left over on it."""
    with live(Settings(checkpoints=toy_folder, device="cpu")) as server:
        yield server
        assert server.engine.stats().leaked == 0


@pytest.fixture(scope="session")
def kinds(tmp_path_factory) -> Iterator[TestClient]:
    """Asks an application that has loaded several toys of the kinds with labs of their own."""
    folder = tmp_path_factory.mktemp("kinds")
    write_toys(folder)
    for name in ("toy-additive", "toy-plain"):
        write_translator(folder / name, name)
    for name in ("toy-soft", "toy-hard", "toy-blind"):
        write_captioner(folder / name, name)
    write_answerer(folder / "toy-shapes")
    write_transformers(folder)
    with in_process(Settings(checkpoints=folder, device="cpu")) as client:
        yield client
