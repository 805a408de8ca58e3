import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.settings import Settings
from tests.backend.serving import assert_error, decode, in_process
from tests.oracle import by_hand
from tests.toys import CONFIGS, SYMBOLS, TEXT, write_toy

TOLERANCE = 1e-5  # float32 against float64, absolute
texts = st.text(st.sampled_from(SYMBOLS), min_size=1, max_size=40)


def trace(client, id: str, text: str, **options) -> dict:
    answer = client.post(f"/api/checkpoints/{id}/trace", json={"text": text, **options})
    assert answer.status_code == 200, answer.text[:500]
    return answer.json()


@pytest.mark.parametrize("id", CONFIGS)
def test_every_number_is_that_of_torchs_own_cells_on_the_raw_weights(client, networks, id):
    traced = trace(client, id, TEXT)
    tokens = [SYMBOLS.index(character) for character in TEXT]
    points, logits = by_hand(CONFIGS[id].cell, networks[id].state_dict(), tokens)
    assert traced["points"].keys() == points.keys()
    for name, expected in points.items():
        found = decode(traced["points"][name]["data"])
        np.testing.assert_allclose(found, expected, atol=TOLERANCE, rtol=0)
    after = logits.softmax(-1)
    probability = decode(traced["probability"])
    assert math.isnan(probability[0])
    expected = after[range(len(TEXT) - 1), tokens[1:]]
    np.testing.assert_allclose(probability[1:], expected, atol=TOLERANCE, rtol=0)
    best, order = after.sort(descending=True, stable=True)
    found = decode(traced["next"]["probabilities"])
    np.testing.assert_allclose(found, best[:, :5], atol=TOLERANCE, rtol=0)
    assert traced["next"]["tokens"] == [[SYMBOLS[k] for k in row[:5]] for row in order.tolist()]


def test_a_trace_says_whose_it_is_and_what_was_read(client):
    traced = trace(client, "toy-lstm", TEXT)
    assert traced["checkpoint"] == "toy-lstm"
    assert "".join(traced["tokens"]) == TEXT
    assert traced["points"]["rnn.0.f"]["axes"] == ["time", "unit"]
    assert traced["points"]["rnn.0.f"]["range"] == "unit"
    assert traced["points"]["rnn.0.f"]["data"]["shape"] == f"{len(TEXT)}, 12"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), texts)
def test_a_part_of_a_trace_is_the_same_part_of_the_whole_one(client, data, text):
    id = data.draw(st.sampled_from(list(CONFIGS)))
    start = data.draw(st.integers(0, len(text) - 1))
    stop = data.draw(st.integers(start + 1, len(text)))
    whole, part = trace(client, id, text), trace(client, id, text, start=start, stop=stop)
    assert part["tokens"] == whole["tokens"][start:stop]
    arrays = [
        (part["points"][name]["data"], whole["points"][name]["data"]) for name in whole["points"]
    ]
    arrays.append((part["probability"], whole["probability"]))
    arrays.append((part["next"]["probabilities"], whole["next"]["probabilities"]))
    for some, every in arrays:
        np.testing.assert_allclose(decode(some), decode(every)[start:stop], atol=1e-6, rtol=0)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(CONFIGS)), texts)
def test_what_comes_next_is_sorted_and_no_more_than_everything(client, id, text):
    traced = trace(client, id, text, points=[])
    probabilities = decode(traced["next"]["probabilities"])
    assert probabilities.shape == (len(text), 5)
    assert (np.diff(probabilities, axis=1) <= 0).all()
    assert (probabilities >= 0).all()
    assert (probabilities.sum(axis=1) <= 1 + 1e-5).all()
    for row in traced["next"]["tokens"]:
        assert len(set(row)) == 5
        assert set(row) <= set(SYMBOLS)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_only_the_points_asked_for_are_sent_with_the_same_numbers(client, data):
    id = data.draw(st.sampled_from(list(CONFIGS)))
    names = [point["name"] for point in client.get(f"/api/checkpoints/{id}").json()["points"]]
    asked = data.draw(st.lists(st.sampled_from(names)))
    whole, some = trace(client, id, TEXT), trace(client, id, TEXT, points=asked)
    assert list(some["points"]) == [name for name in names if name in asked]
    for name in asked:
        found, expected = (decode(t["points"][name]["data"]) for t in (some, whole))
        np.testing.assert_allclose(found, expected, atol=1e-6, rtol=0)
    assert some["next"]["tokens"] == whole["next"]["tokens"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts, texts)
