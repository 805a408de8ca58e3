"""A device whose memory is full: a step is made in halves, or its streams are told."""

import pytest
import torch

from backend.engine.memory import is_full
from tests.backend.engine.hand import Hand, tokens
from tests.backend.engine.toys import Script


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
