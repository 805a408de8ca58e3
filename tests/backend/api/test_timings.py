import pytest

from backend.api import timings
from models.timing import KINDS, LENGTHS, multiply_adds
from tests.backend.serving import assert_error


@pytest.fixture
def quick(monkeypatch):
    """Measurements that stop early; the widths that were measured."""
    from models import timing

    asked = []

    def measured(width, **rest):
        asked.append(width)
        return whole(width, seconds=0.02, **rest)

    whole = timing.measure
    monkeypatch.setattr(timing, "measure", measured)
    return asked


def test_each_layer_is_counted_and_timed_at_every_length(client, quick):
    found = client.get("/api/timings", params={"width": 32}).json()
    assert found["lengths"] == list(LENGTHS)
    assert list(found["layers"]) == list(KINDS)
    for kind, layer in found["layers"].items():
        assert layer["multiply_adds"] == [multiply_adds(kind, n, 32) for n in LENGTHS]
        assert len(layer["milliseconds"]) == len(LENGTHS)
        assert all(time is None or time > 0 for time in layer["milliseconds"])
    assert (found["width"], found["device"], found["kernel_size"]) == (32, "cpu", 3)


def test_asking_again_measures_again(client, quick):
    for _ in range(2):
        client.get("/api/timings", params={"width": 48})
    assert quick == [48, 48]


def test_who_waits_shares_a_measurement_that_began_after_the_question(client, quick, monkeypatch):
    ahead = (float("inf"), client.get("/api/timings", params={"width": 80}).json())
    monkeypatch.setitem(client.app.state.timing.latest, 80, ahead)
    assert client.get("/api/timings", params={"width": 80}).json() == ahead[1]
    assert quick == [80]
    assert isinstance(client.app.state.timing, timings.Turn)


@pytest.mark.parametrize("wrong", [{"width": 8}, {"width": 512}, {"width": 40}, {"n": 2}])
def test_sizes_outside_the_bounds_are_refused_with_what_would_be_right(client, wrong):
    assert_error(client.get("/api/timings", params=wrong), 422)
