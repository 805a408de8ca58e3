"""Those who read from the engine: slow, gone and cancelled, each holds up or leaves nothing."""

import asyncio

from backend.engine import End, Limits
from tests.backend.engine.toys import Script, job, read, until, with_engine


def test_a_reader_that_stops_does_not_hold_its_peers_up():
    model = Script()

    async def scenario(engine):
        slow = engine.submit(job(model, max_new_tokens=50))
        found = await asyncio.gather(
            *(read(engine.submit(job(model, max_new_tokens=200))) for _ in range(3))
        )
        assert [len(steps) for steps, _ in found] == [203] * 3
        assert slow.unread == 4
        steps, end = await read(slow)
        assert [step.index for step in steps] == list(range(53))
        assert isinstance(end, End)

    with_engine(scenario, Limits(queue_steps=4))


def test_a_reader_that_never_comes_is_ended_with_an_error():
    model = Script()

    async def scenario(engine):
        slow = engine.submit(job(model, max_new_tokens=50))
        await until(lambda: slow.ended)
        steps, end = await read(slow)
        assert (steps, end.code) == ([], "slow_reader")

    with_engine(scenario, Limits(queue_steps=4, reader_deadline_seconds=0.01))


def test_readers_are_woken_when_there_is_nothing_left_to_do_however_slow_the_pace():
    model = Script()

    async def scenario(engine):
        ended, paused = job(model, max_new_tokens=3), job(model, max_new_tokens=50)
        streams = [engine.submit(ended), engine.submit(paused)]
        found = await asyncio.gather(*(read(stream) for stream in streams))
        assert [len(steps) for steps, _ in found] == [6, 53]

    with_engine(scenario, Limits(flush_seconds=1e9, queue_steps=4))


def test_a_stream_that_is_closed_leaves_the_batch():
    model = Script()

    async def scenario(engine):
        stream = engine.submit(job(model, max_new_tokens=10**6))
        await anext(stream)
        model.gate.clear()
        before = model.rounds
        stream.close()
        model.gate.set()
        await until(lambda: engine.stats().active == 0)
        assert model.rounds - before <= 2

    with_engine(scenario)


def test_a_task_that_is_cancelled_takes_its_stream_along():
    model = Script()

    async def scenario(engine):
        reader = asyncio.ensure_future(read(engine.submit(job(model, max_new_tokens=10**6))))
        await until(lambda: model.rounds > 3)
        reader.cancel()
        await asyncio.wait([reader])
        await until(lambda: engine.stats().active == 0)

    with_engine(scenario)


def test_ten_thousand_cancellations_leave_no_rows():
    model = Script()

    async def scenario(engine):
        for burst in range(250):  # of 40 each
            streams = [
                engine.submit(job(model, max_new_tokens=10**6), str(k % 7)) for k in range(40)
            ]
            if burst % 3:
                await anext(streams[0])
            for stream in streams[::-1] if burst % 2 else streams:
                stream.close()
            await until(lambda: engine._admission.counts()[0] + 40 <= 48)
        await until(lambda: engine.stats().active == 0)
        stats = engine.stats()
        assert (stats.queued, stats.leaked) == (0, 0)
        steps, _ = await read(engine.submit(job(model)))
        assert len(steps) == 8

    with_engine(scenario, Limits(max_queued=64))
