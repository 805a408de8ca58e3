import asyncio

import pytest
import torch

from backend.app import create_app
from backend.errors import Unavailable
from backend.settings import Settings
from backend.start import open_engine, pick_device
from tests.backend.serving import assert_error, in_process
from tests.toys import CONFIGS, write_toy


def test_a_device_that_is_named_is_taken():
    assert pick_device("cpu") == "cpu"


@pytest.mark.parametrize(("there", "device"), [(False, "cpu"), (True, "cuda")])
def test_the_device_is_chosen_by_what_there_is(monkeypatch, there, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert pick_device("auto") == device


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="cuda"):
        pick_device("cuda")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"device": "cuda"}, "cuda"),
        ({"threads": 0}, "thread"),
        ({"max_streams": 0}, "max_active"),
        ({"max_stream_seconds": -1.0}, "max_seconds"),
    ],
)
def test_a_server_that_cannot_compute_says_why_and_lets_nobody_wait(tmp_path, changes, reason):
    write_toy(tmp_path / "toy", CONFIGS["toy-rnn"])
    if changes.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with in_process(Settings(checkpoints=tmp_path, **{"device": "cpu"} | changes)) as client:
        about = client.get("/api/checkpoints/toy").json()
        assert about["status"] == "failed"
        assert reason in about["reason"]
        answer = client.post("/api/checkpoints/toy/trace", json={"text": "ab"})
        assert reason in assert_error(answer, 503)["message"]
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert reason in ready.json()["failed"]["toy"]
        assert client.get("/healthz").status_code == 200


def test_opening_the_engine_raises_what_others_are_told(tmp_path):
    app = create_app(Settings(checkpoints=tmp_path, device="cpu", max_queued=-1))
    with pytest.raises(Unavailable, match="max_queued"):
        asyncio.run(open_engine(app))
