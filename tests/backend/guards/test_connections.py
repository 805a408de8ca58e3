"""Over bare sockets: what is no request, and those who send or read too slowly."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from backend.guards import bodies, connections
from backend.guards.connections import MOST_HEADERS, Places, allow_files
from backend.guards.headers import HEADERS
from backend.settings import Settings
from backend.static import PLOTLY, version
from tests.backend.serving import Live, live, wait

ALIVE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = ALIVE[:-2] + b"Connection: close\r\n\r\n"
POST = b"POST /api/checkpoints/none/trace HTTP/1.1\r\nHost: localhost\r\n"
SECONDS = 0.4


@pytest.fixture(scope="module")
def strict(tmp_path_factory) -> Iterator[Live]:
    """A server without checkpoints and with little patience."""
    folder = tmp_path_factory.mktemp("none")
    settings = Settings(
        checkpoints=folder,
        device="cpu",
        max_body_bytes=1000,
        max_head_bytes=4000,
        head_seconds=SECONDS,
        body_seconds=SECONDS,
        reader_seconds=SECONDS,
        max_connections=12,
        connections_per_address=8,
    )
    with live(settings) as server:
        yield server


def all_of(connection: socket.socket) -> bytes:
    """Everything until the other side closes; fails where the connection is reset."""
    parts = []
    while part := connection.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def say(server: Live, *parts: bytes, pause: float = 0.0) -> bytes:
    """What comes back until the server closes."""
    with server.connect() as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        return all_of(connection)


def assert_told(answer: bytes, status: int, code: str) -> dict:
    """One answer in the one error shape; returns what stands in it."""
    assert answer.count(b"HTTP/1.1 ") == 1
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    assert first.startswith(f"HTTP/1.1 {status} ".encode()), answer[:300]
    headers = dict(line.lower().split(b": ", 1) for line in lines)
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"connection"] == b"close"
    assert int(headers[b"content-length"]) == len(body)
    assert set(headers) >= {name for name, _ in HEADERS}
    error = json.loads(body)["error"]
    assert error["code"] == code
    assert error["message"]
    assert error["hint"]
    return error


SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
BAD = {
    "garbage": b"GARBAGE\r\n\r\n",
    "a version of its own": b"GET / HTTP/9.9\r\n\r\n",
    "zeros": b"\0" * 100,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a negative length": POST + b"Content-Length: -5\r\n\r\n",
    "a length that is no number": POST + b"Content-Length: five\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "a length and chunks": POST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + SMUGGLED,
    "chunks twice over": POST + b"Transfer-Encoding: chunked, chunked, x\r\n\r\n0\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost: localhost\r\nnothing\r\n\r\n",
    "a header that goes on": b"GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n c\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "a NUL in a header": b"GET / HTTP/1.1\r\nHost: localhost\r\nA: b\0c\r\n\r\n",
    "letters that are none in the path": b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("request_", BAD.values(), ids=BAD)
def test_what_is_no_request_is_told_so_and_nothing_behind_it_is_read(strict, request_):
    assert_told(say(strict, request_), 400, "bad_request")


def test_chunks_that_are_none_end_the_connection_and_start_nothing(strict):
    for chunk in (b"zz\r\n", b"-1\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"f" * 40 + b"\r\n"):
        head = POST + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = say(strict, head, chunk + SMUGGLED)
        assert answer.count(b"HTTP/1.1 ") <= 1
        assert b" 200 " not in answer


def test_a_long_line_and_long_headers_are_refused_with_the_limit(strict):
    for head in (
        b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"b" * 5000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"b" * 5000,  # without an end
    ):
        assert assert_told(say(strict, head), 431, "head_too_large")["limit"] == 4000


def test_more_headers_than_anybody_needs_are_refused(strict):
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * MOST_HEADERS + b"\r\n"
    assert str(MOST_HEADERS) in assert_told(say(strict, head), 431, "head_too_large")["message"]


def test_a_head_below_the_limits_is_read(strict):
    head = LAST[:-2] + b"X: y\r\n" * (MOST_HEADERS - 3) + b"A: " + b"b" * 2000 + b"\r\n\r\n"
    assert say(strict, head).startswith(b"HTTP/1.1 200 ")


def test_who_sends_a_head_drop_by_drop_is_told_after_a_while(strict):
    drops = [ALIVE[k : k + 1] for k in range(8)]
    assert_told(say(strict, *drops, pause=SECONDS / 10), 408, "too_slow")


def test_who_sends_nothing_is_let_go(strict):
    assert say(strict) == b""


def test_who_stops_after_an_answer_and_half_a_request_is_let_go(strict):
    answer = say(strict, ALIVE, ALIVE[:10], pause=0.1)
    assert answer.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 408 " in answer


def test_a_body_that_does_not_come_is_told_so(strict):
    head = POST + b"Content-Type: application/json\r\nContent-Length: 10\r\n\r\n"
    assert_told(say(strict, head + b"{"), 408, "too_slow")


@pytest.mark.parametrize("declared", [True, False])
def test_the_refusal_of_a_body_reaches_who_is_still_sending_it(strict, declared, monkeypatch):
    """Far past the limit, and more than lies in the buffers between the two."""
    monkeypatch.setattr(bodies, "DRAIN_SECONDS", 60.0)  # on a busy machine too
    size = 8 << 20
    framing = b"Content-Length: %d" % size if declared else b"Transfer-Encoding: chunked"
    part = b"x" * 65536
    chunk = part if declared else b"%x\r\n%s\r\n" % (len(part), part)
    end = [] if declared else [b"0\r\n\r\n"]
    for _ in range(3):
        parts = [POST, b"Content-Type: application/json\r\n", framing, b"\r\n\r\n"]
        answer = say(strict, *parts, *[chunk] * (size // len(part)), *end)
        assert assert_told(answer, 413, "too_large")["limit"] == 1000


def test_a_body_where_none_is_expected_is_not_read_for_ever(strict):
    head = ALIVE[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
    part = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with strict.connect() as connection:
        connection.sendall(head)
        sent = 0
        with suppress(OSError):
            while sent < 64 << 20:
                connection.sendall(part)
                sent += len(part)
        assert 16 << 20 <= sent < 64 << 20


def test_who_asks_first_whether_a_body_is_wanted_is_told_before_sending_it(strict):
    head = POST + b"Content-Length: 5000000\r\nExpect: 100-continue\r\n\r\n"
    with strict.connect() as connection:
        connection.sendall(head)
        first = connection.recv(1 << 16)
        assert first.startswith(b"HTTP/1.1 413 ")


def test_who_stops_reading_a_long_answer_loses_the_connection(strict, monkeypatch):
    monkeypatch.setattr(connections, "LINGER", 0.0)
    wait(lambda: not strict.connections)
    with strict.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        address = f"/static/{version()}/{PLOTLY}"
        connection.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wait(lambda: strict.connections)
        wait(lambda: not strict.connections)


def test_one_address_has_so_many_connections_and_the_next_is_told_so(strict):
    wait(lambda: not strict.connections)
    held = [strict.connect() for _ in range(8)]
    try:
        wait(lambda: len(strict.connections) == 8)
        answer = say(strict, LAST)
        assert b"retry-after: 5" in answer
        error = assert_told(answer, 429, "busy")
        assert "address" in error["message"]
        held[0].sendall(LAST)
        assert all_of(held[0]).startswith(b"HTTP/1.1 200 ")
    finally:
        for connection in held:
            connection.close()
    wait(lambda: not strict.connections)
    assert say(strict, LAST).startswith(b"HTTP/1.1 200 ")


def test_all_have_so_many_connections_and_places_are_given_back():
    places = Places(3, 2)
    for host in ("a", "b", "c"):
        places.each[host] += 1
        assert places.refusal(host) is None
    places.each["d"] += 1
    assert places.refusal("d").status == 503
    places.each["a"] -= 1
    assert places.refusal("d") is None
    places.each["d"] += 2
    del places.each["b"], places.each["c"]
    assert places.refusal("d").status == 429


def test_as_many_files_may_be_open_as_connections_need():
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 600), hard))
        allow_files(400)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(720, hard), hard)
        allow_files(1)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(720, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
