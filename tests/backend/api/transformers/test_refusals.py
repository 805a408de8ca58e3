"""Everything a client can get wrong about slices, and a stream beside it all."""

import json

import pytest

from tests.backend.api.transformers.asking import PAIR, STACKS, ask
from tests.backend.serving import assert_error, wait
from tests.toys import SYMBOLS

JSON = {"Content-Type": "application/json"}
COMPANION = {"prefix": "ab", "max_new_tokens": 30, "seed": 7}  # every point: longer than a pipe
BESIDE = "/api/checkpoints/toy-llama/generate"


def one(point: str = "blocks.0.attention", **wish) -> dict:
    return {"slices": [{"point": point, **wish}]}


BAD = {
    "no point": (one("blocks.2.attention"), "unknown_point", "blocks.*.attention"),
    "no name": (one(""), "unknown_point", "blocks.*.attention"),
    "another network's": (one("rnn.0.h"), "unknown_point", "embedding"),
    "not printed": (one("a\x1b[2J"), "unknown_point", "embedding"),
    "two stars": (one("blocks.*.*"), "unknown_point", "embedding"),
    "a star alone": (one("*"), "unknown_point", "embedding"),
    "a star for no layer": (one("*.0.attention"), "unknown_point", "embedding"),
    "a star inside": (one("blocks.*ttention"), "unknown_point", "embedding"),
    "no axis": (one(at={"time": 0}), "bad_slice", "head, query, key"),
    "no layers": (one(at={"layer": 0}), "bad_slice", "head, query, key"),
    "a layer out of range": (one("blocks.*.q", at={"layer": 2}), "bad_slice", "0 to 1"),
    "a head out of range": (one(at={"head": 4}), "bad_slice", "0 to 3"),
    "a negative index": (one(at={"query": -1}), "bad_slice", "0 to 8"),
    "past the end": (one(at={"query": 9}), "bad_slice", "0 to 8"),
    "an empty stretch": (one(at={"query": [3, 3]}), "bad_slice", "0 to 8"),
    "a stretch backwards": (one(at={"query": [5, 2]}), "bad_slice", "0 to 8"),
    "a stretch too long": (one(at={"key": [0, 10]}), "bad_slice", "0 to 8"),
    "a huge stretch": (one(at={"key": [0, 2**53]}), "bad_slice", "0 to 8"),
    "size of numbers": (one(size=4), "bad_slice", "u1"),
    "size of no map": (one("blocks.0.k", form="u1", size=4), "bad_slice", "query and a key"),
    "top of no tokens": (one(top=3), "bad_slice", "token axis"),
    "top in bytes": (one("blocks.0.lens", form="u1", top=3), "bad_slice", "f4"),
    "scores in bytes": (one("blocks.0.scores", form="u1"), "bad_slice", "f4"),
    "no such head": ({"edits": {"heads_off": ["blocks.0.4"]}}, "bad_edits", "0 to 3"),
    "no such attention": ({"edits": {"heads_off": ["blocks.7.0"]}}, "bad_edits", "blocks.1"),
    "a head without a number": ({"edits": {"heads_off": ["blocks.0.x"]}}, "bad_edits", "0 to 3"),
    "a head of many digits": ({"edits": {"heads_off": ["blocks.0." + "9" * 80]}}, "bad_edits", ""),
    "a head with a sign": ({"edits": {"heads_off": ["blocks.0.-1"]}}, "bad_edits", "0 to 3"),
    "a rectangle outside": ({"edits": {"blocked": [[0, 10, 0, 1]]}}, "bad_edits", "9 queries"),
    "an empty rectangle": ({"edits": {"blocked": [[2, 2, 0, 1]]}}, "bad_edits", "no rectangle"),
    "a rectangle below": ({"edits": {"blocked": [[-1, 2, 0, 1]]}}, "bad_edits", "no rectangle"),
    "an order too short": ({"edits": {"order": [1, 0]}}, "bad_edits", "0 to 8 once"),
    "an order with a token twice": ({"edits": {"order": [0, *range(8)]}}, "bad_edits", "0 to 8"),
    "an order of others": ({"edits": {"order": list(range(1, 10))}}, "bad_edits", "0 to 8 once"),
    "a target": ({"target": [3]}, "bad_target", "one"),
    "an empty target": ({"target": []}, "bad_target", "one"),
}


