"""Folders of the transformers library, against the library: every stream, every head, logits."""

import json
import math

import pytest
import torch
from safetensors.torch import load_file, save_file

from models import huggingface
from models.checkpoint import CheckpointError
from models.huggingface import read_folder
from models.kinds import build, open_checkpoint
from models.slicing import Slice
from tests import foreign

CLOSE = 1e-4  # in float32; what was measured is 1e-5 at most
TEXT = "The cat sat, the dog's 猫 ran."


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Each network once: (folder, the library's network)."""
    made = {}

    def get(name: str):
        if name not in made:
            folder = tmp_path_factory.mktemp("foreign") / name
            made[name] = folder, foreign.write(folder, name)
        return made[name]

    return get


def compare(runner, theirs, text: str = TEXT) -> float:
    """The largest difference in logits (or the last stream), streams and attention."""
    ids = runner.reads.encode(text)
    with torch.no_grad():
        told = theirs(torch.tensor([ids]), output_attentions=True, output_hidden_states=True)
    reading = runner.reading(ids)
    layers = runner.config.num_layers
    pairs = [(reading.slice(Slice("embedding")).data, told.hidden_states[0])]
    for layer in range(layers):
        name = f"blocks.{layer}"
        pairs.append((reading.slice(Slice(f"{name}.attention")).data, told.attentions[layer]))
        if layer < layers - 1:  # the last one is told after the last norm
            stream = reading.slice(Slice(f"{name}.residual")).data
            pairs.append((stream, told.hidden_states[layer + 1]))
    pairs.append((reading.output, told.hidden_states[-1]))
    if "logits" in told:
        pairs.append((runner.network.unembed(reading.output), told.logits))
    assert all(tuple(ours.shape) == tuple(other[0].shape) for ours, other in pairs)
    return max((torch.as_tensor(ours) - other[0]).abs().max().item() for ours, other in pairs)


@pytest.mark.parametrize("name", foreign.NETWORKS)
def test_streams_heads_and_logits_are_those_of_the_library(folders, name):
    folder, theirs = folders(name)
    runner = open_checkpoint(folder)
    assert runner.kind == ("encoder" if "bert" in name else "transformer_lm")
    assert (runner.network.unembed is not None) == (name != "bert")
    assert compare(runner, theirs) < CLOSE


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_in_several_files_is_read_as_float32(tmp_path, dtype):
    theirs = foreign.network("llama")
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.copy_(parameter.to(dtype))
    foreign.network("llama").to(dtype).save_pretrained(tmp_path, max_shard_size="20KB")
    foreign.byte_pieces().save(str(tmp_path / "tokenizer.json"))
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    files = read_folder(tmp_path)
    assert all(value.dtype == torch.float32 for value in files.weights.values())
    assert compare(build(files), theirs) < CLOSE


def test_names_without_the_library_s_prefix_are_read_too(folders, tmp_path):
    folder, theirs = folders("gpt2")
    copy(folder, tmp_path, rename=lambda name: name.removeprefix("transformer."))
    assert compare(open_checkpoint(tmp_path), theirs) < CLOSE


def test_the_oldest_names_of_norms_and_buffers_that_follow_from_the_config_are_read(
    folders, tmp_path
):
    folder, theirs = folders("bert")
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}

    def rename(name: str) -> str:
        end = ".".join(name.split(".")[-2:])
        return name.removesuffix(end) + old.get(end, end)

    more = {"embeddings.position_ids": torch.arange(40)[None]}
    copy(folder, tmp_path, rename=rename, add=more)
    files = read_folder(tmp_path)
    assert files.about["data"]["left_out"] == [
        "embeddings.position_ids", "pooler.dense.bias", "pooler.dense.weight",
    ]  # fmt: skip
    assert "pooler.dense.weight" in files.card
    assert compare(build(files), theirs) < CLOSE


def test_a_window_shortens_what_can_be_read(folders):
    assert open_checkpoint(folders("mistral")[0]).config.context == 30


def test_what_is_read_says_what_it_is(folders):
    folder, theirs = folders("gpt2")
    files = read_folder(folder)
    assert files.about["title"] == files.id == "gpt2"
    assert files.about["kind"] == "transformer_lm"
    assert files.about["licence"] is None
    assert files.about["parameters"] == sum(p.numel() for p in theirs.parameters())
    (folder / "README.md").write_text("# A card of its own")
    assert read_folder(folder).card == "# A card of its own"


def test_the_head_for_masked_words_guesses_through_every_layer(folders):
    runner = open_checkpoint(folders("bert-masked")[0])
    ids = runner.reads.encode("The cat [MASK] on the mat.")
    reading = runner.reading(ids)
    at = ids.index(runner.reads.mask)
    guesses = reading.slice(Slice("blocks.*.lens", {"time": at}))
    assert guesses.axes == ("layer", "token")
    assert guesses.data.sum(-1) == pytest.approx(1, abs=1e-5)
    assert torch.equal(torch.as_tensor(guesses.data[-1]), reading.next(at))


# What is refused


def copy(source, folder, rename=lambda name: name, add=None, about=None, drop=()):
    """A folder with other names, other tensors or another config."""
    weights = {rename(k): v for k, v in load_file(source / "model.safetensors").items()}
    weights = {k: v for k, v in (weights | (add or {})).items() if k not in drop}
    save_file(weights, folder / "model.safetensors")
    said = json.loads((source / "config.json").read_text()) | (about or {})
    (folder / "config.json").write_text(json.dumps(said))
    (folder / "tokenizer.json").write_bytes((source / "tokenizer.json").read_bytes())


