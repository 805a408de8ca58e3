"""A Llama of the transformers library, written as a GGUF file by hand, read back and compared."""

import json

import numpy as np
import pytest
import torch

from models.checkpoint import CheckpointError, CheckpointFiles
from models.gguf_llama import halves, read_gguf, tokenizer_of
from models.kinds import build
from models.pieces import Pieces, bytes_alphabet
from tests import foreign
from tests.gguf_files import BOOL, F32, I32, LIST, TEXT, U32, field, file
from tests.models.test_huggingface import CLOSE, compare
from tests.models.test_huggingface import TEXT as SENTENCE

PARTS = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "attn_norm": "input_layernorm", "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj", "ffn_norm": "post_attention_layernorm",
}  # fmt: skip
HEADS, KEY_HEADS = 6, 2


def interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """Row 2i of each head is its row i, row 2i + 1 its row i + d/2."""
    d = len(weight) // heads
    order = [
        h * d + i + half * d // 2 for h in range(heads) for i in range(d // 2) for half in (0, 1)
    ]
    return weight[order]


def told(**changes) -> dict[str, tuple[int, object]]:
    """The fields of the file; `changes` by name, None leaves a field out."""
    pieces = json.loads(foreign.byte_pieces().to_str())
    numbers = pieces["model"]["vocab"]
    tokens = sorted(numbers, key=numbers.get)
    tokens += [f"unused{k}" for k in range(foreign.len_of(True) - len(tokens))]
    fields = {
        "general.architecture": (TEXT, "llama"),
        "llama.block_count": (U32, 2),
        "llama.context_length": (U32, 40),
        "llama.embedding_length": (U32, 24),
        "llama.feed_forward_length": (U32, 36),
        "llama.attention.head_count": (U32, HEADS),
        "llama.attention.head_count_kv": (U32, KEY_HEADS),
        "llama.attention.layer_norm_rms_epsilon": (F32, 1e-5),
        "llama.rope.dimension_count": (U32, 4),
        "tokenizer.ggml.model": (TEXT, "gpt2"),
        "tokenizer.ggml.pre": (TEXT, "gpt-2"),
        "tokenizer.ggml.tokens": (LIST, (TEXT, tokens)),
        "tokenizer.ggml.token_type": (LIST, (I32, [3 if t == foreign.END else 1 for t in tokens])),
        "tokenizer.ggml.merges": (LIST, (TEXT, [" ".join(m) for m in pieces["model"]["merges"]])),
        "tokenizer.ggml.bos_token_id": (U32, 0),
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


@pytest.fixture(scope="module")
def network():
    return foreign.network("llama")


def tensors(network) -> dict[str, np.ndarray]:
    state = {name: value.numpy() for name, value in network.state_dict().items()}
    found = {
        "token_embd.weight": state["model.embed_tokens.weight"],
        "output_norm.weight": state["model.norm.weight"],
        "output.weight": state["lm_head.weight"],
    }
    for layer in range(2):
        for ours, theirs in PARTS.items():
            value = state[f"model.layers.{layer}.{theirs}.weight"]
            if ours in ("attn_q", "attn_k"):
                value = interleaved(value, HEADS if ours == "attn_q" else KEY_HEADS)
            found[f"blk.{layer}.{ours}.weight"] = value
    return found


def write(path, network, drop=(), add=None, **changes):
    stored = {k: (v, "F32") for k, v in (tensors(network) | (add or {})).items() if k not in drop}
    fields = [field(name, *value) for name, value in told(**changes).items()]
    path.write_bytes(file(fields, stored))
    return path


def test_streams_heads_and_logits_are_those_of_the_library(network, tmp_path):
    config, weights, tokenizer = read_gguf(write(tmp_path / "x.gguf", network))
    about = {"kind": "transformer_lm", "config": config.to_dict()}
    files = CheckpointFiles("x", about, None, weights, "", {"tokenizer.json": tokenizer})
    assert compare(build(files), network) < CLOSE


def test_a_file_without_an_output_table_ties_it(network, tmp_path):
    path = write(tmp_path / "x.gguf", network, drop=["output.weight"])
    config, weights, _ = read_gguf(path)
    assert config.tied
    assert "output.weight" not in weights


def test_rows_go_back_to_where_they_were():
    weight = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    for heads in (1, 2, 3):
        stored = torch.from_numpy(interleaved(weight.numpy(), heads))
        assert torch.equal(halves(stored, heads), weight)
    with pytest.raises(CheckpointError, match="12 rows are not 4 heads of an even size"):
        halves(weight, 4)


def test_tokens_are_those_of_the_tokenizer_that_the_file_was_written_from(network, tmp_path):
    theirs = foreign.byte_pieces()
    pieces = Pieces.read(read_gguf(write(tmp_path / "x.gguf", network))[2])
    for text in (*foreign.TEXTS, SENTENCE, f"a{foreign.END}\n\n b", "1984", "'tis don't"):
        assert pieces.encode(text) == theirs.encode(text).ids
        assert pieces.decode(pieces.encode(text)) == text
    assert pieces.special == {theirs.token_to_id(foreign.END)}


ALPHABET = sorted(bytes_alphabet())
DIGITS = ["19", "84", "1984"]


def cut(text: str, pre: str, **changes) -> list[str]:
    """How a text is cut by a pre-tokenizer, with a vocabulary that joins digits alone."""
    fields = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": [*ALPHABET, *DIGITS, foreign.END],
        "tokenizer.ggml.merges": ["1 9", "8 4", "19 84"],
        "tokenizer.ggml.bos_token_id": len(ALPHABET) + len(DIGITS),
    }
    pieces = Pieces.read(
        tokenizer_of(fields | {f"tokenizer.ggml.{k}": v for k, v in changes.items()})
    )
    return [pieces.symbols[k] for k in pieces.encode(text)]


