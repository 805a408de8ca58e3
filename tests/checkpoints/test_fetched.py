"""The models of `make model`, against the transformers library and against what is published.

They do not come with the repository: a test of one that is not there is skipped. UNROLLED_MODELS
names the folder that they are in, where that is not checkpoints/.
"""

import json
import os
from functools import cache
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from models.fetch import SOURCES
from models.kinds import open_checkpoint
from models.slicing import Slice
from models.transformer_writing import Step, write

ROOT = Path(__file__).resolve().parent.parent.parent
CLOSE = 1e-4  # in float32, of logits, streams and weights of attention


@cache
def opened(name: str):
    folder = Path(os.environ.get("UNROLLED_MODELS", ROOT / "checkpoints")) / SOURCES[name].id
    if not (folder / "config.json").is_file():
        pytest.skip(f"{SOURCES[name].id} is not there: make model NAME={name}")
    return open_checkpoint(folder), json.loads((folder / "config.json").read_text("utf-8"))


@pytest.mark.parametrize("name", SOURCES)
def test_it_says_where_it_is_from(name):
    runner, about = opened(name)
    assert about["licence"] == SOURCES[name].licence
    assert about["parameters"] == sum(
        value.numel() for value in runner.network.state_dict().values()
    )
    assert len(about["data"]["sha256"]) == 64
    assert about["figures"] == {}


def compare(runner, theirs, text: str) -> dict[str, float]:
    """The largest difference of the weights of all heads, of the streams (as a share of the largest
    number of a stream: one unit of SmolLM2 is in the thousands), and of the logits."""
    ids = runner.reads.encode(text)
    with torch.no_grad():
        told = theirs(torch.tensor([ids]), output_attentions=True, output_hidden_states=True)
    reading = runner.reading(ids)
    found = {"attention": 0.0, "stream": 0.0}

    def note(kind: str, ours, other) -> None:
        apart = (torch.as_tensor(ours) - other[0]).abs().max().item()
        if kind == "stream":
            apart /= other.abs().max().item()
        found[kind] = max(found.get(kind, 0.0), apart)

    for layer in range(runner.config.num_layers):
        name = f"blocks.{layer}"
        note("attention", reading.slice(Slice(f"{name}.attention")).data, told.attentions[layer])
        if layer < runner.config.num_layers - 1:
            note("stream", reading.slice(Slice(f"{name}.residual")).data,
                 told.hidden_states[layer + 1])  # fmt: skip
    note("stream", reading.output, told.hidden_states[-1])
    if "logits" in told:
        note("logits", runner.network.unembed(reading.output), told.logits)
    return found


def theirs_of(network, cls, config, names):
    """A network of the library that holds our weights, under its names."""
    config._attn_implementation = "eager"
    built = cls(config).eval()
    ours = network.state_dict()
    state = {their: ours[our] for our, their in names.items()}
    missing, extra = built.load_state_dict(state, strict=False)
    return built, missing, extra


def test_minilm_reads_as_the_library_s_bert_with_its_weights():
    from transformers import BertConfig, BertModel

    runner, _ = opened("minilm")
    c = runner.config
    config = BertConfig(
        vocab_size=c.vocab_size, hidden_size=c.hidden_size, num_hidden_layers=c.num_layers,
        num_attention_heads=c.num_heads, intermediate_size=c.mlp_size,
        max_position_embeddings=c.context, layer_norm_eps=c.norm_eps,
    )  # fmt: skip
    names = {
        "token_embedding.weight": "embeddings.word_embeddings.weight",
        "position_embedding.weight": "embeddings.position_embeddings.weight",
        "embedding_norm.weight": "embeddings.LayerNorm.weight",
        "embedding_norm.bias": "embeddings.LayerNorm.bias",
    }
    for layer in range(c.num_layers):
        for ours, theirs in (
            ("attention.query", "attention.self.query"), ("attention.key", "attention.self.key"),
            ("attention.value", "attention.self.value"),
            ("attention.output", "attention.output.dense"),
            ("attention_norm", "attention.output.LayerNorm"), ("mlp.up", "intermediate.dense"),
            ("mlp.down", "output.dense"), ("mlp_norm", "output.LayerNorm"),
        ):  # fmt: skip
            for end in ("weight", "bias"):
                names[f"blocks.{layer}.{ours}.{end}"] = f"encoder.layer.{layer}.{theirs}.{end}"
    assert names.keys() == runner.network.state_dict().keys()
    theirs, missing, extra = theirs_of(runner.network, BertModel, config, names)
    assert extra == []
    assert [name for name in missing if "pooler" not in name] == [
        "embeddings.token_type_embeddings.weight"
    ]
    with torch.no_grad():  # they are in the positions
        theirs.embeddings.token_type_embeddings.weight.zero_()
    found = compare(runner, theirs, SOURCES["minilm"].prompt)
    print("minilm", found)
    assert max(found.values()) < CLOSE


