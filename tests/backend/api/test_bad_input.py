"""Everything a client can get wrong: one error shape, and no harm to a stream beside it."""

import json
import socket
import threading

import pytest

from backend.guards import bodies
from backend.settings import Settings
from tests.backend.serving import PIPE, assert_error, events, generate, live, wait
from tests.toys import CONFIGS, SYMBOLS, write_toy

JSON = {"Content-Type": "application/json"}
TOY = "/api/checkpoints/toy-lstm"
COMPANION = {"prefix": "ab", "max_new_tokens": 300, "seed": 7, "points": ["rnn.0.h"]}


@pytest.fixture(scope="module")
def undisturbed(server) -> bytes:
    """What the stream beside gives when it is alone."""
    return server.client.post(f"{TOY}/generate", json=COMPANION).content


@pytest.fixture
def beside(server, undisturbed):
    """A stream that has begun and is read to its end after the test: not a byte may differ."""
    with server.client.stream("POST", f"{TOY}/generate", json=COMPANION) as answer:
        parts = answer.iter_raw()
        first = next(parts)
        yield server.client
        assert first + b"".join(parts) == undisturbed
    wait(server.idle)


def ask(client, task: str, body: dict | bytes):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(f"{TOY}/{task}", content=raw, headers=JSON)


@pytest.mark.parametrize(("task", "field"), [("trace", "text"), ("generate", "prefix")])
@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("aXb", [1]),
        ("\0ab", [0]),
        ("ab\r\nc", [2]),
        ("a\u200d\u202eb\ufeff", [1, 2, 4]),
        ("Ω" * 50, list(range(20))),
        ("😀😁", [1]),
        ("e\u0302", [1]),
    ],
)
def test_unknown_characters_are_told_with_their_positions(beside, task, field, text, positions):
    error = assert_error(ask(beside, task, {field: text}), 422, "unknown_characters")
    assert [found["position"] for found in error["characters"]] == positions
    assert error["count"] == sum(character not in SYMBOLS for character in text)


@pytest.mark.parametrize(("task", "field"), [("trace", "text"), ("generate", "prefix")])
@pytest.mark.parametrize("escape", ["\\ud800", "a\\udfff", "\\ude00\\ud83d", "\\ud83d"])
def test_half_a_character_is_refused_and_can_be_told_back(beside, task, field, escape):
    assert_error(ask(beside, task, b'{"%s": "%s"}' % (field.encode(), escape.encode())), 422)


@pytest.mark.parametrize(("task", "field"), [("trace", "text"), ("generate", "prefix")])
def test_an_empty_text_is_refused(beside, task, field):
    error = assert_error(ask(beside, task, {field: ""}), 422, "empty_text")
    assert field in error["message"]


@pytest.mark.parametrize(("task", "field"), [("trace", "text"), ("generate", "prefix")])
@pytest.mark.parametrize("value", [None, 5, ["a"], {"a": 1}, True])
def test_a_text_that_is_none_is_refused_by_the_name_of_its_field(beside, task, field, value):
    error = assert_error(ask(beside, task, {field: value}), 422, "invalid")
    assert error["message"].startswith(f"{field}: ")


@pytest.mark.parametrize(("task", "field"), [("trace", "text"), ("generate", "prefix")])
def test_a_text_longer_than_is_read_is_refused_with_the_limit(beside, task, field):
    error = assert_error(ask(beside, task, {field: "a" * 20_001}), 413, "text_too_long")
    assert error["limit"] == 20_000


@pytest.mark.parametrize(("task", "field"), [("trace", "text"), ("generate", "prefix")])
def test_a_megabyte_is_refused_by_its_declared_length(beside, task, field):
    error = assert_error(ask(beside, task, {field: "a" * 1_000_000}), 413, "too_large")
    assert error["limit"] == Settings().max_body_bytes


@pytest.mark.parametrize(("task", "field"), [("trace", "text"), ("generate", "prefix")])
def test_a_megabyte_of_no_declared_length_is_refused_as_it_comes(beside, task, field, monkeypatch):
    monkeypatch.setattr(bodies, "DRAIN_SECONDS", 60.0)  # on a busy machine too

    def parts():
        yield b'{"%s": "' % field.encode()
        for _ in range(250):
            yield b"a" * 4000
        yield b'"}'

    answer = beside.post(f"{TOY}/{task}", content=parts(), headers=JSON)
    assert_error(answer, 413, "too_large")


