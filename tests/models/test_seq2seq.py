import math
from dataclasses import replace

import pytest
import torch

from models.checkpoint import CheckpointError
from models.decoder import BEGIN, END, UNKNOWN, Memory
from models.seq2seq import Seq2Seq, Seq2SeqConfig
from tests.oracle_seq2seq import by_hand
from tests.toys.translators import TRANSLATORS, translator

TOLERANCE = 1e-5  # float32 against float64, absolute
TOYS = pytest.mark.parametrize("name", TRANSLATORS)
LSTM_PLAIN = replace(TRANSLATORS["toy-plain"], cell="lstm")


def numbers(size: int, *shape: int, seed: int = 0) -> torch.Tensor:
    """Token numbers, the special ones among them."""
    return torch.randint(size, shape, generator=torch.Generator().manual_seed(seed))


def texts(config: Seq2SeqConfig, S: int, T: int, B: int) -> tuple[torch.Tensor, torch.Tensor]:
    target = numbers(config.target_size, T, B, seed=1)
    target[0] = BEGIN
    target[min(2, T - 1)] = UNKNOWN
    return numbers(config.source_size, S, B), target


@pytest.mark.parametrize("config", [*TRANSLATORS.values(), LSTM_PLAIN])
def test_the_network_as_it_is_trained_gives_the_logits_of_the_oracle(config):
    built = translator(config)
    source, target = texts(config, 7, 9, 3)
    logits = built(source, None, target)
    for row in range(3):
        _, expected = by_hand(
            config.cell,
            config.attention,
            built.state_dict(),
            source[:, row].tolist(),
            target[:, row].tolist(),
        )
        torch.testing.assert_close(logits[:, row].double(), expected, atol=TOLERANCE, rtol=0)


@TOYS
def test_a_row_of_a_padded_batch_is_what_it_is_by_itself(name):
    config = TRANSLATORS[name]
    built, lengths = translator(config), torch.tensor([3, 8, 1, 5])
    source, target = texts(config, 8, 6, 4)
    memory, state = built.read(source, lengths)
    logits = built(source, lengths, target)
    for row, n in enumerate(lengths.tolist()):
        alone, first = built.read(source[:n, row : row + 1])
        torch.testing.assert_close(state[:, row], first[:, 0], atol=1e-6, rtol=0)
        real = memory.annotations[row, :n]
        torch.testing.assert_close(real, alone.annotations[0], atol=1e-6, rtol=0)
        assert memory.mask[row].tolist() == [j < n for j in range(8)]
        own = built(source[:n, row : row + 1], None, target[:, row : row + 1])
        torch.testing.assert_close(logits[:, row], own[:, 0], atol=TOLERANCE, rtol=0)


@TOYS
def test_what_stands_in_the_padding_never_matters(name):
    config = TRANSLATORS[name]
    built, lengths = translator(config), torch.tensor([3, 8, 1, 5])
    source, target = texts(config, 8, 6, 4)
    other = numbers(config.source_size, 8, 4, seed=9)
    real = torch.arange(8)[:, None] < lengths
    other = torch.where(real, source, other)
    assert not torch.equal(other, source)
    assert torch.equal(built(source, lengths, target), built(other, lengths, target))


@TOYS
@pytest.mark.parametrize("t", [1, 4, 8])
def test_a_token_changes_nothing_that_was_written_before_it(name, t):
    config = TRANSLATORS[name]
    built = translator(config)
    source, target = texts(config, 5, 9, 2)
    changed = target.clone()
    changed[t] = END + 1 + (target[t] == END + 1)
    one, other = built(source, None, target), built(source, None, changed)
    assert torch.equal(one[:t], other[:t])
    assert not torch.equal(one[t], other[t])


@pytest.mark.parametrize("config", [TRANSLATORS["toy-plain"], LSTM_PLAIN])
def test_without_attention_one_vector_is_all_that_is_known_of_the_source(config):
    built = translator(config)
    memory, state = built.read(numbers(config.source_size, 6, 1))
    blank = Memory(torch.full_like(memory.annotations, torch.nan), None, None, memory.fixed)
    y = built.embed(torch.tensor([BEGIN]))
    from_y, weight = built.token_part(y)
    one, other = state, state
    for _ in range(4):
        seen, blind = (
            built.advance(from_y, s, m, weight) for s, m in ((one, memory), (other, blank))
        )
        assert torch.equal(seen.state, blind.state)
        assert torch.equal(seen.context, memory.fixed)
        assert seen.attended is None
        one, other = seen.state, blind.state


def test_the_vector_of_a_plain_network_does_reach_what_is_written():
    config = TRANSLATORS["toy-plain"]
    built = translator(config)
    source, target = texts(config, 5, 4, 1)
    memory, state = built.read(source)
    from_y, weight = built.token_part(built.embed(target[0]))
    other = replace(memory, fixed=-memory.fixed)
    one = built.advance(from_y, state, memory, weight)
    two = built.advance(from_y, state, other, weight)
    assert not torch.allclose(one.state, two.state, atol=1e-3)


