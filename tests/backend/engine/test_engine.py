"""The engine whole: a real thread, a real event loop, toy models."""

import asyncio

import numpy as np
import pytest

from backend.engine import End, Engine, Full, Limits, TooLarge, TooMany
from models import choosing, kernels
from tests.backend.engine.toys import Script, TinyLSTM, job, read, until, with_engine


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """What a server runs: the kernels, where they can be compiled."""
    kernels.warm_up()
    choosing.warm_up()


def numbers(steps):
    """Everything a generation says, for exact comparison."""
    return [
        (step.index, step.token_id, step.prefix, step.probability, step.top, step.row.tobytes())
        for step in steps
    ]


def test_a_generation_is_bitwise_the_same_alone_and_beside_sixty_others():
    model = TinyLSTM()
    wanted = job(model, max_new_tokens=40, temperature=0.9, top_p=0.95, seed=7)

    async def alone(engine):
        return await read(engine.submit(wanted))

    async def crowded(engine):
        others = [
            job(
                model,
                prefix=[k % 13] * (1 + k % 5),
                max_new_tokens=5 + k,
                temperature=0.5 + k / 50,
                top_k=k % 4,
                seed=k,
                points=None if k % 2 else (),
            )
            for k in range(60)
        ]
        early = [asyncio.ensure_future(read(engine.submit(other))) for other in others[:30]]
        await asyncio.sleep(0)
        found = asyncio.ensure_future(read(engine.submit(wanted)))
        late = [asyncio.ensure_future(read(engine.submit(other))) for other in others[30:]]
        await asyncio.gather(*early, *late)
        return await found

    (steps, end), (again, end_again) = with_engine(alone), with_engine(crowded)
    assert len(steps) == 43
    assert numbers(again) == numbers(steps)
    assert end_again == end


def test_a_fork_goes_on_as_the_whole_did():
    model = TinyLSTM()
    whole = job(model, prefix=(1, 2), max_new_tokens=20, seed=5)

    async def scenario(engine):
        steps, end = await read(engine.submit(whole))
        tokens = [step.token_id for step in steps]
        for cut in (3, 10, 21):
            fork = job(model, prefix=tokens[:cut], max_new_tokens=22 - cut, seed=5)
            forked, forked_end = await read(engine.submit(fork))
            assert [step.prefix for step in forked] == [index < cut for index in range(22)]
            same = [(n[:2], *n[3:]) for n in numbers(forked)]
            assert same == [(n[:2], *n[3:]) for n in numbers(steps)]
            assert forked_end == end

    with_engine(scenario)


def test_the_probabilities_are_the_model_s_own_whatever_it_is_drawn_with():
    model = TinyLSTM()

    async def scenario(engine):
        steps, _ = await read(engine.submit(job(model, max_new_tokens=10, temperature=0.3)))
        tokens = [step.token_id for step in steps]
        told, _ = await read(engine.submit(job(model, prefix=tokens, max_new_tokens=0)))
        assert [s.probability for s in told] == [s.probability for s in steps]
        assert [s.top[0][1] for s in told[1:]] == [s.top[0][1] for s in steps[1:]]

    with_engine(scenario)


def test_another_seed_writes_another_text():
    model = TinyLSTM()

    async def scenario(engine):
        texts = []
        for seed in (1, 2, 1):
            steps, _ = await read(
                engine.submit(job(model, max_new_tokens=30, temperature=2.0, seed=seed))
            )
            texts.append([step.token_id for step in steps])
        assert texts[0] != texts[1]
        assert texts[0] == texts[2]

    with_engine(scenario)


def test_several_models_are_served_in_turn():
    first, second = Script(), Script()

    async def scenario(engine):
        first.gate.clear()
        streams = [engine.submit(job(model, max_new_tokens=50)) for model in (first, second)]
        first.gate.set()
        found = await asyncio.gather(*(read(stream) for stream in streams))
        assert [len(steps) for steps, _ in found] == [53, 53]
        assert first.rounds == second.rounds == 53

    with_engine(scenario)


def test_models_on_different_devices_do_not_wait_for_each_other():
    stuck, free = Script(), TinyLSTM(device="other")

    async def scenario(engine):
        stuck.gate.clear()
        held = engine.submit(job(stuck))
        await read(engine.submit(job(free)))
        assert held.unread == 0
        stuck.gate.set()
        held.close()

    with_engine(scenario)


