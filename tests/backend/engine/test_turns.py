"""Generators in turn: by hand, counted in turns, and on a real engine with its own thread."""

import asyncio
import logging
from threading import Event, get_ident

import pytest

from backend.engine import End, EngineError, Full, Limits, TooLarge, TooMany, Turn
from backend.engine.stream import Stream
from backend.engine.turns import RING, Turns
from tests.backend.engine.toys import Script, job, read, until, with_engine


class NoMail:
    def post(self, stream):
        pass


def turn(begin, length=10**6, bytes=0) -> Turn:
    return Turn("toy", begin, length, bytes)


def count(upto, log=None, name=None):
    """A job that makes 0, 1, 2, ... and tells `log` what it makes and that it was closed."""

    def begin():
        try:
            for k in range(upto):
                if log is not None:
                    log.append((name, k))
                yield k
        finally:
            if log is not None:
                log.append((name, "closed"))

    return turn(begin)


class Hand:
    """Turns and the streams in them, stepped by hand."""

    def __init__(self, places=8, **limits):
        self.left = []
        self.turns = Turns(
            RING, places, Limits(**limits), lambda stream, _: self.left.append(stream)
        )
        self.now = 0.0

    def join(self, wanted, capacity=100, client=""):
        stream = Stream(
            wanted, client, wanted, capacity, NoMail(), lambda stream: None, lambda: None
        )
        self.turns.join(stream)
        return stream

    def tick(self, times=1):
        return [self.turns.tick(self.now) for _ in range(times)][-1]

    def finish(self):
        while self.tick():
            pass


def test_everyone_makes_an_item_before_anyone_makes_another():
    hand, log = Hand(), []
    for name in "abc":
        hand.join(count(3, log, name))
    hand.tick(6)
    assert log == [(name, k) for k in (0, 1) for name in "abc"]


def test_a_client_with_many_has_as_many_turns_as_one_with_one():
    hand, log = Hand(), []
    for name in ("a", "a2", "a3"):
        hand.join(count(100, log, name), client="a")
    hand.join(count(100, log, "b"), client="b")
    hand.tick(12)
    assert [name for name, _ in log][:6] == ["a", "b", "a2", "b", "a3", "b"]
    assert sum(name == "b" for name, _ in log) == 6


def test_a_short_one_that_comes_late_is_done_after_as_many_turns_as_it_has_items():
    hand, log = Hand(), []
    hand.join(count(1000, log, "long"))
    hand.tick(100)
    short = hand.join(count(3, log, "short"))
    hand.tick(2 * 3 + 2)
    assert isinstance(short._outcome, End)
    assert ("long", 104) not in log


def test_the_items_come_whole_and_in_order_and_then_an_end():
    hand = Hand()
    stream = hand.join(count(5))
    hand.finish()
    assert stream.take() == [0, 1, 2, 3, 4]
    assert stream._outcome == End([])
    assert hand.left == [stream]
    assert hand.turns.room == 8
    assert (hand.turns.steps, hand.turns.tokens) == (6, 6)


def test_nothing_runs_before_the_first_turn():
    hand, log = Hand(), []
    hand.join(turn(lambda: log.append("begun") or iter(())))
    assert log == []
    hand.tick()
    assert log == ["begun"]


def test_what_fails_ends_its_own_stream_and_the_others_go_on(caplog):
    def broken():
        yield 0
        raise RuntimeError("the secret of the house")

    hand = Hand()
    streams = [hand.join(job) for job in (count(3), turn(broken), count(3))]
    hand.finish()
    assert [stream.take() for stream in streams] == [[0, 1, 2], [0], [0, 1, 2]]
    error = streams[1]._outcome
    assert (type(error), error.code) == (EngineError, "row_failed")
    assert "secret" not in error.message
    assert "secret" in caplog.text
    assert all(isinstance(streams[k]._outcome, End) for k in (0, 2))


