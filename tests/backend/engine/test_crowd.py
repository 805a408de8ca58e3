"""Many rows, of many clients and of a few: whose turn it is, and that turns change no number."""

import numpy as np

from backend.engine.batch import NARROW
from backend.engine.rows import UNREAD
from tests.backend.engine.hand import Hand
from tests.backend.engine.toys import TinyLSTM


def crowd(clients=NARROW + 8, greedy=8, **settings):
    """A batch with a row of each client, and more rows of the last one."""
    hand = Hand(places=100, capacity=10**6)
    settings = {"prefix": (1,), "max_new_tokens": 10**6} | settings
    names = [str(k) for k in range(clients)] + [str(clients - 1)] * (greedy - 1)
    return hand, [hand.join(client=name, **settings) for name in names]


def shares(hand, streams, times):
    """Steps that each stream got in so many ticks, its reader never behind."""
    counts = [0] * len(streams)
    for _ in range(times):
        hand.tick()
        counts = [had + len(stream.take()) for had, stream in zip(counts, streams, strict=True)]
    return counts


def test_in_a_crowd_more_rows_are_no_more_steps():
    hand, streams = crowd(greedy=8)
    found = shares(hand, streams, 80)
    others, greedy = found[: NARROW + 7], found[NARROW + 7 :]
    assert others == [80] * len(others)
    assert sum(greedy) == 80
    assert max(greedy) - min(greedy) <= 1


def test_in_a_crowd_a_step_that_is_narrow_takes_more_rows_of_who_has_them():
    hand, streams = crowd(clients=4, greedy=60)
    found = shares(hand, streams, 60)
    others, greedy = found[:3], found[3:]
    assert others == [60] * 3
    assert set(hand.runner.sizes) == {NARROW}
    assert max(greedy) - min(greedy) <= 1


def test_where_all_have_as_many_rows_every_step_is_of_all():
    hand = Hand(places=100)
    for k in range(80):
        hand.join(client=str(k % 40), prefix=(1, 2, 3), max_new_tokens=6)
    hand.tick(4)
    assert hand.runner.sizes == [80] * 4


def test_who_comes_into_a_crowd_reads_its_prefix_soon_and_costs_the_others_little():
    hand, streams = crowd(greedy=1)
    shares(hand, streams, 5)
    late = hand.join(client="late", prefix=tuple(range(9)) * 4, max_new_tokens=9)
    read = rows = 0
    others = [0] * len(streams)
    while read < 36:
        more = shares(hand, streams, 1)
        others = [a + b for a, b in zip(others, more, strict=True)]
        read += len(late.take())
        rows += hand.runner.sizes[-1]
    assert others == [others[0]] * len(others)
    assert others[0] <= 36 * 3 / 4  # steps of all until the text has its first character
    assert rows <= others[0] * 42 + 36


def test_in_a_crowd_that_reads_its_prefixes_nobody_goes_before():
    hand, streams = crowd(greedy=1, prefix=(1, 2, 3, 4, 5, 6))
    hand.tick(6)
    assert {stream.unread for stream in streams} == {6}


def test_a_row_that_waits_for_its_step_leaves_within_two_when_its_reader_goes():
    hand, streams = crowd(greedy=20)
    hand.tick(3)
    waiting = next(stream for stream in streams if not stream.unread)
    waiting.closed = True
    hand.tick(2)
    assert hand.left == [waiting]


def test_turns_and_early_steps_change_no_number():
    seeds = range(NARROW + 10)
    alone = []
    for seed in seeds:
        hand = Hand(TinyLSTM(1), places=1)
        stream = hand.join(prefix=(1, 2, 3, 4), max_new_tokens=6, seed=seed)
        hand.finish()
        alone.append(stream.take())
    hand = Hand(TinyLSTM(100), places=100)
    together = []
    for seed in seeds:
        name = "greedy" if seed % 4 == 0 else str(seed)
        together.append(hand.join(client=name, prefix=(1, 2, 3, 4), max_new_tokens=6, seed=seed))
        hand.tick()
    hand.finish()
    for stream, steps in zip(together, alone, strict=True):
        for a, b in zip(stream.take(), steps, strict=True):
            assert (a.index, a.token_id, a.probability) == (b.index, b.token_id, b.probability)
            assert np.array_equal(a.row, b.row)


def test_in_a_crowd_a_row_may_be_less_far_ahead_of_its_reader():
    hand, streams = crowd(clients=90, greedy=1)
    for _ in range(60):
        hand.tick()
    assert {stream.unread for stream in streams} == {UNREAD // 90}
    few = Hand(places=100, capacity=50)
    stream = few.join(max_new_tokens=10**6)
    few.tick(100)
    assert stream.unread == 50
