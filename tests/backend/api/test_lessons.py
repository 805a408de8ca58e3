import json

import pytest

from backend.lessons import slugs
from tests.backend.serving import assert_error


def ask(client, answer, exercise="parameters", slug="recurrent-cell", **rest):
    return client.post(f"/api/lessons/{slug}/exercises/{exercise}", json={"answer": answer, **rest})


def test_the_course_is_listed_in_its_order_in_both_languages(client):
    for language, word in (("en", "cell"), ("ru", "ячейка")):
        found = client.get("/api/lessons", params={"language": language}).json()["lessons"]
        assert [one["slug"] for one in found] == slugs()
        assert word in found[slugs().index("recurrent-cell")]["title"]
        assert all(one["exercises"] for one in found)


def test_a_right_answer_is_told_and_a_wrong_one_gets_the_hint(client):
    right = ask(client, 372).json()
    assert right["right"]
    assert "12 · 17" in right["said"]
    wrong = ask(client, 371).json()
    assert not wrong["right"]
    assert "Twelve rows" in wrong["said"]
    assert "372" not in wrong["said"]


def test_what_is_said_is_said_in_the_readers_language(client):
    assert "Двенадцать" in ask(client, 1, language="ru").json()["said"]


@pytest.mark.parametrize("answer", ["372", None, True, [372], 1e999, float("nan")])
def test_an_answer_that_is_no_number_is_refused(client, answer):
    raw = json.dumps({"answer": answer})
    response = client.post(
        "/api/lessons/recurrent-cell/exercises/parameters",
        content=raw,
        headers={"Content-Type": "application/json"},
    )
    assert_error(response, 422)


def test_an_option_that_is_not_there_is_refused(client):
    assert_error(ask(client, 7, "two-letters"), 422, "bad_answer")


def test_an_unknown_lesson_or_exercise_is_named_with_those_there_are(client):
    hint = assert_error(ask(client, 1, slug="poetry"), 404, "not_found")["hint"]
    assert "recurrent-cell" in hint
    assert "parameters" in assert_error(ask(client, 1, "none"), 404, "not_found")["hint"]


def test_shapes_are_those_that_torch_computes(client):
    found = client.get("/api/shapes", params={"cell": "lstm", "batch_first": True}).json()
    shapes = {one["name"]: one["data"]["shape"] for one in found["tensors"]}
    assert found["code"] == "torch.nn.LSTM(3, 4, batch_first=True)"
    assert shapes["output"] == "2, 5, 4"
    assert shapes["c_n"] == "1, 2, 4"
    assert found["equal"] == {"last_output": True}


@pytest.mark.parametrize(
    "wrong", [{"hidden_size": 0}, {"length": 99}, {"cell": "cnn"}, {"depth": 2}, {"batch": "x"}]
)
def test_shapes_outside_the_bounds_are_refused(client, wrong):
    assert_error(client.get("/api/shapes", params=wrong), 422)
