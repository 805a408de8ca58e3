"""The same text with only its last characters given, over HTTP."""

import numpy as np
import pytest

from backend.settings import Settings
from tests.backend.serving import assert_error, decode, in_process
from tests.toys import TEXT, write_toys
from tests.toys.characters import write_convolution, write_ngram
from tests.toys.transformers import LANGUAGE_MODELS, write_language_model
from tests.toys.translators import write_translator

READS = ("toy-lstm", "toy-conv", "toy-gpt", "toy-ngram")


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readers")
    write_toys(folder)
    write_convolution(folder / "toy-conv", "toy-conv")
    write_ngram(folder / "toy-ngram")
    write_language_model(folder / "toy-gpt", LANGUAGE_MODELS["toy-gpt"])
    write_translator(folder / "toy-plain", "toy-plain")
    settings = Settings(
        checkpoints=folder, device="cpu", max_context_characters=60, max_context_work=8_000_000
    )
    with in_process(settings) as client:
        yield client


def ask(client, id: str, **body):
    return client.post(f"/api/checkpoints/{id}/context", json={"text": TEXT} | body)


@pytest.mark.parametrize("id", READS)
def test_the_longest_context_gives_what_the_trace_gives(client, id):
    T = len(TEXT)
    told = ask(client, id, lengths=[1, 4, T - 1, 1000]).json()
    found = decode(told["probability"])
    assert told["tokens"] == list(TEXT)
    assert (told["lengths"], found.shape) == ([1, 4, T - 1, 1000], (4, T))
    trace = client.post(f"/api/checkpoints/{id}/trace", json={"text": TEXT, "points": []}).json()
    given = decode(trace["probability"])
    assert np.isnan(found[:, 0]).all()
    for row in (2, 3):
        np.testing.assert_allclose(found[row, 1:], given[1:], atol=1e-5, rtol=0)
    assert not np.allclose(found[0, 2:], given[2:], atol=1e-3)


def test_what_cannot_be_measured_is_refused_with_what_can(client):
    answer = ask(client, "toy-plain")
    assert_error(answer, 422, "wrong_task")
    answer = ask(client, "toy-lstm", text="a")
    assert_error(answer, 422, "text_too_short")
    answer = ask(client, "toy-lstm", text="ab" * 31)
    assert_error(answer, 413, "text_too_long")
    assert answer.json()["error"]["limit"] == 60
    answer = ask(client, "toy-lstm", text="ab?Z")
    assert_error(answer, 422, "unknown_characters")
    for lengths in ([], [0], [1] * 33, ["1"]):
        assert_error(ask(client, "toy-lstm", lengths=lengths), 422, "invalid")


def test_more_work_than_is_done_at_once_is_refused_with_the_lengths_that_fit(client):
    answer = ask(client, "toy-lstm", text="ab" * 30, lengths=[1, 59])
    assert_error(answer, 413, "context_too_large")
    fit = int(answer.json()["error"]["hint"].split("up to ")[1].split(",")[0])
    assert ask(client, "toy-lstm", text="ab" * 30, lengths=[fit]).status_code == 200
    assert ask(client, "toy-lstm", text="ab" * 30, lengths=[fit + 1]).status_code == 413
