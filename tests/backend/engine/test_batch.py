"""The rows of one model, as they join, are stepped, wait and leave."""

import numpy as np
import pytest

from backend.engine import End, EngineError
from backend.engine.columns import Columns
from tests.backend.engine.hand import Hand, tokens
from tests.backend.engine.toys import TinyLSTM


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
