import pytest

from backend.settings import Settings
from tests.backend.serving import in_process, live
from tests.toys import CONFIGS, write_toy
from tests.toys.transformers import write_transformers


@pytest.fixture(scope="package")
def networks(tmp_path_factory):
    """The folder of a transformer of each kind and of one network that is none, and the former."""
    folder = tmp_path_factory.mktemp("transformers")
    built = write_transformers(folder)
    write_toy(folder / "toy-lstm", CONFIGS["toy-lstm"])
    return folder, built


@pytest.fixture(scope="package")
def client(networks):
    with in_process(Settings(checkpoints=networks[0], device="cpu")) as client:
        yield client


@pytest.fixture(scope="package")
def server(networks):
    with live(Settings(checkpoints=networks[0], device="cpu")) as server:
        yield server
        assert server.engine.stats().leaked == 0
