import json

import pytest

from backend.settings import Settings
from tests.backend.api.translate.asking import (
    SENTENCE,
    ask,
    whole,
)
from tests.backend.serving import assert_error, in_process
from tests.toys.translators import TRANSLATORS, write_translator

WRONG = {
    "an empty text": ({"text": ""}, "empty_text", "text is empty"),
    "spaces": ({"text": " \n\t "}, "empty_text", "nothing to translate"),
    "too many tokens to write": ({"max_new_tokens": 201}, "too_many_tokens", "at most 200"),
    "a long prefix": ({"prefix": [5] * 201}, "too_many_tokens", "at most 200"),
    "an unknown point": ({"points": ["context", "rnn.0.h"]}, "unknown_point", "'rnn.0.h'"),
    "a token there is not": ({"prefix": [5, 10**6]}, "bad_prefix", "prefix[1] is 1000000"),
    "an absurd token": ({"prefix": [10**400]}, "bad_prefix", "prefix[0] is a huge number"),
    "a negative token": ({"prefix": [-1]}, "bad_prefix", "prefix[0] is -1"),
    "the mark of the begin": ({"prefix": [1]}, "bad_prefix", "prefix[0] is 1"),
    "an end in the middle": ({"prefix": [5, 2, 6]}, "bad_prefix", "prefix[1] is 2, the end mark"),
    "a step there is not": ({"force": [[12, 0]]}, "bad_force", "the steps are 0 to 11"),
    "a negative step": ({"force": [[-1, 0]]}, "bad_force", "target step -1"),
    "a position there is not": ({"force": [[0, 99]]}, "bad_force", "source position 99"),
    "a negative position": ({"force": [[0, -1]]}, "bad_force", "source position -1"),
    "an absurd position": ({"force": [[0, 10**400]]}, "bad_force", "a huge number"),
    "a step forced twice": ({"force": [[1, 0], [1, 0]]}, "bad_force", "step 1 is forced twice"),
    "very many": ({"force": [[k, 0] for k in range(20_000)]}, "bad_force", "force[12]"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("body", "code", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_used_is_refused_with_what_could(client, body, code, words, stream):
    error = assert_error(ask(client, stream=stream, **body), 422, code)
    assert words in error["message"]
    assert error["hint"]
    assert len(error["message"]) < 200


FIELDS = {
    "text": [None, 5, ["a"], True],
    "beam_size": [0, 9, -1, 2.0, "2", None, True],
    "length_penalty": [-0.1, 2.1, "1", None, True],
    "max_new_tokens": [0, -1, 5.0, "5", None, True],
    "prefix": [None, 5, "5", [None], ["5"], [5.0], [True], [[5]]],
    "force": [None, 5, [5], [[1]], [[1, 2, 3]], [["1", 0]], [[1.0, 0]], [[True, 0]], {"1": 0}],
    "points": ["context", [5], {"context": 1}],
    "stream": [None, 1, "true"],
    "temperature": [1.0],
}
CASES = [(name, value) for name, values in FIELDS.items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{n}={v!a:.12}" for n, v in CASES])
def test_a_field_that_cannot_be_used_is_refused_by_its_name(client, name, value):
    body = json.dumps({"text": SENTENCE, name: value})
    answer = client.post(
        "/api/checkpoints/toy-additive/translate",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    error = assert_error(answer, 422, "invalid")
    assert error["fields"][0]["field"].split(".")[0] == name


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_refused(client, number):
    body = f'{{"text": "a dog", "length_penalty": {number}}}'.encode()
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/checkpoints/toy-additive/translate", content=body, headers=headers)
    error = assert_error(answer, 422, "invalid")
    assert error["fields"][0]["field"] == "length_penalty"


@pytest.mark.parametrize("words", [200, 9_000])
def test_a_text_longer_than_is_read_is_refused_with_the_limit(client, words):
    error = assert_error(ask(client, text="a " * words), 413, "text_too_long")
    assert error["limit"] == 200
    error = assert_error(ask(client, text="a" * 20_001), 413, "text_too_long")
    assert error["limit"] == 20_000


def test_a_text_as_long_as_is_read_is_translated(client):
    found = whole(client, text="a " * 199, max_new_tokens=2)
    assert len(found["source_tokens"]) == 200


def test_a_megabyte_is_refused_by_its_length(client):
    assert_error(ask(client, text="a" * 1_000_000), 413, "too_large")


def test_unknown_characters_are_told_where_a_text_is_read_by_its_characters(client):
    error = assert_error(ask(client, "toy-characters", text="3 Ω may"), 422, "unknown_characters")
    assert [found["position"] for found in error["characters"]] == [2]
    assert "0123456789" in error["hint"]


@pytest.mark.parametrize("id", TRANSLATORS)
@pytest.mark.parametrize("escape", ["\\ud800", "a \\udfff", "\\ude00\\ud83d"])
def test_half_a_character_is_refused_and_can_be_told_back(client, id, escape):
    headers = {"Content-Type": "application/json"}
    body = b'{"text": "3 %s"}' % escape.encode()
    answer = client.post(f"/api/checkpoints/{id}/translate", content=body, headers=headers)
    error = assert_error(answer, 422, "unknown_characters")
    assert error["characters"][0]["code_point"].startswith("U+D")


@pytest.mark.parametrize(
    "text", ["\0", "\x1b[2J", "\u202e\ufeff", "😀😁", "e\u0302", "<script>", "犬" * 50]
)
def test_any_text_is_translated_by_a_network_that_copies_what_it_does_not_know(client, text):
    found = whole(client, text=f"a {text} dog", max_new_tokens=3)
    assert found["source_tokens"][-2] == "dog"


def test_attention_that_is_not_there_cannot_be_forced(client):
    error = assert_error(ask(client, "toy-plain", force=[[0, 0]]), 422, "no_attention")
    assert "attention" in error["message"]
    assert whole(client, "toy-plain", force=[])["forced"] == []


@pytest.mark.parametrize("task", ["trace", "generate"])
def test_a_translator_that_is_asked_for_something_else_says_what_it_can(client, task):
    body = {{"trace": "text", "generate": "prefix"}[task]: "ab"}
    answer = client.post(f"/api/checkpoints/toy-plain/{task}", json=body)
    error = assert_error(answer, 422, "wrong_task")
    assert error["message"] == f"Checkpoint toy-plain cannot {task}, it can translate."
    assert error["hint"] == f"Ask one that can {task}: toy-lstm."


def test_a_network_that_cannot_translate_says_which_can(client):
    error = assert_error(ask(client, "toy-lstm", text="ab"), 422, "wrong_task")
    assert error["tasks"] == ["trace", "generate"]
    assert error["checkpoints"] == sorted(TRANSLATORS)


def test_more_numbers_than_one_translation_may_have_are_refused_with_what_would_fit(tmp_path):
    write_translator(tmp_path / "toy", "toy-additive")
    small = Settings(checkpoints=tmp_path, device="cpu", max_stream_bytes=4000)
    with in_process(small) as client:
        error = assert_error(ask(client, "toy", max_new_tokens=100), 413, "too_large")
        assert 0 < error["steps"] < 100
        assert ask(client, "toy", points=[]).status_code == 200
