"""A real server in a thread, and the reading of what it streams."""

import json
import socket
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx2
import numpy as np
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from backend.app import create_app
from backend.guards.connections import protocol
from backend.settings import Settings

SECURITY = {
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
}

HERE = "http://127.0.0.1"  # a name of the server, which answers to no other
PIPE = 1 << 14  # bytes a connection holds unread on either side: a reader that stops is felt soon


def events(text: str) -> list[tuple[str, dict]]:
    """The server-sent events of a whole answer, in order."""
    assert text.endswith("\n\n")
    found = []
    for block in text[:-2].split("\n\n"):
        name, data = block.split("\n")
        assert name.startswith("event: ")
        assert data.startswith("data: ")
        found.append((name[7:], json.loads(data[6:])))
    return found


def steps(text: str) -> list[dict]:
    """The steps of a stream that must have ended well."""
    first, *middle, last = events(text)
    assert first[0] == "start"
    assert last[0] == "done", last
    assert {name for name, _ in middle} <= {"step"}
    return [data for _, data in middle]


def decode(array: dict) -> np.ndarray:
    """The numbers of the wire form."""
    shape = [int(size) for size in array["shape"].split(", ")] if array["shape"] else []
    dtype = {"f4": "<f4", "u1": "u1"}[array["dtype"]]
    return np.frombuffer(b64decode(array["bdata"], validate=True), dtype).reshape(shape)


def assert_error(answer, status: int, code: str | None = None) -> dict:
    """The one error shape with the right status; returns what stands in it."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.headers) >= SECURITY
    body = answer.json()
    assert list(body) == ["error"]
    error = body["error"]
    assert set(error) >= {"code", "message", "hint"}
    assert all(isinstance(error[name], str) for name in ("code", "message", "hint"))
    assert error["message"]
    assert "Traceback" not in answer.text
    if code is not None:
        assert error["code"] == code, error
    return error


def generate(client, checkpoint: str, prefix: str, **options):
    """POST generate and read it whole."""
    body = {"prefix": prefix, "seed": 1, **options}
    return client.post(f"/api/checkpoints/{checkpoint}/generate", json=body)


def wait(condition, seconds: float = 20.0) -> None:
    """Return once a condition holds; fails where it never does."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came to be"
        time.sleep(0.005)


def apart(settings: Settings) -> Settings:
    """Settings whose imports are not those of this machine's own server."""
    if settings.imports != Settings().imports:
        return settings
    return replace(settings, imports=settings.checkpoints / ".imports")


@contextmanager
def in_process(settings: Settings) -> Iterator[TestClient]:
    """A client of an application without a network, all checkpoints loaded or failed."""
    with TestClient(create_app(apart(settings)), HERE, raise_server_exceptions=False) as client:
        for id in client.app.state.catalog.entries:
            client.get(f"/api/checkpoints/{id}")
        yield client


@dataclass
class Live:
    """A server that listens."""

    app: FastAPI
    port: int
    client: httpx2.Client
    connections: set  # that are open

    @property
    def engine(self):
        return self.app.state.engine

    def connect(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def idle(self) -> bool:
        """Whether nothing runs, waits or is counted against anybody."""
        return self.engine.stats().active == 0 and self.engine._admission.idle


@contextmanager
def live(settings: Settings) -> Iterator[Live]:
    """A server on a free port, all its checkpoints loaded or failed."""
    app = create_app(apart(settings))
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIPE)
    config = uvicorn.Config(
        app,
        http=protocol(settings),
        ws="none",
        log_level="critical",
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    port = listener.getsockname()[1]
    try:
        pipe = httpx2.HTTPTransport(socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, PIPE)])
        address = f"http://127.0.0.1:{port}"
        with httpx2.Client(base_url=address, transport=pipe, timeout=60) as client:
            wait(lambda: server.started)
            for id in app.state.catalog.entries:
                client.get(f"/api/checkpoints/{id}")
            yield Live(app, port, client, server.server_state.connections)
    finally:
        server.should_exit = True
        thread.join()
