"""Tiny stacks of blocks, one of each family, with weights of a seed."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from models.transformer import Transformer, TransformerConfig

SIZES = {"vocab_size": 13, "context": 16, "hidden_size": 12, "num_layers": 2, "mlp_size": 20}
STACKS = {
    "original": TransformerConfig(
        **SIZES, num_heads=3, causal=False, positions="sinusoidal", norm_first=False,
        embedding_scale=12**0.5, final_norm=False, activation="relu"
    ),
    "bert": TransformerConfig(
        **SIZES, num_heads=2, causal=False, norm_first=False, norm_eps=1e-12,
        embedding_norm=True, final_norm=False
    ),
    "gpt": TransformerConfig(**SIZES, num_heads=4, activation="gelu_tanh"),
    "llama": TransformerConfig(
        **SIZES, num_heads=4, num_kv_heads=2, head_size=6, positions="rotary", rotary_base=500.0,
        norm="rms", norm_eps=1e-6, activation="silu", gated=True, bias=False
    ),
    "unplaced": TransformerConfig(**SIZES, num_heads=3, causal=False, positions="none"),
    "across": TransformerConfig(**SIZES, num_heads=3, num_kv_heads=1, cross=True),
}  # fmt: skip


def lively(network: nn.Module, seed: int = 0, spread: float = 0.5) -> nn.Module:
    """Weights, gains and biases that differ, so that no mistake cancels."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            around = 1.0 if name.endswith("norm.weight") else 0.0
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(around + spread * noise)
    return network.eval().requires_grad_(False)


def stack(name: str, seed: int = 0, **changes) -> Transformer:
    """One of STACKS, with changes to its config."""
    return lively(Transformer(replace(STACKS[name], **changes)), seed)


def across(name: str, B: int, S: int = 5) -> dict:
    """What a stack looks at beside its own text, where it does."""
    memory = drawn(B, S, 12, seed=3, dtype=torch.float32)
    return {"memory": memory} if STACKS[name].cross else {}


def numbers(size: int, *shape: int, seed: int = 0) -> Tensor:
    """Token numbers."""
    return torch.randint(size, shape, generator=torch.Generator().manual_seed(seed))


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Numbers of a normal distribution."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def recorded(network: nn.Module, tokens: Tensor, **options) -> tuple[dict[str, Tensor], Tensor]:
    """Every point of a pass by name, in the order of the pass, and the stream it ends with."""
    points: dict[str, Tensor] = {}
    stream = network(tokens, record=points.__setitem__, **options)
    return points, stream