@pytest.mark.parametrize(("body", "code", "right"), BAD.values(), ids=BAD)
def test_what_cannot_be_cut_or_changed_is_refused_with_what_would_be_right(
    client, body, code, right
):
    error = assert_error(ask(client, text="abba fade", **body), 422, code)
    assert right in error["message"] + error["hint"]
    assert "\x1b" not in error["message"]
    if "slices" in body:
        assert error["slice"] == 0


WRONG = {
    "slices": [None, 5, {}, [5], [None], ["blocks.0.q"], [{}], [{"point": 5}]],
    "slices.point": [None, "a" * 101],
    "slices.at": [None, [], "query", {"query": "0"}, {"query": 0.0}, {"query": True},
                  {"query": [0]}, {"query": [0, 1, 2]}, {"query": [0, 1.5]}, {"query": None},
                  {"query": 2**53 + 1}, {"query": 10**400}, {"q" * 200: 0},
                  {f"a{k}": 0 for k in range(9)}],
    "slices.form": ["f8", "", None, 4],
    "slices.size": [-1, 4097, 1.0, "4", None, True],
    "slices.top": [-1, 1001, 1.0, "4", None, True],
    "slices.extra": [1],
    "edits": [None, [], 5, "x"],
    "edits.heads_off": [None, "blocks.0.1", [5], [None], ["a" * 101]],
    "edits.blocked": [None, [[0, 1, 0]], [[0, 1, 0, 1, 2]], [0, 1, 0, 1], [[0, 1, 0, "1"]],
                      [[0, 1, 0, 10**400]], [[0, 1, 0, 1]] * 257],
    "edits.positions": [None, 0, 1, "true"],
    "edits.order": [None, 5, ["0"], [0.0], [True], [10**400]],
    "edits.extra": [1],
    "target": [5, "5", ["5"], [5.0], [True], [None], {}],
    "text": [None, 5, ["ab"], {}],
    "extra": [1],
}  # fmt: skip
CASES = [(name, value) for name, values in WRONG.items() for value in values]


def wrong(name: str, value) -> dict:
    """A request with one field wrong."""
    outer, _, inner = name.partition(".")
    wish = {"point": "blocks.0.q", inner: value}
    body = {outer: value if not inner else [wish] if outer == "slices" else {inner: value}}
    return {"text": "abba fade", **body}


