import pytest

from backend.settings import Settings
from tests.backend.serving import in_process, live
from tests.toys import CONFIGS, write_toy
from tests.toys.pictures import CAPTIONERS, write_answerer, write_captioner


@pytest.fixture(scope="package")
def folder(tmp_path_factory):
    """Captioners of every attention, one that answers, and one network that only writes."""
    folder = tmp_path_factory.mktemp("captioners")
    for id in CAPTIONERS:
        write_captioner(folder / id, id)
    write_answerer(folder / "toy-answers")
    write_toy(folder / "toy-lstm", CONFIGS["toy-lstm"])
    return folder


@pytest.fixture(scope="package")
def client(folder):
    with in_process(Settings(checkpoints=folder, device="cpu")) as client:
        yield client


@pytest.fixture(scope="package")
def server(folder):
    with live(Settings(checkpoints=folder, device="cpu")) as server:
        yield server
        assert server.engine.stats().leaked == 0
