"""Counts as a kind: the tree on disk, traces and steps."""

import numpy as np
import pytest
import torch

from models.checkpoint import CheckpointError
from models.kinds import open_checkpoint
from models.ngram import NGramConfig, NGramRunner, NGramStepper, from_tensors, to_tensors
from models.text import Characters
from tests.toys import SYMBOLS, TEXT
from tests.toys.characters import ngram, write_ngram

V = len(SYMBOLS)
TOKENS = [SYMBOLS.index(character) for character in TEXT * 2]


def runner(order: int = 4, capacity: int = 8) -> NGramRunner:
    return NGramRunner(ngram(order), Characters(SYMBOLS), capacity)


def tree(order: int = 3) -> tuple[dict[str, torch.Tensor], NGramConfig]:
    built = ngram(order)
    return to_tensors(built.orders, V), built.config


# -- on disk -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("order", "least"), [(1, 0.0), (4, 0.0), (4, 1.0)])
def test_what_is_read_is_what_was_written(tmp_path, order, least):
    built = write_ngram(tmp_path / "toy", order, least)
    found = open_checkpoint(tmp_path / "toy")
    assert found.config == built.config
    for one, expected in zip(found.network.orders, built.orders, strict=True):
        for field in ("grams", "counts", "histories", "first", "back"):
            np.testing.assert_array_equal(getattr(one, field), getattr(expected, field))


def test_a_number_that_does_not_fit_into_a_byte_comes_back():
    tensors, config = tree(2)
    assert tensors["counts.1.count.large"].numel() == 0
    orders = from_tensors(tensors, config)
    orders[0].counts[:3] = [254, 255, 70_000]
    again = to_tensors(orders, V)
    assert again["counts.1.count"][:3].tolist() == [254, 255, 255]
    assert again["counts.1.count.large"].tolist() == [255, 70_000]
    assert from_tensors(again, config)[0].counts[:3].tolist() == [254, 255, 70_000]


def test_what_does_not_fit_together_is_refused_by_the_name_of_its_tensor():
    for name, value, said in (
        ("counts.2.symbol", lambda x: x[:-1], r"counts\.2\.symbol is .* expected torch.uint8"),
        ("counts.2.symbol", lambda x: x.flip(0), r"counts\.2\.symbol does not rise"),
        ("counts.3.symbol", lambda x: x.clamp(min=V), r"counts\.3\.symbol does not rise"),
        ("counts.1.count", lambda x: x.int(), r"counts\.1\.count is torch.int32"),
        ("counts.1.count", lambda x: x * 0, r"counts\.1\.count holds 0"),
        ("counts.1.count", lambda x: x * 0 + 255, r"counts\.1\.count\.large is"),
        ("counts.2.children", lambda x: x + 1, r"counts\.3\.symbol is"),
        ("counts.4.symbol", torch.zeros(1, dtype=torch.uint8), r"counts\.4\.symbol is not part"),
    ):
        tensors, config = tree()
        tensors[name] = value(tensors[name]) if callable(value) else value
        with pytest.raises(CheckpointError, match=said):
            from_tensors(tensors, config)
    tensors, config = tree()
    del tensors["counts.2.back"]
    with pytest.raises(CheckpointError, match=r"counts\.2\.back is missing"):
        from_tensors(tensors, config)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"vocab_size": 300, "order": 2}, "vocab_size is 300"),
        ({"vocab_size": 20, "order": 0}, "order is 0"),
        ({"vocab_size": 200, "order": 9}, "does not fit in 64 bits"),
    ],
)
def test_sizes_that_no_table_has_are_refused(sizes, said):
    with pytest.raises(CheckpointError, match=said):
        NGramConfig(**sizes).check()


# -- at work -----------------------------------------------------------------------------------


def test_a_trace_sums_to_one_and_tells_each_character_given_those_before():
    values, after, given = runner().trace(TOKENS, None, 0, len(TOKENS))
    assert list(values) == ["order"]
    assert values["order"].shape == (len(TOKENS), 5)
    for rows in (values["order"], after):
        torch.testing.assert_close(rows.sum(1), torch.ones(len(TOKENS)), atol=1e-6, rtol=0)
    assert given[0].isnan()
    assert given[1:].tolist() == [after[t, k].item() for t, k in enumerate(TOKENS[1:])]


@pytest.mark.parametrize("order", [1, 2, 4])
def test_a_part_of_a_trace_is_that_part_of_the_whole(order):
    one, T = runner(order), len(TOKENS)
    whole = one.trace(TOKENS, None, 0, T)
    for start, stop in ((0, 1), (1, T), (2, 3), (9, 20), (T - 1, T)):
        values, after, given = one.trace(TOKENS, None, start, stop)
        torch.testing.assert_close(values["order"], whole[0]["order"][start:stop], rtol=0, atol=0)
        torch.testing.assert_close(after, whole[1][start:stop], rtol=0, atol=0)
        torch.testing.assert_close(given, whole[2][start:stop], rtol=0, atol=0, equal_nan=True)


def test_nothing_further_back_than_the_longest_history_matters():
    one = runner(4)
    _, after, _ = one.trace(TOKENS, [], 0, len(TOKENS))
    _, other, _ = one.trace([0, 1, 2, *TOKENS[-3:]], [], 5, 6)
    torch.testing.assert_close(after[-1], other[0], rtol=0, atol=0)


@pytest.mark.parametrize("order", [1, 3])
def test_stepping_through_a_text_is_a_trace_of_it(order):
    one = runner(order)
    values, after, _ = one.trace(TOKENS, None, 0, len(TOKENS))
    one.stepper.state[:] = 7
    one.stepper.reset(5)
    for t, token in enumerate(TOKENS):
        capture, logits = one.stepper.step(np.array([5]), np.array([token]))
        np.testing.assert_allclose(capture[0], values["order"][t].numpy(), atol=1e-6)
        np.testing.assert_allclose(np.exp(logits[0]), after[t].numpy(), atol=1e-6)
    assert (one.stepper.state[:5] == 7).all()  # slots that took no part


def test_a_row_is_bitwise_the_same_in_every_batch_and_beside_any_neighbour():
    tokens = np.random.default_rng(0).integers(0, V, (12, 9))
    alone = NGramStepper(ngram(), 12)
    expected = [
        [
            np.concatenate([part[0] for part in alone.step(np.array([b]), tokens[[b], t])])
            for t in range(9)
        ]
        for b in range(12)
    ]
    for B in (2, 3, 5, 7, 12):
        together = NGramStepper(ngram(), 12)
        for t in range(9):
            rows = np.concatenate(together.step(np.arange(B)[::-1], tokens[:B, t][::-1]), 1)
            np.testing.assert_array_equal(rows[::-1], [expected[b][t] for b in range(B)])


def test_slots_and_tokens_that_there_are_not_are_refused():
    stepper = NGramStepper(ngram(), 2)
    for slots, tokens in (([2], [0]), ([0], [V]), ([-1], [0])):
        with pytest.raises(IndexError):
            stepper.step(np.array(slots), np.array(tokens))
    with pytest.raises(ValueError, match="3 slots"):
        stepper.step(np.array([0, 1, 1]), np.array([0, 0, 0]))
