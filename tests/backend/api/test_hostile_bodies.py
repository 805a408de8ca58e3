"""Every route that takes a body is sent what no client of ours sends: a clean refusal, never a
defect. Routes that are new are found by themselves."""

import gzip
import json
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from backend.docs import EXAMPLES
from tests.backend import everything
from tests.backend.serving import assert_error, in_process
from tests.backend.walk import fill

JSON = {"Content-Type": "application/json"}
WRITING = ("post", "put", "patch", "delete")
TEXT = "ab"
DIGITS = b"7" * 5000
DEEP = b"[" * 50_000
BODIES = {
    "nothing": b"",
    "not JSON": b"prefix=ab",
    "cut off": b'{"text": "ab',
    "two documents": b"{}{}",
    "a list": b"[]",
    "null": b"null",
    "NaN": b"NaN",
    "5000 digits": DIGITS,
    "a field with a name of 5000 digits": b'{"%s": 1}' % DIGITS,
    "deep lists": DEEP + b"]" * len(DEEP),
    "deep objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "half a character": b'{"\\ud800": 1}',
    "a byte that is no UTF-8": b'{"text": "\xff\xfe"}',
    "a raw line break": b'{"text": "a\nb"}',
    "a mark of byte order": b'\xef\xbb\xbf{"text": "ab"}',
    "UTF-16": '{"text": "ab"}'.encode("utf-16"),
    "compressed": gzip.compress(b'{"text": "ab"}'),
    "__proto__": b'{"__proto__": {"x": 1}, "constructor": 1}',
    "two thousand fields": json.dumps({f"f{k}": k for k in range(2000)}).encode(),
    "pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94.",
}
TYPES = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json", ";",
         "multipart/form-data; boundary=", "application/\xe9".encode("latin-1")]  # fmt: skip
VALUES = [
    b"NaN",
    b"-1e999",
    DIGITS,
    b"null",
    b"[[[]]]",
    b"[" * 900 + b"]" * 900,
    b'{"a":' * 900 + b"1" + b"}" * 900,
    json.dumps(list(range(3000))).encode(),
    b"[NaN, 1e999, %s]" % DIGITS,
    b'{"\\udfff": "\\ud800"}',
    b'"\\ud800"',
    b'"\\u0000\\u200d\\u202e\\ufeffab\\r\\n\\u2028"',
    json.dumps("a" * 200_000).encode(),
]


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Iterator[TestClient]:
    """Asks an application with one network of each kind."""
    with in_process(everything.served(tmp_path_factory.mktemp("hostile"))) as client:
        yield client


@pytest.fixture(scope="module")
def asked(client) -> dict[tuple[str, str], list[str]]:
    """(method, path) of every operation that may have a body -> addresses that are there."""
    checkpoints = client.get("/api/checkpoints").json()["checkpoints"]
    recipes = [one["name"] for one in client.get("/api/training").json()["recipes"]]
    lesson = next(one for one in client.get("/api/lessons").json()["lessons"] if one["exercises"])
    found = {}
    for path, methods in client.app.openapi()["paths"].items():
        task = path.rpartition("/")[2]
        able = [one["id"] for one in checkpoints if task in one["tasks"]]
        ids = lesson["exercises"][:1] if path.startswith("/api/lessons") else able or ["toy-gru"]
        values = {"id": ids, "recipe": recipes[:1], "slug": [lesson["slug"]], "seed": ["1"]}
        for method in set(methods) & set(WRITING):
            found[method, path] = fill(path, **values)
    return found


def assert_refused(answer, what) -> None:
    assert 400 <= answer.status_code < 500, (what, answer.status_code, answer.text[:300])
    assert_error(answer, answer.status_code)
    assert len(answer.content) < 20_000, what


def assert_clean(answer, what) -> None:
    """It was used or it was refused."""
    if answer.status_code >= 300:
        assert_refused(answer, what)
    elif "text/event-stream" in answer.headers["content-type"]:
        assert "internal" not in answer.text.rpartition("event: ")[2], what


