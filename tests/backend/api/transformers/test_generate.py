import numpy as np
import pytest

from backend.settings import Settings
from models.edits import Edits
from models.slicing import Slice
from models.transformer_rows import step_axis
from tests.backend.api.transformers.asking import TOLERANCE, reader
from tests.backend.serving import assert_error, decode, events, generate, in_process, steps, wait
from tests.toys import SYMBOLS
from tests.toys.transformers import LANGUAGE_MODELS, write_language_model

TOYS = pytest.mark.parametrize("id", LANGUAGE_MODELS)
MAPS = ["blocks.0.attention", "blocks.1.attention"]


def done(text: str) -> dict:
    name, data = events(text)[-1]
    assert name == "done"
    return data


@TOYS
def test_every_event_tells_what_the_network_holds_after_its_token(client, networks, id):
    answer = generate(client, id, "abba", max_new_tokens=6, seed=3)
    run, found = reader(networks, id), steps(answer.text)
    expected = list(run.write(run.reads.encode("abba"), 6, seed=3, temperature=0.8))
    assert events(answer.text)[0][1] == {"checkpoint": id, "seed": 3, "tokens": 4}
    about = {point.name: point for point in run.points}
    for told, step in zip(found, expected[:-1], strict=True):
        assert (told["index"], told["token_id"]) == (step.index, step.token_id)
        assert (told["token"], told["prefix"]) == (SYMBOLS[step.token_id], step.index < 4)
        assert [c["token_id"] for c in told["top"]] == [token for token, _, _ in step.top]
        assert told["points"].keys() == about.keys()
        for name, shown in told["points"].items():
            axis = step_axis(about[name])
            assert shown["axes"] == [a for a in about[name].axes if a != axis]
            assert shown["range"] == about[name].range
            np.testing.assert_array_equal(decode(shown["data"]), step.points[name])
    end = done(answer.text)
    token_ids = [step["token_id"] for step in found]
    assert end["text"] == run.reads.decode(token_ids)
    assert (end["tokens"], end["seed"], end["stopped"]) == (6, 3, "length")
    assert [c["token_id"] for c in end["next"]] == [token for token, _, _ in expected[-1].next]


@TOYS
def test_the_same_seed_writes_the_same_bytes_and_a_fork_goes_on_as_the_text_did(client, id):
    ask = {"max_new_tokens": 12, "seed": 9, "points": MAPS}
    one, two = (generate(client, id, "abba", **ask) for _ in range(2))
    assert one.content == two.content
    text = done(one.text)["text"]
    part = generate(client, id, text[:9], **ask | {"max_new_tokens": 7, "start": 9})
    assert done(part.text)["text"] == text
    for told, whole in zip(steps(part.text), steps(one.text)[9:], strict=True):
        assert (told["index"], told["token_id"]) == (whole["index"], whole["token_id"])
        for name in MAPS:
            found, known = (decode(step["points"][name]["data"]) for step in (told, whole))
            np.testing.assert_allclose(found, known, atol=TOLERANCE)


@TOYS
def test_a_map_grows_by_a_key_a_step(client, id):
    for told in steps(generate(client, id, "ab", max_new_tokens=5, points=MAPS).text):
        assert list(told["points"]) == MAPS
        for shown in told["points"].values():
            assert shown["axes"] == ["head", "key"]
            weights = decode(shown["data"])
            assert weights.shape == (4, told["index"] + 1)
            np.testing.assert_allclose(weights.sum(1), 1, atol=TOLERANCE)


@TOYS
def test_a_text_ends_with_the_context_and_a_longer_one_does_not_begin(client, id):
    answer = generate(client, id, "ab", max_new_tokens=5000, points=[])
    assert len(steps(answer.text)) == 32
    assert done(answer.text)["stopped"] == "context"
    answer = generate(client, id, "a" * 32, max_new_tokens=5, points=[], start=32)
    assert steps(answer.text) == []
    assert done(answer.text)["text"] == "a" * 32
    error = assert_error(generate(client, id, "a" * 33), 413, "text_too_long")
    assert error["limit"] == 32
    error = assert_error(generate(client, id, "ab", start=3), 422, "bad_range")
    assert "2 characters" in error["message"]