def test_a_text_is_cut_as_the_file_says():
    assert cut("a 1984", "gpt-2") == ["a", " ", "1984"]
    assert cut("a 1984", "smollm") == ["a", " ", "1", "9", "8", "4"]
    assert cut("a 1984", "llama-bpe") == [foreign.END, "a", " ", "19", "8", "4"]  # three together
    assert cut("a 1984", "llama-bpe", add_bos_token=False) == ["a", " ", "19", "8", "4"]
    assert cut("a 1984", "gpt-2", add_bos_token=True)[0] == foreign.END


SCALED = {"llama.rope.scaling.type": (TEXT, "linear")}
BEGINS = {"tokenizer.ggml.add_bos_token": (BOOL, True)}
ROWS = np.zeros((2, 3), np.float32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"general.architecture": (TEXT, "rwkv")}, "architecture is 'rwkv'; supported is 'llama'"),
        ({"general.architecture": None}, "architecture is None"),
        (SCALED, "rotary positions are scaled"),
        ({"add": {"rope_freqs.weight": ROWS}}, "rotary positions are scaled"),
        ({"llama.rope.dimension_count": (U32, 2)}, "turn 2 numbers of 4, not all"),
        ({"llama.block_count": (U32, 0)}, "num_hidden_layers is 0, expected a positive"),
        ({"llama.block_count": (U32, 3)}, "model.layers.2.*is missing"),
        ({"llama.block_count": (U32, 1)}, "model.layers.1.*is not part of this network"),
        ({"llama.embedding_length": (TEXT, "x")}, "hidden_size is 'x'"),
        ({"llama.embedding_length": None}, "hidden_size is None"),
        ({"llama.attention.head_count": (U32, 5)}, "5"),
        ({"drop": ["output_norm.weight"]}, r"model.norm.weight \(24,\) is missing"),
        ({"add": {"blk.0.attn_q.bias": ROWS}}, "blk.0.attn_q.bias .* is not part"),
        ({"add": {"blk.0.attn_q.weight": ROWS}}, r"q_proj.weight has shape \(2, 3\)"),
        ({"tokenizer.ggml.model": (TEXT, "llama")}, "model is 'llama'; supported is 'gpt2'"),
        ({"tokenizer.ggml.pre": (TEXT, "x")}, "pre is 'x'; supported are gpt-2, smollm"),
        ({"tokenizer.ggml.tokens": (LIST, (TEXT, []))}, "tokens must be a list of texts"),
        ({"tokenizer.ggml.tokens": (LIST, (TEXT, ["a", "a"]))}, "must hold a number for each"),
        ({"tokenizer.ggml.tokens": (U32, 1)}, "tokens must be a list of texts"),
        ({"tokenizer.ggml.merges": (LIST, (TEXT, ["zz qq"]))}, "merges cannot be used"),
        ({"tokenizer.ggml.merges": (LIST, (TEXT, ["a b c"]))}, "merges must be pairs"),
        ({"tokenizer.ggml.token_type": (LIST, (I32, [1]))}, "must hold a number for each token"),
        (
            {
                "tokenizer.ggml.add_bos_token": (BOOL, True),
                "tokenizer.ggml.bos_token_id": (U32, 999),
            },
            "bos_token_id is 999, no token",
        ),
    ],
)
def test_what_is_not_supported_is_refused_by_name(network, tmp_path, change, message):
    with pytest.raises(CheckpointError, match=message):
        read_gguf(write(tmp_path / "x.gguf", network, **change))