def test_a_job_that_cannot_even_begin_is_an_error_of_its_own_stream(caplog):
    caplog.set_level(logging.CRITICAL)
    hand = Hand()
    stream = hand.join(turn(lambda: 1 / 0))
    hand.finish()
    assert stream._outcome.code == "row_failed"
    assert hand.turns.rows == 0


def test_a_generator_may_choose_the_error_that_its_reader_gets():
    def broken():
        yield 0
        raise EngineError("non_finite", "A number is not finite.")

    hand = Hand()
    stream = hand.join(turn(broken))
    hand.finish()
    assert (stream._outcome.code, stream._outcome.message) == (
        "non_finite",
        "A number is not finite.",
    )


def test_a_reader_that_has_left_is_let_go_before_the_next_turn_and_its_generator_closed():
    hand, log = Hand(), []
    streams = [hand.join(count(100, log, name)) for name in "abc"]
    hand.tick(3)
    streams[2].closed = True
    assert hand.turns.leaked == 1
    hand.tick()
    assert hand.left == [streams[2]]
    assert hand.turns.leaked == 0
    assert log[-2:] == [("c", "closed"), ("a", 1)]


def test_a_generator_that_fails_to_close_harms_nobody(caplog):
    def stubborn():
        try:
            yield 0
            yield 1
        finally:
            raise RuntimeError("out of order")

    hand = Hand()
    stream, other = hand.join(turn(stubborn)), hand.join(count(2))
    hand.tick()
    stream.closed = True
    hand.finish()
    assert other.take() == [0, 1]
    assert hand.left == [stream, other]
    assert "out of order" in caplog.text


def test_a_slow_reader_pauses_its_own_generator_and_no_other():
    hand = Hand()
    slow, quick = hand.join(count(10), capacity=4), hand.join(count(10))
    hand.finish()
    assert slow.unread == 4
    assert quick.unread == 10
    slow.take()
    hand.finish()
    assert slow.unread == 4
    assert slow.take() == [4, 5, 6, 7]


def test_a_reader_that_never_comes_back_loses_its_place():
    hand = Hand(reader_deadline_seconds=30.0)
    slow = hand.join(count(10), capacity=4)
    hand.finish()
    hand.now += 30.0
    hand.tick()
    assert slow._outcome.code == "slow_reader"
    assert hand.turns.rows == 0


def test_a_generator_that_runs_too_long_is_ended_and_closed():
    hand, log = Hand(max_seconds=60.0), []
    stream = hand.join(count(10, log, "a"))
    hand.tick(2)
    hand.now = hand.turns.running[0].until
    hand.tick()
    assert stream._outcome.code == "time_limit"
    assert log[-1] == ("a", "closed")


def test_everyone_hears_why_it_all_ends():
    hand, log = Hand(), []
    streams = [hand.join(count(10, log, name)) for name in "ab"]
    hand.tick()
    hand.turns.fail(EngineError("shutting_down", "Good night."))
    assert [stream._outcome.code for stream in streams] == ["shutting_down"] * 2
    assert ("a", "closed") in log
    assert hand.turns.room == 8


# -- on an engine ----------------------------------------------------------------------------


def test_an_engine_hands_on_every_item_of_many_at_once():
    async def scenario(engine):
        streams = [engine.submit(count(50), str(k)) for k in range(20)]
        found = await asyncio.gather(*(read(stream) for stream in streams))
        assert all(items == list(range(50)) for items, _ in found)
        assert all(end == End([]) for _, end in found)

    with_engine(scenario)


def test_generators_run_on_a_thread_of_their_own_that_no_batch_waits_for():
    model, gate, threads = Script(), Event(), []

    def stuck():
        threads.append(get_ident())
        gate.wait()
        yield 0

    async def scenario(engine):
        held = engine.submit(turn(stuck))
        await until(lambda: threads)
        steps, end = await read(engine.submit(job(model)))
        assert (len(steps), type(end)) == (8, End)
        gate.set()
        assert (await read(held))[0] == [0]
        assert threads != [get_ident()]

    with_engine(scenario)


