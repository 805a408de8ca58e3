"""What one client may have under way: students where there is a join code, else addresses."""

from contextlib import ExitStack

import pytest

from backend.joining import COOKIE
from backend.settings import Settings
from tests.backend.serving import assert_error, in_process, live
from tests.toys import CONFIGS, write_toy
from tests.toys.transformers import write_transformers

READINGS = {
    "toy-lstm/trace": {"text": "abc"},
    "toy-lstm/units": {"text": "abcabc", "marks": [True, False, True] * 2},
    "toy-lstm/gradients": {"text": "abc"},
    "toy-lstm/context": {"text": "abc", "lengths": [1, 2]},
    "toy-gpt/trace": {"text": "abc"},
    "toy-gpt/slices": {"text": "abc", "slices": [{"point": "blocks.0.attention"}]},
}


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A server on which nobody may have a text read."""
    folder = tmp_path_factory.mktemp("toys")
    write_toy(folder / "toy-lstm", CONFIGS["toy-lstm"])
    write_transformers(folder)
    settings = Settings(checkpoints=folder, device="cpu", readings_per_client=0)
    with in_process(settings) as client:
        yield client


@pytest.mark.parametrize("path", READINGS)
def test_every_reading_of_a_text_is_counted(strict, path):
    answer = strict.post(f"/api/checkpoints/{path}", json=READINGS[path])
    error = assert_error(answer, 429, "busy")
    assert int(answer.headers["retry-after"]) >= 1
    assert error["retry_after"] >= 1


def test_what_a_reading_counts_is_given_back(strict):
    assert strict.app.state.tracing.idle


@pytest.fixture(scope="module")
def classroom(tmp_path_factory):
    """A server with a join code on which each student may have one text written and one network
    trained."""
    folder = tmp_path_factory.mktemp("class")
    write_toy(folder / "toy-lstm", CONFIGS["toy-lstm"])
    settings = Settings(
        checkpoints=folder,
        device="cpu",
        join="TREE42",
        streams_per_student=1,
        trainings_per_student=1,
    )
    with live(settings) as server:
        yield server


@pytest.mark.parametrize("what", ["text", "training"])
def test_students_behind_one_address_have_each_their_own(classroom, what):
    door, client = classroom.app.state.door, classroom.client
    one, other = ({"Cookie": f"{COOKIE}={door.ticket()}"} for _ in range(2))
    if what == "text":
        path, body = "/api/checkpoints/toy-lstm/generate", {"prefix": "abc", "max_new_tokens": 5000}
    else:
        recipes = client.get("/api/training", headers=one).json()["recipes"]
        path, body = f"/api/training/{recipes[0]['name']}", {}
    with ExitStack() as stack:

        def ask(headers):
            return stack.enter_context(client.stream("POST", path, json=body, headers=headers))

        assert ask(one).status_code == 200
        second = ask(one)
        second.read()
        assert_error(second, 429, "busy")
        assert int(second.headers["retry-after"]) >= 1
        assert ask(other).status_code == 200
