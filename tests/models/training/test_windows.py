"""Windows of a text: every epoch reads them all, cut elsewhere and in another order."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.windows import windows


@settings(max_examples=40)
@given(st.integers(20, 200), st.integers(1, 12), st.integers(0, 9), st.integers(0, 9))
def test_the_windows_of_an_epoch_cover_the_text_but_for_its_ends(n, context, epoch, seed):
    text = torch.arange(n)
    found = windows(text, context, epoch, seed)
    assert torch.equal(found, windows(text, context, epoch, seed))
    assert torch.all(found[:, 1:] - found[:, :-1] == 1)  # each is a piece of the text
    starts = sorted(found[:, 0].tolist())
    assert starts == list(range(starts[0], starts[-1] + 1, context))
    read = set(found.flatten().tolist())
    assert read == set(range(starts[0], starts[-1] + context + 1))
    assert starts[0] < context
    assert n - (starts[-1] + context + 1) < context
    assert len(found) >= (n - context) // context  # what `train` counts on, whatever the offset


def test_epochs_cut_elsewhere_and_read_in_another_order():
    text = torch.arange(1000)
    each = [windows(text, 10, epoch, 1) for epoch in range(12)]
    assert len({int(one[:, 0].min()) for one in each}) > 3
    orders = {tuple((one[:20, 0] // 10).tolist()) for one in each}
    assert len(orders) == 12
    assert not torch.equal(each[0], windows(text, 10, 0, 2))
