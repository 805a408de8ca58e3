import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from models.checkpoint import CheckpointError
from models.transformer_lm import TransformerLM, TransformerLMConfig
from tests.models.stacks import SIZES, STACKS, drawn, lively, numbers, recorded
from tests.oracle_transformer import by_hand

TIGHT = 1e-11  # float64 against float64: sums in another order
TOLERANCE = 1e-5  # float32 against float64
CONFIGS = {
    "gpt": TransformerLMConfig(**STACKS["gpt"].to_dict()),
    "llama": TransformerLMConfig(**STACKS["llama"].to_dict(), tied=False),
    "post-norm": TransformerLMConfig(
        **SIZES, num_heads=3, positions="none", norm_first=False, final_norm=False
    ),
}
ALL = pytest.mark.parametrize("name", CONFIGS)


def language_model(name: str, **changes) -> TransformerLM:
    return lively(TransformerLM(replace(CONFIGS[name], **changes)))


@ALL
def test_logits_are_products_of_the_stream_of_the_formulas_with_rows_of_a_table(name):
    built, tokens = language_model(name), numbers(13, 9)
    weights = built.state_dict()
    _, stream = by_hand(CONFIGS[name].to_dict(), weights, tokens.tolist())
    table = weights["token_embedding.weight" if built.config.tied else "output.weight"].double()
    found = built.logits(tokens[None])[0]
    torch.testing.assert_close(found.double(), stream @ table.T, atol=TOLERANCE, rtol=1e-5)


def test_a_tied_model_has_no_other_table_than_its_embedding():
    assert "output.weight" not in language_model("gpt").state_dict()
    untied = language_model("gpt", tied=False).state_dict()
    assert untied["output.weight"].shape == untied["token_embedding.weight"].shape == (13, 12)
    assert not any(name.startswith("output.bias") for name in untied)


@ALL
def test_the_lens_on_the_last_block_is_what_is_predicted(name):
    built, tokens = language_model(name).double(), numbers(13, 2, 8)
    points, _ = recorded(built, tokens)
    last = points[f"blocks.{built.config.num_layers - 1}.residual"]
    torch.testing.assert_close(built.lens(last), built.logits(tokens), atol=TIGHT, rtol=0)


@ALL
def test_the_lens_on_an_earlier_block_is_what_a_stack_that_ends_there_predicts(name):
    built, tokens = language_model(name).double(), numbers(13, 2, 8)
    short = TransformerLM(replace(built.config, num_layers=1)).double()
    own = {key: value for key, value in built.state_dict().items() if "blocks.1." not in key}
    short.load_state_dict(own)
    points, _ = recorded(built, tokens)
    expected = short.logits(tokens)
    torch.testing.assert_close(
        built.lens(points["blocks.0.residual"]), expected, atol=TIGHT, rtol=0
    )
    assert not torch.allclose(expected, built.logits(tokens), atol=1e-2)


def test_the_lens_reads_streams_of_any_shape():
    built, x = language_model("gpt").double(), drawn(2, 3, 5, 12)
    torch.testing.assert_close(built.lens(x)[1, 2], built.lens(x[1, 2]), atol=TIGHT, rtol=0)
    assert built.lens(x).shape == (2, 3, 5, 13)


@ALL
def test_what_is_predicted_of_a_token_knows_nothing_of_it(name):
    built, tokens = language_model(name), numbers(13, 2, 9)
    changed = tokens.clone()
    changed[:, 5] = (tokens[:, 5] + 1) % 13
    one, other = built.logits(tokens), built.logits(changed)
    assert torch.equal(one[:, :5], other[:, :5])
    assert not torch.allclose(one[:, 5], other[:, 5], atol=1e-3)


@ALL
@pytest.mark.parametrize("tied", [True, False])
def test_an_untrained_model_guesses_with_every_table_of_one_spread(name, tied):
    config = replace(CONFIGS[name], tied=tied, vocab_size=400, hidden_size=48, head_size=16)
    built = TransformerLM(config).initialize(torch.Generator().manual_seed(0)).eval()
    tokens = numbers(400, 4, 16)
    nats = F.cross_entropy(built.logits(tokens)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
    assert nats.item() == pytest.approx(math.log(400), abs=0.1)
    tables = [built.token_embedding, *([] if tied else [built.output])]
    for table in tables:
        assert table.weight.std().item() == pytest.approx(0.02, rel=0.03)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tied": 1}, "tied is 1, expected true or false"),
        ({"tied": None}, "tied is None, expected true or false"),
        ({"causal": False}, "a language model is causal"),
        ({"cross": True}, "looks at no other text"),
        ({"vocab_size": 0}, "vocab_size is 0, expected an integer"),
        ({"positions": "alibi"}, "positions is 'alibi', expected one of"),
    ],
)
def test_what_no_language_model_is_is_refused(change, message):
    with pytest.raises(CheckpointError, match=message):
        replace(CONFIGS["gpt"], **change).check()


@ALL
def test_a_config_survives_its_file(name):
    CONFIGS[name].check()
    assert TransformerLMConfig(**CONFIGS[name].to_dict()) == CONFIGS[name]