def test_what_follows_does_not_change_what_was_read(client, text, more):
    alone, longer = trace(client, "toy-lstm", text), trace(client, "toy-lstm", text + more)
    for name in alone["points"]:
        some, every = (decode(t["points"][name]["data"]) for t in (alone, longer))
        np.testing.assert_allclose(some, every[: len(text)], atol=1e-6, rtol=0)


def test_the_same_request_gets_the_same_bytes(client):
    body = {"text": TEXT * 3}
    address = "/api/checkpoints/toy-gru/trace"
    assert client.post(address, json=body).content == client.post(address, json=body).content


@pytest.mark.parametrize(
    ("start", "stop"), [(5, 5), (6, 5), (0, 28), (27, None), (28, 28), (10**30, None), (0, 10**30)]
)
def test_a_stretch_that_is_not_in_the_text_is_refused_with_the_length_there_is(client, start, stop):
    body = {"text": TEXT, "start": start, "stop": stop}
    error = assert_error(client.post("/api/checkpoints/toy-gru/trace", json=body), 422, "bad_range")
    assert f"{len(TEXT)} characters" in error["message"]


@pytest.mark.parametrize("field", [{"start": -1}, {"stop": 0}, {"stop": -1}, {"start": 1.0}])
def test_a_stretch_that_no_text_has_is_refused_by_the_name_of_the_field(client, field):
    body = {"text": TEXT, **field}
    error = assert_error(client.post("/api/checkpoints/toy-gru/trace", json=body), 422, "invalid")
    assert error["fields"][0]["field"] == next(iter(field))


def test_more_numbers_than_one_answer_may_have_are_refused_with_what_would_fit(tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-gru"])  # 8 points of 9 units: 288 bytes a step
    limit = 288 * 10 + 100
    with in_process(Settings(checkpoints=tmp_path, device="cpu", max_trace_bytes=limit)) as client:
        address, text = "/api/checkpoints/toy/trace", TEXT[:11]
        error = assert_error(client.post(address, json={"text": text}), 413, "trace_too_large")
        assert error["limit"] == limit
        assert "at most 10 steps" in error["hint"]
        assert client.post(address, json={"text": text, "start": 1}).status_code == 200
        assert client.post(address, json={"text": text, "stop": 10}).status_code == 200
        assert client.post(address, json={"text": text, "points": ["rnn.0.h"]}).status_code == 200


def test_a_text_as_long_as_may_be_is_read_and_one_character_more_is_not(tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-rnn"])
    settings = Settings(checkpoints=tmp_path, device="cpu", max_text_characters=30)
    with in_process(settings) as client:
        assert len(trace(client, "toy", "😀" * 30)["tokens"]) == 30
        body = {"text": "a" * 31}
        error = assert_error(
            client.post("/api/checkpoints/toy/trace", json=body), 413, "text_too_long"
        )
        assert error["limit"] == 30


def test_as_many_next_tokens_are_told_as_are_asked_for_and_each_has_its_number(client):
    traced = trace(client, "toy-lstm", TEXT, points=[], top=1024)
    shares = decode(traced["next"]["probabilities"])
    assert shares.shape == (len(TEXT), len(SYMBOLS))
    np.testing.assert_allclose(shares.sum(1), 1, atol=TOLERANCE)
    assert all(sorted(row) == SYMBOLS for row in traced["next"]["tokens"])
    assert traced["token_ids"] == [SYMBOLS.index(character) for character in TEXT]
