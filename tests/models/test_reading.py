"""Readings: what is cut from a pass equals what a plain pass makes."""

import math

import numpy as np
import pytest
import torch

from models.reading import BadEdits, BadSlice, Edits, Slice
from models.trace import UnknownPoint
from models.transformer import attention_of
from models.transformer_lm import TransformerLM, TransformerLMConfig
from models.transformer_runner import TooLong, read_pair, read_stack
from models.transformer_seq2seq import TransformerSeq2Seq, TransformerSeq2SeqConfig

IDS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]
V, D, H, L = 11, 12, 4, 3


def lively(network, seed=0):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def language():
    config = TransformerLMConfig(V, 16, D, L, H, 20, num_kv_heads=2, positions="learned")
    return lively(TransformerLM(config))


@pytest.fixture(scope="module")
def pair():
    return lively(TransformerSeq2Seq(TransformerSeq2SeqConfig(V, 9, 16, D, 2, 2, H, 20)))


@pytest.fixture
def reading(language):
    return read_stack(language, IDS)


def cut(reading, point, **options):
    return reading.slice(Slice(point, **options)).data


# -- equal to the pass ----------------------------------------------------------------------------


def test_weights_times_values_are_what_the_heads_of_the_pass_give(reading):
    weights, values = cut(reading, "blocks.1.attention"), cut(reading, "blocks.1.v")
    mixed = weights @ values.repeat(2, axis=0)  # two heads of queries to one of values
    np.testing.assert_allclose(mixed, cut(reading, "blocks.1.heads"), atol=1e-5)


def test_the_stream_is_the_sum_of_what_every_part_adds(reading):
    stream = cut(reading, "embedding").copy()
    for layer in range(L):
        stream += cut(reading, f"blocks.{layer}.attended")
        np.testing.assert_allclose(stream, cut(reading, f"blocks.{layer}.middle"), atol=1e-4)
        stream += cut(reading, f"blocks.{layer}.mlp")
        np.testing.assert_allclose(stream, cut(reading, f"blocks.{layer}.residual"), atol=1e-4)