def ask_raw(client, id: str, body: dict | bytes):
    """Ask with what no client library would send."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(f"/api/checkpoints/{id}/slices", content=raw, headers=JSON)


@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{n}={v!r:.20}" for n, v in CASES])
def test_a_field_that_is_none_is_refused_by_its_name(client, name, value):
    answer = ask_raw(client, "toy-gpt", wrong(name, value))
    error = assert_error(answer, 422, "invalid")
    assert error["fields"][0]["field"].startswith(name.partition(".")[0])
    assert len(answer.content) < 10_000


@pytest.mark.parametrize("id", [*STACKS, PAIR])
def test_an_empty_text_is_refused(client, id):
    assert_error(ask(client, id, text=""), 422, "empty_text")


def test_a_text_of_nothing_to_translate_is_refused(client):
    assert_error(ask(client, PAIR, text=" \n "), 422, "empty_text")


@pytest.mark.parametrize("id", [*STACKS, PAIR])
@pytest.mark.parametrize("text", ["a\ud800b", "\udfff", "\ude00\ud83d"])
def test_half_a_character_is_refused(client, id, text):
    assert_error(ask_raw(client, id, {"text": text}), 422, "unknown_characters")


@pytest.mark.parametrize("id", STACKS)
def test_characters_that_are_not_known_are_told_with_their_positions(client, id):
    error = assert_error(ask(client, id, text="aXb"), 422, "unknown_characters")
    assert [found["position"] for found in error["characters"]] == [1]


@pytest.mark.parametrize("id", [*STACKS, PAIR])
def test_a_text_longer_than_the_context_is_refused_with_the_limit_in_tokens(client, id):
    context = {PAIR: 24}.get(id, 32)
    letter = "a " if id == PAIR else "a"
    error = assert_error(ask(client, id, text=letter * 60), 413, "text_too_long")
    assert error["limit"] == context
    assert assert_error(ask(client, id, text="a" * 20_001), 413)["limit"] == 20_000
    if id != PAIR:
        assert ask(client, id, text=SYMBOLS[3] * context).status_code == 200


@pytest.mark.parametrize(
    ("target", "position"),
    [([1], 0), ([5, 1], 1), ([-1], 0), ([10**9], 0), ([5, 2, 6], 1), ([2, 2], 0)],
)
def test_tokens_that_cannot_be_written_are_no_target(client, target, position):
    error = assert_error(ask(client, PAIR, target=target), 422, "bad_target")
    assert error["position"] == position


def test_a_target_longer_than_the_context_is_refused_with_the_limit(client):
    assert ask(client, PAIR, target=[5] * 23).status_code == 200
    assert ask(client, PAIR, target=[5] * 23 + [2]).status_code == 200
    error = assert_error(ask(client, PAIR, target=[5] * 24), 413, "text_too_long")
    assert error["limit"] == 23
    assert_error(ask(client, PAIR, target=[5] * 25), 422, "too_many_tokens")


def test_of_a_translator_only_the_attention_across_is_blocked(client):
    body = {"text": "A dog.", "target": [5, 6]}
    assert ask(client, PAIR, **body, edits={"blocked": [[0, 3, 0, 2]]}).status_code == 200
    error = assert_error(ask(client, PAIR, **body, edits={"blocked": [[0, 4, 0, 2]]}), 422)
    assert "3 queries" in error["message"]


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b'{"text": "\xff"}', b'"ab"'])
def test_a_body_that_is_no_request_is_refused(client, raw):
    answer = ask_raw(client, "toy-gpt", raw)
    assert_error(answer, answer.status_code)
    assert answer.status_code in (400, 422)


def test_too_many_slices_are_refused(client):
    assert_error(ask(client, slices=[{"point": "embedding"}] * 257), 422, "invalid")
    assert_error(client.get("/api/checkpoints/toy-gpt/slices"), 405)
    assert_error(ask(client, "toy-nobody"), 404, "unknown_checkpoint")


@pytest.mark.parametrize("name", ["blocks.0.2", "blocks.1"])
def test_a_head_that_a_text_cannot_be_written_without_is_told(client, name):
    body = {"prefix": "ab", "heads_off": [f"{name}.9"]}
    answer = client.post("/api/checkpoints/toy-gpt/generate", json=body)
    assert_error(answer, 422, "bad_edits")
    answer = client.post("/api/checkpoints/toy-lstm/generate", json=body)
    assert "no heads" in assert_error(answer, 422, "bad_edits")["message"]


def test_none_of_it_disturbs_a_stream_beside_it(server):
    undisturbed = server.client.post(BESIDE, json=COMPANION).content
    with server.client.stream("POST", BESIDE, json=COMPANION) as answer:
        parts = answer.iter_raw()
        first = next(parts)
        for body, code, _ in BAD.values():
            assert_error(ask(server.client, text="abba fade", **body), 422, code)
        for case in CASES[::5]:
            assert_error(ask_raw(server.client, "toy-gpt", wrong(*case)), 422, "invalid")
        assert ask(server.client, slices=[{"point": "blocks.*.attention"}]).status_code == 200
        assert first + b"".join(parts) == undisturbed
    wait(server.idle)
