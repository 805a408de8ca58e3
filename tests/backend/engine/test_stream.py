"""The reader's end, fed by hand from another thread."""

import asyncio
from threading import Thread

import pytest

from backend.engine import End, EngineError, Step
from backend.engine.columns import Columns
from backend.engine.stream import AT_ONCE, Mailbox, Stream
from tests.backend.engine.toys import Script, job, read, until

SCRIPT = Script()
COLUMNS = Columns(SCRIPT.layout, SCRIPT.vocab_size, ())


class CountingLoop:
    """An event loop that counts how often somebody calls into it."""

    def __init__(self, loop):
        self.loop, self.calls = loop, 0
        self.create_future, self.call_soon = loop.create_future, loop.call_soon

    def call_soon_threadsafe(self, callback):
        self.calls += 1
        self.loop.call_soon_threadsafe(callback)


def make(mailbox, told=None, capacity=100):
    told = [] if told is None else told
    return Stream(
        job(SCRIPT), "", COLUMNS, capacity, mailbox, told.append, lambda: told.append("space")
    )


def step(index):
    return Step(index, 0, False, None, [], COLUMNS, None)


def run(scenario):
    async def main():
        loop = CountingLoop(asyncio.get_running_loop())
        return await scenario(Mailbox(loop), loop)

    return asyncio.run(main())


def test_what_gathers_between_two_looks_comes_in_one_list():
    async def scenario(mailbox, loop):
        stream = make(mailbox)
        for index in range(5):
            stream.put(step(index))
        assert [s.index for s in await anext(stream)] == [0, 1, 2, 3, 4]
        assert loop.calls == 0  # nobody was asleep

    run(scenario)


def test_a_round_wakes_any_number_of_sleeping_readers_with_one_call():
    async def scenario(mailbox, loop):
        streams = [make(mailbox) for _ in range(20)]
        readers = [asyncio.ensure_future(anext(stream)) for stream in streams]
        await until(lambda: all(stream._waiter for stream in streams))
        for stream in streams:
            stream.put(step(0))
        mailbox.flush()
        mailbox.flush()
        assert [len(steps) for steps in await asyncio.gather(*readers)] == [1] * 20
        assert loop.calls == 1

    run(scenario)


def test_between_the_readers_of_a_crowd_the_loop_looks_at_everything_else():
    async def scenario(mailbox, loop):
        streams = [make(mailbox) for _ in range(5 * AT_ONCE)]
        readers = [asyncio.ensure_future(anext(stream)) for stream in streams]
        await until(lambda: all(stream._waiter for stream in streams))
        for stream in streams:
            stream.put(step(0))
        mailbox.flush()
        woken = []
        while len(woken) < 5 or woken[-1] < len(streams):
            woken.append(sum(reader.done() for reader in readers))
            await asyncio.sleep(0)  # once round the loop
        assert max(b - a for a, b in zip(woken, woken[1:], strict=False)) <= AT_ONCE
        assert loop.calls == 1

    run(scenario)


def test_a_reader_for_whom_there_is_always_more_has_its_turn_and_no_other():
    async def scenario(mailbox, loop):
        fast, slow = make(mailbox), make(mailbox)
        seen = []

        async def keep(name, stream):
            async for _ in stream:
                seen.append(name)
                stream.put(step(0))  # the model has been faster
                if len(seen) >= 40:
                    fast.close(), slow.close()

        fast.put(step(0))
        slow.put(step(0))
        await asyncio.gather(keep("fast", fast), keep("slow", slow))
        assert abs(seen.count("fast") - seen.count("slow")) <= 2

    run(scenario)


def test_a_reader_stands_in_line_once_however_much_it_was_sent():
    async def scenario(mailbox, loop):
        streams = [make(mailbox) for _ in range(3)]
        readers = [asyncio.ensure_future(anext(stream)) for stream in streams]
        await until(lambda: all(stream._waiter for stream in streams))
        for index in range(50):
            streams[0].put(step(index))
        streams[1].put(step(0))
        streams[2].put(step(0))
        assert len(mailbox._ready) == 3
        mailbox.flush()
        await asyncio.gather(*readers)

    run(scenario)


def test_nothing_is_lost_between_a_thread_that_writes_and_a_task_that_reads():
    async def scenario(mailbox, loop):
        streams = [make(mailbox) for _ in range(8)]

        def write():
            for index in range(500):
                for stream in streams:
                    stream.put(step(index))
                mailbox.flush()
            for stream in streams:
                stream.finish(End([]))
            mailbox.flush()

        thread = Thread(target=write)
        thread.start()
        found = await asyncio.gather(*(read(stream) for stream in streams))
        thread.join()
        for steps, end in found:
            assert [s.index for s in steps] == list(range(500))
            assert isinstance(end, End)

    run(scenario)


def test_after_the_end_the_stream_stops():
    async def scenario(mailbox, loop):
        stream = make(mailbox)
        stream.put(step(0))
        stream.finish(End([(1, 0.5, 0.5)]))
        parts = [part async for part in stream]
        assert [type(part) for part in parts] == [list, End]
        assert [part async for part in stream] == []

    run(scenario)


def test_an_error_comes_after_the_steps_that_were_made_and_the_first_one_counts():
    async def scenario(mailbox, loop):
        stream = make(mailbox)
        stream.put(step(0))
        stream.finish(EngineError("first", ""))
        stream.finish(EngineError("second", ""))
        assert len(await anext(stream)) == 1
        with pytest.raises(EngineError) as error:
            await anext(stream)
        assert error.value.code == "first"
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    run(scenario)


def test_closing_twice_tells_the_engine_once_and_lets_a_sleeping_reader_go():
    async def scenario(mailbox, loop):
        told = []
        stream = make(mailbox, told)
        reader = asyncio.ensure_future(read(stream))
        await until(lambda: stream._waiter)
        stream.close()
        stream.close()
        assert await reader == ([], None)
        assert told == [stream]

    run(scenario)


def test_reading_to_the_end_closes_the_stream():
    async def scenario(mailbox, loop):
        told = []
        stream = make(mailbox, told)
        stream.finish(End([]))
        await anext(stream)
        assert told == [stream]

    run(scenario)


def test_reading_a_paused_stream_tells_the_engine_that_there_is_space():
    async def scenario(mailbox, loop):
        told = []
        stream = make(mailbox, told)
        stream.put(step(0))
        await anext(stream)
        stream.put(step(1))
        stream.paused = True
        await anext(stream)
        assert told == ["space"]

    run(scenario)


def test_a_reader_that_is_cancelled_can_be_followed_by_another():
    async def scenario(mailbox, loop):
        stream = make(mailbox)
        reader = asyncio.ensure_future(anext(stream))
        await until(lambda: stream._waiter)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        stream.put(step(0))
        assert len(await anext(stream)) == 1

    run(scenario)


def test_when_the_loop_is_gone_its_readers_count_as_gone():
    async def begin():
        mailbox = Mailbox(asyncio.get_running_loop())
        return mailbox, make(mailbox)

    mailbox, stream = asyncio.run(begin())
    stream.finish(End([]))
    mailbox.flush()
    assert stream.closed