def test_minilm_measures_likeness_as_its_makers_publish():
    """The sentences and the numbers of its model card: cosines of the mean streams."""
    runner, _ = opened("minilm")
    sentences = (
        "The weather is lovely today.",
        "It's so sunny outside!",
        "He drove to the stadium.",
    )
    rows = [runner.reading(runner.reads.encode(text)).output.mean(0) for text in sentences]
    rows = F.normalize(torch.stack(rows), dim=-1)
    published = torch.tensor([[1, 0.6660, 0.1046], [0.6660, 1, 0.1411], [0.1046, 0.1411, 1]])
    print((rows @ rows.T).tolist())
    assert torch.allclose(rows @ rows.T, published, atol=1e-3)  # the weights are float16


def test_smollm2_reads_as_the_library_s_llama_with_its_weights():
    from transformers import LlamaConfig, LlamaForCausalLM

    runner, _ = opened("smollm2")
    c = runner.config
    config = LlamaConfig(
        vocab_size=c.vocab_size, hidden_size=c.hidden_size, num_hidden_layers=c.num_layers,
        num_attention_heads=c.num_heads, num_key_value_heads=c.num_kv_heads,
        intermediate_size=c.mlp_size, max_position_embeddings=c.context, rms_norm_eps=c.norm_eps,
        rope_theta=c.rotary_base, tie_word_embeddings=True,
    )  # fmt: skip
    names = {
        "token_embedding.weight": "model.embed_tokens.weight",
        "final_norm.weight": "model.norm.weight",
    }
    for layer in range(c.num_layers):
        for ours, theirs in (
            ("attention.query", "self_attn.q_proj"), ("attention.key", "self_attn.k_proj"),
            ("attention.value", "self_attn.v_proj"), ("attention.output", "self_attn.o_proj"),
            ("attention_norm", "input_layernorm"), ("mlp_norm", "post_attention_layernorm"),
            ("mlp.gate", "mlp.gate_proj"), ("mlp.up", "mlp.up_proj"),
            ("mlp.down", "mlp.down_proj"),
        ):  # fmt: skip
            names[f"blocks.{layer}.{ours}.weight"] = f"model.layers.{layer}.{theirs}.weight"
    assert names.keys() == runner.network.state_dict().keys()
    theirs, missing, extra = theirs_of(runner.network, LlamaForCausalLM, config, names)
    assert (missing, extra) == (["lm_head.weight"], [])
    theirs.tie_weights()
    found = compare(runner, theirs, SOURCES["smollm2"].examples[0])
    print("smollm2", found)
    assert max(found.values()) < CLOSE


def test_smollm2_s_tokens_are_the_published_ones():
    reads = opened("smollm2")[0].reads
    assert reads.encode("Hello world") == [19556, 905]
    system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
    assert reads.encode(f"<|im_start|>system\n{system}<|im_end|>\n") == [
        1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018, 411, 407,
        19712, 8182, 2, 198,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [("The capital of France is", " Paris"), ("One, two, three, four,", " five, six, seven")],
)
def test_smollm2_writes_on_sensibly(text, expected):
    runner, _ = opened("smollm2")
    prefix = runner.reads.encode(text)
    steps = write(runner.network, prefix, 8, top_k=1)
    ids = [step.token_id for step in steps if isinstance(step, Step)]
    written = runner.reads.decode(ids)
    print(repr(written))
    assert written.startswith(text + expected)