def test_a_copied_word_is_read_as_the_end_mark_and_every_other_token_as_itself():
    built = translator(TRANSLATORS["toy-additive"])
    rows = built.target_embedding.weight
    assert torch.equal(
        built.embed(torch.tensor([UNKNOWN, BEGIN, END, 5])), rows[[END, BEGIN, END, 5]]
    )


def test_rows_of_a_memory_can_be_taken_in_any_order_and_number():
    config = TRANSLATORS["toy-additive"]
    memory, _ = translator(config).read(numbers(config.source_size, 4, 3), torch.tensor([4, 2, 3]))
    taken = memory.take(torch.tensor([2, 0, 2, 2]))
    for part in ("annotations", "keys", "mask"):
        assert torch.equal(getattr(taken, part), getattr(memory, part)[[2, 0, 2, 2]])
    assert taken.fixed is None


def test_dropout_acts_while_training_only_and_with_one_mask_for_all_steps():
    config = replace(TRANSLATORS["toy-additive"], dropout=0.5)
    built, (source, target) = translator(config), texts(config, 5, 6, 2)
    assert torch.equal(built(source, None, target), built(source, None, target))
    torch.manual_seed(0)
    built.train()
    assert not torch.equal(built(source, None, target), built(source, None, target))
    masks = built.drop(torch.ones(7, 2, 50))
    assert torch.equal(masks, masks[:1].expand(7, -1, -1))
    assert set(masks.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(masks[:, 0], masks[:, 1])


def initialized(config: Seq2SeqConfig, seed: int) -> Seq2Seq:
    return Seq2Seq(config).initialize(torch.Generator().manual_seed(seed))


@TOYS
def test_a_seed_fixes_the_start_and_leaves_the_global_generator_out_of_it(name):
    torch.manual_seed(1)
    one = initialized(TRANSLATORS[name], 5).state_dict()
    torch.manual_seed(2)
    two = initialized(TRANSLATORS[name], 5).state_dict()
    other = initialized(TRANSLATORS[name], 6).state_dict()
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert all(not torch.equal(one[key], other[key]) for key in one if one[key].dim() == 2)


def test_recurrent_blocks_start_orthogonal_and_the_forget_gates_open():
    config = TRANSLATORS["toy-general"]
    built = initialized(config, 0)
    for name, value in built.named_parameters():
        H = config.decoder_size if "decoder" in name else config.encoder_size
        if "weight_hh" in name:
            for block in value.detach().split(H):
                torch.testing.assert_close(block @ block.T, torch.eye(H), atol=1e-5, rtol=0)
        elif "bias_ih" in name:
            assert value.tolist() == [0] * H + [1] * H + [0] * 2 * H  # i, f, g, o
        elif "bias" in name:
            assert torch.all(value == 0)


SIZES = ("source_size", "target_size", "embedding_size", "encoder_size", "decoder_size")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": "rnn_tanh"}, "cell is 'rnn_tanh', expected one of gru, lstm"),
        ({"cell": ["gru"]}, r"cell is \['gru'\], expected one of gru, lstm"),
        ({"attention": "cosine"}, "attention is 'cosine', expected one of additive, dot, general"),
        ({"attention": None}, "attention is None, expected one of"),
        *(({name: 0}, f"{name} is 0, expected an integer") for name in SIZES),
        *(({name: 1 << 40}, f"{name} is {1 << 40}, expected an integer") for name in SIZES),
        *(({name: "12"}, f"{name} is '12', expected an integer") for name in SIZES),
        ({"source_size": 2}, r"source_size is 2, expected an integer 3\.\.131072"),
        ({"target_size": 2.5}, r"target_size is 2\.5, expected an integer 3\.\.131072"),
        ({"attention_size": 0}, r"attention_size is 0, expected an integer 1\.\.8192"),
        ({"encoder_layers": True}, r"encoder_layers is True, expected an integer 1\.\.16"),
        ({"encoder_layers": 17}, r"encoder_layers is 17, expected an integer 1\.\.16"),
        ({"dropout": 1.5}, r"dropout is 1\.5, expected a number 0\.\.1"),
        ({"dropout": "much"}, r"dropout is 'much', expected a number"),
        ({"dropout": math.nan}, r"dropout is nan, expected a number"),
        (
            {"attention": "dot"},
            r"dot attention needs decoder_size = 2 \* encoder_size, found 7 and",
        ),
    ],
)
def test_a_size_that_no_network_has_is_refused_with_what_is_expected(change, message):
    with pytest.raises(CheckpointError, match=message):
        replace(TRANSLATORS["toy-additive"], **change).check()


@TOYS
def test_the_sizes_of_every_toy_are_those_of_a_network(name):
    config = TRANSLATORS[name]
    config.check()
    assert Seq2SeqConfig(**config.to_dict()) == config


def test_only_the_additive_score_needs_an_attention_size():
    replace(TRANSLATORS["toy-general"], attention_size=0).check()
    replace(TRANSLATORS["toy-plain"], attention_size=0).check()
