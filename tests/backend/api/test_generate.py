import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.settings import Settings
from models.sampling import uniform
from tests.backend.serving import (
    assert_error,
    decode,
    events,
    generate,
    in_process,
    live,
    steps,
    wait,
)
from tests.oracle import by_hand
from tests.toys import CONFIGS, SYMBOLS, TEXT, write_toy

TOLERANCE = 1e-5  # float32 against float64, absolute
ids = st.sampled_from(list(CONFIGS))
prefixes = st.text(st.sampled_from(SYMBOLS), min_size=1, max_size=12)
seeds = st.integers(0, 2**53 - 1)
with_client = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def numbers(text: str) -> list[int]:
    return [SYMBOLS.index(character) for character in text]


def chosen_from(logits, temperature: float, top_k: int, top_p: float) -> torch.Tensor:
    """The distribution a token is drawn from, by its definition."""
    p = (logits / temperature).softmax(-1)
    order = p.argsort(descending=True, stable=True)
    keep = order[: top_k or len(p)]
    among = p[keep] / p[keep].sum()
    if top_p < 1:
        reached = int((among.cumsum(-1) < top_p).sum()) + 1
        keep = keep[:reached]
    drawn = torch.zeros_like(p)
    drawn[keep] = p[keep] / p[keep].sum()
    return drawn


@pytest.mark.parametrize("options", [(1.0, 0, 1.0), (0.6, 0, 1.0), (1.5, 4, 1.0), (1.0, 6, 0.7)])
@pytest.mark.parametrize("id", CONFIGS)
def test_every_state_probability_and_choice_is_what_torchs_own_cells_give(
    client, networks, id, options
):
    temperature, top_k, top_p = options
    asked = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": 11}
    found = steps(generate(client, id, "ab<", max_new_tokens=15, **asked).text)
    tokens = [step["token_id"] for step in found]
    points, logits = by_hand(CONFIGS[id].cell, networks[id].state_dict(), tokens)
    assert len(found) == 18
    for t, step in enumerate(found):
        assert step["index"] == t
        assert step["prefix"] == (t < 3)
        assert step["token"] == SYMBOLS[step["token_id"]]
        assert step["points"].keys() == points.keys()
        for name, expected in points.items():
            values = decode(step["points"][name]["data"])
            np.testing.assert_allclose(values, expected[t], atol=TOLERANCE, rtol=0)
        if t == 0:
            assert step["probability"] is None
            assert step["top"] == []
            continue
        own = logits[t - 1].softmax(-1)
        drawn = chosen_from(logits[t - 1], temperature, top_k, top_p)
        assert step["probability"] == pytest.approx(float(own[tokens[t]]), abs=TOLERANCE)
        best = own.argsort(descending=True, stable=True)[:5].tolist()
        assert [candidate["token_id"] for candidate in step["top"]] == best
        for candidate in step["top"]:
            k = candidate["token_id"]
            assert candidate["token"] == SYMBOLS[k]
            assert candidate["probability"] == pytest.approx(float(own[k]), abs=TOLERANCE)
            assert candidate["drawn"] == pytest.approx(float(drawn[k]), abs=TOLERANCE)
        if t >= 3:
            place = torch.searchsorted(drawn.cumsum(-1), uniform(11, t), right=True)
            assert tokens[t] == int(place)


def test_a_stream_begins_with_whose_it_is_and_ends_with_all_that_was_written(client, networks):
    found = events(generate(client, "toy-gru", TEXT, max_new_tokens=20, points=[], seed=5).text)
    assert found[0] == ("start", {"checkpoint": "toy-gru", "seed": 5, "tokens": len(TEXT)})
    name, done = found[-1]
    assert name == "done"
    written = "".join(step["token"] for _, step in found[1:-1])
    assert done["text"] == written
    assert written.startswith(TEXT)
    assert done["seed"] == 5
    assert done["tokens"] == 20
    _, logits = by_hand("gru", networks["toy-gru"].state_dict(), numbers(written))
    best, order = logits[-1].softmax(-1).sort(descending=True, stable=True)
    assert [c["token_id"] for c in done["next"]] == order[:5].tolist()
    told = [c["probability"] for c in done["next"]]
    np.testing.assert_allclose(told, best[:5], atol=TOLERANCE, rtol=0)


