import asyncio
import json

import pytest
from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient

from backend.guards import CONTENT_SECURITY_POLICY, BodyLimit, SecurityHeaders
from tests.backend.serving import SECURITY

LIMIT = 1000


@pytest.fixture(scope="module")
def asks():
    """An application behind the guards that reads bodies in several ways."""
    app = FastAPI()
    app.add_middleware(BodyLimit, limit=LIMIT)
    app.add_middleware(SecurityHeaders)

    @app.post("/whole")
    async def whole(request: Request):
        return {"bytes": len(await request.body())}

    @app.post("/json")
    async def parsed(body: dict):
        return {"fields": len(body)}

    @app.post("/ignored")
    async def ignored():
        return {"read": False}

    @app.post("/echo")
    async def echo(request: Request):
        return StreamingResponse(request.stream())

    return TestClient(app, raise_server_exceptions=False)


def chunks(total: int, size: int = 64):
    """A body of so many bytes without a declared length."""
    while total > 0:
        yield b"x" * min(size, total)
        total -= size


def refused(answer) -> None:
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"
    assert answer.json()["error"]["limit"] == LIMIT
    assert set(answer.headers) >= SECURITY


@pytest.mark.parametrize("path", ["/whole", "/json", "/ignored"])
def test_a_body_whose_declared_length_is_too_large_is_refused_wherever_it_goes(asks, path):
    refused(asks.post(path, content=b"x" * (LIMIT + 1)))


@pytest.mark.parametrize("path", ["/whole", "/json"])
@pytest.mark.parametrize("total", [LIMIT + 1, 50 * LIMIT])
def test_a_body_of_no_declared_length_is_refused_as_it_passes_the_cap(asks, path, total):
    headers = {"Content-Type": "application/json"}
    refused(asks.post(path, content=chunks(total), headers=headers))


@pytest.mark.parametrize("size", [0, 1, LIMIT])
def test_a_body_up_to_the_cap_is_let_through_whole(asks, size):
    assert asks.post("/whole", content=b"x" * size).json() == {"bytes": size}
    assert asks.post("/whole", content=chunks(size)).json() == {"bytes": size}


def ask(
    messages: list[dict], length: bytes | None, path: str = "/", others: dict | None = None
) -> tuple[list[dict], int]:
    """What comes back for a body of these messages, and how many of them were taken."""
    taken, sent = 0, []

    async def app(scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"fine"})

    async def receive():
        nonlocal taken
        taken += 1
        return messages[taken - 1]

    async def send(message):
        sent.append(message)

    headers = [] if length is None else [(b"content-length", length)]
    scope = {"type": "http", "headers": headers, "path": path}
    asyncio.run(BodyLimit(app, LIMIT, others)(scope, receive, send))
    return sent, taken


def body(count: int) -> list[dict]:
    part = {"type": "http.request", "body": b"x" * 400, "more_body": True}
    return [part] * (count - 1) + [part | {"more_body": False}]


OTHERS = {"/api/{id}/picture": 1200, "/notes/{path:path}": 10}


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/api/a/picture", 1200),
        ("/api/a-b.c/picture", 1200),
        ("/notes/a/b", 10),
        ("/api/a/b/picture", LIMIT),
        ("/api/a/picture/more", LIMIT),
        ("/x/api/a/picture", LIMIT),
        ("/", LIMIT),
    ],
)
@pytest.mark.parametrize("declared", [True, False])
def test_a_path_may_have_a_limit_of_its_own(path, limit, declared):
    for size, status in ((limit, 200), (limit + 1, 413)):
        length = str(size).encode() if declared else None
        sent, _ = ask([{"type": "http.request", "body": b"x" * size}], length, path, OTHERS)
        assert sent[0]["status"] == status
    assert json.loads(sent[1]["body"])["error"]["limit"] == limit


def test_the_refusal_comes_within_a_chunk_of_the_cap():
    sent, taken = ask(body(100), None)
    assert sent[0]["status"] == 413
    assert taken == 3  # 400 + 400 + 400 > 1000


@pytest.mark.parametrize("length", [b"1001", b"9" * 5000])
def test_a_declared_length_past_the_cap_is_refused_unread(length):
    sent, taken = ask(body(1), length)
    assert sent[0]["status"] == 413
    assert json.loads(sent[1]["body"])["error"]["code"] == "too_large"
    assert taken == 0


@pytest.mark.parametrize("length", [b"12", b"-5", b"0x10", b"", b"many"])
def test_a_declared_length_that_lies_does_not_help(length):
    sent, _ = ask(body(100), length)
    assert sent[0]["status"] == 413


def test_what_was_begun_is_not_answered_twice():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await receive()).get("more_body"):
            await send({"type": "http.response.body", "body": b"part", "more_body": True})

    sent, parts = [], iter(body(100))

    async def receive():
        return next(parts)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": []}
    asyncio.run(BodyLimit(app, LIMIT)(scope, receive, send))
    assert [message["type"] for message in sent].count("http.response.start") == 1


def test_an_error_of_the_application_itself_is_not_swallowed():
    async def app(scope, receive, send):
        raise ZeroDivisionError

    scope = {"type": "http", "headers": []}
    with pytest.raises(ZeroDivisionError):
        asyncio.run(BodyLimit(app, LIMIT)(scope, None, None))


@pytest.mark.parametrize("guard", [lambda app: BodyLimit(app, LIMIT), SecurityHeaders])
def test_what_is_not_http_passes_untouched(guard):
    passed = []

    async def app(scope, receive, send):
        passed.append((scope, receive, send))

    receive, send = object(), object()
    asyncio.run(guard(app)({"type": "lifespan"}, receive, send))
    assert passed == [({"type": "lifespan"}, receive, send)]


def test_the_policy_lets_nothing_in_from_elsewhere_and_runs_no_inline_script():
    policy = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY
    assert "unsafe-eval" not in CONTENT_SECURITY_POLICY
    assert "unsafe-inline" not in policy["style-src-elem"]


PATHS = ["/healthz", "/readyz", "/api/checkpoints", "/nothing", "/openapi.json", "/static/x/none"]


@pytest.mark.parametrize("path", [*PATHS, "/api/checkpoints/none", "/"])
def test_every_answer_of_the_server_has_the_security_headers(client, path):
    answer = client.get(path, follow_redirects=False)
    assert set(answer.headers) >= SECURITY
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_stream_has_the_security_headers(client):
    body = {"prefix": "ab", "max_new_tokens": 1, "points": []}
    answer = client.post("/api/checkpoints/toy-gru/generate", json=body)
    assert answer.status_code == 200
    assert set(answer.headers) >= SECURITY


def test_a_defect_of_the_server_has_the_security_headers(client, monkeypatch):
    runner = client.app.state.catalog.entries["toy-rnn"].runner
    monkeypatch.setattr(runner, "trace", lambda *arguments: 1 / 0)
    answer = client.post("/api/checkpoints/toy-rnn/trace", json={"text": "ab"})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert set(answer.headers) >= SECURITY