BAD = {
    "max_new_tokens": [0, -1, "5", 5.0, 5.5, None, True, [5], {}],
    "temperature": [0, 0.0, -0.0, -1, -1e-9, 101, 1e400, 10**400, "a", "1", None, True, [1]],
    "top_k": [-1, 1.0, "3", None, True, 10**400],
    "top_p": [0, -0.5, 1.5, 1.0000001, "0.9", None, True],
    "seed": [-1, 2**53, 2**60, 2**64, 1.5, 1.0, "7", True, [7]],
    "points": ["rnn.0.h", [5], [None], {"rnn.0.h": 1}, True],
    "start": [-1, 0.0, "0", None],
    "heads_off": ["blocks.0.1", [5], [None], {"blocks.0": 1}, ["a" * 101]],
    "extra": [1, None],
    "__proto__": [{}],
    "a\nb": [1],
}
CASES = [(name, value) for name, values in BAD.items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{n}={str(v)[:12]}" for n, v in CASES])
def test_a_field_that_cannot_be_used_is_refused_by_its_name(beside, name, value):
    body = {"prefix": "ab", name: value}
    error = assert_error(ask(beside, "generate", body), 422, "invalid")
    assert error["fields"][0]["field"].split(".")[0] == name
    assert error["hint"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("field", ["temperature", "top_p", "max_new_tokens", "seed", "top_k"])
def test_a_number_that_is_not_finite_is_refused(beside, field, number):
    raw = f'{{"prefix": "ab", "{field}": {number}}}'.encode()
    error = assert_error(ask(beside, "generate", raw), 422, "invalid")
    assert error["fields"][0]["field"] == field


@pytest.mark.parametrize(
    "options", [{"temperature": 1e-320}, {"temperature": 5e-324, "top_p": 0.5}]
)
def test_a_temperature_next_to_nothing_takes_the_likeliest_or_is_refused(beside, options):
    answer = ask(beside, "generate", {"prefix": "ab", "seed": 1, "points": [], **options})
    if answer.status_code != 200:
        assert_error(answer, 422, "invalid")
        return
    greedy = generate(beside, "toy-lstm", "ab", points=[], top_k=1)
    name, done = events(answer.text)[-1]
    assert name == "done", done
    assert done["text"] == events(greedy.text)[-1][1]["text"]


@pytest.mark.parametrize("top_k", [10**6, 2**31, 2**63, 2**64, 10**30])
def test_a_top_k_beyond_every_alphabet_is_off_or_is_refused(beside, top_k):
    answer = ask(beside, "generate", {"prefix": "ab", "seed": 1, "points": [], "top_k": top_k})
    if answer.status_code != 200:
        assert_error(answer, 422, "invalid")
        return
    assert answer.content == generate(beside, "toy-lstm", "ab", points=[]).content


def test_more_tokens_than_are_written_are_refused_with_the_limit(beside):
    for count in (5001, 1_000_000, 10**30, 10**400):
        body = {"prefix": "ab", "max_new_tokens": count}
        error = assert_error(ask(beside, "generate", body), 422, "too_many_tokens")
        assert error["limit"] == 5000


def test_a_start_past_the_prefix_is_refused_with_the_length_there_is(beside):
    for start in (3, 10**30, 10**400):
        body = {"prefix": "ab", "start": start}
        error = assert_error(ask(beside, "generate", body), 422, "bad_range")
        assert "2 characters" in error["message"]


@pytest.mark.parametrize("task", ["trace", "generate"])
@pytest.mark.parametrize("name", ["rnn.9.h", "", "h", "rnn.0.h ", "😀", "a" * 1000])
def test_a_point_that_is_not_there_is_refused_with_those_that_are(beside, task, name):
    field = {"trace": "text", "generate": "prefix"}[task]
    body = {field: "ab", "points": ["rnn.0.h", name]}
    error = assert_error(ask(beside, task, body), 422, "unknown_point")
    assert "rnn.0.c" in error["hint"]


WRONG = {
    "nothing": b"",
    "not JSON": b"prefix=ab",
    "cut off": b'{"prefix": "ab"',
    "a list": b"[]",
    "a string": b'"ab"',
    "a number": b"5",
    "null": b"null",
    "NaN": b"NaN",
    "an empty object": b"{}",
    "not UTF-8": b'{"prefix": "\xff\xfe"}',
    "a number of 5000 digits": b'{"prefix": "ab", "seed": ' + b"7" * 5000 + b"}",
    "deep nesting": b'{"prefix": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep nesting left open": b'{"prefix":' * 20_000,
    "a deep list of points": b'{"prefix": "ab", "points": ' + b"[" * 900 + b"]" * 900 + b"}",
    "ten thousand fields": json.dumps({f"f{k}": k for k in range(10_000)}).encode(),
    "a control character": b'{"prefix": "a\nb"}',
}


@pytest.mark.parametrize("raw", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("task", ["trace", "generate"])
def test_a_body_that_is_no_request_is_refused(beside, task, raw):
    answer = ask(beside, task, raw)
    assert answer.status_code in (400, 422)
    error = assert_error(answer, answer.status_code)
    assert error["hint"]
    assert len(answer.content) < 10_000


@pytest.mark.parametrize("task", ["trace", "generate"])
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "image/png", "nonsense", "json"]
)
def test_a_body_of_another_type_is_refused(beside, task, kind):
    field = {"trace": "text", "generate": "prefix"}[task]
    raw = json.dumps({field: "ab"}).encode()
    answer = beside.post(f"{TOY}/{task}", content=raw, headers={"Content-Type": kind})
    assert_error(answer, 422)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{TOY}/trace"),
        ("GET", f"{TOY}/generate"),
        ("PUT", f"{TOY}/generate"),
        ("DELETE", f"{TOY}/trace"),
        ("PATCH", "/api/checkpoints"),
        ("POST", "/healthz"),
        ("OPTIONS", f"{TOY}/generate"),
    ],
)
def test_a_method_that_does_not_fit_is_refused(beside, method, path):
    answer = beside.request(method, path)
    assert_error(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    "path",
    ["/api/nothing", f"{TOY}/dream", "/api/checkpoints/toy-lstm/trace/x", "/x/y"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_that_is_not_there_is_told_so(beside, method, path):
    assert_error(beside.request(method, path, headers={"Accept": "*/*"}), 404)


@pytest.mark.parametrize(
    "raw",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST "
        + TOY.encode()
        + b"/trace HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
        b"\0" * 1000,
    ],
    ids=["garbage", "version", "negative length", "long path", "many headers", "zeros"],
)
def test_what_is_not_even_http_harms_nobody(server, beside, raw):
    with server.connect() as connection:
        connection.settimeout(10)
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 16):
                pass
        except OSError:  # told by a reset, or closed before it was all sent
            pass
    assert beside.get("/healthz").status_code == 200


def test_a_client_that_sends_half_a_request_keeps_nobody_waiting(server, beside):
    with server.connect() as connection:
        connection.sendall(
            b"POST %s/generate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b'Content-Length: 100\r\n\r\n{"prefix": ' % TOY.encode()
        )
        assert generate(beside, "toy-gru", "ab").status_code == 200


def test_a_reader_that_stops_is_left_behind_and_keeps_nobody_waiting(tmp_path):
    write_toy(tmp_path / "toy-lstm", CONFIGS["toy-lstm"])
    with live(Settings(checkpoints=tmp_path, device="cpu", reader_seconds=0.2)) as server:
        body = json.dumps({"prefix": "ab", "max_new_tokens": 5000}).encode()
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIPE)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(
                b"POST %s/generate HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (TOY.encode(), len(body), body)
            )
            wait(lambda: server.engine.stats().active == 1)
            others = [
                threading.Thread(target=generate, args=(server.client, "toy-lstm", "ab"))
                for _ in range(3)
            ]
            for other in others:
                other.start()
            for other in others:
                other.join()
            wait(lambda: server.engine.stats().active == 0)  # its place is given back
        wait(server.idle)