def test_each_part_reads_the_normed_stream_and_makes_of_it_what_its_weights_make(language, reading):
    block = language.blocks[1]
    read = torch.from_numpy(cut(reading, "blocks.1.read"))
    stream = torch.from_numpy(cut(reading, "blocks.0.residual"))
    np.testing.assert_allclose(read, block.attention_norm(stream), atol=1e-5)
    heads = block.attention.query(read).unflatten(-1, (H, D // H)).transpose(0, 1)
    np.testing.assert_allclose(cut(reading, "blocks.1.q"), heads, atol=1e-5)
    hidden = torch.from_numpy(cut(reading, "blocks.1.mlp.hidden"))
    expected = block.mlp.activation(
        block.mlp.up(torch.from_numpy(cut(reading, "blocks.1.mlp.read")))
    )
    np.testing.assert_allclose(hidden, expected, atol=1e-5)
    np.testing.assert_allclose(cut(reading, "blocks.1.mlp"), block.mlp.down(hidden), atol=1e-5)


def test_the_lens_on_the_last_layer_is_what_the_network_predicts(language, reading):
    logits = language.logits(torch.tensor([IDS]))[0]
    np.testing.assert_allclose(cut(reading, f"blocks.{L - 1}.logits"), logits, atol=1e-4)
    np.testing.assert_allclose(cut(reading, f"blocks.{L - 1}.lens")[-1], reading.next(), atol=1e-6)


def test_the_lens_on_the_embedding_reads_the_stream_before_the_first_block(language, reading):
    stream = torch.from_numpy(cut(reading, "embedding"))
    expected = language.lens(stream).softmax(-1)
    np.testing.assert_allclose(cut(reading, "embedding.lens"), expected, atol=1e-6)


def test_the_embedding_is_tokens_and_positions(language, reading):
    tokens = language.token_embedding(torch.tensor(IDS)).numpy()
    np.testing.assert_allclose(
        tokens + cut(reading, "positions"), cut(reading, "embedding"), atol=1e-6
    )


def test_the_probability_of_each_given_token_is_the_networks_own(language, reading):
    probabilities = language.logits(torch.tensor([IDS]))[0].softmax(-1)
    given = reading.given(IDS).numpy()
    assert math.isnan(given[0])
    expected = [probabilities[k, token] for k, token in enumerate(IDS[1:])]
    np.testing.assert_allclose(given[1:], expected, atol=1e-6)


def test_scores_are_scaled_products_and_masked_ones_minus_infinity(reading):
    scores = cut(reading, "blocks.0.scores", at={"head": 3})
    q, k = cut(reading, "blocks.0.q")[3], cut(reading, "blocks.0.k")[1]
    expected = q @ k.T / math.sqrt(D / H)
    expected[np.triu_indices(len(IDS), 1)] = -np.inf
    np.testing.assert_allclose(scores, expected, atol=1e-5)


# -- cutting --------------------------------------------------------------------------------------


def test_a_part_is_the_part_of_the_whole(reading):
    whole = cut(reading, "blocks.*.attention")
    assert whole.shape == (L, H, len(IDS), len(IDS))
    part = reading.slice(
        Slice("blocks.*.attention", {"layer": 2, "head": (1, 3), "query": 7, "key": (2, 9)})
    )
    assert part.axes == ("head", "key")
    np.testing.assert_allclose(part.data, whole[2, 1:3, 7, 2:9], atol=1e-6)


def test_bytes_stand_for_squares_to_half_a_step(reading):
    whole = cut(reading, "blocks.0.attention")
    found = reading.slice(Slice("blocks.0.attention", form="u1"))
    assert (found.scale, found.data.dtype) == ("sqrt", np.uint8)
    assert np.abs(found.data / 255 - np.sqrt(whole)).max() <= 0.5 / 255 + 1e-6


def test_bytes_of_real_numbers_lie_between_the_ends_that_are_told(reading):
    whole = cut(reading, "blocks.0.mlp")
    found = reading.slice(Slice("blocks.0.mlp", form="u1"))
    value = found.low + found.data / 255 * (found.high - found.low)
    assert found.scale == "linear"
    assert np.abs(value - whole).max() <= 0.51 / 255 * (found.high - found.low)


def test_a_pooled_cell_is_the_largest_weight_in_it(reading):
    whole = cut(reading, "blocks.1.attention")
    found = reading.slice(Slice("blocks.1.attention", form="u1", size=5))  # 12 tokens: 3 a cell
    assert found.pooled == 3
    largest = whole.reshape(H, 4, 3, 4, 3).max(axis=(2, 4))
    assert np.abs(found.data / 255 - np.sqrt(largest)).max() <= 0.5 / 255 + 1e-6


def test_pooling_counts_cells_that_are_not_full(reading):
    found = reading.slice(Slice("blocks.1.attention", form="u1", size=8))  # 12 tokens: 2 a cell
    assert found.data.shape == (H, 6, 6)
    found = reading.slice(
        Slice("blocks.1.attention", {"query": (0, 11), "key": (0, 7)}, form="u1", size=4)
    )
    assert found.data.shape == (H, 4, 3)


def test_the_likeliest_of_some_tokens_are_told_by_their_own_numbers(reading):
    whole = cut(reading, "blocks.*.lens")[:, :, 4:9]
    found = reading.slice(Slice("blocks.*.lens", {"token": (4, 9)}, top=2))
    best = torch.tensor(whole).topk(2)
    np.testing.assert_array_equal(found.data, best.values)
    np.testing.assert_array_equal(found.token_ids, best.indices + 4)


def test_a_long_text_is_predicted_in_stretches_that_fit_together():
    config = TransformerLMConfig(V, 150, D, L, H, 20)
    reading = read_stack(lively(TransformerLM(config)), (IDS * 13)[:150])
    logits = reading.heard[""].lens(reading.recorded("blocks.2.residual"))
    np.testing.assert_allclose(cut(reading, "blocks.2.logits"), logits, atol=1e-5)
    part = cut(reading, "blocks.2.logits", at={"time": (60, 131), "token": 3})
    np.testing.assert_allclose(part, logits[60:131, 3], atol=1e-5)
    top = reading.slice(Slice("blocks.2.logits", {"time": (60, 131)}, top=1))
    np.testing.assert_array_equal(top.token_ids[:, 0], logits[60:131].argmax(-1))


def test_the_likeliest_tokens_come_with_their_numbers(reading):
    whole = cut(reading, "blocks.0.lens")
    found = reading.slice(Slice("blocks.0.lens", {"time": (2, 6)}, top=3))
    assert found.axes == ("time", "token")
    np.testing.assert_allclose(found.data, np.sort(whole[2:6])[:, :-4:-1], atol=1e-7)
    np.testing.assert_array_equal(found.token_ids, np.argsort(-whole[2:6])[:, :3])


@pytest.mark.parametrize(
    "asked",
    [
        Slice("blocks.*.attention", form="u1", size=5),
        Slice("blocks.*.lens", {"layer": (0, 2), "time": 3}, top=4),
        Slice("blocks.2.q", {"head": 1}),
        Slice("embedding"),
    ],
    ids=lambda asked: asked.point,
)
def test_how_many_numbers_a_slice_holds_is_known_before_it_is_cut(reading, asked):
    assert reading.numbers(asked) == reading.slice(asked).data.size


def test_what_was_not_kept_is_recorded_when_it_is_first_asked_for(reading):
    before = reading.bytes
    cut(reading, "blocks.0.q")
    assert reading.bytes == before
    cut(reading, "blocks.0.mlp")
    assert reading.bytes == before + 4 * L * len(IDS) * D


def test_values_heads_and_the_stream_take_one_more_pass(language, monkeypatch):
    found, passes = read_stack(language, IDS), []
    monkeypatch.setattr(
        found, "_run", lambda record, run=found._run: passes.append(1) or run(record)
    )
    for point in ("blocks.0.v", "blocks.*.heads", "blocks.1.lens", "embedding", "blocks.2.v"):
        cut(found, point)
    assert len(passes) == 1


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        (Slice("blocks.0.attention", {"layer": 0}), "no axis 'layer'"),
        (Slice("blocks.0.attention", {"query": 12}), "0 to 11"),
        (Slice("blocks.0.attention", {"query": (4, 4)}), "0 to 11"),
        (Slice("blocks.0.attention", {"key": (-1, 4)}), "0 to 11"),
        (Slice("blocks.0.scores", form="u1"), "infinity"),
        (Slice("blocks.0.attention", form="f8"), "f4 or u1"),
        (Slice("blocks.0.q", form="u1", size=4), "query and a key"),
        (Slice("blocks.0.attention", size=4), "u1"),
        (Slice("blocks.0.q", top=4), "token axis"),
    ],
)  # fmt: skip
def test_a_slice_that_cannot_be_cut_says_why(reading, asked, word):
    with pytest.raises(BadSlice, match=word):
        reading.slice(asked)


