"""What is told of a request, and that nothing of it is what somebody wrote."""

import logging

import pytest
from fastapi import Request
from starlette.testclient import TestClient

from backend.app import create_app
from backend.errors import Busy
from backend.observing import pseudonym
from backend.settings import Settings

SECRET = "Call me Ishmael"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """An application without checkpoints, that fails where it is asked to."""
    made = create_app(Settings(checkpoints=tmp_path_factory.mktemp("none"), device="cpu"))

    @made.get("/busy")
    async def busy():
        raise Busy("All places are taken.", 3.0)

    @made.get("/defect")
    async def defect(request: Request, text: str = ""):
        raise ValueError(f"{text}")

    made.state.catalog.entries["toy"] = None
    return made


@pytest.fixture
def asks(app):
    return TestClient(app, raise_server_exceptions=False, base_url="http://127.0.0.1")


@pytest.fixture
def facts(caplog):
    """What has been told of each request so far."""
    caplog.set_level(logging.INFO, "unrolled.requests")
    return lambda: [r.facts for r in caplog.records if r.name == "unrolled.requests"]


@pytest.mark.parametrize(
    ("path", "route", "status", "code"),
    [
        ("/healthz", "/healthz", 200, None),
        (f"/api/checkpoints/{SECRET}", "/api/checkpoints/{id}", 404, "unknown_checkpoint"),
        (f"/static/{SECRET}.js", "/static/{path}", 404, "not_found"),
        (f"/{SECRET}/{SECRET}/x/y", "none", 404, "not_found"),
        (f"/en/lessons/{SECRET}", "/{language}/lessons/{slug}", 404, "not_found"),
        ("/busy", "/busy", 429, "busy"),
        (f"/defect?text={SECRET}", "/defect", 500, "internal"),
    ],
)
def test_a_request_is_told_in_one_line_without_anything_that_was_written(
    asks, facts, caplog, path, route, status, code
):
    answer = asks.get(path, headers={"User-Agent": SECRET, "Referer": SECRET, "Cookie": SECRET})
    (told,) = facts()
    assert (told["method"], told["route"], told["status"]) == ("GET", route, status)
    assert told.get("code") == code
    assert told["bytes"] == (len(answer.content) if status < 500 else 0)  # that one is made outside
    assert 0 <= told["wait_ms"] <= told["ms"]
    assert SECRET not in str(told)
    assert "testclient" not in str(told)  # the address
    assert "checkpoint" not in told
    assert SECRET not in " ".join(caplog.messages)


def test_a_checkpoint_that_is_there_is_named(asks, facts):
    asks.get("/api/checkpoints/toy")
    assert facts()[0]["checkpoint"] == "toy"


def test_every_answer_has_an_id_that_is_in_the_log_even_that_of_a_defect(asks, facts):
    ids = [asks.get(p).headers["x-request-id"] for p in ("/healthz", "/nothing/at/all", "/defect")]
    assert len(set(ids)) == 3
    assert [told["request"] for told in facts()] == ids


@pytest.mark.parametrize(
    ("given", "kept"),
    [("a-1.b_2", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("\x1b[1m", False)],
)
def test_the_id_that_a_proxy_gives_is_kept_where_it_is_plain(asks, given, kept):
    answer = asks.get("/healthz", headers={"X-Request-ID": given.encode()})
    assert (answer.headers["x-request-id"] == given) == kept


def test_a_client_is_told_from_another_and_not_who_it_is():
    assert pseudonym("10.0.0.1") == pseudonym("10.0.0.1") != pseudonym("10.0.0.2")
    assert "10.0" not in pseudonym("10.0.0.1")


def test_a_stream_whose_reader_goes_away_is_told_as_that(server, caplog):
    caplog.set_level(logging.INFO, "unrolled.requests")
    body = {"prefix": "ab", "max_new_tokens": 5000, "points": []}
    path = "/api/checkpoints/toy-lstm/generate"
    with server.client.stream("POST", path, json=body) as answer:
        next(answer.iter_text())
    from tests.backend.serving import wait

    wait(lambda: [r for r in caplog.records if r.name == "unrolled.requests"])
    told = next(r.facts for r in caplog.records if r.name == "unrolled.requests")
    assert (told["route"], told["code"]) == ("/api/checkpoints/{id}/generate", "client_gone")
    assert told["checkpoint"] == "toy-lstm"
