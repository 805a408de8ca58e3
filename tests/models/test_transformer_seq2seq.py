import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from models.checkpoint import CheckpointError
from models.subwords import BEGIN, END, UNKNOWN
from models.transformer import Cache
from models.transformer_seq2seq import TransformerSeq2Seq, TransformerSeq2SeqConfig
from tests.models.stacks import drawn, lively, numbers
from tests.oracle_transformer import as_torch, by_hand

TIGHT = 1e-11  # float64 against float64: sums in another order
TOLERANCE = 1e-5  # where tables of positions, which rest in float32, are turned or added
SHAPE = {
    "source_size": 11,
    "target_size": 9,
    "context": 16,
    "hidden_size": 12,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "num_heads": 3,
    "mlp_size": 20,
}
CONFIGS = {
    "pre-norm": TransformerSeq2SeqConfig(**SHAPE),
    "post-norm": TransformerSeq2SeqConfig(**SHAPE, norm_first=False, activation="gelu"),
    "learned": TransformerSeq2SeqConfig(**SHAPE, positions="learned", norm="rms", bias=False),
    "rotary": TransformerSeq2SeqConfig(**SHAPE, positions="rotary", activation="silu"),
    "nowhere": TransformerSeq2SeqConfig(**SHAPE, positions="none"),
}
ALL = pytest.mark.parametrize("name", CONFIGS)
LENGTHS = torch.tensor([7, 3, 1, 5])
REAL = torch.arange(7) < LENGTHS[:, None]


def translator(name: str, **changes) -> TransformerSeq2Seq:
    # Scaled rows of the embedding are as large as in a network that was started by Xavier.
    return lively(TransformerSeq2Seq(replace(CONFIGS[name], **changes)), spread=0.3)


