"""A language model of the Llama family out of a GGUF file.

Queries and keys are stored there with their rows in another order, since rotary positions turn
neighbouring numbers in that format, and numbers half a head apart here (`models.positions`). The
tokenizer is made from the vocabulary and the merges of the file.
"""

from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from torch import Tensor

from models.checkpoint import CheckpointError
from models.foreign import Box, Said
from models.foreign_lm import llama
from models.gguf import Gguf, open_gguf
from models.transformer_lm import TransformerLMConfig

ARCHITECTURE = "llama"
SIZES = {  # fields of the file, and how config.json calls them
    "block_count": "num_hidden_layers",
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "rope.freq_base": "rope_theta",
}
BLOCK = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
OUTER = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
}
# How a text is cut before pieces are joined, by `tokenizer.ggml.pre`.
DIGITS = pre_tokenizers.Digits(individual_digits=True)
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CUTS = {
    "gpt-2": [pre_tokenizers.ByteLevel(add_prefix_space=False)],
    "smollm": [DIGITS, pre_tokenizers.ByteLevel(add_prefix_space=False)],
    "llama-bpe": [
        pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ],
}
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4  # of tokenizer.ggml.token_type


def read_gguf(path: Path) -> tuple[TransformerLMConfig, dict[str, Tensor], str]:
    """The config, the weights by our names, and the text of a tokenizer.json.

    Raises `CheckpointError`, naming what is wrong.
    """
    file = open_gguf(path)
    kind = file.fields.get("general.architecture")
    if kind != ARCHITECTURE:
        raise CheckpointError(f"the architecture is {kind!r:.80}; supported is {ARCHITECTURE!r}")
    tokenizer = tokenizer_of(file.fields)
    said = said_of(file)
    names = names_of(file, said.size("num_hidden_layers"))
    shapes = {name: file.entries[theirs].shape for name, theirs in names.items()}

    def load(name: str) -> Tensor:
        value = file.tensor(names[name])
        for part, heads in (("q_proj", "num_attention_heads"), ("k_proj", "num_key_value_heads")):
            if name.endswith(f"{part}.weight"):
                return halves(value, said.size(heads, said.size("num_attention_heads")))
        return value

    box = Box(shapes, load)
    config, weights = llama(said, box)
    box.finish("")
    return config, weights, tokenizer


def halves(weight: Tensor, heads: int) -> Tensor:
    """Rows of a head in the order 0, d/2, 1, d/2 + 1, ... -> in the order 0, 1, 2, ..."""
    rows, columns = weight.shape
    if rows % (2 * heads):
        raise CheckpointError(f"{rows} rows are not {heads} heads of an even size")
    pairs = weight.view(heads, rows // heads // 2, 2, columns)
    return pairs.transpose(1, 2).reshape(rows, columns)


def said_of(file: Gguf) -> Said:
    """What config.json would say."""
    fields = file.fields
    scaling = fields.get(f"{ARCHITECTURE}.rope.scaling.type", "none")
    if scaling != "none" or "rope_freqs.weight" in file.entries:
        raise CheckpointError("rotary positions are scaled; supported are plain ones alone")
    about = {
        theirs: fields[f"{ARCHITECTURE}.{name}"]
        for name, theirs in SIZES.items()
        if f"{ARCHITECTURE}.{name}" in fields
    }
    about["vocab_size"] = len(fields["tokenizer.ggml.tokens"])
    said = Said(about)
    even = max(1, said.size("hidden_size") // said.size("num_attention_heads"))
    width = said.size("head_dim", even)
    turned = fields.get(f"{ARCHITECTURE}.rope.dimension_count", width)
    if turned != width:
        raise CheckpointError(f"rotary positions turn {turned!r:.80} numbers of {width}, not all")
    return said


def names_of(file: Gguf, layers: int) -> dict[str, str]:
    """The file's name of each tensor, by the names of a Llama; what is not known keeps its own."""
    known = {f"{theirs}.weight": f"{ours}.weight" for theirs, ours in OUTER.items()}
    for name in file.entries:
        first, _, rest = name.partition(".")
        number, _, part = rest.partition(".")
        part = part.removesuffix(".weight")
        if first == "blk" and number.isdecimal() and part in BLOCK and name.endswith(".weight"):
            known[name] = f"model.layers.{number}.{BLOCK[part]}.weight"
    return {known.get(name, name): name for name in file.entries}


def tokenizer_of(fields: dict) -> str:
    """The text of a tokenizer.json from the fields of a file: pieces of bytes, cut as it says."""
    model, pre = fields.get("tokenizer.ggml.model"), fields.get("tokenizer.ggml.pre", "gpt-2")
    if model != "gpt2":
        raise CheckpointError(
            f"tokenizer.ggml.model is {model!r:.80}; supported is 'gpt2', pieces of bytes"
        )
    if not isinstance(pre, str) or pre not in CUTS:
        raise CheckpointError(f"tokenizer.ggml.pre is {pre!r:.80}; supported are {', '.join(CUTS)}")
    tokens = _texts(fields, "tokenizer.ggml.tokens")
    merges = [tuple(one.split(" ")) for one in _texts(fields, "tokenizer.ggml.merges")]
    if any(len(pair) != 2 for pair in merges):
        raise CheckpointError("tokenizer.ggml.merges must be pairs with one space between")
    kinds = np.asarray(fields.get("tokenizer.ggml.token_type", [NORMAL] * len(tokens)))
    if kinds.shape != (len(tokens),):
        raise CheckpointError("tokenizer.ggml.token_type must hold a number for each token")
    numbers = {token: number for number, token in enumerate(tokens)}
    if len(numbers) != len(tokens):
        raise CheckpointError("tokenizer.ggml.tokens must be distinct")
    try:
        # Llama 3 takes a whole word where it is a token, without joining it from pieces.
        tokenizer = Tokenizer(models.BPE(numbers, merges, ignore_merges=pre == "llama-bpe"))
    except Exception as error:  # nothing narrower
        raise CheckpointError(f"tokenizer.ggml.merges cannot be used: {error}") from error
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(CUTS[pre])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([t for t, k in zip(tokens, kinds, strict=True) if k == CONTROL])
    tokenizer.add_tokens([t for t, k in zip(tokens, kinds, strict=True) if k == USER_DEFINED])
    if fields.get("tokenizer.ggml.add_bos_token", pre == "llama-bpe"):
        begin = fields.get("tokenizer.ggml.bos_token_id")
        if type(begin) is not int or not 0 <= begin < len(tokens):
            raise CheckpointError(f"tokenizer.ggml.bos_token_id is {begin!r:.80}, no token")
        tokenizer.post_processor = processors.TemplateProcessing(
            single=[tokens[begin], "$A"], special_tokens=[(tokens[begin], begin)]
        )
    return tokenizer.to_str(pretty=False) + "\n"


def _texts(fields: dict, name: str) -> list[str]:
    found = fields.get(name)
    if not isinstance(found, list) or not found or not isinstance(found[0], str):
        raise CheckpointError(f"{name} must be a list of texts, at least one")
    return found
