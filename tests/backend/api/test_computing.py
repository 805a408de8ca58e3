"""A GPU without memory, acted by a runner: the work goes on, on the CPU, and it is told."""

import pytest
import torch

import models.kinds
from backend.catalog import Catalog
from backend.settings import Settings
from tests.backend.serving import assert_error, events, generate, in_process
from tests.toys import CONFIGS, write_toy
from tests.toys.transformers import LANGUAGE_MODELS, write_language_model

TEXT = {"text": "abba", "points": ["rnn.0.h"]}


class FullGpu:
    """A runner whose work fails for want of memory so many times."""

    def __init__(self, runner, times: int = 10**6):
        self.runner, self.left = runner, times

    def __getattr__(self, name: str):
        found = getattr(self.runner, name)
        return self._fail(found) if name in ("trace", "write", "reading") else found

    def _fail(self, work):
        def attempt(*arguments, **options):
            if not self.left:
                return work(*arguments, **options)
            self.left -= 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

        return attempt


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("gpu")
    write_toy(made / "toy-lstm", CONFIGS["toy-lstm"])
    write_language_model(made / "toy-gpt", LANGUAGE_MODELS["toy-gpt"])
    return made


@pytest.fixture
def client(folder):
    with in_process(Settings(checkpoints=folder, device="cpu")) as client:
        yield client


def fill(client, name: str, times: int = 10**6):
    """Let a checkpoint run on a GPU that is full."""
    entry = client.app.state.catalog.entries[name]
    entry.runner, entry.device = FullGpu(entry.runner, times), "cuda"
    return entry


def trace(client, name: str = "toy-lstm"):
    return client.post(f"/api/checkpoints/{name}/trace", json=TEXT)


def about(client, name: str) -> dict:
    return client.get(f"/api/checkpoints/{name}").json()


def test_a_network_without_gpu_memory_goes_on_on_the_cpu_with_the_same_numbers(client, caplog):
    before = trace(client).json()
    fill(client, "toy-lstm")
    moved = trace(client)
    assert moved.json() == before
    assert moved.headers["x-notice"] == "on_cpu"
    told = about(client, "toy-lstm")
    assert (told["device"], told["moved"]) == ("cpu", True)
    assert "runs on the CPU from now on" in caplog.text
    again = trace(client)
    assert again.json() == before
    assert "x-notice" not in again.headers


def test_what_is_remembered_goes_first_and_the_network_stays_where_that_was_enough(client):
    client.app.state.readings.held = 5
    entry = fill(client, "toy-lstm", times=1)
    answer = trace(client)
    assert answer.status_code == 200
    assert "x-notice" not in answer.headers
    assert (entry.device, entry.moved, client.app.state.readings.held) == ("cuda", False, 0)


def test_without_memory_on_the_cpu_either_the_answer_says_so(client):
    entry = fill(client, "toy-lstm")
    entry.device = "cpu"
    error = assert_error(trace(client), 503, "no_memory")
    assert "shorter" in error["hint"]


def test_a_stream_without_gpu_memory_ends_with_an_error_and_the_next_one_writes(client):
    fill(client, "toy-gpt")
    name, data = events(generate(client, "toy-gpt", "ab", max_new_tokens=3, points=[]).text)[-1]
    assert (name, data["error"]["code"]) == ("error", "no_memory")
    name, _ = events(generate(client, "toy-gpt", "ab", max_new_tokens=3, points=[]).text)[-1]
    assert name == "done"
    assert about(client, "toy-gpt")["moved"]


def test_a_checkpoint_that_the_gpu_cannot_hold_is_loaded_on_the_cpu(folder, monkeypatch):
    devices, build = [], models.kinds.build

    def full(files, device, capacity):
        devices.append(device)
        if device == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return build(files, device, capacity)

    monkeypatch.setattr(models.kinds, "build", full)
    catalog = Catalog(folder, "cuda", 4)
    entry = catalog.entries["toy-lstm"]
    catalog._open(entry)
    assert devices == ["cuda", "cpu"]
    assert (entry.status, entry.device, entry.moved) == ("ready", "cpu", True)


def test_another_failure_is_none_of_memory(client, monkeypatch):
    entry = client.app.state.catalog.entries["toy-lstm"]

    def broken(*arguments):
        raise RuntimeError("a defect")

    monkeypatch.setattr(entry.runner, "trace", broken)
    assert_error(trace(client), 500, "internal")
    assert not entry.moved
