"""The load in short, on a toy: everybody is served alike, and nothing is left over. No times."""

import asyncio
import time
from collections import defaultdict

import pytest

from tests.load import phases
from tests.load.__main__ import CODE, misses, serving
from tests.load.figures import jain, percentile
from tests.load.readers import Seen, Server
from tests.toys import CONFIGS, write_toy

STREAMS = 200
MORE = 60  # characters that everybody gets, after which it is looked who has how many


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A real server with a toy, in a process of its own: where to ask, and its process."""
    folder = tmp_path_factory.mktemp("load")
    write_toy(folder / "toy-lstm", CONFIGS["toy-lstm"])
    flags = ("--streams-per-student", "10", "--drain-seconds", "2")
    with serving(folder, *flags) as (port, process):
        yield Server(port, "toy-lstm", "abc", None), process


def got(seen: Seen) -> int:
    return sum(count for _, count in seen.arrivals)


async def until(condition) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.05)


def test_two_hundred_are_served_alike_three_hundred_leave_nothing_and_all_hear_the_end(running):
    server, process = running

    async def scenario():
        cookies = await phases.students(server, CODE, 40)
        room = phases.Class(server, cookies, STREAMS)
        room.start()
        seen = room.seen["steady"]
        await until(lambda: len(seen) == STREAMS and all(one.arrivals for one in seen))
        before = [got(one) for one in seen]
        await until(lambda: min(map(got, seen)) >= max(before) + MORE)
        shares = [got(one) - had for one, had in zip(seen, before, strict=True)]
        await room.stop()
        by_student = defaultdict(int)
        for one, share in zip(seen, shares, strict=True):
            by_student[one.who] += share
        cancelled = await phases.cancel(server, cookies, 300)
        stopped = await phases.terminate(server, cookies, STREAMS, process)
        return room.refused, shares, list(by_student.values()), cancelled, stopped

    refused, shares, by_student, cancelled, stopped = asyncio.run(scenario())
    assert refused == {}
    assert jain(shares) >= 0.98
    assert jain(by_student) >= 0.98
    assert cancelled["cancelled"] == 300
    assert cancelled["leaked_rows"] == 0
    assert cancelled["streams_left"] == 0
    assert cancelled["bytes_reserved"] == 0
    assert stopped["terminated_streams"] == STREAMS
    assert stopped["terminated_with_final_frame"] == STREAMS


def test_jains_index_is_one_for_equals_and_one_of_n_for_all_to_one():
    assert jain([3, 3, 3]) == pytest.approx(1)
    assert jain([1, 0, 0, 0]) == pytest.approx(1 / 4)
    assert jain([1, 2, 3]) == pytest.approx(36 / 42)
    assert jain([0, 0]) == 0


def test_a_percentile_is_a_value_that_was_measured():
    assert percentile(range(100), 0.5) == 50
    assert percentile([7.0], 0.99) == 7
    assert percentile([], 0.5) != percentile([], 0.5)  # NaN


@pytest.mark.parametrize(
    ("tail", "final"),
    [
        (b"x\n\nevent: done\ndata: {}\n\n\r\n0\r\n\r\n", True),
        (b"x\n\nevent: error\ndata: {}\n\n\r\n0\r\n\r\n", True),
        (b"event: done\ndata: {}\n\n\r\n", False),
        (b"event: step\ndata: {}\n\n\r\n0\r\n\r\n", False),
        (b"", False),
    ],
)
def test_a_stream_has_ended_whole_with_its_last_frame_and_the_end_of_the_answer(tail, final):
    assert Seen("", 0.0, tail=tail).final is final


def test_gaps_count_each_character_and_the_silence_at_the_end():
    seen = Seen("", 0.0, arrivals=[(1.0, 1), (2.0, 3), (9.0, 1)])
    assert seen.within(0.5, 3.0) == 4
    assert seen.gaps(0.5, 3.0) == [0.5, 1.0, 0.0, 0.0, 1.0]
    assert seen.first == 1.0


def test_a_figure_that_is_worse_than_its_bound_is_a_miss():
    assert misses({"jain_streams": 0.99, "leaked_rows": 0, "else": 5}) == []
    assert misses({"jain_streams": 0.9, "leaked_rows": 1}) == ["jain_streams", "leaked_rows"]
    assert misses({"jain_students": float("nan")}) == ["jain_students"]
