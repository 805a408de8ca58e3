"""Work that steps aside: by hand with a clock of its own, and on a real engine."""

import asyncio
from threading import Event
from threading import enumerate as threads
from weakref import ref

import pytest

from backend.engine import End, Full, Limits, Spare, TooMany, Turn
from backend.engine.spare import LONGEST, SHARE, Manners
from tests.backend.engine.toys import read, until


class Clock:
    """Time that passes where somebody works or rests."""

    def __init__(self):
        self.now, self.rested = 0.0, 0.0

    def __call__(self) -> float:
        return self.now

    def rest(self, seconds: float) -> None:
        self.now += seconds
        self.rested += seconds


def working(clock: Clock, seconds: float, pieces: int):
    for k in range(pieces):
        clock.now += seconds
        yield k


def test_work_goes_on_without_a_rest_while_nobody_else_is_there():
    clock = Clock()
    manners = Manners(bool, clock, clock.rest)
    assert list(manners.stepping_aside(lambda: working(clock, 0.003, 50))) == list(range(50))
    assert clock.rested == 0


@pytest.mark.parametrize("runs", [1, 4])
def test_beside_others_the_work_of_all_runs_together_is_a_small_share_of_the_time(runs):
    clock = Clock()
    manners = Manners(lambda: True, clock, clock.rest)
    items = [manners.stepping_aside(lambda: working(clock, 0.003, 100)) for _ in range(runs)]
    for _ in zip(*items, strict=True):
        pass
    assert runs * 100 * 0.003 / clock.now == pytest.approx(SHARE, rel=0.02)


def test_a_rest_ends_with_the_work_of_the_others_and_is_never_long():
    clock = Clock()
    manners = Manners(lambda: clock.rested < 0.3, clock, clock.rest)
    items = manners.stepping_aside(lambda: working(clock, 5.0, 3))
    next(items)
    assert clock.rested == 0
    next(items)
    assert clock.rested == pytest.approx(LONGEST)
    next(items)
    assert clock.rested == pytest.approx(0.3, abs=0.02)


def spare(scenario, **limits):
    """Run `scenario` on spare time that is stopped afterwards, with nothing left over."""

    before = set(threads())  # a server of other tests may have spare time of its own

    async def main():
        spare = Spare(Limits(**{"max_queued": 0} | limits), lambda: False)
        spare.start()
        try:
            return await scenario(spare)
        finally:
            await spare.stop(0)
            stats = spare.stats()
            assert (stats.active, stats.queued, stats.leaked) == (0, 0, 0)
            assert spare._admission.idle
            assert not [one for one in set(threads()) - before if one.name == "engine-spare"]

    return asyncio.run(main())


def turn(begin) -> Turn:
    return Turn("toy", begin, 1000, 100)


def test_pieces_that_show_nothing_are_not_handed_on():
    async def scenario(spare):
        items, end = await read(spare.submit(turn(lambda: iter([None, 1, None, None, 2, None]))))
        assert items == [1, 2]
        assert end == End([])

    spare(scenario)


def test_two_runs_take_turns():
    order = []

    def begin(name):
        for _ in range(3):
            order.append(name)
            yield None

    async def scenario(spare):
        gate = Event()

        def held():
            gate.wait()
            yield None

        streams = [spare.submit(turn(held))]
        streams += [spare.submit(turn(lambda name=name: begin(name))) for name in "ab"]
        gate.set()
        for stream in streams:
            await read(stream)
        assert order == list("ababab")

    spare(scenario)


def test_a_run_whose_reader_has_left_is_forgotten_with_all_it_held():
    class Network:
        pass

    held, closed = [], []

    def endless():
        network = Network()
        held.append(ref(network))
        try:
            while True:
                yield 1
        finally:
            closed.append(True)
            del network

    async def scenario(spare):
        stream = spare.submit(turn(endless))
        assert await anext(stream)
        stream.close()
        await until(lambda: closed and spare.stats().active == 0)
        assert held[0]() is None

    spare(scenario)


def test_more_runs_than_there_may_be_are_refused_at_once_with_the_seconds_to_wait():
    async def scenario(spare):
        def endless():
            while True:
                yield None

        streams = [spare.submit(turn(endless), client) for client in "aab"]
        with pytest.raises(Full) as refused:
            spare.submit(turn(endless), "c")
        assert refused.value.retry_after >= 1
        streams.pop().close()
        await until(lambda: spare.stats().active == 2)
        with pytest.raises(TooMany):
            spare.submit(turn(endless), "a")
        for stream in streams:
            stream.close()
        await until(lambda: spare._admission.idle)

    spare(scenario, max_active=3, max_per_client=2)