def test_generators_of_all_models_share_one_set_of_places():
    async def scenario(engine):
        gate = Event()

        def begin():
            gate.wait()
            yield 0

        streams = [engine.submit(turn(begin), str(k)) for k in range(3)]
        with pytest.raises(Full) as refused:
            engine.submit(turn(begin), "x")
        assert refused.value.retry_after >= 1
        gate.set()
        for stream in streams:
            assert (await read(stream))[0] == [0]
        assert (await read(engine.submit(turn(begin), "x")))[0] == [0]

    with_engine(scenario, Limits(max_active=2, max_queued=1))


def test_a_client_has_one_account_for_generators_and_batches():
    model = Script()

    async def scenario(engine):
        model.gate.clear()
        batched = engine.submit(job(model), "a")
        with pytest.raises(TooMany):
            engine.submit(count(3), "a")
        await read(engine.submit(count(3), "b"))
        model.gate.set()
        await read(batched)
        await read(engine.submit(count(3), "a"))

    with_engine(scenario, Limits(max_per_client=1))


def test_more_bytes_than_a_stream_may_have_are_refused_with_what_would_fit():
    async def scenario(engine):
        with pytest.raises(TooLarge) as refused:
            engine.submit(turn(lambda: iter(()), length=11, bytes=12))
        assert refused.value.steps == 10
        await read(engine.submit(turn(lambda: iter(()), length=10, bytes=12)))

    with_engine(scenario, Limits(max_state_bytes=120))


def test_a_reader_that_stops_does_not_hold_its_peers_up():
    async def scenario(engine):
        slow = engine.submit(count(50))
        for _ in range(3):
            assert (await read(engine.submit(count(200))))[0] == list(range(200))
        assert slow.unread == 4
        items, end = await read(slow)
        assert (items, end) == (list(range(50)), End([]))

    with_engine(scenario, Limits(queue_steps=4))


def test_cancelled_readers_leave_no_generator_open():
    log = []

    async def scenario(engine):
        streams = [engine.submit(count(10**6, log, k), str(k)) for k in range(30)]
        readers = [asyncio.ensure_future(read(stream)) for stream in streams]
        await until(lambda: len(log) > 300)
        for reader in readers:
            reader.cancel()
        await asyncio.wait(readers)
        await until(lambda: engine.stats().active == 0)
        assert sum(entry[1] == "closed" for entry in log) == 30

    with_engine(scenario)


def test_stopping_lets_what_runs_finish_and_refuses_the_rest():
    gate = Event()

    def begin():
        gate.wait()
        yield from range(100)

    async def scenario(engine):
        running = engine.submit(turn(begin))
        await until(lambda: engine.stats().active == 1)
        waiting = engine.submit(turn(begin))
        readers = [asyncio.ensure_future(read(stream)) for stream in (running, waiting)]
        stopping = asyncio.ensure_future(engine.stop(60.0))
        await asyncio.sleep(0)
        with pytest.raises(EngineError) as refused:
            engine.submit(count(1))
        assert refused.value.code == "shutting_down"
        gate.set()
        (items, end), (nothing, refusal) = await asyncio.gather(*readers)
        assert (items, end) == (list(range(100)), End([]))
        assert (nothing, refusal.code) == ([], "shutting_down")
        await stopping

    with_engine(scenario, Limits(max_active=1))


def test_stopping_ends_what_does_not_finish_in_time():
    log = []

    async def scenario(engine):
        stream = engine.submit(count(10**9, log, "a"))
        reader = asyncio.ensure_future(read(stream))
        await until(lambda: log)
        await engine.stop(0.01)
        _, end = await reader
        assert end.code == "shutting_down"
        assert log[-1] == ("a", "closed")

    with_engine(scenario)
