import json

import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from backend import errors
from tests.backend.serving import SECURITY, assert_error

TREE = [
    (errors.Error, 500, "internal"),
    (errors.NotFound, 404, "not_found"),
    (errors.Invalid, 422, "invalid"),
    (errors.TooLarge, 413, "too_large"),
    (errors.Unavailable, 503, "unavailable"),
]


class Body(BaseModel):
    number: int
    word: str = ""


@pytest.fixture(scope="module")
def asks():
    """An application that fails in every way there is."""
    app = FastAPI()
    headers = [(name.encode(), b"x") for name in SECURITY]
    errors.install(app, lambda request, error: PlainTextResponse(f"page: {error}"), headers)

    @app.get("/raise/{name}")
    def fail(name: str):
        if name == "busy":
            raise errors.Busy("All places are taken.", 2.6)
        if name == "http":
            raise HTTPException(418, "short and stout", {"X-Pot": "tea"})
        if name == "surrogate":
            raise errors.Invalid("what is \ud800?", characters=["\udfff"])
        if name == "defect":
            raise ZeroDivisionError("secret")
        kinds = {kind.__name__: kind for kind, _, _ in TREE}
        raise kinds[name]("What happened.", "What to do.", limit=5)

    @app.post("/body")
    def body(body: Body, flag: bool = Query(False)):
        return body

    @app.post("/api/thing")
    def thing(body: Body):
        return body

    return TestClient(app, raise_server_exceptions=False)


def check(answer, status, code=None) -> dict:
    assert answer.status_code == status
    error = answer.json()["error"]
    assert list(error)[:3] == ["code", "message", "hint"]
    if code:
        assert error["code"] == code
    return error


@pytest.mark.parametrize(("kind", "status", "code"), TREE)
def test_every_error_has_its_status_its_code_and_the_one_shape(asks, kind, status, code):
    error = check(asks.get(f"/raise/{kind.__name__}"), status, code)
    assert error["message"] == "What happened."
    assert error["hint"] == "What to do."
    assert error["limit"] == 5


@pytest.mark.parametrize(("kind", "status", "code"), TREE)
def test_every_error_is_one_of_the_tree(kind, status, code):
    assert issubclass(kind, errors.Error)
    assert (kind.status, kind.code) == (status, code)


def test_who_is_refused_for_lack_of_room_is_told_when_to_come_back(asks):
    answer = asks.get("/raise/busy")
    error = check(answer, 429, "busy")
    assert answer.headers["retry-after"] == "3"
    assert error["retry_after"] == 2.6


def test_a_wait_of_less_than_a_second_is_told_as_one():
    assert errors.Busy("", 0.01).status == 429
    app = FastAPI()
    errors.install(app, None, [])

    @app.get("/")
    def fail():
        raise errors.Busy("", 0.01)

    assert TestClient(app).get("/").headers["retry-after"] == "1"


def test_a_defect_is_told_in_one_line_and_logged_whole(asks, caplog):
    answer = asks.get("/raise/defect")
    check(answer, 500, "internal")
    assert "secret" not in answer.text
    assert "ZeroDivisionError: secret" in caplog.text


def test_the_answer_to_a_defect_has_the_headers_of_every_answer(asks):
    assert_error(asks.get("/raise/defect"), 500)


def test_an_address_in_the_log_cannot_forge_a_line_of_it(asks, caplog):
    asks.get("/raise/%0a%1b[31mERROR%20all%20is%20lost")
    asks.get("/raise/%0d%0a%E2%80%AEKeyError")
    assert len(caplog.messages) == 2
    assert all(message.isprintable() for message in caplog.messages)


def test_an_error_of_the_framework_takes_the_shape_and_keeps_its_headers(asks):
    answer = asks.get("/raise/http")
    assert check(answer, 418)["message"] == "short and stout"
    assert answer.headers["x-pot"] == "tea"


def test_half_a_character_told_back_becomes_a_question_mark(asks):
    error = check(asks.get("/raise/surrogate"), 422)
    assert error["message"] == "what is ??"
    assert error["characters"] == ["?"]


@pytest.mark.parametrize("path", ["/nothing", "/raise", "/api/nothing"])
def test_an_address_that_is_not_there_has_the_shape_too(asks, path):
    assert check(asks.get(path), 404)["hint"]


def test_a_method_that_does_not_fit_names_those_that_do(asks):
    answer = asks.put("/body")
    check(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_a_wrong_field_is_named_and_its_value_is_not_told_back(asks):
    answer = asks.post("/body", json={"number": "a long secret"})
    error = check(answer, 422, "invalid")
    assert error["message"].startswith("number: ")
    assert error["fields"] == [{"field": "number", "problem": error["fields"][0]["problem"]}]
    assert "secret" not in answer.text


def test_every_wrong_field_is_named_up_to_a_number(asks):
    body = {"number": 1.5, "word": 5}
    error = check(asks.post("/body?flag=perhaps", json=body), 422)
    assert {entry["field"] for entry in error["fields"]} == {"number", "word", "flag"}


@pytest.mark.parametrize("raw", [b"{", b"[1,", b"\xff\xfe", b"{'number': 1}"])
def test_what_is_not_json_is_called_so(asks, raw):
    answer = asks.post("/body", content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert check(answer, answer.status_code)["hint"].startswith("Send a JSON object")


def test_a_person_who_browses_gets_a_page_and_a_program_json(asks):
    browser = {"Accept": "text/html,application/xhtml+xml"}
    assert asks.get("/nothing", headers=browser).text.startswith("page: ")
    assert asks.get("/nothing", headers={"Accept": "*/*"}).json()["error"]


def test_the_api_answers_json_even_to_a_browser(asks):
    answer = asks.post("/api/thing", json={}, headers={"Accept": "text/html"})
    check(answer, 422)
    check(asks.get("/api/none", headers={"Accept": "text/html"}), 404)


def test_the_body_of_an_error_is_plain_json():
    told = json.dumps(errors.Invalid("m", "h", "c", at=[1]).body())
    assert json.loads(told) == {"error": {"code": "c", "message": "m", "hint": "h", "at": [1]}}
