"""The rows of one model, stepped by hand: everything is counted in steps, nothing in seconds."""

import numpy as np
import pytest
import torch

from backend.engine import End, EngineError, Limits
from backend.engine.batch import NARROW, Batch
from backend.engine.columns import Columns
from backend.engine.memory import is_full
from backend.engine.rows import UNREAD
from backend.engine.stream import Stream
from tests.backend.engine.toys import Script, TinyLSTM, job


class NoMail:
    def post(self, stream):
        pass


class Hand:
    """A batch and the streams in it, stepped by hand."""

    def __init__(self, runner=None, places=8, capacity=100, **limits):
        self.runner = runner or Script(places)
        self.capacity = capacity
        self.left = []
        self.batch = Batch(
            self.runner, places, Limits(**limits), lambda stream, _: self.left.append(stream)
        )
        self.now = 0.0

    def join(self, capacity=None, client="", **settings):
        wanted = job(self.runner, **settings)
        columns = Columns(self.runner.stepper.layout, self.runner.vocab_size, wanted.points)
        capacity = capacity or self.capacity
        stream = Stream(
            wanted, client, columns, capacity, NoMail(), lambda stream: None, lambda: None
        )
        self.batch.join(stream)
        return stream

    def tick(self, times=1):
        return [self.batch.tick(self.now) for _ in range(times)][-1]

    def finish(self):
        while self.tick():
            pass


def tokens(stream):
    return [step.token_id for step in stream.take()]


def test_the_prefix_is_read_and_then_new_tokens_are_written():
    hand = Hand()
    stream = hand.join(prefix=(1, 2, 7), max_new_tokens=3)
    hand.finish()
    steps = stream.take()
    assert [step.index for step in steps] == [0, 1, 2, 3, 4, 5]
    assert [step.token_id for step in steps] == [1, 2, 7, 8, 9, 0]
    assert [step.prefix for step in steps] == [True] * 3 + [False] * 3
    assert hand.left == [stream]


def test_a_step_shows_the_state_after_reading_its_token():
    hand = Hand()
    stream = hand.join(prefix=(4, 4), max_new_tokens=1)
    hand.finish()
    captures = [step.capture for step in stream.take()]
    assert [c["count"].tolist() for c in captures] == [[1], [2], [3]]
    assert [c["token"].tolist() for c in captures] == [[4], [4], [5]]


def test_probability_and_candidates_belong_to_the_distribution_the_token_came_from():
    hand = Hand()
    stream = hand.join(prefix=(1, 7), max_new_tokens=1)
    hand.finish()
    first, second, third = stream.take()
    assert (first.probability, first.top) == (None, [])
    assert second.probability == pytest.approx(0, abs=1e-6)  # 7 was forced, 2 was expected
    assert second.top[0] == pytest.approx((2, 1.0, 1.0))
    assert len(second.top) == 5
    assert third.probability == pytest.approx(1)
    assert third.top[0][0] == third.token_id == 8


def test_the_end_says_what_would_have_come_next():
    hand = Hand()
    stream = hand.join(prefix=(1,), max_new_tokens=0)
    hand.finish()
    stream.take()
    outcome = stream._outcome
    assert isinstance(outcome, End)
    assert outcome.next[0] == pytest.approx((2, 1.0, 1.0))


def test_new_tokens_are_counted_without_the_prefix():
    hand = Hand()
    none = hand.join(prefix=(1, 2, 3), max_new_tokens=0)
    two = hand.join(prefix=(1, 2, 3), max_new_tokens=2)
    hand.finish()
    assert (len(none.take()), len(two.take())) == (3, 5)


def test_steps_before_the_start_are_computed_and_not_reported():
    hand = Hand()
    stream = hand.join(prefix=(1, 2, 3), max_new_tokens=1, start=2)
    hand.finish()
    steps = stream.take()
    assert [step.index for step in steps] == [2, 3]
    assert steps[0].capture["count"].tolist() == [3]
    assert steps[0].probability == pytest.approx(1)


def test_only_the_points_asked_for_are_copied():
    hand = Hand()
    some = hand.join(points=("token",))
    none = hand.join(points=())
    hand.finish()
    step = some.take()[0]
    assert set(step.capture) == {"token"}
    assert step.row.shape == (1,)
    step = none.take()[0]
    assert (step.capture, step.row) == ({}, None)


def test_captured_numbers_are_not_overwritten_by_later_steps():
    runner = TinyLSTM()
    hand = Hand(runner)
    stream = hand.join(prefix=(1,), max_new_tokens=3)
    hand.tick()
    step = stream.take()[0]
    before = step.row.copy()
    hand.finish()
    assert np.array_equal(step.row, before)


def test_rows_join_and_leave_between_steps():
    hand = Hand()
    hand.join(prefix=(1,), max_new_tokens=3)
    hand.tick()
    hand.join(prefix=(1,), max_new_tokens=1)
    hand.finish()
    assert hand.runner.sizes == [1, 2, 2, 1]
    assert len(hand.batch.free) == hand.batch.places


def test_a_slot_that_is_taken_again_starts_from_nothing():
    hand = Hand(places=1)
    hand.join()
    hand.finish()
    stream = hand.join(prefix=(1,), max_new_tokens=0)
    hand.finish()
    assert stream.take()[0].capture["count"].tolist() == [1]


def test_a_closed_stream_leaves_within_two_steps():
    hand = Hand()
    stream, other = hand.join(max_new_tokens=20), hand.join(max_new_tokens=20)
    hand.tick(2)
    stream.close()
    hand.tick(2)
    assert hand.left == [stream]
    hand.tick()
    assert hand.runner.sizes[-1] == 1
    assert not other.closed


