"""Trainings over HTTP: streamed, the same every time, limited, and gone with their readers."""

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from backend.settings import Settings
from models.char_rnn import CharRNN
from models.forecaster import Forecaster
from models.training.live_recipes import RECIPES
from tests.backend.serving import assert_error, decode, events, generate, live, wait

LONG = {"epochs": 3000, "window": 36, "hidden_size": 16}


def train(client, recipe: str, **parameters):
    return client.post(f"/api/training/{recipe}", json={"parameters": parameters})


class Held:
    """A training whose reader has seen its first frame."""

    def __init__(self, server, **parameters):
        body = {"parameters": LONG | parameters}
        request = server.client.build_request("POST", "/api/training/airline-gru", json=body)
        self.answer = server.client.send(request, stream=True)
        assert self.answer.status_code == 200
        self.parts = self.answer.iter_raw()
        next(self.parts)

    def close(self) -> None:
        self.parts.close()
        self.answer.close()


def networks() -> int:
    """How many of them this process holds."""
    gc.collect()
    return sum(issubclass(type(one), Forecaster | CharRNN) for one in gc.get_objects())


def spare(server):
    return server.app.state.spare


def idle(server) -> bool:
    return spare(server).stats().active == 0 and spare(server)._admission.idle


def test_every_recipe_is_told_with_what_can_be_chosen(client):
    told = client.get("/api/training").json()["recipes"]
    assert [one["name"] for one in told] == list(RECIPES)
    for one in told:
        for about in one["parameters"]:
            assert about["help"]
            assert about["choices"] or about["lowest"] <= about["default"] <= about["highest"]


def test_a_run_is_a_start_its_frames_and_an_end(client):
    first, *frames, last = events(train(client, "hello-rnn", epochs=5).text)
    assert first[0] == "start"
    assert first[1]["parameters"]["epochs"] == 5
    assert first[1]["parameters"]["hidden_size"] == 12
    assert first[1]["texts"]["sentences"][1] == "good i am fine "
    assert [name for name, _ in frames] == ["frame"] * 6
    assert [frame["epoch"] for _, frame in frames] == list(range(6))
    right = frames[-1][1]["arrays"]["right"]
    assert right["axes"] == ["sentence", "time"]
    assert right["range"] == "unit"
    assert decode(right["data"]).shape == (3, 14)
    assert last == ("done", {"recipe": "hello-rnn", "epoch": 5})


def test_a_forecaster_is_streamed_with_its_series_and_the_simple_forecasts(client):
    first, *frames, _ = events(train(client, "airline-rnn", epochs=2, window=24).text)
    series = decode(first[1]["arrays"]["series"]["data"])
    assert series[:3].tolist() == [112, 118, 132]
    assert first[1]["figures"]["first_forecast"] == 24
    error = np.diff(series)[-24:]
    assert first[1]["figures"]["naive_rmse"] == pytest.approx(np.sqrt((error**2).mean()), rel=1e-5)
    assert decode(frames[-1][1]["arrays"]["predictions"]["data"]).shape == (120,)


def test_everyone_gets_the_same_bytes_alone_and_beside_others(server):
    jobs = [(name, {"epochs": 40, "seed": seed}) for name in RECIPES for seed in (0, 1)]

    def one(job):
        return train(server.client, job[0], **job[1]).content

    alone = [one(job) for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, jobs)) == alone
    assert len(set(alone)) == len(jobs)


def test_a_generation_beside_a_training_writes_the_same_bytes(server):
    alone = generate(server.client, "toy-lstm", "ab", max_new_tokens=200).content
    held = Held(server)
    assert generate(server.client, "toy-lstm", "ab", max_new_tokens=200).content == alone
    held.close()
    wait(lambda: idle(server))


@pytest.mark.parametrize(
    ("recipe", "parameters", "code", "told"),
    [
        ("poems", {}, "unknown_recipe", "hello-rnn"),
        ("hello-rnn", {"window": 3}, "bad_parameter", "hidden_size, epochs"),
        ("hello-rnn", {"epochs": 100000}, "bad_parameter", "from 1 to 1000"),
        ("airline-rnn", {"scale": "log"}, "bad_parameter", "range, maximum, mixed"),
        ("airline-rnn", {"window": [3]}, "bad_parameter", "from 2 to 36"),
        ("airline-rnn", {"window": None}, "bad_parameter", "from 2 to 36"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_what_can(client, recipe, parameters, code, told):
    answer = train(client, recipe, **parameters)
    error = assert_error(answer, 404 if code == "unknown_recipe" else 422, code)
    assert told in error["hint"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"parameters": 3}', b'{"speed": 3}'])
def test_a_body_that_is_none_is_refused(client, body):
    headers = {"Content-Type": "application/json"}
    assert_error(client.post("/api/training/hello-rnn", content=body, headers=headers), 422)


def test_numbers_that_are_none_can_be_told_back(client):
    headers = {"Content-Type": "application/json"}
    for raw in (b"NaN", b"1e999", b'"\\ud800"'):
        body = b'{"parameters": {"seed": %s}}' % raw
        answer = client.post("/api/training/hello-rnn", content=body, headers=headers)
        assert_error(answer, 422)


def test_a_reader_who_leaves_ends_the_run_and_nothing_of_it_stays(server):
    Held(server).close()  # the thread of trainings is there
    wait(lambda: idle(server))
    before, count = networks(), threading.active_count()
    for seed in range(3):
        held = Held(server, seed=seed)
        wait(lambda: spare(server).stats().active == 1)
        held.close()
        wait(lambda: idle(server))
    assert spare(server).stats().leaked == 0
    assert networks() == before
    assert threading.active_count() <= count


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A server for one training of an address, and no more than a second of it."""
    settings = Settings(
        checkpoints=tmp_path_factory.mktemp("none"),
        device="cpu",
        max_trainings=2,
        trainings_per_client=1,
        max_training_seconds=1.0,
    )
    with live(settings) as server:
        server.client.get("/api/training")
        yield server


def test_a_second_training_of_an_address_is_refused_with_the_seconds_to_wait(small):
    held = Held(small)
    answer = train(small.client, "hello-rnn", epochs=1)
    assert_error(answer, 429, "busy")
    assert int(answer.headers["retry-after"]) >= 1
    held.close()
    wait(lambda: idle(small))
    assert train(small.client, "hello-rnn", epochs=1).status_code == 200


def test_a_training_that_lasts_too_long_ends_with_an_error_that_says_so(small):
    *frames, last = events(train(small.client, "airline-gru", **LONG).text)
    assert len(frames) > 2
    assert last[0] == "error"
    assert last[1]["error"]["code"] == "time_limit"
    wait(lambda: idle(small))


def test_a_server_that_stops_ends_its_trainings_and_says_so(tmp_path):
    with live(Settings(checkpoints=tmp_path, device="cpu")) as server:
        server.client.get("/api/training")
        held = Held(server)
        loop = spare(server)._mailbox.loop
        asyncio.run_coroutine_threadsafe(spare(server).stop(0), loop).result(10)
        told = b"".join(held.parts).decode()
        assert "event: error" in told
        assert "shutting_down" in told
        assert_error(train(server.client, "hello-rnn"), 503, "shutting_down")
