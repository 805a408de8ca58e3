"""Short work in turns, on an event loop of its own."""

import asyncio

import pytest

from backend.desk import Desk
from backend.errors import Busy


def run(scenario, places=1, per_client=100):
    async def main():
        desk = Desk(places, per_client)
        await scenario(desk)
        assert desk.idle

    asyncio.run(main())


async def work(desk, client, log, gate=None):
    async with desk.place(client):
        log.append(client)
        await (gate.wait() if gate else asyncio.sleep(0))


def test_clients_have_their_turns_whoever_asked_for_more():
    async def scenario(desk):
        log, gate = [], asyncio.Event()
        first = asyncio.create_task(work(desk, "first", log, gate))
        await asyncio.sleep(0)
        many = [asyncio.create_task(work(desk, "many", log)) for _ in range(50)]
        await asyncio.sleep(0)
        late = [asyncio.create_task(work(desk, name, log)) for name in ("a", "b", "a")]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(first, *many, *late)
        assert log[:7] == ["first", "many", "a", "b", "many", "a", "many"]
        assert log.count("many") == 50

    run(scenario)


@pytest.mark.parametrize("places", [1, 2, 3])
def test_no_more_work_at_once_than_there_are_places(places):
    async def scenario(desk):
        now, most = 0, 0

        async def piece(client):
            nonlocal now, most
            async with desk.place(client):
                now += 1
                most = max(most, now)
                await asyncio.sleep(0.001)
                now -= 1

        await asyncio.gather(*(piece(str(k % 4)) for k in range(20)))
        assert most == places

    run(scenario, places)


def test_who_has_too_many_under_way_is_told_when_to_come_again_and_others_are_not():
    async def scenario(desk):
        log, gate = [], asyncio.Event()
        tasks = [asyncio.create_task(work(desk, "a", log, gate)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Busy) as refused:
            await work(desk, "a", log)
        assert refused.value.status == 429
        assert refused.value.retry_after >= 1
        tasks.append(asyncio.create_task(work(desk, "b", log, gate)))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*tasks)
        await work(desk, "a", log)

    run(scenario, per_client=3)


@pytest.mark.parametrize("who", range(5))
def test_who_leaves_while_waiting_or_working_takes_no_place_along(who):
    async def scenario(desk):
        log, gate = [], asyncio.Event()
        tasks = [asyncio.create_task(work(desk, str(k % 2), log, gate)) for k in range(5)]
        await asyncio.sleep(0)
        tasks[who].cancel()
        await asyncio.sleep(0)
        gate.set()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(one, asyncio.CancelledError) for one in done] == [
            k == who for k in range(5)
        ]

    run(scenario)


def test_who_leaves_as_the_place_comes_hands_it_on():
    async def scenario(desk):
        log, gate = [], asyncio.Event()
        first = asyncio.create_task(work(desk, "a", log, gate))
        await asyncio.sleep(0)
        second = asyncio.create_task(work(desk, "b", log))
        third = asyncio.create_task(work(desk, "c", log))
        await asyncio.sleep(0)
        gate.set()
        await first  # the place is the second's from now on
        second.cancel()
        await asyncio.gather(second, third, return_exceptions=True)
        assert "c" in log

    run(scenario)


def test_work_that_fails_gives_its_place_back():
    async def scenario(desk):
        with pytest.raises(ZeroDivisionError):
            async with desk.place("a"):
                raise ZeroDivisionError
        await work(desk, "b", [])

    run(scenario)


def test_what_is_worked_on_and_what_waits_is_counted():
    async def scenario(desk):
        gate = asyncio.Event()
        tasks = [asyncio.create_task(work(desk, "a", [], gate)) for _ in range(3)]
        await asyncio.sleep(0)
        assert desk.counts() == (1, 2)
        gate.set()
        await asyncio.gather(*tasks)
        assert desk.counts() == (0, 0)

    run(scenario)