def schemas_of(app, method: str, path: str) -> dict[str, dict]:
    """The fields of a JSON body of an operation; {} where it takes none."""
    spec = app.openapi()
    content = spec["paths"][path][method].get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    named = schema.get("$ref", "").rpartition("/")[2]
    return spec["components"]["schemas"].get(named, schema).get("properties", {})


def good(path: str, fields: dict) -> dict[str, object]:
    """A body that is taken, or nearly."""
    _, example = EXAMPLES.get(path, ("", {}))
    body = {name: TEXT if isinstance(value, str) else value for name, value in example.items()}
    body = {name: value for name, value in body.items() if name in fields and name != "points"}
    few = {"max_new_tokens": 2, "steps": 2, "at": 1, "points": [], "chunk": 2}
    return body | {name: value for name, value in few.items() if name in fields}


def test_there_is_something_to_ask(asked):
    assert len(asked) >= 14
    assert ("post", "/api/checkpoints/{id}/generate") in asked


@pytest.mark.parametrize("raw", BODIES.values(), ids=BODIES)
def test_a_body_that_is_none_is_refused_by_every_route(client, asked, raw):
    for (method, path), addresses in asked.items():
        answer = client.request(method, addresses[0], content=raw, headers=JSON)
        assert_refused(answer, (method, path))


@pytest.mark.parametrize("kind", TYPES)
def test_a_body_of_another_type_is_refused_by_every_route(client, asked, kind):
    raw = json.dumps({"text": TEXT}).encode()
    for (method, path), addresses in asked.items():
        answer = client.request(method, addresses[0], content=raw, headers={"Content-Type": kind})
        assert_refused(answer, (method, path))


def test_a_body_that_says_it_is_compressed_is_refused_by_every_route(client, asked):
    raw = gzip.compress(json.dumps({"text": TEXT}).encode())
    headers = JSON | {"Content-Encoding": "gzip"}
    for (method, path), addresses in asked.items():
        assert_refused(
            client.request(method, addresses[0], content=raw, headers=headers), (method, path)
        )


def test_a_field_that_comes_twice_is_refused_at_any_depth(client, asked):
    for (method, path), addresses in asked.items():
        for name, schema in schemas_of(client.app, method, path).items():
            key = json.dumps(name).encode()
            good_body = json.dumps(good(path, {name: schema}) or {name: TEXT}).encode()
            for raw in (
                good_body[:-1] + b", " + good_body[1:],
                b'{%s: "ab", %s: "ab"}' % (key, key),
                b'{%s: [{"a": 1, "a": 2}]}' % key,
            ):
                answer = client.request(method, addresses[0], content=raw, headers=JSON)
                error = assert_error(answer, 422, "twice")
                assert repr(name) in error["message"] or "'a'" in error["message"]


def test_every_field_of_every_route_is_used_or_refused_whatever_it_holds(client, asked):
    sent = 0
    for (method, path), addresses in asked.items():
        fields = schemas_of(client.app, method, path)
        for name in fields:
            for value in VALUES:
                body = {k: v for k, v in good(path, fields).items() if k != name}
                rest = json.dumps(body).encode()[1:-1]
                raw = b"{%s: %s%s}" % (json.dumps(name).encode(), value, rest and b", " + rest)
                answer = client.request(method, addresses[0], content=raw, headers=JSON)
                assert_clean(answer, (method, path, name, value[:60]))
                sent += 1
    assert sent > 500


NAMES = ["a" * 5000, "%00", "%ff", "..%2f..%2fetc", "toy-gru%0d%0aX:y", "TOY-GRU", "9" * 5000]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_not_there_is_told_so_by_every_route(client, name):
    app = client.app
    for path, methods in app.openapi()["paths"].items():
        if "{" not in path:
            continue
        (address,) = fill(path, id=[name], recipe=[name], slug=[name], seed=[name])
        for method in methods:
            fields = schemas_of(app, method, path)
            raw = json.dumps(good(path, fields)).encode() if fields else b""
            answer = client.request(method, address, content=raw, headers=JSON)
            assert_clean(answer, (method, path))
            assert answer.status_code >= 400 or "seed" in path
