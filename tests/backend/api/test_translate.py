import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from backend.settings import Settings
from tests.backend.serving import PIPE, assert_error, decode, events, in_process, live, wait
from tests.toys import CONFIGS, TRANSLATORS, write_toy, write_translator, write_translators

TOLERANCE = 1e-5  # float32 sums in another order, absolute
SENTENCE = "A dog runs on the beach."
DATE = "3 may 2026"
LONG = {"text": SENTENCE, "max_new_tokens": 200, "stream": True}  # the toys never end by themselves
ATTENDING = [id for id, config in TRANSLATORS.items() if config.attention != "none"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Translators of every kind, and one network that only writes."""
    folder = tmp_path_factory.mktemp("translators")
    write_translators(folder)
    write_toy(folder / "toy-lstm", CONFIGS["toy-lstm"])
    return folder


@pytest.fixture(scope="module")
def client(folder):
    with in_process(Settings(checkpoints=folder, device="cpu")) as client:
        yield client


@pytest.fixture(scope="module")
def server(folder):
    with live(Settings(checkpoints=folder, device="cpu")) as server:
        yield server
        assert server.engine.stats().leaked == 0


def text_for(id: str) -> str:
    """A text that a toy can read."""
    return DATE if id == "toy-characters" else SENTENCE


def ask(client, id: str = "toy-additive", **body):
    body = {"text": text_for(id), "max_new_tokens": 12, **body}
    return client.post(f"/api/checkpoints/{id}/translate", json=body)


def whole(client, id: str = "toy-additive", **body) -> dict:
    answer = ask(client, id, **body)
    assert answer.status_code == 200, answer.text[:500]
    return answer.json()


def streamed(client, id: str = "toy-additive", **body) -> list[tuple[str, dict]]:
    answer = ask(client, id, stream=True, **body)
    assert answer.status_code == 200, answer.text[:500]
    found = events(answer.text)
    assert found[0][0] == "start"
    assert found[-1][0] == "done", found[-1]
    return found


def named(found, name: str) -> list[dict]:
    return [data for event, data in found if event == name]


def points(answer: dict) -> dict[str, np.ndarray]:
    return {name: decode(point["data"]) for name, point in answer["points"].items()}


def softmax(energy: np.ndarray) -> np.ndarray:
    power = np.exp(energy - energy.max(-1, keepdims=True))
    return power / power.sum(-1, keepdims=True)


# -- what is told ----------------------------------------------------------------------------


@pytest.mark.parametrize("id", TRANSLATORS)
def test_a_whole_answer_fits_together(client, id):
    found = whole(client, id)
    steps, sources = len(found["target_ids"]), len(found["source_tokens"])
    assert found["checkpoint"] == id
    assert found["source_tokens"][-1] == "</s>"
    text = text_for(id)
    assert [text[start:stop] for start, stop in found["source_spans"][:-1]] == found[
        "source_tokens"
    ][:-1]
    assert found["source_spans"][-1] == [len(text)] * 2
    assert len(found["target_tokens"]) == steps == 12
    assert found["ended"] is False
    assert found["forced"] == found["tree"] == []
    assert found["given"] == [False] * steps
    probability = decode(found["probability"])
    assert probability.shape == (steps,)
    assert found["log_probability"] == pytest.approx(np.log(probability).sum(), abs=1e-4)
    for k, top in enumerate(found["top"]):
        assert len(top) == 8
        assert top[0]["token_id"] == found["target_ids"][k]  # greedy
        assert top[0]["token"] == found["target_tokens"][k]
        assert top[0]["probability"] == pytest.approx(probability[k], abs=1e-6)
        told = [candidate["probability"] for candidate in top]
        assert told == sorted(told, reverse=True)
    assert [h["text"] for h in found["hypotheses"]] == [found["text"]]
    if TRANSLATORS[id].attention == "none":
        assert found["attention"] is None
    else:
        attention = decode(found["attention"])
        assert attention.shape == (steps, sources)
        np.testing.assert_allclose(attention.sum(1), 1, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("id", TRANSLATORS)
def test_every_point_the_catalogue_names_is_there_with_its_axes_and_sizes(client, id):
    about = {p["name"]: p for p in client.get(f"/api/checkpoints/{id}").json()["points"]}
    found = whole(client, id)
    sizes = {"source": len(found["source_tokens"]), "target": len(found["target_ids"])}
    assert list(found["points"]) == list(about)
    for name, point in found["points"].items():
        assert (point["axes"], point["range"]) == (about[name]["axes"], about[name]["range"])
        shape = decode(point["data"]).shape
        expected = zip(point["axes"], about[name]["shape"], strict=True)
        assert shape == tuple(sizes.get(axis, size) for axis, size in expected), name


@pytest.mark.parametrize("id", ATTENDING)
def test_weights_and_context_can_be_computed_again_from_what_is_told(client, id):
    found = whole(client, id)
    seen, score = points(found), TRANSLATORS[id].attention
    np.testing.assert_array_equal(seen["attention"], decode(found["attention"]))
    weights = softmax(seen["attention.energy"])
    np.testing.assert_allclose(weights, seen["attention"], atol=TOLERANCE, rtol=0)
    context = seen["attention"] @ seen["annotation"]
    np.testing.assert_allclose(context, seen["context"], atol=TOLERANCE, rtol=0)
    if score == "additive":
        asked = np.tanh(seen["attention.query"][:, None] + seen["attention.key"][None])
        energy = asked @ seen["attention.v"]
    elif score == "general":
        energy = seen["attention.query"] @ seen["annotation"].T
    else:
        return  # its query is the state before the first step too, which is not told
    np.testing.assert_allclose(energy, seen["attention.energy"], atol=TOLERANCE, rtol=0)


def test_a_network_without_attention_tells_its_one_context_with_the_source(client):
    found = streamed(client, "toy-plain")
    assert found[0][1]["points"]["context"]["axes"] == ["unit"]
    for step in named(found, "step"):
        assert step["attention"] is None
        assert not any(name.startswith(("attention", "context")) for name in step["points"])


@pytest.mark.parametrize("beam_size", [1, 4])
@pytest.mark.parametrize("id", TRANSLATORS)
def test_a_stream_tells_what_the_whole_answer_does(client, id, beam_size):
    options = {"beam_size": beam_size, "length_penalty": 0.7}
    answer, found = whole(client, id, **options), streamed(client, id, **options)
    start, done, steps = found[0][1], found[-1][1], named(found, "step")
    order = ["start"] + ["beam"] * len(named(found, "beam")) + ["step"] * len(steps) + ["done"]
    assert [name for name, _ in found] == order
    for name in ("checkpoint", "source_tokens", "source_spans", "copied"):
        assert start[name] == answer[name]
    for name in done:
        assert done[name] == answer[name]
    assert [step["index"] for step in steps] == list(range(len(steps)))
    assert [step["token_id"] for step in steps] == answer["target_ids"]
    assert [step["token"] for step in steps] == answer["target_tokens"]
    assert [step["top"] for step in steps] == answer["top"]
    told = np.array([step["probability"] for step in steps])
    np.testing.assert_allclose(told, decode(answer["probability"]), rtol=1e-6)
    tree = [node for beam in named(found, "beam") for node in beam["nodes"]]
    assert tree == answer["tree"]
    expected = points(answer)
    for name, point in start["points"].items():
        np.testing.assert_array_equal(decode(point["data"]), expected.pop(name))
    for name, values in expected.items():
        rows = [step["points"][name] for step in steps]
        np.testing.assert_array_equal([decode(row["data"]) for row in rows], values)
        axes = answer["points"][name]["axes"]
        assert all(row["axes"] == axes[1:] for row in rows)
        assert axes[0] == "target"


def test_the_points_that_are_asked_for_change_nothing_else(client):
    every = whole(client)
    names = list(every["points"])
    for asked in ([], names[:1], [names[-1], names[0]], ["context", "decoder.0.h"]):
        some = whole(client, points=asked)
        assert list(some["points"]) == [name for name in names if name in asked]
        assert all(some["points"][name] == every["points"][name] for name in asked)
        assert some | {"points": 0} == every | {"points": 0}


def test_a_word_of_unknown_characters_is_told_as_copied(client):
    found = whole(client, text="A dog 犬犬 runs.")
    (position,) = found["copied"]
    assert found["source_tokens"][position] == "犬犬"
    assert found["source_spans"][position] == [6, 8]


def test_a_stream_is_named_as_one_and_is_not_kept(client):
    answer = ask(client, stream=True)
    assert answer.headers["content-type"].split(";")[0] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert ask(client).headers["content-type"] == "application/json"


# -- search, force, prefix -------------------------------------------------------------------


@pytest.mark.parametrize("id", TRANSLATORS)
def test_the_search_is_told_as_a_tree_whose_best_leaf_is_the_translation(client, id):
    found = whole(client, id, beam_size=3, length_penalty=1.0)
    nodes = {node["id"]: node for node in found["tree"]}
    assert len(nodes) == len(found["tree"])
    for node in nodes.values():
        if node["parent"] >= 0:
            parent = nodes[node["parent"]]
            assert parent["step"] == node["step"] - 1
            assert parent["kept"]
            assert node["log_probability"] <= parent["log_probability"] + 1e-6
        else:
            assert node["step"] == 0
    scores = [hypothesis["score"] for hypothesis in found["hypotheses"]]
    assert scores == sorted(scores, reverse=True)
    best = found["hypotheses"][0]
    assert (best["text"], best["token_ids"]) == (found["text"], found["target_ids"])
    paths = set()
    for node in nodes.values():
        path, at = [], node["id"]
        while at >= 0:
            path.insert(0, nodes[at]["token_id"])
            at = nodes[at]["parent"]
        paths.add(tuple(path))
    assert all(tuple(h["token_ids"]) in paths for h in found["hypotheses"])


@pytest.mark.parametrize("beam_size", [1, 3])
@pytest.mark.parametrize("id", ATTENDING)
def test_a_step_that_is_forced_looks_where_it_is_told_and_nothing_before_it_changes(
    client, id, beam_size
):
    free = named(streamed(client, id), "step")
    force = [[2, 1], [5, 0]]
    found = named(streamed(client, id, force=force, beam_size=beam_size), "step")
    assert [[s["index"], s["forced"]] for s in found if s["forced"] is not None] == force
    for step, position in force:
        weights = decode(found[step]["attention"])
        assert weights.tolist() == np.eye(len(weights), dtype=np.float32)[position].tolist()
    if beam_size == 1:
        assert found[:2] == free[:2]
        energy = [decode(steps[2]["points"]["attention.energy"]["data"]) for steps in (free, found)]
        np.testing.assert_array_equal(*energy)
        assert decode(free[2]["attention"]).tolist() != decode(found[2]["attention"]).tolist()
    answer = whole(client, id, force=force, beam_size=beam_size)
    assert answer["forced"] == force
    seen = points(answer)
    context = seen["attention"] @ seen["annotation"]
    np.testing.assert_allclose(context, seen["context"], atol=TOLERANCE, rtol=0)


def test_a_forced_step_that_is_never_reached_is_not_told(client):
    found = whole(client, max_new_tokens=3, force=[[2, 0]], prefix=[])
    assert found["forced"] == [[2, 0]]
    ended = whole(client, prefix=[5, 2], force=[[40, 0]], max_new_tokens=60)
    assert ended["forced"] == []


@pytest.mark.parametrize("id", TRANSLATORS)
def test_a_translation_that_is_given_back_is_read_as_it_was_written(client, id):
    first = whole(client, id, max_new_tokens=9)
    again = whole(client, id, prefix=first["target_ids"][:6], max_new_tokens=3)
    assert again["given"] == [True] * 6 + [False] * 3
    same = ("target_ids", "text", "probability", "top", "points", "attention", "log_probability")
    for name in same:
        assert again[name] == first[name], name


def test_a_translation_goes_on_from_the_words_it_is_given(client):
    first = whole(client)
    other = first["top"][1][3]["token_id"]
    prefix = [first["target_ids"][0], other]
    found = whole(client, prefix=prefix)
    assert found["target_ids"][:2] == prefix
    assert found["given"][:3] == [True, True, False]
    assert found["top"][:2] == first["top"][:2]


def test_a_prefix_that_ends_with_the_end_mark_is_only_read(client):
    found = whole(client, prefix=[5, 6, 2])
    assert found["target_ids"] == [5, 6, 2]
    assert found["target_tokens"][-1] == "</s>"
    assert found["given"] == [True] * 3
    assert found["ended"] is True
    assert "</s>" not in found["text"]


# -- what cannot be done ---------------------------------------------------------------------

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


# -- many at once ----------------------------------------------------------------------------


def test_everyone_gets_the_same_bytes_alone_and_beside_others(server):
    jobs = [
        (id, {"stream": stream, "beam_size": beam_size, "max_new_tokens": 20 + 3 * k})
        for k, id in enumerate(TRANSLATORS)
        for stream in (True, False)
        for beam_size in (1, 3)
    ]

    def one(job):
        id, options = job
        return ask(server.client, id, **options).content

    alone = [one(job) for job in jobs]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(one, jobs)) == alone
        assert list(pool.map(one, jobs[::-1])) == alone[::-1]
    wait(server.idle)


class Held:
    """A stream that nobody reads further than its first event."""

    def __init__(self, server, id: str = "toy-additive"):
        address = f"/api/checkpoints/{id}/translate"
        request = server.client.build_request("POST", address, json=LONG)
        self.answer = server.client.send(request, stream=True)
        assert self.answer.status_code == 200
        self.parts = self.answer.iter_raw()  # kept: the connection would close with it
        next(self.parts)

    def close(self) -> None:
        self.parts.close()
        self.answer.close()


def test_a_client_that_goes_away_frees_its_place(server):
    held = Held(server)
    wait(lambda: server.engine.stats().active == 1)
    held.close()
    wait(server.idle)


@pytest.mark.parametrize("stream", [True, False])
def test_clients_that_go_away_at_any_moment_leave_nothing_behind(server, stream):
    body = json.dumps(LONG | {"stream": stream, "beam_size": 2}).encode()
    request = (
        b"POST /api/checkpoints/toy-additive/translate HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    ) + body
    reads = [0, 0, 1, 500, 5000]  # bytes of the answer before the client is gone
    for k in range(25):
        with server.connect() as connection:
            connection.sendall(request)
            if stream and reads[k % 5]:
                connection.recv(reads[k % 5])
    wait(server.idle)
    assert len(whole(server.client)["target_ids"]) == 12


def test_who_comes_when_every_place_is_taken_is_told_when_to_come_back(tmp_path):
    write_translator(tmp_path / "toy-additive", "toy-additive")
    write_translator(tmp_path / "toy-plain", "toy-plain")
    full = Settings(checkpoints=tmp_path, device="cpu", max_streams=1, max_queued=0)
    with live(full) as server:
        held = Held(server)
        for stream in (True, False):
            refused = ask(server.client, "toy-plain", stream=stream)  # one set of places for all
            assert assert_error(refused, 429, "busy")["retry_after"] > 0
            assert int(refused.headers["retry-after"]) >= 1
        held.close()
        wait(server.idle)
        assert ask(server.client, "toy-plain").status_code == 200


def test_a_reader_that_stops_is_left_behind_and_keeps_nobody_waiting(tmp_path):
    write_translator(tmp_path / "toy-additive", "toy-additive")
    with live(Settings(checkpoints=tmp_path, device="cpu", reader_seconds=0.2)) as server:
        body = json.dumps(LONG).encode()
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIPE)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(
                b"POST /api/checkpoints/toy-additive/translate HTTP/1.1\r\nHost: x\r\n"
                b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (len(body), body)
            )
            wait(lambda: server.engine.stats().active == 1)
            others = [threading.Thread(target=ask, args=(server.client,)) for _ in range(3)]
            for other in others:
                other.start()
            for other in others:
                other.join()
            wait(lambda: server.engine.stats().active == 0)  # its place is given back
        wait(server.idle)


def test_a_network_that_fails_in_the_middle_ends_its_own_translations_only(folder, monkeypatch):
    with in_process(Settings(checkpoints=folder, device="cpu")) as client:
        runner = client.app.state.catalog.entries["toy-additive"].runner
        original = runner.translate

        def sick(*arguments, **options):
            items = original(*arguments, **options)
            for _ in range(3):
                yield next(items)
            raise RuntimeError("the secret of the house")

        monkeypatch.setattr(runner, "translate", sick)
        answer = ask(client, stream=True)
        found = events(answer.text)
        assert [name for name, _ in found] == ["start", "step", "step", "step", "error"]
        assert found[-1][1]["error"]["code"] == "row_failed"
        refused = ask(client)
        assert_error(refused, 500, "row_failed")
        assert "secret" not in answer.text + refused.text
        assert whole(client, "toy-plain")["text"]
