"""What a server says that has a GPU is what it says on the CPU: of every task that needs no picture
(the networks of pictures run on the CPU either way)."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from backend.settings import Settings
from tests.backend.serving import assert_error, decode, events, in_process
from tests.checkpoints.test_shipped import FOLDERS, ROOT, about

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
SHARE = 1e-3  # of the largest number of an array, or of 1: float32 sums in another order
EACH = pytest.mark.parametrize(
    "id", [path.name for path in FOLDERS if about(path)["kind"] not in ("captioner", "vqa")]
)
STACKS = [path.name for path in FOLDERS if about(path)["kind"].startswith("transformer")]
PASSING = {"seconds", "device", "moved", "status", "reason"}  # what may differ, by its name
SAMPLE = "To be good, or not to be good: that is all. "
# What is asked of a network that has a task; `prompt` is a text that it reads.
ASKED = {
    "trace": {"text": "prompt"},
    "gradients": {"text": "prompt", "radii": 2},
    "context": {"text": "prompt", "lengths": [1, 4]},
    "units": {"text": "prompt", "property": "word"},
    "generate": {"prefix": "prompt", "max_new_tokens": 24, "seed": 3},
    "translate": {"text": "prompt", "beam_size": 3, "points": None},
    "classify": {"text": "prompt"},
    "tag": {"text": "prompt"},
    "forecast": {"steps": 6},
}
CUT = 8  # slices in a request


@pytest.fixture(scope="module")
def servers():
    """One whose networks run on the CPU, one whose networks run on the GPU."""
    where = Settings(checkpoints=ROOT / "checkpoints", threads=1)
    cpu, gpu = (in_process(replace(where, device=name)) for name in ("cpu", "cuda"))
    with cpu as on_cpu, gpu as on_gpu:
        yield on_cpu, on_gpu


def differ(one, other, where: str = "") -> str:
    """Where two answers say something else; nothing if they agree."""
    if isinstance(one, dict) and one.keys() == {"dtype", "shape", "bdata"}:
        first, second = (decode(value).astype(np.float64) for value in (one, other))
        if first.shape != second.shape:
            return f"{where}: {first.shape} and {second.shape}"
        if not (np.isfinite(first) == np.isfinite(second)).all():
            return f"{where}: NaN in other places"
        off = np.abs(np.nan_to_num(first) - np.nan_to_num(second)).max(initial=0)
        size = max(1.0, np.abs(np.nan_to_num(first)).max(initial=0))
        allowed = 1.0 if one["dtype"] == "u1" else SHARE * size
        return f"{where}: off by {off:.2g} of {size:.2g}" if off > allowed else ""
    if isinstance(one, dict):
        if one.keys() != other.keys():
            return f"{where}: {sorted(one)} and {sorted(other)}"
        inner = ((one[k], other[k], f"{where}.{k}") for k in one if k not in PASSING)
        return next((said for each in inner if (said := differ(*each))), "")
    if isinstance(one, list):
        if len(one) != len(other):
            return f"{where}: {len(one)} and {len(other)} entries"
        inner = ((a, b, f"{where}.{k}") for k, (a, b) in enumerate(zip(one, other, strict=True)))
        return next((said for each in inner if (said := differ(*each))), "")
    if isinstance(one, float) and isinstance(other, float):
        return "" if abs(one - other) <= SHARE * max(1.0, abs(one)) else f"{where}: {one}, {other}"
    return "" if one == other else f"{where}: {one!r:.80} and {other!r:.80}"


def prompt(id: str) -> str:
    told = about(ROOT / "checkpoints" / id)
    return told.get("prompt") or (told.get("examples") or [SAMPLE])[0]


def said(answer):
    """What an answer holds, whatever its form."""
    assert answer.status_code == 200, answer.text[:300]
    if answer.headers["content-type"].startswith("text/event-stream"):
        return [[name, data] for name, data in events(answer.text)]
    return answer.json()


def both(servers, path: str, body: dict):
    return [said(client.post(path, json=body)) for client in servers]


@EACH
def test_every_task_of_a_checkpoint_says_the_same_on_both_devices(servers, id):
    tasks = servers[0].get(f"/api/checkpoints/{id}").json()["tasks"]
    asked = [name for name in ASKED if name in tasks]
    assert asked
    for task in asked:
        body = {k: prompt(id) if v == "prompt" else v for k, v in ASKED[task].items()}
        one, other = both(servers, f"/api/checkpoints/{id}/{task}", body)
        assert differ(one, other) == "", task


@EACH
def test_no_checkpoint_had_to_leave_the_gpu(servers, id):
    told = servers[1].get(f"/api/checkpoints/{id}").json()
    assert (told["status"], told["device"], told["moved"]) == ("ready", "cuda", False)


@pytest.mark.parametrize("id", STACKS)
def test_slices_of_every_point_are_the_same_on_both_devices(servers, id):
    told = servers[0].get(f"/api/checkpoints/{id}").json()
    assert "slices" in told["tasks"]
    points = [point["name"] for point in told["points"]]
    for first in range(0, len(points), CUT):
        for edits in ({}, {"edits": {"positions": False}}):
            slices = [{"point": name} for name in points[first : first + CUT]]
            body = {"text": prompt(id), "slices": slices, **edits}
            one, other = both(servers, f"/api/checkpoints/{id}/slices", body)
            assert differ(one, other) == ""


def test_layers_are_timed_on_the_gpu(servers):
    told = servers[1].get("/api/timings", params={"width": 32})
    assert told.status_code == 200, told.text[:300]
    assert json.loads(told.text)["device"] == "cuda"


def test_a_text_too_long_for_the_gpu_is_read_on_the_cpu_and_the_answer_says_so(servers):
    """The memory is real here: all but a little of it is taken away."""
    client, id = servers[1], "shakespeare-rnn"
    text = "To be, or not to be. " * 90
    expected = said(servers[0].post(f"/api/checkpoints/{id}/trace", json={"text": text}))
    torch.cuda.empty_cache()
    held, size = [], 1 << 34
    while size >= 1 << 20:
        try:
            held.append(torch.empty(size, dtype=torch.uint8, device="cuda"))
        except torch.OutOfMemoryError:
            size //= 2
    answer = client.post(f"/api/checkpoints/{id}/trace", json={"text": text})
    held.clear()
    torch.cuda.empty_cache()
    assert differ(said(answer), expected) == ""
    assert answer.headers["x-notice"] == "on_cpu"
    assert client.get(f"/api/checkpoints/{id}").json()["moved"]


def test_a_wrong_request_is_refused_and_the_gpu_answers_the_next(servers):
    client = servers[1]
    assert_error(client.post("/api/checkpoints/hello-rnn/trace", json={"text": "Я"}), 422)
    one, other = both(servers, "/api/checkpoints/hello-rnn/trace", {"text": "good"})
    assert differ(one, other) == ""