def test_a_place_that_becomes_free_goes_to_whoever_waits():
    model = Script()

    async def scenario(engine):
        streams = [engine.submit(job(model)) for _ in range(5)]
        found = await asyncio.gather(*(read(stream) for stream in streams))
        assert all(isinstance(end, End) for _, end in found)
        assert max(model.sizes) == 2

    with_engine(scenario, Limits(max_active=2))


def test_clients_take_turns_where_one_has_a_pile_in_line():
    model = Script()

    async def scenario(engine):
        model.gate.clear()
        pile = [job(model, prefix=(1,), max_new_tokens=2) for _ in range(4)]
        other = job(model, prefix=(7,), max_new_tokens=2)
        streams = [engine.submit(one, "a") for one in pile] + [engine.submit(other, "b")]
        model.gate.set()
        await asyncio.gather(*(read(stream) for stream in streams))
        begun = [token for token in model.read if token in (1, 7)]
        assert sorted(begun) == [1, 1, 1, 1, 7]
        assert 7 in begun[:3]  # in order of arrival alone it would be the last

    with_engine(scenario, Limits(max_active=2))


def test_a_full_engine_says_when_to_come_back_and_serves_again_later():
    model = Script()

    async def scenario(engine):
        model.gate.clear()
        streams = [engine.submit(job(model)) for _ in range(3)]
        with pytest.raises(Full) as refused:
            engine.submit(job(model))
        assert refused.value.retry_after >= 1
        model.gate.set()
        await asyncio.gather(*(read(stream) for stream in streams))
        await read(engine.submit(job(model)))

    with_engine(scenario, Limits(max_active=2, max_queued=1))


def test_one_client_may_not_have_everything_under_way():
    model = Script()

    async def scenario(engine):
        model.gate.clear()
        streams = [engine.submit(job(model), "a") for _ in range(2)]
        with pytest.raises(TooMany):
            engine.submit(job(model), "a")
        streams.append(engine.submit(job(model), "b"))
        model.gate.set()
        await asyncio.gather(*(read(stream) for stream in streams))

    with_engine(scenario, Limits(max_per_client=2))


def test_a_capture_over_the_budget_is_refused_with_what_would_fit():
    model = Script()  # three numbers a step, 12 bytes

    async def scenario(engine):
        with pytest.raises(TooLarge) as refused:
            engine.submit(job(model, max_new_tokens=10))
        assert refused.value.steps == 10
        await read(engine.submit(job(model, max_new_tokens=7)))
        await read(engine.submit(job(model, max_new_tokens=10, points=("count",))))
        await read(engine.submit(job(model, max_new_tokens=10, start=3)))

    with_engine(scenario, Limits(max_state_bytes=120))


def test_bytes_held_for_one_model_free_a_place_of_another():
    first, second = Script(), Script()

    async def scenario(engine):
        streams = [engine.submit(job(model)) for model in (first, second, first, second)]
        found = await asyncio.gather(*(read(stream) for stream in streams))
        assert [len(steps) for steps, _ in found] == [8] * 4

    with_engine(scenario, Limits(max_held_bytes=100, queue_steps=8))


def test_an_engine_that_is_not_started_says_so():
    async def scenario():
        with pytest.raises(RuntimeError, match="start"):
            Engine().submit(job(Script()))

    asyncio.run(scenario())


def test_points_the_model_does_not_have_are_refused():
    async def scenario(engine):
        with pytest.raises(ValueError, match="unknown points: nothing"):
            engine.submit(job(Script(), points=("nothing",)))

    with_engine(scenario)


def test_logits_can_be_had():
    model = TinyLSTM()

    async def scenario(engine):
        steps, end = await read(engine.submit(job(model, points=("logits",), max_new_tokens=0)))
        logits = steps[-1].capture["logits"]
        assert logits.shape == (13,)
        best = np.argsort(-logits, kind="stable")[:5].tolist()
        assert [token for token, _, _ in end.next] == best

    with_engine(scenario)


def test_the_counts_add_up():
    model = Script()

    async def scenario(engine):
        await read(engine.submit(job(model)))
        await read(engine.submit(job(model)))
        await until(lambda: engine.stats().active == 0)
        stats = engine.stats()
        assert (stats.steps, stats.tokens, stats.leaked) == (16, 16, 0)

    with_engine(scenario)