def test_heads_can_be_off(client, networks):
    body = {"max_new_tokens": 6, "points": ["blocks.0.heads", "blocks.1.residual"]}
    off = ["blocks.0.2", "blocks.1.0"]
    found = steps(generate(client, "toy-gpt", "ab", heads_off=off, **body).text)
    run = reader(networks, "toy-gpt")
    reading = run.reading([step["token_id"] for step in found], Edits(frozenset(off)))
    expected = reading.slice(Slice("blocks.1.residual")).data
    for step, row in zip(found, expected, strict=True):
        assert not decode(step["points"]["blocks.0.heads"]["data"])[2].any()
        shown = decode(step["points"]["blocks.1.residual"]["data"])
        np.testing.assert_allclose(shown, row, atol=TOLERANCE)


def test_more_numbers_than_a_stream_may_hold_are_refused_with_what_would_fit(networks):
    settings = Settings(checkpoints=networks[0], device="cpu", max_stream_bytes=40_000)
    with in_process(settings) as client:
        error = assert_error(generate(client, "toy-gpt", "ab", max_new_tokens=20), 413)
        assert error["steps"] > 0
        answer = generate(client, "toy-gpt", "ab", max_new_tokens=20, points=MAPS)
        assert answer.status_code == 200


def test_a_number_that_is_not_finite_ends_the_stream_with_an_error(tmp_path):
    write_language_model(tmp_path / "toy", LANGUAGE_MODELS["toy-gpt"])
    with in_process(Settings(checkpoints=tmp_path, device="cpu")) as client:
        runner = client.app.state.catalog.entries["toy"].runner
        runner.network.final_norm.bias[0] = np.nan
        name, data = events(generate(client, "toy", "ab").text)[-1]
    assert name == "error"
    assert data["error"]["code"] == "non_finite"
    assert "token 0" in data["error"]["message"]


def test_many_write_beside_each_other_what_each_writes_alone(server):
    few = {"max_new_tokens": 10}
    alone = generate(server.client, "toy-llama", "abba", points=MAPS, **few).content
    batched = generate(server.client, "toy-lstm", "abba", points=[], **few).content
    bodies = [("toy-llama", MAPS, alone), ("toy-lstm", [], batched)] * 2
    streams, found = [], []
    for id, points, _ in bodies:
        body = {"prefix": "abba", "seed": 1, "points": points, **few}
        request = server.client.build_request("POST", f"/api/checkpoints/{id}/generate", json=body)
        streams.append(server.client.send(request, stream=True))
    for stream in streams:
        found.append(stream.read())
        stream.close()
    assert found == [expected for _, _, expected in bodies]
    wait(server.idle)


def test_a_reader_who_leaves_is_let_go(server):
    body = {"prefix": "ab", "max_new_tokens": 30}
    path = "/api/checkpoints/toy-gpt/generate"
    with server.client.stream("POST", path, json=body) as answer:
        next(answer.iter_raw())
    wait(server.idle)


def test_a_server_may_read_less_than_a_network_could(networks):
    settings = Settings(checkpoints=networks[0], device="cpu", max_context_tokens=9)
    with in_process(settings) as client:
        answer = generate(client, "toy-gpt", "abba", points=[])
        assert (len(steps(answer.text)), done(answer.text)["stopped"]) == (9, "context")
        for path, field in (("slices", "text"), ("trace", "text"), ("generate", "prefix")):
            address = f"/api/checkpoints/toy-gpt/{path}"
            assert client.post(address, json={field: "a" * 9}).status_code == 200
            error = assert_error(client.post(address, json={field: "a" * 10}), 413, "text_too_long")
            assert error["limit"] == 9
