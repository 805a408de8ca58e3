from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.pairs import IGNORED, batches

ENDED = st.lists(st.integers(3, 9), max_size=5).map(lambda tokens: [*tokens, 2])
PAIRS = st.lists(st.tuples(ENDED, ENDED), max_size=60)


def rows(made) -> list[tuple[tuple, tuple]]:
    """The pairs of all batches, padding taken off."""
    return [
        (tuple(source), tuple(token for token in target if token != IGNORED))
        for batch in made
        for source, target in zip(batch.source.t().tolist(), batch.target.t().tolist(), strict=True)
    ]


@settings(max_examples=40)
@given(PAIRS, st.integers(1, 9), st.integers(1, 5), st.integers(0, 99))
def test_every_pair_is_in_one_batch_but_for_the_rest_of_a_length(pairs, size, least, seed):
    made = rows(batches(pairs, size, Random(seed), least))
    given_pairs = Counter((tuple(source), tuple(target)) for source, target in pairs)
    assert Counter(made) <= given_pairs
    for length in {len(source) for source, _ in pairs}:
        there = sum(len(source) == length for source, _ in pairs)
        taken = sum(len(source) == length for source, _ in made)
        assert taken == there - there % least


@settings(max_examples=40)
@given(PAIRS, st.integers(1, 9), st.integers(0, 99))
def test_no_source_is_padded_and_targets_are_padded_at_the_end_alone(pairs, size, seed):
    for batch in batches(pairs, size, Random(seed), 1):
        S, B = batch.source.shape
        assert 1 <= B <= size
        assert batch.target.shape[1] == B
        assert (batch.source[-1] == 2).all()
        assert (batch.source[:-1] > 2).all()
        for target in batch.target.t().tolist():
            end = target.index(2)
            assert IGNORED not in target[:end]
            assert all(token == IGNORED for token in target[end + 1 :])
        assert (batch.target[-1] != IGNORED).any()  # as long as the longest, not longer


def test_the_order_follows_from_the_seed_and_changes_with_it():
    pairs = [([k, 2], [k, 2]) for k in range(3, 99)]
    one, same, other = (rows(batches(pairs, 8, Random(seed), 1)) for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert Counter(one) == Counter(other)
    assert pairs == [([k, 2], [k, 2]) for k in range(3, 99)]  # what was given is left as it was
