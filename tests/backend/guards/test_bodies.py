import asyncio
import itertools
import json

import pytest
from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient

from backend.guards import BodyLimit, SecurityHeaders, bodies
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

    @app.get("/read")
    async def read(request: Request):
        return {"bytes": len(await request.body())}

    @app.post("/echo")
    async def echo(request: Request):
        return StreamingResponse(request.stream())

    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Nobody waits long for the rest of a body that was refused."""
    monkeypatch.setattr(bodies, "DRAIN_SECONDS", 0.05)


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


@pytest.mark.parametrize("content", [b"x" * (LIMIT + 1), None])
def test_a_body_where_none_is_expected_has_the_same_cap(asks, content):
    assert asks.get("/read").json() == {"bytes": 0}
    refused(asks.request("GET", "/read", content=content or chunks(5 * LIMIT)))


@pytest.mark.parametrize("size", [0, 1, LIMIT])
def test_a_body_up_to_the_cap_is_let_through_whole(asks, size):
    assert asks.post("/whole", content=b"x" * size).json() == {"bytes": size}
    assert asks.post("/whole", content=chunks(size)).json() == {"bytes": size}


def ask(
    messages: list[dict], length: bytes | None, path: str = "/", others: dict | None = None
) -> tuple[list[dict], int]:
    """What comes back for a body of these messages, and how many were taken before it came."""
    taken, before, sent = 0, None, []

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
        nonlocal before
        before = taken if before is None else before
        sent.append(message)

    headers = [] if length is None else [(b"content-length", length)]
    scope = {"type": "http", "headers": headers, "path": path}
    asyncio.run(BodyLimit(app, LIMIT, others)(scope, receive, send))
    return sent, before


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


# After the refusal


def refuse(parts, limit: int = LIMIT, wait: float = 5.0) -> tuple[list[dict], list[dict]]:
    """What was sent to who goes on sending `parts`, an iterator, and what was taken of them."""
    sent, taken = [], []

    async def app(scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"fine"})

    async def receive():
        for part in parts:
            taken.append(part)
            return part
        await asyncio.Event().wait()  # the rest never comes

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": [], "path": "/"}
    asyncio.run(BodyLimit(app, limit, wait=wait)(scope, receive, send))
    return sent, taken


def test_what_is_still_on_its_way_is_taken_before_the_connection_is_closed():
    sent, taken = refuse(iter(body(100)))
    assert len(taken) == 100
    start, told, end = sent
    assert dict(start["headers"])[b"connection"] == b"close"
    assert int(dict(start["headers"])[b"content-length"]) == len(told["body"])
    assert told["more_body"]
    assert end == {"type": "http.response.body", "body": b""}


def test_who_never_stops_sending_is_listened_to_within_bounds(monkeypatch):
    monkeypatch.setattr(bodies, "DRAIN_SECONDS", 5.0)
    monkeypatch.setattr(bodies, "DRAIN_BYTES", 4000)
    sent, taken = refuse(itertools.repeat(body(2)[0]))
    assert sent[0]["status"] == 413
    assert len(taken) == 3 + 10


def test_who_stops_sending_half_way_is_not_waited_for():
    sent, taken = refuse(iter(body(10)[:5]))
    assert [message["type"] for message in sent].count("http.response.start") == 1
    assert len(taken) == 5


# Time


def test_a_body_that_does_not_arrive_in_time_is_told_so():
    sent, _ = refuse(iter(body(10)[:2]), wait=0.05)
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["error"]["code"] == "too_slow"


@pytest.mark.parametrize(("path", "status"), [("/", 408), ("/notes/a", 200)])
def test_a_body_that_comes_drop_by_drop_has_its_time_in_all_or_by_the_part(path, status):
    sent, parts = [], iter([{"type": "http.request", "body": b"x", "more_body": k < 7}
                            for k in range(8)])  # fmt: skip

    async def app(scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive():
        await asyncio.sleep(0.05)
        return next(parts)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": [], "path": path}
    asyncio.run(BodyLimit(app, LIMIT, OTHERS, wait=0.25)(scope, receive, send))
    assert sent[0]["status"] == status


def test_a_stream_that_waits_for_its_reader_to_go_has_all_the_time(monkeypatch):
    came = []

    async def app(scope, receive, send):
        await receive()
        came.append(await receive())

    async def receive():
        if came or scope.get("asked"):
            await asyncio.sleep(0.1)
            return {"type": "http.disconnect"}
        scope["asked"] = True
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "headers": [], "path": "/"}
    asyncio.run(BodyLimit(app, LIMIT, wait=0.01)(scope, receive, None))
    assert came == [{"type": "http.disconnect"}]
