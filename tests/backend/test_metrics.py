"""What the server counts, in the form that Prometheus reads."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from backend.app import create_app
from backend.metrics import MOST_CODES, SECONDS, Metrics, Spread
from backend.settings import Settings
from tests.backend.serving import generate, wait

HERE = ("127.0.0.1", 50000)


def read(client: TestClient) -> dict[tuple, float]:
    """(name, labels) -> value of everything that is told."""
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture(scope="module")
def here(client):
    """Asks the server of the toys from its own machine."""
    return TestClient(client.app, client=HERE, base_url="http://127.0.0.1")


def app(tmp_path, **settings):
    return create_app(Settings(checkpoints=tmp_path, device="cpu", **settings))


def test_what_is_generated_is_counted_as_streams_steps_and_tokens(here):
    before = read(here)
    assert generate(here, "toy-lstm", "abba", max_new_tokens=6, points=[]).status_code == 200
    after = read(here)
    told = {name[0]: after[name] - before.get(name, 0) for name in after if len(name) == 1}
    assert told["unrolled_tokens_total"] == 10
    assert told["unrolled_steps_total"] == 10
    assert after["unrolled_leaked_rows",] == 0
    assert after["unrolled_batch_rows",] == 0
    assert after["unrolled_streams", ("state", "active")] == 0
    assert after["unrolled_held_bytes", ("what", "unread")] == 0
    route = ("route", "/api/checkpoints/{id}/generate")
    name = ("unrolled_requests_total", ("method", "POST"), route, ("status", "2xx"))
    assert after[name] - before.get(name, 0) == 1
    count = ("unrolled_wait_seconds_count", route)
    assert after[count] - before.get(count, 0) == 1


def test_checkpoints_are_counted_by_what_has_become_of_them(here):
    found = read(here)
    ready = found["unrolled_checkpoints", ("status", "ready")]
    assert ready == len(here.app.state.catalog.entries)
    assert found["unrolled_checkpoints", ("status", "failed")] == 0


def test_imports_students_and_short_work_are_counted(tmp_path):
    with TestClient(
        app(tmp_path, imports=tmp_path / "imports", join="ABCDEF"),
        client=HERE,
        base_url="http://127.0.0.1",
    ) as asked:
        assert asked.get("/en/").status_code == 401
        wait(lambda: asked.get("/readyz").status_code == 200)
        found = read(asked)
    assert (found["unrolled_imports",], found["unrolled_imports_bytes",]) == (0, 0)
    assert found["unrolled_students",] == 0
    assert found["unrolled_short_work", ("state", "queued")] == 0
    assert found["unrolled_refused_total", ("code", "join_needed")] == 1


def test_the_process_tells_its_memory(here):
    assert read(here)["process_resident_memory_bytes",] > 1 << 20


def test_a_refusal_is_counted_by_its_code(here):
    name = ("unrolled_refused_total", ("code", "unknown_checkpoint"))
    before = read(here).get(name, 0)
    here.get("/api/checkpoints/nothing")
    assert read(here)[name] == before + 1


def test_no_client_makes_up_a_label(tmp_path):
    asks = TestClient(app(tmp_path), client=HERE, base_url="http://127.0.0.1")
    for k in range(30):
        asks.get(f"/api/checkpoints/made-up-{k}")
        asks.get(f"/made/up-{k}/a/b")
        asks.request(f"MADEUP{k}", "/healthz")
        asks.get("/healthz", headers={"X-Made": f"up-{k}", "X-Request-ID": f"made-up-{k}"})
    found = read(asks)
    assert "up" not in "".join(str(name).lower() for name in found).replace("waiting_up", "")
    assert len({name for name in found if name[0] == "unrolled_requests_total"}) <= 6


def test_codes_that_are_too_many_are_counted_together():
    metrics = Metrics(None)
    for k in range(MOST_CODES + 50):
        metrics.answered("/", "GET", 400, 0.0, f"code_{k}")
    assert len(metrics.codes) == MOST_CODES + 1
    assert metrics.codes["other"] == 50


@pytest.mark.parametrize(
    ("setting", "client", "headers", "status"),
    [
        ("auto", "127.0.0.1", {}, 200),
        ("auto", "::1", {}, 200),
        ("auto", "192.168.0.7", {}, 404),
        ("auto", "testclient", {}, 404),
        ("auto", "127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, 404),
        ("auto", "127.0.0.1", {"Forwarded": "for=203.0.113.9"}, 404),
        ("on", "192.168.0.7", {}, 200),
        ("off", "127.0.0.1", {}, 404),
    ],
)
def test_who_may_read_them(tmp_path, setting, client, headers, status):
    asked = TestClient(
        app(tmp_path, metrics=setting), client=(client, 1), base_url="http://127.0.0.1"
    )
    assert asked.get("/metrics", headers=headers).status_code == status


def test_two_applications_count_apart_and_leave_the_librarys_own_registry_alone(tmp_path):
    known = set(REGISTRY._names_to_collectors)
    first, second = (
        TestClient(app(tmp_path), client=HERE, base_url="http://127.0.0.1") for _ in range(2)
    )
    first.get("/healthz")
    name = (
        "unrolled_requests_total",
        *(("method", "GET"), ("route", "/healthz"), ("status", "2xx")),
    )
    assert read(first)[name] == 1
    assert name not in read(second)
    assert set(REGISTRY._names_to_collectors) == known


def test_a_spread_counts_what_is_at_most_as_long_as_each_bound():
    spread = Spread()
    for seconds in (0.001, 0.0011, 0.3, 100.0):
        spread.add(seconds)
    counts = dict(spread.buckets())
    assert list(counts) == [*map(str, SECONDS), "+Inf"]
    assert (counts["0.001"], counts["0.0025"], counts["0.5"], counts["10.0"]) == (1, 2, 3, 3)
    assert counts["+Inf"] == 4


def test_the_lag_of_the_event_loop_is_looked_at_again_and_again(monkeypatch):
    monkeypatch.setattr("backend.metrics.LAG_SECONDS", 0.001)
    metrics = Metrics(None)

    async def scenario():
        task = asyncio.create_task(metrics.watch())
        while sum(metrics.lag.counts) < 3:
            await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(scenario())
    assert metrics.lag.sum > 0
