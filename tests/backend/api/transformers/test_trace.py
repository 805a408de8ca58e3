import math

import numpy as np
import pytest

from backend.settings import Settings
from models.slicing import Slice
from tests.backend.api.transformers.asking import STACKS, TOLERANCE, reader
from tests.backend.serving import assert_error, decode, in_process
from tests.toys import SYMBOLS, TEXT
from tests.toys.transformers import LANGUAGE_MODELS

EVERY = pytest.mark.parametrize("id", STACKS)


def trace(client, id: str, text: str = TEXT, **options) -> dict:
    answer = client.post(f"/api/checkpoints/{id}/trace", json={"text": text, **options})
    assert answer.status_code == 200, answer.text[:500]
    return answer.json()


@EVERY
def test_every_number_is_that_of_the_reading(client, networks, id):
    found, run = trace(client, id), reader(networks, id)
    assert "".join(found["tokens"]) == TEXT
    reading = run.reading(run.reads.encode(TEXT))
    assert found["points"].keys() == reading.points.keys()
    for name, point in found["points"].items():
        expected = reading.slice(Slice(name))
        assert (point["axes"], point["range"]) == (list(expected.axes), expected.range)
        data = decode(point["data"])
        np.testing.assert_allclose(data, expected.data, atol=TOLERANCE, err_msg=name)


@pytest.mark.parametrize("id", LANGUAGE_MODELS)
def test_what_comes_next_and_how_likely_each_token_was_is_told(client, networks, id):
    found, run = trace(client, id, points=[]), reader(networks, id)
    ids = run.reads.encode(TEXT)
    reading = run.reading(ids)
    best, likely = decode(found["next"]["probabilities"]), decode(found["probability"])
    assert best.shape == (len(TEXT), 5)
    assert math.isnan(likely[0])
    for t in range(len(TEXT)):
        chances = reading.next(t)
        top = chances.topk(5)
        assert found["next"]["tokens"][t] == [SYMBOLS[k] for k in top.indices]
        np.testing.assert_allclose(best[t], top.values, atol=TOLERANCE)
        if t + 1 < len(TEXT):
            assert likely[t + 1] == pytest.approx(float(chances[ids[t + 1]]), abs=TOLERANCE)


def test_an_encoder_predicts_nothing_that_follows(client):
    found = trace(client, "toy-encoder", points=[])
    assert found["next"] is found["probability"] is None


@EVERY
def test_a_stretch_is_that_stretch_of_the_whole_with_all_its_keys(client, id):
    names = ["blocks.1.attention", "blocks.0.q", "blocks.0.v", "blocks.1.residual"]
    whole, part = (trace(client, id, points=names, **at) for at in ({}, {"start": 3, "stop": 8}))
    assert part["tokens"] == whole["tokens"][3:8]
    for name in names:
        some, every = (decode(told["points"][name]["data"]) for told in (part, whole))
        axes = part["points"][name]["axes"]
        for axis in {"time", "query"} & set(axes):
            every = every.take(range(3, 8), axes.index(axis))
        np.testing.assert_allclose(some, every, atol=1e-6, rtol=0)


def test_more_numbers_than_one_answer_may_have_are_refused_with_what_would_fit(networks):
    step = 4 * 4 * 9  # bytes of a row: heads, keys
    settings = Settings(checkpoints=networks[0], device="cpu", max_trace_bytes=5 * step + 7)
    with in_process(settings) as client:
        body = {"text": "abba fade", "points": ["blocks.0.attention"]}
        address = "/api/checkpoints/toy-gpt/trace"
        error = assert_error(client.post(address, json=body), 413, "trace_too_large")
        assert "at most 5 steps" in error["hint"]
        assert client.post(address, json=body | {"stop": 5}).status_code == 200
        error = assert_error(client.post(address, json={"text": "abba fade"}), 413)
        assert "fewer points" in error["hint"]
        cut = {"text": "abba fade", "slices": [{"point": "blocks.0.attention"}]}
        address = "/api/checkpoints/toy-gpt/slices"
        error = assert_error(client.post(address, json=cut), 413, "slices_too_large")
        assert error["limit"] == settings.max_trace_bytes
        cut["slices"][0]["form"] = "u1"
        assert client.post(address, json=cut).status_code == 200


@EVERY
def test_a_stretch_that_is_not_in_the_text_and_a_text_too_long_are_refused(client, id):
    address = f"/api/checkpoints/{id}/trace"
    for at in ({"start": 2}, {"stop": 3}, {"start": 1, "stop": 1}):
        error = assert_error(client.post(address, json={"text": "ab", **at}), 422, "bad_range")
        assert "2 characters" in error["message"]
    error = assert_error(client.post(address, json={"text": "a" * 33}), 413, "text_too_long")
    assert error["limit"] == 32
