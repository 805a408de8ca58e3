import pytest

from backend.engine import Limits


@pytest.mark.parametrize("name", ["max_active", "queue_steps", "max_per_client", "max_held_bytes"])
def test_a_bound_that_would_let_nothing_run_is_refused(name):
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 0})


def test_an_engine_without_a_queue_is_allowed():
    assert Limits(max_queued=0).max_queued == 0


def test_a_negative_time_is_refused():
    with pytest.raises(ValueError, match="max_seconds"):
        Limits(max_seconds=-1.0)
