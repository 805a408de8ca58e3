"""What goes wrong in the engine ends one stream or one model, and stopping lets others finish."""

import asyncio

import pytest

from backend.engine import End, Engine, EngineError, Limits
from tests.backend.engine.toys import Script, job, read, until, with_engine


def test_one_bad_row_ends_one_stream():
    model = Script()
    model.poison = 9

    async def scenario(engine):
        bad = engine.submit(job(model, prefix=(7,), max_new_tokens=5))
        good = engine.submit(job(model, prefix=(0,), max_new_tokens=5))
        (steps, error), (others, end) = await asyncio.gather(read(bad), read(good))
        assert [step.token_id for step in steps] == [7, 8]
        assert error.code == "non_finite"
        assert len(others) == 6
        assert isinstance(end, End)

    with_engine(scenario)


def test_a_model_that_fails_does_not_take_the_others_along(caplog):
    broken, sound = Script(), Script()
    broken.broken = True

    async def scenario(engine):
        (_, error), (steps, _) = await asyncio.gather(
            read(engine.submit(job(broken))), read(engine.submit(job(sound)))
        )
        assert error.code == "model_failed"
        assert len(steps) == 8
        broken.broken = False
        assert len((await read(engine.submit(job(broken))))[0]) == 8

    with_engine(scenario)
    assert "out of order" in caplog.text


def test_stopping_lets_what_runs_finish_and_refuses_the_rest():
    model = Script()

    async def scenario(engine):
        model.gate.clear()
        running = engine.submit(job(model, max_new_tokens=100))
        await until(lambda: engine.stats().active == 1)
        waiting = engine.submit(job(model))
        readers = [asyncio.ensure_future(read(stream)) for stream in (running, waiting)]
        stopping = asyncio.ensure_future(engine.stop(60.0))
        await asyncio.sleep(0)
        with pytest.raises(EngineError) as refused:
            engine.submit(job(model))
        assert refused.value.code == "shutting_down"
        model.gate.set()
        (steps, end), (none, error) = await asyncio.gather(*readers)
        await stopping
        assert len(steps) == 103
        assert isinstance(end, End)
        assert (none, error.code) == ([], "shutting_down")

    with_engine(scenario, Limits(max_active=1))


def test_stopping_ends_at_the_deadline_what_does_not_end_by_itself():
    model = Script()

    async def scenario(engine):
        stream = engine.submit(job(model, max_new_tokens=10**6))
        reader = asyncio.ensure_future(read(stream))
        await until(lambda: model.rounds > 3)
        await engine.stop(0.01)
        steps, error = await reader
        assert len(steps) > 3
        assert error.code == "shutting_down"

    with_engine(scenario)


def test_stopping_an_engine_that_did_nothing_or_has_stopped_is_no_error():
    async def scenario():
        engine = Engine()
        await engine.stop()
        engine.start()
        await engine.stop()

    asyncio.run(scenario())
