"""GPT-2, Llama and their like, read as `TransformerLM`.

GPT-2 holds its maps transposed, and queries, keys and values side by side; Llama's files have the
same layout as ours.
"""

from torch import Tensor

from models.checkpoint import CheckpointError
from models.foreign import Box, Read, Said, pair
from models.transformer_lm import TransformerLMConfig


def gpt2(said: Said, box: Box) -> Read:
    """GPT-2 (Radford et al. 2019) and its distilled form."""
    said.only("scale_attn_weights", True)
    said.only("scale_attn_by_inverse_layer_idx", False)
    said.only("add_cross_attention", False)
    D = said.size("n_embd")
    tied = _tied(said, box, "lm_head.weight")
    config = TransformerLMConfig(
        vocab_size=said.size("vocab_size"),
        context=said.size("n_positions"),
        hidden_size=D,
        num_layers=said.size("n_layer"),
        num_heads=said.size("n_head"),
        mlp_size=said.size("n_inner", 4 * D),
        norm_eps=said.number("layer_norm_epsilon", 1e-5),
        activation=said.activation("activation_function", "gelu_new"),
        tied=tied,
    )
    config.check()
    V, M, p = config.vocab_size, config.mlp_size, box.prefix("transformer.")
    weights = {
        "token_embedding.weight": box.take(f"{p}wte.weight", V, D),
        "position_embedding.weight": box.take(f"{p}wpe.weight", config.context, D),
        **pair(box, f"{p}ln_f", "final_norm", D),
    }
    for layer in range(config.num_layers):
        theirs, ours = f"{p}h.{layer}", f"blocks.{layer}"
        stacked = _transposed(box, f"{theirs}.attn.c_attn", D, 3 * D)
        for kind, value in stacked.items():
            for part, one in zip(("query", "key", "value"), value.chunk(3), strict=True):
                weights[f"{ours}.attention.{part}.{kind}"] = one.clone()
        for name, part, rows, columns in (
            ("attn.c_proj", "attention.output", D, D),
            ("mlp.c_fc", "mlp.up", D, M),
            ("mlp.c_proj", "mlp.down", M, D),
        ):
            for kind, value in _transposed(box, f"{theirs}.{name}", rows, columns).items():
                weights[f"{ours}.{part}.{kind}"] = value
        weights |= pair(box, f"{theirs}.ln_1", f"{ours}.attention_norm", D)
        weights |= pair(box, f"{theirs}.ln_2", f"{ours}.mlp_norm", D)
    return config, _output(box, "lm_head.weight", config, weights)


def llama(said: Said, box: Box) -> Read:
    """Llama (Touvron et al. 2023, arXiv:2302.13971), and what is built the same, such as SmolLM."""
    return _llama(said, box, said.size("max_position_embeddings", 2048))


def mistral(said: Said, box: Box) -> Read:
    """Mistral (Jiang et al. 2023, arXiv:2310.06825): a Llama whose tokens look back no further than
    a window. Texts are limited to the window here, where the two are the same."""
    context = said.size("max_position_embeddings", 4096 * 32)
    if said.about.get("sliding_window", 0) is not None:
        context = min(context, said.size("sliding_window", 4096))
    return _llama(said, box, context)


def _llama(said: Said, box: Box, context: int) -> Read:
    said.only("mlp_bias", False)
    said.only("attention_bias", False)
    D, H = said.size("hidden_size"), said.size("num_attention_heads")
    config = TransformerLMConfig(
        vocab_size=said.size("vocab_size"),
        context=context,
        hidden_size=D,
        num_layers=said.size("num_hidden_layers"),
        num_heads=H,
        num_kv_heads=said.size("num_key_value_heads", H),
        head_size=said.size("head_dim", max(1, D // H)),
        mlp_size=said.size("intermediate_size"),
        positions="rotary",
        rotary_base=_rotary_base(said),
        norm="rms",
        norm_eps=said.number("rms_norm_eps", 1e-6),
        activation=said.activation("hidden_act", "silu"),
        gated=True,
        bias=False,
        tied=_tied(said, box, "lm_head.weight"),
    )
    config.check()
    V, M, p = config.vocab_size, config.mlp_size, box.prefix("model.")
    Q, K = H * config.head_width, config.key_heads * config.head_width
    weights = {
        "token_embedding.weight": box.take(f"{p}embed_tokens.weight", V, D),
        "final_norm.weight": box.take(f"{p}norm.weight", D),
    }
    for layer in range(config.num_layers):
        for name, part, *shape in (
            ("self_attn.q_proj", "attention.query", Q, D),
            ("self_attn.k_proj", "attention.key", K, D),
            ("self_attn.v_proj", "attention.value", K, D),
            ("self_attn.o_proj", "attention.output", D, Q),
            ("mlp.gate_proj", "mlp.gate", M, D),
            ("mlp.up_proj", "mlp.up", M, D),
            ("mlp.down_proj", "mlp.down", D, M),
            ("input_layernorm", "attention_norm", D),
            ("post_attention_layernorm", "mlp_norm", D),
        ):
            value = box.take(f"{p}layers.{layer}.{name}.weight", *shape)
            weights[f"blocks.{layer}.{part}.weight"] = value
    return config, _output(box, "lm_head.weight", config, weights)


def _rotary_base(said: Said) -> float:
    """Of plain rotary positions, in the older and in the newer form of config.json."""
    said.only("partial_rotary_factor", 1.0)
    new, old = said.about.get("rope_parameters"), said.about.get("rope_scaling")
    for name, value in (("rope_parameters", new), ("rope_scaling", old)):
        if value is None:
            continue
        if not isinstance(value, dict):
            raise CheckpointError(f"config.json: {name} is {value!r:.80}, expected an object")
        kind = value.get("rope_type", value.get("type", "default"))
        if kind != "default":
            raise CheckpointError(
                f"config.json: {name} has the type {kind!r:.80}; supported are plain rotary "
                "positions, of the type 'default', alone"
            )
        Said(value).only("partial_rotary_factor", 1.0)
    source = new if new and "rope_theta" in new else said.about
    return Said(source).number("rope_theta", 10000.0)


def _tied(said: Said, box: Box, name: str) -> bool:
    """Whether the table of tokens is the output's too; where nothing is said, whether there is no
    other."""
    tied = said.about.get("tie_word_embeddings")
    if tied is not None and type(tied) is not bool:
        raise CheckpointError(f"config.json: tie_word_embeddings is {tied!r:.80}, expected a bool")
    return name not in box if tied is None else tied


def _output(
    box: Box, name: str, config: TransformerLMConfig, weights: dict[str, Tensor]
) -> dict[str, Tensor]:
    if config.tied:
        box.same(name, "the table of tokens", weights["token_embedding.weight"])
    else:
        weights["output.weight"] = box.take(name, config.vocab_size, config.hidden_size)
    return weights


def _transposed(box: Box, name: str, rows: int, columns: int) -> dict[str, Tensor]:
    """GPT-2 multiplies from the other side."""
    weight = box.take(f"{name}.weight", rows, columns)
    return {"weight": weight.T.contiguous(), "bias": box.take(f"{name}.bias", columns)}