@with_client
@given(ids, prefixes, seeds, st.data())
def test_a_fork_goes_on_exactly_as_what_it_was_forked_from(client, id, prefix, seed, data):
    options = {"seed": seed, "temperature": data.draw(st.sampled_from([0.5, 1.0, 2.0]))}
    whole = steps(generate(client, id, prefix, max_new_tokens=16, **options).text)
    at = data.draw(st.integers(1, len(whole) - 1))
    head = "".join(step["token"] for step in whole[:at])
    left = len(whole) - at
    forked = steps(generate(client, id, head, max_new_tokens=left, start=at, **options).text)
    if at >= len(prefix):  # where it was forked inside the prefix, the rest was never drawn
        assert forked == whole[at:]
    else:
        assert [step["index"] for step in forked] == list(range(at, len(whole)))


@with_client
@given(ids, prefixes, seeds, st.data())
def test_a_start_leaves_out_the_steps_before_it_and_changes_nothing_else(
    client, id, prefix, seed, data
):
    start = data.draw(st.integers(0, len(prefix)))
    whole = generate(client, id, prefix, max_new_tokens=6, seed=seed)
    later = generate(client, id, prefix, max_new_tokens=6, seed=seed, start=start)
    assert steps(later.text) == steps(whole.text)[start:]
    assert events(later.text)[-1] == events(whole.text)[-1]


@with_client
@given(ids, prefixes, st.data())
def test_the_points_that_are_asked_for_do_not_change_what_is_written(client, id, prefix, data):
    names = [point["name"] for point in client.get(f"/api/checkpoints/{id}").json()["points"]]
    asked = data.draw(st.lists(st.sampled_from(names), unique=True))
    whole = steps(generate(client, id, prefix, max_new_tokens=6).text)
    some = steps(generate(client, id, prefix, max_new_tokens=6, points=asked).text)
    for one, other in zip(some, whole, strict=True):
        assert list(one["points"]) == [name for name in names if name in asked]
        assert all(one["points"][name] == other["points"][name] for name in asked)
        assert one | {"points": 0} == other | {"points": 0}


@with_client
@given(ids, prefixes, seeds, st.integers(1, 6))
def test_top_k_draws_among_the_k_likeliest_and_no_other(client, id, prefix, seed, k):
    answer = generate(client, id, prefix, max_new_tokens=10, seed=seed, top_k=k, points=[])
    for step in steps(answer.text)[1:]:
        drawn = [candidate["drawn"] for candidate in step["top"]]
        assert all(p > 0 for p in drawn[:k])
        assert all(p == 0 for p in drawn[k:])
        if k <= 5:
            assert sum(drawn) == pytest.approx(1, abs=1e-5)
            if not step["prefix"]:
                assert step["token_id"] in [c["token_id"] for c in step["top"][:k]]


@with_client
@given(ids, prefixes, seeds)
def test_the_likeliest_token_is_taken_by_top_k_1_whatever_the_seed_and_the_temperature(
    client, id, prefix, seed
):
    options = {"max_new_tokens": 10, "points": []}
    greedy = steps(
        generate(client, id, prefix, seed=seed, top_k=1, temperature=100, **options).text
    )
    same = steps(generate(client, id, prefix, seed=0, top_k=1, **options).text)
    cold = steps(generate(client, id, prefix, seed=seed, temperature=1e-6, **options).text)
    tokens = [step["token_id"] for step in greedy]
    assert tokens == [step["token_id"] for step in same] == [step["token_id"] for step in cold]
    for step in greedy[len(prefix) :]:
        assert step["token_id"] == step["top"][0]["token_id"]


@with_client
@given(ids, prefixes, seeds)
def test_what_is_likely_next_is_sorted_and_no_more_than_everything(client, id, prefix, seed):
    found = events(generate(client, id, prefix, seed=seed, max_new_tokens=5, points=[]).text)
    lists = [data["next"] if name == "done" else data["top"] for name, data in found[2:]]
    assert len(lists) == len(prefix) + 5
    for top in lists:
        probabilities = [candidate["probability"] for candidate in top]
        assert len(top) == 5
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) <= 1 + 1e-5
        assert sum(candidate["drawn"] for candidate in top) <= 1 + 1e-5