def texts(B: int = 4, S: int = 7, T: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    target = numbers(9, B, T, seed=1)
    target[:, 0] = BEGIN
    target[:, min(2, T - 1)] = UNKNOWN
    return numbers(11, B, S), target


@ALL
def test_every_point_and_the_logits_are_those_of_the_formulas(name):
    built, (source, target) = translator(name).double(), texts(2)
    points: dict = {}
    memory = built.read(source, record=points.__setitem__)
    logits = built.write(memory, target, record=points.__setitem__)
    assert torch.equal(logits, built(source, target))
    weights, config = built.state_dict(), built.config
    for row in range(2):
        read, seen = by_hand(config.encoder.to_dict(), weights, source[row].tolist(), "encoder.")
        written, stream = by_hand(
            config.decoder.to_dict(), weights, target[row].tolist(), "decoder.", seen
        )
        torch.testing.assert_close(memory[row], seen, atol=TOLERANCE, rtol=0)
        expected = {key: value for key, value in (read | written).items()
                    if not key.endswith(".attention")}  # fmt: skip
        assert points.keys() == expected.keys()
        for key, value in expected.items():
            torch.testing.assert_close(points[key][row], value, atol=TOLERANCE, rtol=0, msg=key)
        last = stream @ weights["decoder.token_embedding.weight"].T + weights["output_bias"]
        torch.testing.assert_close(logits[row], last, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("name", ["pre-norm", "post-norm"])
def test_both_stacks_are_those_of_torch_padding_and_all(name):
    built, (source, target) = translator(name).double(), texts()
    weights = built.state_dict()
    own = {prefix: {key.removeprefix(prefix): value for key, value in weights.items()
                    if key.startswith(prefix)} for prefix in ("encoder.", "decoder.")}  # fmt: skip
    encoder = as_torch(built.config.encoder.to_dict(), own["encoder."])
    decoder = as_torch(built.config.decoder.to_dict(), own["decoder."])
    x = built.encoder.embed(source, torch.arange(7))
    y = built.decoder.embed(target, torch.arange(6))
    memory = encoder(x, src_key_padding_mask=~REAL)
    later = torch.ones(6, 6, dtype=torch.bool).triu(1)
    stream = decoder(y, memory, tgt_mask=later, memory_key_padding_mask=~REAL)
    expected = F.linear(stream, built.decoder.token_embedding.weight, built.output_bias)
    torch.testing.assert_close(built(source, target, REAL), expected, atol=TIGHT, rtol=0)


@ALL
def test_what_stands_in_the_padding_of_a_source_never_matters(name):
    built, (source, target) = translator(name), texts()
    other = torch.where(REAL, source, (source + 4) % 11)
    assert not torch.equal(other, source)
    assert torch.equal(built(source, target, REAL), built(other, target, REAL))


@ALL
def test_a_row_of_a_padded_batch_is_what_it_is_by_itself(name):
    built, (source, target) = translator(name).double(), texts()
    logits = built(source, target, REAL)
    for row, n in enumerate(LENGTHS.tolist()):
        alone = built(source[row : row + 1, :n], target[row : row + 1])
        torch.testing.assert_close(logits[row], alone[0], atol=TIGHT, rtol=0)


@ALL
@pytest.mark.parametrize("t", [1, 5])
def test_a_token_changes_nothing_that_was_written_before_it(name, t):
    built, (source, target) = translator(name), texts()
    changed = target.clone()
    changed[:, t] = (target[:, t] + 1) % 9
    one, other = built(source, target, REAL), built(source, changed, REAL)
    assert torch.equal(one[:, :t], other[:, :t])
    assert not torch.allclose(one[:, t], other[:, t], atol=1e-3)


@ALL
def test_every_token_of_the_source_reaches_the_first_that_is_written(name):
    built, (source, target) = translator(name), texts()
    before = built(source, target)[:, 0]
    for s in range(7):
        changed = source.clone()
        changed[:, s] = (source[:, s] + 1) % 11
        assert (built(changed, target)[:, 0] - before).abs().amax(-1).min() > 1e-5


@ALL
def test_writing_step_by_step_with_a_cache_is_writing_at_once(name):
    built, (source, target) = translator(name).double(), texts()
    memory, cache = built.read(source, REAL), Cache()
    steps = [built.write(memory, target[:, t : t + 1], REAL, cache=cache) for t in range(6)]
    expected = built(source, target, REAL)
    torch.testing.assert_close(torch.cat(steps, dim=1), expected, atol=TIGHT, rtol=0)


def test_rows_of_a_text_that_is_written_can_be_taken_in_any_order_and_number():
    built, (source, target) = translator("pre-norm").double(), texts()
    memory, cache = built.read(source, REAL), Cache()
    built.write(memory, target[:, :3], REAL, cache=cache)
    rows = torch.tensor([3, 1, 3])
    taken = cache.take(rows)
    found = built.write(memory[rows], target[rows, 3:], REAL[rows], cache=taken)
    expected = built(source[rows], target[rows], REAL[rows])[:, 3:]
    torch.testing.assert_close(found, expected, atol=TIGHT, rtol=0)


@ALL
def test_the_lens_on_the_last_block_of_the_decoder_is_what_is_written(name):
    built, (source, target) = translator(name).double(), texts()
    points: dict = {}
    logits = built.write(built.read(source), target, record=points.__setitem__)
    last = points["decoder.blocks.2.residual"]
    torch.testing.assert_close(built.lens(last), logits, atol=TIGHT, rtol=0)
    assert not torch.allclose(built.lens(points["decoder.blocks.0.residual"]), logits, atol=1e-2)


def test_heads_of_three_kinds_can_be_switched_off_each_by_its_name():
    built, (source, target) = translator("pre-norm"), texts()
    plain = built(source, target)
    for point in ("encoder.blocks.1", "decoder.blocks.0", "decoder.blocks.2.cross"):
        off = {point: frozenset({1})}
        logits = built.write(built.read(source, heads_off=off), target, heads_off=off)
        assert not torch.allclose(logits, plain, atol=1e-3), point
    off = {"decoder.blocks.0.cross": frozenset({0}), "blocks.0": frozenset({0})}
    assert torch.equal(built.read(source, heads_off=off), built.read(source))


def test_with_all_heads_across_switched_off_the_source_is_forgotten():
    built, (source, target) = translator("pre-norm"), texts()
    off = {f"decoder.blocks.{layer}.cross": frozenset(range(3)) for layer in range(3)}
    one, other = (
        built.write(built.read(text), target, heads_off=off) for text in (source, (source + 1) % 11)
    )
    assert torch.equal(one, other)


def started(name: str, seed: int, **changes) -> TransformerSeq2Seq:
    config = replace(CONFIGS[name], **changes)
    return TransformerSeq2Seq(config).initialize(torch.Generator().manual_seed(seed))


@ALL
def test_a_seed_fixes_the_start_and_leaves_the_global_generator_out_of_it(name):
    torch.manual_seed(1)
    one = started(name, 5).state_dict()
    torch.manual_seed(2)
    two = started(name, 5).state_dict()
    other = started(name, 6).state_dict()
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert all(not torch.equal(one[key], other[key]) for key in one if one[key].dim() == 2)


def test_tokens_start_with_numbers_of_spread_one_and_maps_by_xavier():
    built = started("pre-norm", 0, hidden_size=48, source_size=300)
    x = built.encoder.token_embedding.weight * built.config.encoder.embedding_scale
    assert x.std().item() == pytest.approx(1.0, rel=0.03)
    for name, value in built.named_parameters():
        if value.dim() == 2 and "embedding" not in name:
            bound = math.sqrt(6 / sum(value.shape))
            assert 0.97 * bound < value.abs().max().item() <= bound, name
        elif name.endswith("bias"):
            assert torch.all(value == 0), name


def test_memory_of_any_origin_can_be_written_from():
    built, (_, target) = translator("pre-norm"), texts()
    memory = drawn(4, 3, 12, dtype=torch.float32)
    assert built.write(memory, target).shape == (4, 6, 9)
    assert built.never_written == (BEGIN,)
    assert END not in built.never_written


OWN = ("source_size", "target_size", "encoder_layers", "decoder_layers")
SHARED = ("context", "hidden_size", "num_heads", "mlp_size")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(({name: 0}, f"{name} is 0, expected an integer") for name in OWN + SHARED),
        *(({name: -4}, f"{name} is -4, expected an integer") for name in OWN + SHARED),
        *(({name: 1 << 40}, f"{name} is {1 << 40}, expected an integer") for name in OWN + SHARED),
        *(({name: "12"}, f"{name} is '12', expected an integer") for name in OWN + SHARED),
        *(({name: None}, f"{name} is None, expected an integer") for name in OWN + SHARED),
        *(({name: True}, f"{name} is True, expected an integer") for name in OWN + SHARED),
        ({"source_size": 2}, r"source_size is 2, expected an integer 3\.\."),  # <unk>, <s>, </s>
        ({"positions": "relative"}, "positions is 'relative', expected one of"),
        ({"norm": 1}, "norm is 1, expected one of layer, rms"),
        ({"activation": "tanh"}, "activation is 'tanh', expected one of"),
        ({"norm_first": "yes"}, "norm_first is 'yes', expected true or false"),
        ({"bias": 0}, "bias is 0, expected true or false"),
        ({"dropout": -0.1}, r"dropout is -0\.1, expected a number 0\.\.1"),
        ({"num_heads": 5}, "hidden_size 12 is no multiple of num_heads 5"),
        ({"num_heads": 4, "positions": "rotary"}, "rotary positions need even heads, found 3"),
    ],
)
def test_a_size_that_no_network_has_is_refused_with_what_is_expected(change, message):
    with pytest.raises(CheckpointError, match=message):
        replace(CONFIGS["pre-norm"], **change).check()


@ALL
def test_a_config_survives_its_file_and_says_what_both_stacks_are(name):
    config = CONFIGS[name]
    config.check()
    assert TransformerSeq2SeqConfig(**config.to_dict()) == config
    assert (config.encoder.vocab_size, config.decoder.vocab_size) == (11, 9)
    assert (config.encoder.num_layers, config.decoder.num_layers) == (2, 3)
    assert (config.encoder.causal, config.encoder.cross) == (False, False)
    assert (config.decoder.causal, config.decoder.cross) == (True, True)
    # Where norms come after each part, the last of them ends the stack.
    assert config.encoder.final_norm == config.decoder.final_norm == (name != "post-norm")