def test_a_stream_that_is_closed_before_its_first_step_leaves_too():
    hand = Hand()
    hand.join().close()
    hand.finish()
    assert len(hand.left) == 1
    assert hand.batch.leaked == 0


def test_a_slow_reader_pauses_its_row_and_its_peers_go_on_step_by_step():
    hand = Hand()
    slow = hand.join(capacity=4, max_new_tokens=20)
    peers = [hand.join(max_new_tokens=20) for _ in range(3)]
    hand.tick(10)
    assert len(slow.take()) == 4
    assert [len(peer.take()) for peer in peers] == [10, 10, 10]
    assert hand.runner.sizes == [4] * 4 + [3] * 6


def test_a_paused_row_comes_back_and_misses_nothing():
    hand = Hand()
    slow = hand.join(capacity=4, prefix=(0,), max_new_tokens=9)
    found = []
    for _ in range(4):
        hand.tick(6)
        found += tokens(slow)
    assert found == list(range(10))
    assert hand.left == [slow]


def test_a_row_comes_back_only_when_half_of_its_queue_is_free():
    hand = Hand()
    slow = hand.join(capacity=4, max_new_tokens=20)
    hand.tick(4)
    slow._queue.popleft()
    assert not hand.tick()
    slow._queue.popleft()
    assert hand.tick()


def test_a_reader_that_stays_away_is_ended_and_what_it_left_is_dropped():
    hand = Hand(reader_deadline_seconds=5.0)
    slow = hand.join(capacity=2, max_new_tokens=20)
    hand.tick(2)
    hand.now = 4.9
    hand.tick()
    assert hand.left == []
    hand.now = 5.0
    hand.tick()
    assert hand.left == [slow]
    assert slow._outcome.code == "slow_reader"
    assert slow.unread == 0


def test_a_paused_stream_that_is_closed_leaves():
    hand = Hand()
    slow = hand.join(capacity=2, max_new_tokens=20)
    hand.tick(2)
    slow.close()
    hand.tick()
    assert hand.left == [slow]
    assert hand.batch.leaked == 0


@pytest.mark.parametrize("capacity", [2, 100])
def test_a_stream_that_is_out_of_time_ends_running_or_paused(capacity):
    hand = Hand(max_seconds=10.0, reader_deadline_seconds=1e9)
    stream = hand.join(capacity=capacity, max_new_tokens=1000)
    hand.tick(5)
    hand.now = 1e9
    hand.tick()
    assert hand.left == [stream]
    assert stream._outcome.code == "time_limit"


def test_a_row_whose_logits_are_not_finite_ends_and_its_peers_go_on_unchanged():
    alone = Hand()
    reference = alone.join(prefix=(1,), max_new_tokens=5)
    alone.finish()
    hand = Hand()
    hand.runner.poison = 9
    bad = hand.join(prefix=(8,), max_new_tokens=5)
    good = hand.join(prefix=(1,), max_new_tokens=5)
    hand.finish()
    assert tokens(bad) == [8]
    assert bad._outcome.code == "non_finite"
    assert tokens(good) == tokens(reference)
    assert hand.batch.leaked == 0


def test_a_model_that_fails_ends_its_streams_and_serves_the_next():
    hand = Hand()
    streams = [hand.join(), hand.join(capacity=1)]
    hand.tick(2)
    hand.runner.broken = True
    hand.tick()
    assert [stream._outcome.code for stream in streams] == ["model_failed"] * 2
    assert streams[0]._outcome is not streams[1]._outcome
    hand.runner.broken = False
    later = hand.join(prefix=(1,), max_new_tokens=2)
    hand.finish()
    assert tokens(later) == [1, 2, 3]


def test_a_failure_in_one_row_ends_that_row_only():
    class Broken(Columns):
        def take(self, captured, logits, b):
            raise MemoryError

    hand = Hand()
    bad, good = hand.join(), hand.join(prefix=(1,), max_new_tokens=2)
    bad.columns = Broken(hand.runner.layout, hand.runner.vocab_size, None)
    hand.finish()
    assert isinstance(bad._outcome, EngineError)
    assert bad._outcome.code == "row_failed"
    assert tokens(good) == [1, 2, 3]


def test_steps_and_tokens_are_counted():
    hand = Hand()
    hand.join(prefix=(1,), max_new_tokens=1)
    hand.join(prefix=(1, 2), max_new_tokens=2)
    hand.finish()
    assert (hand.batch.steps, hand.batch.tokens) == (4, 6)


class Small(Script):
    """A model with memory for a step of `most` rows."""

    def __init__(self, most: int):
        super().__init__()
        self.most = most

    def step(self, slots, tokens):
        if len(slots) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return super().step(slots, tokens)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_without_memory_for_all_rows_a_step_is_made_in_halves_with_the_same_numbers(most):
    found = []
    for model in (Script(), Small(most)):
        hand = Hand(model)
        streams = [hand.join(prefix=(k, 2 * k), max_new_tokens=4, seed=k) for k in range(5)]
        hand.finish()
        found.append([[(s.token_id, s.row.tobytes(), s.top) for s in x.take()] for x in streams])
        assert max(model.seen.values()) == 6  # no row is taken twice
    assert found[0] == found[1]
    assert max(model.sizes) <= most


def test_without_memory_for_one_row_its_streams_end_with_an_error_that_says_so():
    hand = Hand(Small(0))
    streams = [hand.join(), hand.join()]
    hand.tick()
    assert [stream._outcome.code for stream in streams] == ["no_memory"] * 2
    hand.runner.most = 8
    later = hand.join(prefix=(1,), max_new_tokens=1)
    hand.finish()
    assert tokens(later) == [1, 2]


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (MemoryError(), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_a_full_device_is_told_from_other_failures(error, full):
    assert is_full(error) == full


# A crowd


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