@pytest.mark.parametrize("id", CONFIGS)
def test_reading_a_prefix_gives_the_numbers_of_a_trace(client, id):
    body = {"text": TEXT}
    traced = client.post(f"/api/checkpoints/{id}/trace", json=body).json()
    found = steps(generate(client, id, TEXT, max_new_tokens=1).text)[:-1]
    told = [step["probability"] for step in found[1:]]
    np.testing.assert_allclose(told, decode(traced["probability"])[1:], atol=TOLERANCE, rtol=0)
    for name, point in traced["points"].items():
        values = np.stack([decode(step["points"][name]["data"]) for step in found])
        np.testing.assert_allclose(values, decode(point["data"]), atol=TOLERANCE, rtol=0)


def test_without_a_seed_the_server_chooses_one_and_says_which(client):
    first = generate(client, "toy-lstm", "ab", seed=None)
    second = generate(client, "toy-lstm", "ab", seed=None)
    seed = events(first.text)[0][1]["seed"]
    assert seed == events(first.text)[-1][1]["seed"]
    assert seed != events(second.text)[0][1]["seed"]
    assert generate(client, "toy-lstm", "ab", seed=seed).content == first.content


@pytest.mark.parametrize("seed", [0, 1, 2**53 - 1])
def test_any_seed_that_javascript_can_hold_is_taken_and_told_back(client, seed):
    answer = generate(client, "toy-rnn", "ab", seed=seed, max_new_tokens=30, points=[])
    assert events(answer.text)[0][1]["seed"] == seed


def test_a_stream_is_named_as_one_and_is_not_kept(client):
    answer = generate(client, "toy-rnn", "ab", max_new_tokens=1)
    assert answer.headers["content-type"].split(";")[0] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"


def test_the_same_seed_gives_the_same_bytes_alone_and_beside_others(server):
    jobs = [
        (
            list(CONFIGS)[k % len(CONFIGS)],
            TEXT[: 1 + k],
            {
                "seed": k,
                "max_new_tokens": 40 + 7 * k,
                "temperature": 0.5 + 0.1 * k,
                "start": k // 2,
            },
        )
        for k in range(16)
    ]

    def ask(job):
        id, prefix, options = job
        return generate(server.client, id, prefix, **options).content

    alone = [ask(job) for job in jobs]
    with ThreadPoolExecutor(16) as pool:
        for _ in range(3):
            assert list(pool.map(ask, jobs)) == alone
            jobs.reverse()
            alone.reverse()
    wait(server.idle)


LONG = {"prefix": "ab", "max_new_tokens": 5000, "seed": 1}


class Held:
    """A stream that nobody reads further than its first event: its row waits in its slot."""

    def __init__(self, server):
        address = "/api/checkpoints/toy-lstm/generate"
        request = server.client.build_request("POST", address, json=LONG)
        self.answer = server.client.send(request, stream=True)
        assert self.answer.status_code == 200
        self.parts = self.answer.iter_raw()  # kept: the connection would close with it
        next(self.parts)

    def close(self) -> None:
        self.parts.close()
        self.answer.close()


def test_who_comes_when_every_place_is_taken_is_told_when_to_come_back(tmp_path):
    write_toy(tmp_path / "toy-lstm", CONFIGS["toy-lstm"])
    full = Settings(checkpoints=tmp_path, device="cpu", max_streams=1, max_queued=0)
    with live(full) as server:
        first = Held(server)
        refused = generate(server.client, "toy-lstm", "ab")
        error = assert_error(refused, 429, "busy")
        assert int(refused.headers["retry-after"]) >= 1
        assert error["retry_after"] > 0
        assert error["hint"]
        first.close()
        wait(server.idle)
        assert generate(server.client, "toy-lstm", "ab").status_code == 200


def test_one_client_cannot_take_every_place(tmp_path):
    write_toy(tmp_path / "toy-lstm", CONFIGS["toy-lstm"])
    with live(Settings(checkpoints=tmp_path, device="cpu", streams_per_client=2)) as server:
        held = [Held(server) for _ in range(2)]
        assert_error(generate(server.client, "toy-lstm", "ab"), 429, "busy")
        held.pop().close()
        wait(lambda: server.engine.stats().active == 1)
        assert generate(server.client, "toy-lstm", "ab").status_code == 200
        held.pop().close()
        wait(server.idle)


