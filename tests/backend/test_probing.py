"""The API does what its own description says, whatever is asked. `make probe` asks more."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.backend import everything
from tests.backend.probing import Probed, probe
from tests.backend.serving import Live, live

EXAMPLES = 6


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Live]:
    """A server with one small network of each kind."""
    with live(everything.served(tmp_path_factory.mktemp("probed"))) as server:
        yield server


@pytest.fixture(scope="module")
def probed(server) -> dict[str, Probed]:
    return {one.label: one for one in probe(server, EXAMPLES)}


def test_no_answer_differs_from_the_description(probed):
    assert [(one.label, one.faults) for one in probed.values() if one.faults] == []


def test_every_operation_was_asked_and_many_answered(server, probed):
    spec = server.client.get("/openapi.json").json()
    labels = {f"{m.upper()} {path}" for path, methods in spec["paths"].items() for m in methods}
    assert set(probed) == labels
    found = sum((one.statuses for one in probed.values()), start=Counter())
    assert found[200] > sum(found.values()) / 4


def test_an_answer_that_is_not_described_is_found(server, monkeypatch):
    description = server.app.openapi()
    health = description["paths"]["/healthz"]["get"]
    shape = {"type": "object", "properties": {"status": {"type": "integer"}}}
    other = {"200": {"description": "", "content": {"application/json": {"schema": shape}}}}
    monkeypatch.setitem(health, "responses", other)
    (one,) = probe(server, 1, only="/healthz")
    assert one.faults