@pytest.mark.parametrize("name", ["blocks.3.q", "blocks.*.x", "*", "blocks.0", "blocks.*.*.q", ""])
def test_an_unknown_point_is_named(reading, name):
    with pytest.raises(UnknownPoint):
        reading.slice(Slice(name))


# -- edits ----------------------------------------------------------------------------------------


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


def test_a_text_longer_than_the_context_is_not_read(language):
    with pytest.raises(TooLong, match="17 tokens, at most 16"):
        read_stack(language, [1] * 17)


# -- two texts ------------------------------------------------------------------------------------


def test_rows_of_the_decoder_are_the_steps_that_write_the_target(pair):
    source, target = [5, 6, 7, 2], [4, 8, 3]
    found = read_pair(pair, source, target)
    logits = pair(torch.tensor([source]), torch.tensor([[1, *target]]))[0]
    np.testing.assert_allclose(cut(found, "decoder.blocks.1.logits"), logits, atol=1e-4)
    assert cut(found, "decoder.blocks.*.cross.attention").shape == (2, H, 4, 4)
    whole = read_pair(pair, source, [*target, 2])  # it ends: there is no step after the last
    np.testing.assert_allclose(cut(whole, "decoder.blocks.1.logits"), logits, atol=1e-4)


def test_nothing_written_yet_is_one_step(pair):
    found = read_pair(pair, [5, 6, 2], [])
    assert cut(found, "decoder.blocks.0.attention").shape == (H, 1, 1)
    assert cut(found, "encoder.blocks.0.attention").shape == (H, 3, 3)


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
