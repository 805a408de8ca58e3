"""Edits: what is left out of a pass is not there, and what cannot be left out says why."""

import numpy as np
import pytest
import torch

from models.edits import BadEdits, Edits
from models.transformer import attention_of
from models.transformer_lm import TransformerLM, TransformerLMConfig
from models.transformer_runner import read_pair, read_stack
from tests.models.readings import IDS, D, H, V, cut, one_text, two_texts
from tests.models.stacks import lively


@pytest.fixture(scope="module")
def language():
    return one_text()


@pytest.fixture(scope="module")
def pair():
    return two_texts()


@pytest.fixture
def reading(language):
    return read_stack(language, IDS)


def test_a_head_that_is_off_gives_nothing_and_what_follows_changes(language, reading):
    edited = read_stack(language, IDS, Edits(frozenset({"blocks.1.2"})))
    assert not cut(edited, "blocks.1.heads", at={"head": 2}).any()
    np.testing.assert_array_equal(
        cut(edited, "blocks.0.residual"), cut(reading, "blocks.0.residual")
    )
    assert (edited.next() - reading.next()).abs().max() > 1e-3


def test_what_is_blocked_gets_no_weight_in_any_layer(language):
    edited = read_stack(language, IDS, Edits(blocked=((4, 9, 0, 3),)))
    weights = cut(edited, "blocks.*.attention")
    assert not weights[:, :, 4:9, :3].any()
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)


def test_a_query_whose_every_key_is_blocked_sees_nothing(language):
    edited = read_stack(language, IDS, Edits(blocked=((2, 3, 0, 12),)))
    assert not cut(edited, "blocks.*.attention", at={"query": 2}).any()
    assert not cut(edited, "blocks.*.heads", at={"query": 2}).any()


def test_without_positions_the_order_of_what_is_seen_changes_nothing():
    # The last token sees all the others, in one block, as a set.
    config = TransformerLMConfig(V, 16, D, 1, H, 20, positions="learned")
    network = lively(TransformerLM(config))
    shuffled = (*reversed(range(11)), 11)
    plain = read_stack(network, IDS, Edits(positions=False))
    other = read_stack(network, IDS, Edits(positions=False, order=shuffled))
    np.testing.assert_allclose(plain.next(), other.next(), atol=1e-6)
    placed = read_stack(network, IDS, Edits(order=shuffled))
    assert (placed.next() - read_stack(network, IDS).next()).abs().max() > 1e-3


def test_rotary_positions_can_be_left_out():
    network = lively(TransformerLM(TransformerLMConfig(V, 16, D, 1, 2, 20, positions="rotary")))
    plain = read_stack(network, IDS, Edits(positions=False))
    x = network.blocks[0].attention_norm(network.token_embedding(torch.tensor([IDS])))
    part = network.blocks[0].attention
    q, k = (m(x).unflatten(-1, (2, 6)).transpose(1, 2) for m in (part.query, part.key))
    mask = torch.ones(12, 12, dtype=torch.bool).tril()
    expected = attention_of(q, k, mask)[0]
    np.testing.assert_allclose(cut(plain, "blocks.0.attention"), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("edits", "word"),
    [
        (Edits(frozenset({"blocks.7.0"})), "blocks.7"),
        (Edits(frozenset({"blocks.0.4"})), "0 to 3"),
        (Edits(frozenset({"blocks.0.-1"})), "0 to 3"),
        (Edits(frozenset({"nonsense"})), "no attention"),
        (Edits(blocked=((0, 13, 0, 1),)), "no rectangle"),
        (Edits(blocked=((3, 3, 0, 1),)), "no rectangle"),
        (Edits(order=(0, 1, 2)), "each of 0 to 11 once"),
        (Edits(order=(0,) * 12), "each of 0 to 11 once"),
    ],
)
def test_edits_that_cannot_be_made_say_why(language, edits, word):
    with pytest.raises(BadEdits, match=word):
        read_stack(language, IDS, edits)


def test_blocked_of_two_texts_is_what_the_decoder_may_not_look_at(pair):
    found = read_pair(pair, [5, 6, 7, 2], [4, 8], Edits(blocked=((1, 3, 0, 2),)))
    weights = cut(found, "decoder.blocks.*.cross.attention")
    assert not weights[:, :, 1:3, :2].any()
    assert (weights[:, :, 0] > 0).all()
    assert (cut(found, "encoder.blocks.0.attention") > 0).all()


def test_heads_of_every_attention_of_two_texts_can_be_off(pair):
    off = frozenset({"encoder.blocks.0.1", "decoder.blocks.1.2", "decoder.blocks.0.cross.3"})
    found = read_pair(pair, [5, 6, 7, 2], [4, 8], Edits(off))
    for name in off:
        attention, _, head = name.rpartition(".")
        heads = cut(found, f"{attention}.heads")
        assert not heads[int(head)].any()
        assert heads.any(axis=(1, 2)).sum() == H - 1
