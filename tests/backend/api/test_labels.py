"""Routes that give labels: classify and tag."""

import numpy as np
import pytest

from backend.settings import Settings
from models.kinds import open_checkpoint
from tests.backend.serving import assert_error, decode, in_process
from tests.toys.labels import CLASSIFIERS, LANGUAGES, TAGGERS, TAGS, write_labellers

TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labellers")
    write_labellers(folder)
    return folder


@pytest.fixture(scope="module")
def client(folder):
    settings = Settings(checkpoints=folder, device="cpu", max_text_characters=200)
    with in_process(settings) as client:
        yield client


def ask(client, id: str, task: str, body) -> object:
    return client.post(f"/api/checkpoints/{id}/{task}", json=body)


TEXTS = {"characters": "Abba-e", "words": "The fish don't swim ."}


@pytest.mark.parametrize("id", CLASSIFIERS)
def test_a_text_gets_the_probabilities_and_points_of_its_network(client, folder, id):
    text = TEXTS[CLASSIFIERS[id].reads]
    answer = ask(client, id, "classify", {"text": text})
    assert answer.status_code == 200, answer.text[:500]
    told, runner = answer.json(), open_checkpoint(folder / id)
    expected = runner.classify(runner.reads.encode(text), None)
    assert told["checkpoint"] == id
    assert told["labels"] == LANGUAGES
    np.testing.assert_allclose(
        decode(told["probabilities"]), expected.probabilities, atol=TOLERANCE
    )
    assert list(told["points"]) == [point.name for point in runner.points]
    for point in runner.points:
        found = told["points"][point.name]
        assert (found["axes"], found["range"]) == (list(point.axes), point.range)
        np.testing.assert_allclose(
            decode(found["data"]), expected.points[point.name], atol=TOLERANCE
        )
    assert told["tokens"] == [text[start:stop] for start, stop in told["spans"]]
    assert "".join(told["tokens"]) == text.replace(" ", "")


def test_words_that_the_network_has_no_row_for_are_told(client):
    told = ask(client, "toy-attention", "classify", {"text": "The cat don't", "points": []}).json()
    assert told["points"] == {}
    assert told["tokens"] == ["The", "cat", "do", "n't"]
    assert told["known"] == [True, False, False, True]


@pytest.mark.parametrize("id", TAGGERS)
def test_every_word_gets_its_tag(client, folder, id):
    text = "The fish don't swim ."
    told = ask(client, id, "tag", {"text": text, "points": ["rnn.0.h", "tags"]}).json()
    words = ["The", "fish", "do", "n't", "swim", "."]
    expected = open_checkpoint(folder / id).tag(words)
    assert told["tokens"] == words
    assert told["labels"] == TAGS
    assert told["known"] == expected.known
    probabilities = decode(told["probabilities"])
    np.testing.assert_allclose(probabilities, expected.probabilities, atol=TOLERANCE)
    assert told["tags"] == [TAGS[k] for k in probabilities.argmax(-1)]
    assert list(told["points"]) == ["rnn.0.h", "tags"]
    assert told["points"]["rnn.0.h"]["data"]["shape"] == "6, 5"


def test_a_classifier_can_be_traced_and_predicts_nothing(client):
    answer = ask(client, "toy-attention", "trace", {"text": "a fish", "points": ["attention"]})
    told = answer.json()
    assert told["next"] is None
    assert told["probability"] is None
    assert told["tokens"] == ["a", "fish"]
    assert decode(told["points"]["attention"]["data"]).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("id", "task", "body", "status", "code"),
    [
        ("toy-names", "classify", {"text": ""}, 422, "empty_text"),
        ("toy-attention", "classify", {"text": " \n"}, 422, "empty_text"),
        ("toy-tagger", "tag", {"text": "  "}, 422, "empty_text"),
        ("toy-names", "classify", {"text": "a" * 201}, 413, "text_too_long"),
        ("toy-tagger", "tag", {"text": "a " * 101}, 413, "text_too_long"),
        ("toy-names", "classify", {"text": "abz"}, 422, "unknown_characters"),
        ("toy-tagger", "tag", {"text": "a", "points": ["tag"]}, 422, "unknown_point"),
        ("toy-tagger", "classify", {"text": "a"}, 422, "wrong_task"),
        ("toy-names", "tag", {"text": "a"}, 422, "wrong_task"),
        ("toy-names", "classify", {"txt": "a"}, 422, "invalid"),
        ("toy-none", "classify", {"text": "a"}, 404, "unknown_checkpoint"),
    ],
)
def test_what_cannot_be_labelled_gets_the_one_error(client, id, task, body, status, code):
    assert_error(ask(client, id, task, body), status, code)


def test_halves_of_surrogate_pairs_are_refused(client):
    for id, task in (("toy-attention", "classify"), ("toy-tagger", "tag")):
        answer = client.post(
            f"/api/checkpoints/{id}/{task}",
            content=b'{"text": "a \\ud800"}',
            headers={"Content-Type": "application/json"},
        )
        assert_error(answer, 422, "unknown_characters")


def test_more_numbers_than_are_sent_are_refused_before_they_are_made(folder):
    settings = Settings(checkpoints=folder, device="cpu", max_trace_bytes=1000)
    with in_process(settings) as client:
        answer = ask(client, "toy-tagger", "tag", {"text": "a " * 90})
        assert assert_error(answer, 413, "trace_too_large")["limit"] == 1000
