"""The lines, without threads."""

import pytest

from backend.engine import EngineError, Full, Limits, TooMany
from backend.engine.admission import Admission
from backend.engine.columns import Columns
from backend.engine.stream import Stream
from tests.backend.engine.toys import Script, job

SCRIPT = Script()


def stream(client="", runner=SCRIPT, capacity=1):
    columns = Columns(runner.layout, runner.vocab_size, None)  # 12 bytes a step
    return Stream(job(runner), client, columns, capacity, None, lambda stream: None, lambda: None)


def enter(admission, *clients, places=2):
    streams = [stream(client) for client in clients]
    for one in streams:
        admission.enter(one, places)
    return streams


def admit(admission):
    return admission.admit(id(SCRIPT))


def test_one_client_is_served_in_order_of_arrival():
    admission = Admission(Limits())
    streams = enter(admission, "a", "a", "a")
    assert [admit(admission) for _ in range(4)] == [*streams, None]


def test_clients_that_run_equally_many_are_served_in_order_of_arrival():
    admission = Admission(Limits())
    a, b, c = enter(admission, "a", "b", "c")
    assert [admit(admission) for _ in range(3)] == [a, b, c]


def test_a_client_with_nothing_running_goes_before_one_with_a_pile():
    admission = Admission(Limits())
    a1, a2, a3, b1, b2 = enter(admission, "a", "a", "a", "b", "b")
    assert [admit(admission) for _ in range(5)] == [a1, b1, a2, b2, a3]


def test_past_the_places_and_the_queue_everyone_hears_full_and_when_to_come_back():
    admission = Admission(Limits(max_queued=1))
    enter(admission, "a", "b", "c")
    with pytest.raises(Full) as refused:
        enter(admission, "d")
    assert not isinstance(refused.value, TooMany)
    assert refused.value.code == "full"
    assert 1 <= refused.value.retry_after <= 60


def test_the_longer_the_line_the_later_to_come_back():
    waits = []
    for queued in (1, 20):
        admission = Admission(Limits(max_queued=queued, max_per_client=100))
        first, *_ = enter(admission, *["a"] * (2 + queued))
        assert admit(admission) is first
        admission.release(first, 50.0)
        enter(admission, "a")
        with pytest.raises(Full) as refused:
            enter(admission, "b")
        waits.append(refused.value.retry_after)
    assert waits[0] < waits[1]


def test_a_client_with_enough_under_way_hears_too_many_and_the_others_do_not():
    admission = Admission(Limits(max_per_client=2))
    enter(admission, "a", "a")
    with pytest.raises(TooMany):
        enter(admission, "a")
    enter(admission, "b")


def test_a_stream_that_leaves_the_line_makes_room_in_it():
    admission = Admission(Limits(max_queued=0))
    a, b = enter(admission, "a", "b")
    admission.withdraw(a)
    (c,) = enter(admission, "c")
    assert [admit(admission), admit(admission)] == [b, c]


def test_what_a_finished_stream_left_unread_counts_until_it_is_closed():
    admission = Admission(Limits(max_per_client=1))
    (a,) = enter(admission, "a")
    admit(admission)
    admission.release(a, 1.0)
    with pytest.raises(TooMany):
        enter(admission, "a")
    a.close()
    admission.withdraw(a)
    enter(admission, "a")


def test_bytes_that_wait_unread_are_reserved_and_the_first_in_line_keeps_its_turn():
    admission = Admission(Limits(max_held_bytes=30))
    a, b, small = stream("a", capacity=2), stream("b", capacity=2), stream("c", capacity=1)
    for one in (a, b, small):
        admission.enter(one, 4)
    assert [admit(admission), admit(admission)] == [a, None]
    a.closed = True
    admission.release(a, 1.0)
    assert [admit(admission), admit(admission)] == [b, None]


def test_models_have_lines_of_their_own():
    admission = Admission(Limits(max_queued=0))
    other = Script()
    enter(admission, "a", places=1)
    admission.enter(stream("b", other), 1)
    assert admission.admit(id(other)).client == "b"


def test_nothing_is_left_when_everyone_has_gone():
    admission = Admission(Limits())
    a, b, c = enter(admission, "a", "b", "c")
    admit(admission)
    a.closed = b.closed = c.closed = True
    admission.withdraw(b)
    admission.release(a, 1.0)
    admission.withdraw(a)
    assert not admission.idle
    admission.withdraw(c)
    admission.withdraw(c)
    assert admission.idle


def test_once_closed_nobody_enters_and_those_who_waited_are_returned():
    admission = Admission(Limits())
    a, b = enter(admission, "a", "b")
    assert admit(admission) is a
    assert admission.close() == [b]
    with pytest.raises(EngineError) as refused:
        enter(admission, "c")
    assert refused.value.code == "shutting_down"
