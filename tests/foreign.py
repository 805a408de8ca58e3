"""Tiny networks of the `transformers` library, saved as it saves them, to hold reading against.

The library is imported when a network is first made: it takes seconds.
"""

import os
from pathlib import Path

import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

os.environ["HF_HUB_OFFLINE"] = "1"

TEXTS = (
    "The cat sat on the mat.",
    "A dog's café, 1984: naïve 猫 █ 😀!",
    "the cats sat, the dog ran",
)
END = "<|end|>"


def byte_pieces(size: int = 290, trim: bool = True) -> Tokenizer:
    """Pieces of bytes, as GPT-2 and SmolLM2 have them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    return tokenizer


def word_pieces(size: int = 90) -> Tokenizer:
    """Pieces of words with ##, as BERT has them."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS[:1] * 3 + TEXTS[2:] * 3, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def space_pieces() -> Tokenizer:
    """Pieces with ▁ for spaces, and bytes for what no piece writes, as the first Llamas have."""
    names = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"catsmon"]
    names += ["▁c", "at", "▁cat"]
    numbers = {name: k for k, name in enumerate(names)}
    merges = [("▁", "c"), ("a", "t"), ("▁c", "at")]
    tokenizer = Tokenizer(models.BPE(numbers, merges, unk_token="<unk>", byte_fallback=True))
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return tokenizer


_GPT2 = {
    "n_positions": 40, "n_embd": 16, "n_layer": 2, "n_head": 4, "bos_token_id": 0, "eos_token_id": 0
}  # fmt: skip
_LLAMA = {
    "hidden_size": 24, "intermediate_size": 36, "num_hidden_layers": 2, "num_attention_heads": 6,
    "num_key_value_heads": 2, "max_position_embeddings": 40, "rms_norm_eps": 1e-5,
}  # fmt: skip
_BERT = {
    "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4,
    "max_position_embeddings": 40,
}  # fmt: skip
_DISTILBERT = {"dim": 16, "hidden_dim": 24, "n_layers": 3, "n_heads": 4}
# A name: the library's class, its config, and whether its tokens are pieces of bytes.
NETWORKS = {
    "gpt2": ("GPT2LMHeadModel", _GPT2, True),
    "gpt2-untied": (
        "GPT2LMHeadModel",
        _GPT2 | {"tie_word_embeddings": False, "n_inner": 20, "activation_function": "relu"},
        True,
    ),
    "llama": ("LlamaForCausalLM", _LLAMA, True),
    "llama-tied": (
        "LlamaForCausalLM",
        _LLAMA | {"tie_word_embeddings": True, "head_dim": 6, "rope_theta": 500.0},
        True,
    ),
    "mistral": ("MistralForCausalLM", _LLAMA | {"sliding_window": 30}, True),
    "bert": ("BertModel", _BERT | {"hidden_act": "relu"}, False),
    "bert-masked": ("BertForMaskedLM", _BERT, False),
    "distilbert-masked": ("DistilBertForMaskedLM", _DISTILBERT, False),
    "roberta-masked": ("RobertaForMaskedLM", _BERT, True),
}


def network(name: str):
    """A network of NETWORKS with weights of a seed, lively enough that attention is not even."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    made, config, bytewise = NETWORKS[name]
    cls = getattr(transformers, made)
    config = cls.config_class(vocab_size=len_of(bytewise), **config)
    config._attn_implementation = "eager"  # the one that tells its weights
    torch.manual_seed(0)
    built = cls(config)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in built.parameters():
            spread = 0.4 if parameter.dim() == 2 else 0.2
            parameter.add_(spread * torch.randn(parameter.shape, generator=generator))
    return built.eval()


def len_of(bytewise: bool) -> int:
    """Tokens of the toys' tokenizer, rounded up as tables often are."""
    return 304 if bytewise else 96


def write(folder: Path, name: str, **options):
    """Save a network of NETWORKS as a folder; returns it. `options` go to `save_pretrained`."""
    built = network(name)
    built.save_pretrained(folder, **options)
    tokenizer = byte_pieces() if NETWORKS[name][2] else word_pieces()
    tokenizer.save(str(folder / "tokenizer.json"))
    return built