def test_who_waits_for_a_place_gets_it_when_another_leaves(tmp_path):
    write_toy(tmp_path / "toy-lstm", CONFIGS["toy-lstm"])
    with live(Settings(checkpoints=tmp_path, device="cpu", max_streams=1)) as server:
        first = Held(server)
        answers = []
        waits = threading.Thread(
            target=lambda: answers.append(generate(server.client, "toy-lstm", "ab"))
        )
        waits.start()
        wait(lambda: server.engine.stats().queued == 1)
        assert not answers
        first.close()
        waits.join()
        assert len(steps(answers[0].text)) == 202


def test_more_numbers_than_one_stream_may_have_are_refused_with_what_would_fit(tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-gru"])  # 8 points of 9 units: 288 bytes a step
    limit = Settings(checkpoints=tmp_path, device="cpu", max_stream_bytes=288 * 10)
    with in_process(limit) as client:
        error = assert_error(generate(client, "toy", "ab", max_new_tokens=9), 413, "too_large")
        assert error["steps"] == 10
        assert generate(client, "toy", "ab", max_new_tokens=8).status_code == 200
        assert generate(client, "toy", "ab", max_new_tokens=9, points=[]).status_code == 200


def test_a_client_that_goes_away_frees_its_row(server):
    answer = Held(server)
    wait(lambda: server.engine.stats().active == 1)
    answer.close()
    wait(server.idle)
    assert server.engine.stats().leaked == 0


def test_clients_that_go_away_at_any_moment_leave_nothing_behind(server):
    body = b'{"prefix": "ab", "max_new_tokens": 5000, "seed": 1}'
    request = (
        b"POST /api/checkpoints/toy-lstm/generate HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    ) + body
    reads = [0, 0, 1, 500, 5000]  # bytes of the answer before the client is gone
    for k in range(100):
        with server.connect() as connection:
            connection.sendall(request if k % 7 else request[:-10])
            if k % 7 and reads[k % 5]:
                connection.recv(reads[k % 5])
    wait(server.idle)
    assert server.engine.stats().leaked == 0
    assert len(steps(generate(server.client, "toy-lstm", "ab").text)) == 202


def test_a_network_that_fails_in_the_middle_ends_its_streams_with_an_error_and_no_other(
    tmp_path, monkeypatch
):
    for name in ("good", "sick"):
        write_toy(tmp_path / name, CONFIGS["toy-lstm"])
    with in_process(Settings(checkpoints=tmp_path, device="cpu")) as client:
        stepper = client.app.state.catalog.entries["sick"].runner.stepper
        original, count = stepper.step, [0]

        def step(slots, tokens):
            count[0] += 1
            if count[0] > 5:
                raise RuntimeError("the secret of the house")
            return original(slots, tokens)

        monkeypatch.setattr(stepper, "step", step)
        sick = generate(client, "sick", "ab")
        assert sick.status_code == 200
        found = events(sick.text)
        assert [name for name, _ in found[:-1]] == ["start"] + ["step"] * 5
        name, data = found[-1]
        assert name == "error"
        assert set(data["error"]) >= {"code", "message", "hint"}
        assert "secret" not in sick.text
        assert len(steps(generate(client, "good", "ab").text)) == 202


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_ends_its_stream_with_an_error(tmp_path, monkeypatch, value):
    write_toy(tmp_path / "toy", CONFIGS["toy-gru"])
    with in_process(Settings(checkpoints=tmp_path, device="cpu")) as client:
        stepper = client.app.state.catalog.entries["toy"].runner.stepper
        original, count = stepper.step, [0]

        def step(slots, tokens):
            capture, logits = original(slots, tokens)
            count[0] += 1
            if count[0] == 4:
                logits[:] = value
            return capture, logits

        monkeypatch.setattr(stepper, "step", step)
        name, data = events(generate(client, "toy", "ab").text)[-1]
        assert name == "error"
        assert data["error"]["code"] == "non_finite"
