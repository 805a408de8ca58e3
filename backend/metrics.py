"""What the server counts of itself, told at `/metrics` in the text form that Prometheus reads.

Counting is a number in a dictionary on the event loop. The library that writes the form is read
with the first question. No label holds anything that a client can make up: routes are those that
are declared, codes are those of refusals that the code names.
"""

import asyncio
import ipaddress
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from time import perf_counter
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse, Response

from backend.errors import NotFound

router = APIRouter(tags=["health"])
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
MOST_CODES = 200  # codes that are told apart: more than there are
LAG_SECONDS = 0.5  # between two looks at how late the event loop is
PROXIED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class Spread:
    """How often a time fell between two bounds of SECONDS, and the sum of all."""

    def __init__(self):
        self.counts = [0] * (len(SECONDS) + 1)  # the last: longer than all bounds
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.sum += seconds

    def buckets(self) -> list[tuple[str, int]]:
        """(upper bound, how many were at most as long), as the form wants it."""
        total, found = 0, []
        for bound, count in zip((*map(str, SECONDS), "+Inf"), tuple(self.counts), strict=True):
            total += count
            found.append((bound, total))
        return found


class Metrics:
    """The counts of one application; its registry is its own."""

    def __init__(self, state: Any):
        self.state = state
        self.requests: Counter[tuple[str, str, str]] = Counter()  # route, method, status class
        self.waits: dict[str, Spread] = {}  # by route
        self.codes: Counter[str] = Counter()
        self.lag = Spread()
        self._registry: Any = None

    def answered(self, route: str, method: str, status: int, wait: float, code: str) -> None:
        """A request is over: `wait` seconds until its answer began, `code` of a refusal or ''."""
        self.requests[route, method, f"{status // 100}xx"] += 1
        spread = self.waits.get(route)
        if spread is None:
            spread = self.waits[route] = Spread()
        spread.add(wait)
        if code:
            known = code in self.codes or len(self.codes) < MOST_CODES
            self.codes[code if known else "other"] += 1

    async def watch(self) -> None:
        """Look again and again how late the event loop is; runs until it is cancelled."""
        while True:
            due = perf_counter() + LAG_SECONDS
            await asyncio.sleep(LAG_SECONDS)
            self.lag.add(max(0.0, perf_counter() - due))

    def text(self) -> tuple[bytes, str]:
        """Everything in Prometheus's form, and the type of that; from any thread."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
        from prometheus_client.process_collector import ProcessCollector

        if self._registry is None:
            registry = CollectorRegistry(auto_describe=False)
            ProcessCollector(registry=registry)  # resident memory, processor time, open files
            registry.register(self)
            self._registry = registry
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def describe(self) -> list:
        """For the registry: nothing is collected when a collector is made known."""
        return []

    def collect(self) -> Iterator[Any]:
        """Every family of numbers, read at this moment."""
        yield from self._http()
        yield from self._checkpoints()
        if self.state.engine is not None:
            yield from self._engine()

    def _http(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        requests = CounterMetricFamily(
            "unrolled_requests",
            "Requests that were answered, by route as declared, method and class of status.",
            labels=("route", "method", "status"),
        )
        for labels, count in dict(self.requests).items():
            requests.add_metric(labels, count)
        yield requests
        waits = HistogramMetricFamily(
            "unrolled_wait_seconds", "Seconds until an answer began, by route.", labels=("route",)
        )
        for route, spread in dict(self.waits).items():
            waits.add_metric((route,), spread.buckets(), spread.sum)
        yield waits
        codes = CounterMetricFamily(
            "unrolled_refused",
            "Requests that were refused and streams that did not end by themselves, by code.",
            labels=("code",),
        )
        for code, count in dict(self.codes).items():
            codes.add_metric((code,), count)
        yield codes
        lag = HistogramMetricFamily(
            "unrolled_event_loop_lag_seconds", "How late the event loop was, twice a second."
        )
        lag.add_metric((), self.lag.buckets(), self.lag.sum)
        yield lag

    def _checkpoints(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        entries = list(self.state.catalog.entries.values())
        found = Counter(entry.status for entry in entries)
        statuses = GaugeMetricFamily(
            "unrolled_checkpoints", "Checkpoints by status.", labels=("status",)
        )
        for status in sorted({"loading", "ready", "failed", *found}):
            statuses.add_metric((status,), found[status])
        yield statuses
        shelf = self.state.imports.shelf
        yield _gauge("unrolled_imports", "Checkpoints that people brought.", len(shelf.ids()))
        yield _gauge("unrolled_imports_bytes", "Bytes of these on disk.", shelf.used())
        if self.state.door is not None:
            students = self.state.door.present()
            yield _gauge("unrolled_students", "Students who asked for something of late.", students)

    def _engine(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        state = self.state
        streams, trainings = state.engine.stats(), state.spare.stats()
        for name, help, stats in (
            ("unrolled_streams", "Generations, translations and captions.", streams),
            ("unrolled_trainings", "Trainings.", trainings),
        ):
            yield _states(name, help, stats.active, stats.queued)
        yield _states("unrolled_short_work", "Traces, labels, gradients.", *state.tracing.counts())
        steps = ("unrolled_steps", "Steps of batches.", streams.steps)
        tokens = ("unrolled_tokens", "Steps of rows of batches: tokens.", streams.tokens)
        for name, help, count in (steps, tokens):
            family = CounterMetricFamily(name, help)
            family.add_metric((), count)
            yield family
        leaked = streams.leaked + trainings.leaked
        yield _gauge("unrolled_leaked_rows", "Rows of batches that nobody reads.", leaked)
        yield _gauge("unrolled_batch_rows", "Rows of the widest batch.", streams.widest)
        pictures = state.pictures
        yield _gauge("unrolled_pictures_waiting", "Pictures that wait.", pictures.waiting)
        held = GaugeMetricFamily("unrolled_held_bytes", "Bytes that are held.", labels=("what",))
        held.add_metric(("pictures",), pictures.held)
        held.add_metric(("uploads",), pictures.uploading)
        held.add_metric(("readings",), state.readings.held)
        held.add_metric(("unread",), streams.held)
        yield held


def _states(name: str, help: str, active: int, queued: int) -> Any:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, help, labels=("state",))
    family.add_metric(("active",), active)
    family.add_metric(("queued",), queued)
    return family


def _gauge(name: str, help: str, value: float) -> Any:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(name, help, value)


def from_here(request: Request) -> bool:
    """Whether a request comes from this machine itself, and by no proxy that runs on it."""
    if any(name in request.headers for name in PROXIED):
        return False
    try:
        return ipaddress.ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        return False


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={404: {"description": "not for this client: see the setting `metrics`"}},
)
async def metrics(request: Request) -> Response:
    """Counts for Prometheus; told to this machine alone unless the setting `metrics` is `on`."""
    state = request.app.state
    allowed = state.settings.metrics
    if allowed == "off" or (allowed == "auto" and not from_here(request)):
        raise NotFound("There is no such page.", "The addresses of the API are listed at /docs.")
    body, form = await run_in_threadpool(state.metrics.text)
    return Response(body, headers={"Cache-Control": "no-store", "Content-Type": form})
