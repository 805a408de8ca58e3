"""Files changed at random, a few hundred of them; `make fuzz` changes as many as there is time."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.importing.refused import Refused
from models.importing.standins import StorageMark, TensorMark
from models.importing.tensors import gather
from tests import fuzzing
from tests.weight_files import pt


def test_changed_files_are_refused_or_read_as_promised():
    counts = fuzzing.run(600, seed=0)
    ways = Counter()
    for (_, way, _), count in counts.items():
        ways[way] += count
    assert min(ways[way] for way in ("raw", "inner", "made")) > 50
    outcomes = {outcome for _, _, outcome in counts}
    assert {"damaged_file", "unsafe_file", "unusable_tensor", "read as written"} <= outcomes


def test_a_round_can_be_made_again():
    seeds = fuzzing.good_files()
    first, second = (fuzzing.mutate(seeds, 5, 17)[:3] for _ in range(2))
    assert first == second


def test_a_promise_that_is_not_kept_is_seen(monkeypatch, tmp_path):
    """Were other numbers read in spite of a checksum, the fuzzer would say so."""
    monkeypatch.setattr(fuzzing, "FAILED", tmp_path)
    seed = fuzzing.Seed(pt(), good=fuzzing.read(pt()))
    other = pt(storages={"0": bytes(24)})
    with pytest.raises(fuzzing.Broken, match="checksum"):
        fuzzing.check(seed, "raw", other, False)
    monkeypatch.setattr(fuzzing, "read", lambda raw: {}["missing"])
    with pytest.raises(fuzzing.Broken, match="KeyError"):
        fuzzing.check(seed, "raw", other, False)


AXES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=4)


@given(axes=AXES, offset=st.integers(0, 20), count=st.integers(0, 40))
def test_a_window_is_read_exactly_where_it_shows_each_number_of_its_storage_once(
    axes, offset, count
):
    """Against the places that it shows, one by one. A few that show each once are refused too:
    those whose axes are woven into one another, which no network saves."""
    shape, stride = tuple(size for size, _ in axes), tuple(step for _, step in axes)
    places = np.array(
        offset + sum(np.ix_(*(np.arange(n) * s for n, s in axes))) if axes else offset
    )
    places = np.broadcast_to(places, shape)
    inside = places.size == 0 or places.max() < count
    once = np.unique(places).size == places.size
    mark = TensorMark(StorageMark("0", "float32", count), offset, shape, stride)
    numbers = np.arange(count, dtype=np.float32)
    try:
        found = gather({"w": mark}, lambda mark, name: numbers, 1 << 20)["w"]
    except Refused:
        found = None
    if found is None:
        steps = sorted((step, size) for size, step in axes if size > 1)
        woven = any(b[0] < a[0] * a[1] for a, b in pairwise(steps))
        assert not (inside and once) or woven
    else:
        assert inside
        assert once
        assert found.tolist() == places.astype(np.float32).tolist()
        assert found.flags.c_contiguous