WTE = "transformer.wte.weight"
LLAMA3 = {"rope_type": "llama3", "factor": 8.0}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("gpt2", {"drop": [WTE]}, r"transformer.wte.weight \(304, 16\) is missing"),
        ("gpt2", {"add": {"more": torch.zeros(2)}}, r"more \(2,\) is not part of this network"),
        ("gpt2", {"add": {WTE: torch.zeros(3, 16)}}, r"shape \(3, 16\), expected \(304, 16\)"),
        ("gpt2", {"add": {WTE: torch.full((304, 16), math.nan)}}, "wte.weight holds NaN"),
        ("gpt2", {"add": {WTE: torch.ones(304, 16, dtype=torch.int8)}}, "int8, expected 16 to 64"),
        ("gpt2", {"add": {"lm_head.weight": torch.zeros(304, 16)}}, "differs from the table"),
        ("gpt2", {"about": {"model_type": "t5"}}, "'t5'; supported are gpt2, llama"),
        ("gpt2", {"about": {"model_type": ["gpt2"]}}, "supported are gpt2, llama"),
        ("gpt2", {"about": {"n_layer": 10**9}}, "num_layers is 1000000000, expected an integer"),
        ("gpt2", {"about": {"n_embd": None}}, "n_embd is None, expected a positive integer"),
        ("gpt2", {"about": {"n_head": 3}}, "no multiple of num_heads 3"),
        ("gpt2", {"about": {"layer_norm_epsilon": "x"}}, "layer_norm_epsilon is 'x'"),
        ("gpt2", {"about": {"activation_function": "mish"}}, "'mish', expected one of gelu"),
        ("gpt2", {"about": {"scale_attn_weights": False}}, "False; supported is True alone"),
        ("gpt2", {"about": {"tie_word_embeddings": 1}}, "tie_word_embeddings is 1"),
        ("gpt2-untied", {"drop": ["lm_head.weight"]}, "lm_head.weight .* is missing"),
        ("llama", {"about": {"attention_bias": True}}, "attention_bias is True"),
        ("llama", {"about": {"rope_scaling": LLAMA3}}, "rope_scaling has the type 'llama3'"),
        ("llama", {"about": {"rope_parameters": LLAMA3}}, "rope_parameters has the type 'llama3'"),
        ("llama", {"about": {"rope_scaling": "x"}}, "rope_scaling is 'x', expected an object"),
        ("llama", {"about": {"head_dim": 5}}, "rotary positions need even heads"),
        ("llama", {"about": {"num_key_value_heads": 4}}, "no multiple of num_kv_heads 4"),
        ("bert", {"about": {"position_embedding_type": "relative_key"}}, "'relative_key'"),
        ("bert", {"about": {"is_decoder": True}}, "is_decoder is True"),
        ("bert", {"about": {"max_position_embeddings": 41}}, r"expected \(41, 16\)"),
        ("roberta-masked", {"about": {"pad_token_id": 60}}, "context is -21"),
    ],
)
def test_what_cannot_be_computed_as_it_was_is_refused_by_name(
    folders, tmp_path, name, change, message
):
    copy(folders(name)[0], tmp_path, **change)
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(tmp_path)


def shards(folder, weight_map, **files):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    for name, weights in files.items():
        save_file(weights, folder / f"{name}.safetensors")


A = {"a": torch.zeros(2)}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "tokenizer.json").unlink(), "tokenizer.json is missing"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), "tokenizer.json cannot be read"),
        (lambda f: (f / "model.safetensors").unlink(), "model.safetensors is missing$"),
        (lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"), "runs code"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\xff" * 99), "truncated or not"),
        (lambda f: (f / "model.safetensors").write_bytes(b""), "safetensors is truncated"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\2" + b"\0" * 7 + b"[]"), "be read"),
        (lambda f: shards(f, {"a": "../x.safetensors"}), "expected a file of this folder"),
        (lambda f: shards(f, {"a": "x.safetensors"}), "x.safetensors is missing"),
        (lambda f: shards(f, {"a": 1}), "must hold an object weight_map"),
        (lambda f: shards(f, {}), "names 0 files"),
        (lambda f: shards(f, {"a": "x.safetensors", "b": "x.safetensors"}, x=A), "b is listed in"),
        (lambda f: shards(f, {"a": "x.safetensors", "b": "y.safetensors"}, x=A, y=A), "more than"),
    ],
)
def test_a_damaged_folder_is_refused_and_says_where(folders, tmp_path, damage, message, capfd):
    copy(folders("gpt2")[0], tmp_path)
    damage(tmp_path)
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(tmp_path)
    capfd.readouterr()  # a panic of a library prints where it was


def test_weights_larger_than_the_limit_are_refused_before_they_are_read(
    folders, tmp_path, monkeypatch
):
    copy(folders("gpt2")[0], tmp_path)
    monkeypatch.setattr(huggingface, "MAX_WEIGHT_BYTES", 1000)
    with pytest.raises(CheckpointError, match="larger than 1000 bytes"):
        open_checkpoint(tmp_path)
