"""BERT and its like, read as `Encoder`.

BERT adds to every token a row that tells a first text from a second. A text here is always a first
one, so that row is folded into the table of positions; the point `positions` shows their sum.
RoBERTa's table begins with two rows that no text uses: they are left out.
"""

from dataclasses import dataclass

from torch import Tensor

from models.encoder import EncoderConfig
from models.foreign import Box, Read, Said, pair


@dataclass(frozen=True)
class Names:
    """How the files of one family of encoders call what all of them have."""

    prefix: str
    layers: str
    query: str
    key: str
    value: str
    output: str
    attention_norm: str
    up: str
    down: str
    mlp_norm: str
    dense: str  # of the head for masked words, and so on
    norm: str
    table: str
    bias: str


_BERT = (
    "encoder.layer", "attention.self.query", "attention.self.key", "attention.self.value",
    "attention.output.dense", "attention.output.LayerNorm", "intermediate.dense", "output.dense",
    "output.LayerNorm",
)  # fmt: skip
BERT = Names("bert.", *_BERT, "cls.predictions.transform.dense",
             "cls.predictions.transform.LayerNorm", "cls.predictions.decoder",
             "cls.predictions.bias")  # fmt: skip
ROBERTA = Names("roberta.", *_BERT, "lm_head.dense", "lm_head.layer_norm", "lm_head.decoder",
                "lm_head.bias")  # fmt: skip
DISTILBERT = Names("distilbert.", "transformer.layer", "attention.q_lin", "attention.k_lin",
                   "attention.v_lin", "attention.out_lin", "sa_layer_norm", "ffn.lin1", "ffn.lin2",
                   "output_layer_norm", "vocab_transform", "vocab_layer_norm", "vocab_projector",
                   "vocab_projector.bias")  # fmt: skip


def bert(said: Said, box: Box) -> Read:
    """BERT (Devlin et al. 2019), and MiniLM, which is a small one."""
    return _bert(said, box, BERT)


def roberta(said: Said, box: Box) -> Read:
    """RoBERTa (Liu et al. 2019, arXiv:1907.11692): positions are counted from the row behind the
    padding's."""
    return _bert(said, box, ROBERTA, said.size("pad_token_id", 1) + 1)


def _bert(said: Said, box: Box, names: Names, unused_rows: int = 0) -> Read:
    said.only("position_embedding_type", "absolute")
    said.only("is_decoder", False)
    said.only("add_cross_attention", False)
    rows = said.size("max_position_embeddings", 512)
    config = EncoderConfig(
        vocab_size=said.size("vocab_size"),
        context=rows - unused_rows,
        hidden_size=said.size("hidden_size"),
        num_layers=said.size("num_hidden_layers"),
        num_heads=said.size("num_attention_heads"),
        mlp_size=said.size("intermediate_size"),
        norm_eps=said.number("layer_norm_eps", 1e-12),
        activation=said.activation("hidden_act", "gelu"),
        masked_words=f"{names.dense}.weight" in box,
    )
    config.check()
    D, p = config.hidden_size, box.prefix(names.prefix)
    types = said.size("type_vocab_size", 2)
    positions = box.take(f"{p}embeddings.position_embeddings.weight", rows, D)[unused_rows:]
    first = box.take(f"{p}embeddings.token_type_embeddings.weight", types, D)[0]
    return _encoder(box, names, config, positions + first)


def distilbert(said: Said, box: Box) -> Read:
    """DistilBERT (Sanh et al. 2019, arXiv:1910.01108): BERT without the rows of two texts."""
    config = EncoderConfig(
        vocab_size=said.size("vocab_size"),
        context=said.size("max_position_embeddings", 512),
        hidden_size=said.size("dim"),
        num_layers=said.size("n_layers"),
        num_heads=said.size("n_heads"),
        mlp_size=said.size("hidden_dim"),
        activation=said.activation("activation", "gelu"),
        masked_words=f"{DISTILBERT.dense}.weight" in box,
    )
    config.check()
    p = box.prefix(DISTILBERT.prefix)
    name = f"{p}embeddings.position_embeddings.weight"
    return _encoder(box, DISTILBERT, config, box.take(name, config.context, config.hidden_size))


def _encoder(box: Box, names: Names, config: EncoderConfig, positions: Tensor) -> Read:
    D, V, M, p = config.hidden_size, config.vocab_size, config.mlp_size, box.prefix(names.prefix)
    table = box.take(f"{p}embeddings.word_embeddings.weight", V, D)
    weights = {
        "token_embedding.weight": table,
        "position_embedding.weight": positions.clone(),
        **pair(box, f"{p}embeddings.LayerNorm", "embedding_norm", D),
    }
    for layer in range(config.num_layers):
        theirs, ours = f"{p}{names.layers}.{layer}", f"blocks.{layer}"
        for part in ("query", "key", "value", "output"):
            name = f"{theirs}.{getattr(names, part)}"
            weights |= pair(box, name, f"{ours}.attention.{part}", D, D)
        weights |= pair(box, f"{theirs}.{names.attention_norm}", f"{ours}.attention_norm", D)
        weights |= pair(box, f"{theirs}.{names.up}", f"{ours}.mlp.up", M, D)
        weights |= pair(box, f"{theirs}.{names.down}", f"{ours}.mlp.down", D, M)
        weights |= pair(box, f"{theirs}.{names.mlp_norm}", f"{ours}.mlp_norm", D)
    if config.masked_words:
        weights |= pair(box, names.dense, "head.dense", D, D)
        weights |= pair(box, names.norm, "head.norm", D)
        weights["head.bias"] = box.take(names.bias, V)
        box.same(f"{names.table}.weight", "the table of tokens", table)
        box.same(f"{names.table}.bias", names.bias, weights["head.bias"])
    return config, weights
