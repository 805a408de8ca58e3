"""The transformer: attention in many heads, a stack of blocks, and what there is to see in it.

Source: Vaswani et al. 2017 (arXiv:1706.03762). One stack serves the families that people know, by
its configuration alone: norm after each part (the original, BERT) or before it (GPT-2, Llama),
LayerNorm or RMSNorm, learned, sinusoidal or rotary positions, a plain or a gated feed-forward part,
fewer keys and values than queries (grouped heads; Ainslie et al. 2023, arXiv:2305.13245).

It differs from `torch.nn.TransformerEncoder` in what it tells: each part has a name, queries, keys
and values are weights of their own, and a pass hands what is asked for to its `record`. The pass
itself stays on torch's fused attention, which never makes the matrix of weights; `attention_of`
makes the rows that somebody looks at from the queries and keys that were recorded.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.checkpoint import CheckpointError, check_choice, check_sizes
from models.positions import POSITIONS, rotary, rotate, sinusoidal

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
}
NORMS: dict[str, type[nn.Module]] = {"layer": nn.LayerNorm, "rms": nn.RMSNorm}
# Takes the name of a point and its value; most are dropped by it.
Record = Callable[[str, Tensor], None]


@dataclass(frozen=True)
class TransformerConfig:
    """Everything that fixes the shapes and the formulas of one stack."""

    vocab_size: int
    context: int  # tokens that can be read at once
    hidden_size: int  # of the residual stream
    num_layers: int
    num_heads: int
    mlp_size: int
    num_kv_heads: int = 0  # heads of keys and values; 0: as many as there are queries
    head_size: int = 0  # 0: hidden_size / num_heads
    causal: bool = True  # a position sees itself and those before it
    cross: bool = False  # each block also looks at another stack's output
    positions: str = "learned"
    rotary_base: float = 10000.0
    norm: str = "layer"
    norm_eps: float = 1e-5
    norm_first: bool = True  # before each part; False: after it is added, as in the original
    embedding_norm: bool = False
    embedding_scale: float = 1.0  # tokens are multiplied by it; sqrt(hidden_size) in the original
    final_norm: bool = True
    activation: str = "gelu"
    gated: bool = False  # mlp = down(up(x) * activation(gate(x))); Shazeer 2020, arXiv:2002.05202
    bias: bool = True  # of the linear maps
    dropout: float = 0.0  # while training only

    @property
    def key_heads(self) -> int:
        """Heads of keys and values."""
        return self.num_kv_heads or self.num_heads

    @property
    def head_width(self) -> int:
        """Numbers of a query, key or value."""
        return self.head_size or self.hidden_size // self.num_heads

    def check(self) -> None:
        """Refuse what no checkpoint of this kind has, before memory is taken for it."""
        check_choice(self, "positions", POSITIONS)
        check_choice(self, "norm", NORMS)
        check_choice(self, "activation", ACTIVATIONS)
        check_sizes(
            self,
            {
                "vocab_size": (1, 1 << 20),
                "context": (1, 1 << 20),
                "hidden_size": (1, 16384),
                "num_layers": (1, 256),
                "num_heads": (1, 256),
                "num_kv_heads": (0, 256),
                "head_size": (0, 1024),
                "mlp_size": (1, 65536),
            },
        )
        for name in ("norm_eps", "rotary_base", "embedding_scale"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 < value < 1e9:
                raise CheckpointError(f"{name} is {value!r}, expected a number between 0 and 1e9")
        for name in ("causal", "cross", "norm_first", "embedding_norm", "final_norm", "gated",
                     "bias"):  # fmt: skip
            if type(getattr(self, name)) is not bool:
                raise CheckpointError(f"{name} is {getattr(self, name)!r}, expected true or false")
        if not self.head_size and self.hidden_size % self.num_heads:
            raise CheckpointError(
                f"hidden_size {self.hidden_size} is no multiple of num_heads {self.num_heads}"
            )
        if self.num_heads % self.key_heads:
            raise CheckpointError(
                f"num_heads {self.num_heads} is no multiple of num_kv_heads {self.num_kv_heads}"
            )
        if self.positions == "rotary" and self.head_width % 2:
            raise CheckpointError(f"rotary positions need even heads, found {self.head_width}")

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return asdict(self)


def scores_of(q: Tensor, k: Tensor, mask: Tensor | None = None) -> Tensor:
    """q (..., T, d), k (..., S, d) -> q k^T / sqrt(d), (..., T, S); -inf where `mask` is False."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    return scores if mask is None else scores.masked_fill(~mask, -math.inf)


def attention_of(q: Tensor, k: Tensor, mask: Tensor | None = None) -> Tensor:
    """The weights, softmax(q k^T / sqrt(d)), (..., T, S). A row that may look nowhere is zero."""
    weights = scores_of(q, k, mask).softmax(-1)
    if mask is None:
        return weights
    return weights.masked_fill(~mask.any(-1, keepdim=True), 0.0)


def attend(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, causal: bool = False
) -> Tensor:
    """The fused form of `attention_of(q, k, mask) @ v`: (B, H, T, d), (B, G, S, d) twice ->
    (B, H, T, d), where H is a multiple of G. `mask` (B, 1 or H, T, S) is True where a query may
    look; `causal` stands for the lower triangle, and then there is no mask."""
    grouped = q.shape[1] != k.shape[1]
    return F.scaled_dot_product_attention(q, k, v, mask, is_causal=causal, enable_gqa=grouped)


class Cache:
    """Keys and values that were computed for earlier tokens of a text, by the attention's name."""

    def __init__(self):
        self._kept: dict[str, tuple[Tensor, Tensor]] = {}
        self.length = 0  # tokens read so far

    def extend(self, name: str, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, G, T, d) of new tokens -> those of all tokens so far."""
        if name in self._kept:
            k, v = (torch.cat(pair, dim=2) for pair in zip(self._kept[name], (k, v), strict=True))
        self._kept[name] = k, v
        return k, v

    def once(self, name: str, make: Callable[[], tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        """Keys and values that stay the same for all steps: of the text that is looked at."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    def take(self, rows: Tensor) -> "Cache":
        """The cache of some rows, or of one row several times."""
        other = Cache()
        other.length = self.length
        other._kept = {name: (k[rows], v[rows]) for name, (k, v) in self._kept.items()}
        return other


def drop_all(name: str, value: Tensor) -> None:
    """The record of a pass that nobody looks into."""


@dataclass(frozen=True)
class Pass:
    """What all layers of one pass share. A mask is True where a query may look."""

    mask: Tensor | None = None  # (B or 1, 1 or H, T, S) of the stack's own tokens
    causal: bool = False  # stands for the lower triangle; then there is no mask
    turn: tuple[Tensor, Tensor] | None = None  # angles of rotary positions
    memory: Tensor | None = None  # (B, S, hidden_size of the other stack)
    memory_mask: Tensor | None = None  # (B, 1, 1, S)
    cache: Cache | None = None
    record: Record = drop_all
    heads_off: dict[str, frozenset[int]] = field(default_factory=dict)  # by the attention's name


NOBODY = Pass()  # looks


class MultiHead(nn.Module):
    """Attention in several heads: each has queries, keys and values of its own.

    head_i = softmax(q_i k_i^T / sqrt(d)) v_i, and the output is a linear map of all heads side by
    side. `torch.nn.MultiheadAttention` holds the three maps stacked as `in_proj_weight`.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        D, d = config.hidden_size, config.head_width
        self.heads, self.key_heads, self.d = config.num_heads, config.key_heads, d
        self.query = nn.Linear(D, self.heads * d, config.bias)
        self.key = nn.Linear(D, self.key_heads * d, config.bias)
        self.value = nn.Linear(D, self.key_heads * d, config.bias)
        self.output = nn.Linear(self.heads * d, D, config.bias)

    def forward(self, x: Tensor, name: str, run: Pass, across: bool = False) -> Tensor:
        """x (B, T, D) -> (B, T, D). `across`: keys and values come from `run.memory`."""
        q = self._split(self.query(x), self.heads)
        if across:
            k, v = self._across(name, run)
            z = attend(q, k, v, run.memory_mask)
        else:
            k, v = (self._split(part(x), self.key_heads) for part in (self.key, self.value))
            if run.turn is not None:
                q, k = rotate(q, run.turn), rotate(k, run.turn)
            if run.cache is not None:
                k, v = run.cache.extend(name, k, v)
            z = attend(q, k, v, run.mask, run.causal)
        off = run.heads_off.get(name)
        if off:
            keep = [head not in off for head in range(self.heads)]
            z = z * torch.tensor(keep, dtype=z.dtype, device=z.device)[:, None, None]
        for letter, value in (("q", q), ("k", k), ("v", v), ("heads", z)):
            run.record(f"{name}.{letter}", value)
        return self.output(z.transpose(1, 2).flatten(2))  # (B, T, H * d) -> (B, T, D)

    def _across(self, name: str, run: Pass) -> tuple[Tensor, Tensor]:
        def make() -> tuple[Tensor, Tensor]:
            parts = (self.key(run.memory), self.value(run.memory))
            k, v = (self._split(part, self.key_heads) for part in parts)
            return k, v

        return make() if run.cache is None else run.cache.once(name, make)

    def _split(self, x: Tensor, heads: int) -> Tensor:
        return x.unflatten(-1, (heads, self.d)).transpose(1, 2)  # (B, T, H * d) -> (B, H, T, d)


class MLP(nn.Module):
    """The feed-forward part, the same at every position."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        D, M = config.hidden_size, config.mlp_size
        self.activation = ACTIVATIONS[config.activation]
        self.up = nn.Linear(D, M, config.bias)
        self.gate = nn.Linear(D, M, config.bias) if config.gated else None
        self.down = nn.Linear(M, D, config.bias)

    def forward(self, x: Tensor, name: str = "", run: Pass = NOBODY) -> Tensor:
        """(..., D) -> (..., D)."""
        if self.gate is None:
            hidden = self.activation(self.up(x))
        else:
            hidden = self.up(x) * self.activation(self.gate(x))
        run.record(f"{name}.hidden", hidden)
        return self.down(hidden)


class Block(nn.Module):
    """One layer: look around, look across where there is another text, think."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.norm_first = config.norm_first
        make = NORMS[config.norm]
        self.attention = MultiHead(config)
        self.attention_norm = make(config.hidden_size, config.norm_eps)
        self.cross = MultiHead(config) if config.cross else None
        self.cross_norm = make(config.hidden_size, config.norm_eps) if config.cross else None
        self.mlp = MLP(config)
        self.mlp_norm = make(config.hidden_size, config.norm_eps)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, name: str, run: Pass) -> Tensor:
        """The residual stream (B, T, D) before the block -> after it."""
        x = self._add(x, self.attention_norm, name, "attended", run,
                      lambda y: self.attention(y, name, run))  # fmt: skip
        run.record(f"{name}.middle", x)
        if self.cross is not None:
            cross = f"{name}.cross"
            x = self._add(x, self.cross_norm, cross, "attended", run,
                          lambda y: self.cross(y, cross, run, across=True))  # fmt: skip
            run.record(f"{cross}.middle", x)
        mlp = f"{name}.mlp"
        x = self._add(x, self.mlp_norm, mlp, "", run, lambda y: self.mlp(y, mlp, run))
        run.record(f"{name}.residual", x)
        return x

    def _add(self, x: Tensor, norm: nn.Module, name: str, added: str, run: Pass, part) -> Tensor:
        """x + part(norm(x)), or norm(x + part(x)); what the part reads and adds is recorded."""
        read = norm(x) if self.norm_first else x
        run.record(f"{name}.read", read)
        add = part(read)
        run.record(f"{name}.{added}".rstrip("."), add)
        x = x + self.drop(add)
        return x if self.norm_first else norm(x)


class Transformer(nn.Module):
    """Embeddings and a stack of blocks. `forward` maps tokens (B, T) to the stream (B, T, D)."""

    def __init__(self, config: TransformerConfig, prefix: str = ""):
        super().__init__()
        self.config, self.prefix = config, prefix  # of its points' names, such as `encoder.`
        D = config.hidden_size
        self.token_embedding = nn.Embedding(config.vocab_size, D)
        learned = config.positions == "learned"
        self.position_embedding = nn.Embedding(config.context, D) if learned else None
        make = NORMS[config.norm]
        self.embedding_norm = make(D, config.norm_eps) if config.embedding_norm else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.final_norm = make(D, config.norm_eps) if config.final_norm else None
        self.drop = nn.Dropout(config.dropout)

    def forward(
        self,
        tokens: Tensor,
        real: Tensor | None = None,
        positions: Tensor | None = None,
        allowed: Tensor | None = None,
        **shared,
    ) -> Tensor:
        """tokens (B, T) -> the stream after the last norm, (B, T, D).

        `real` (B, T) is False at padding, which nobody looks at; `positions` (T,) are 0..T-1 unless
        told, and -1 stands for "no position"; `allowed` (T, T) takes more away from what a query
        may look at; `shared` goes to `Pass`: memory, memory_mask, cache, record, heads_off.
        """
        config, cache = self.config, shared.get("cache")
        B, T = tokens.shape
        before = 0 if cache is None else cache.length
        if positions is None:
            positions = torch.arange(before, before + T, device=tokens.device)
        mask = self._mask(T, before, real, allowed, tokens.device)
        causal = config.causal and mask is None and T > 1
        turn = None
        if config.positions == "rotary":
            turn = rotary(positions.clamp(min=0), config.head_width, config.rotary_base)
        run = Pass(mask=mask, causal=causal, turn=turn, **shared)
        x = self.embed(tokens, positions)
        run.record(f"{self.prefix}embedding", x)
        for number, block in enumerate(self.blocks):
            x = block(x, f"{self.prefix}blocks.{number}", run)
        if cache is not None:
            cache.length = before + T
        return x if self.final_norm is None else self.final_norm(x)

    def embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Tokens (B, T) at positions (T,) -> the stream before the first block, (B, T, D)."""
        config = self.config
        x = self.token_embedding(tokens) * config.embedding_scale
        if config.positions in ("learned", "sinusoidal"):
            x = x + self.position_table(positions) * (positions >= 0)[:, None]
        if self.embedding_norm is not None:
            x = self.embedding_norm(x)
        return self.drop(x)

    def position_table(self, positions: Tensor) -> Tensor:
        """What is added to tokens at these positions (T,): (T, D)."""
        at = positions.clamp(min=0)
        if self.position_embedding is not None:
            return self.position_embedding(at)
        weight = self.token_embedding.weight
        table = sinusoidal(int(at.max()) + 1, self.config.hidden_size)
        return table.to(weight.device, weight.dtype)[at]

    def _mask(
        self, T: int, before: int, real: Tensor | None, allowed: Tensor | None, device
    ) -> Tensor | None:
        """Where queries (the last T tokens) may look among all tokens so far; None where the fused
        form needs no telling: everywhere, or the plain lower triangle."""
        plain = real is None and allowed is None
        if plain and (not self.config.causal or before == 0 or T == 1):
            return None
        S = before + T
        mask = torch.ones(T, S, dtype=torch.bool, device=device)
        if self.config.causal:
            mask = mask.tril(before)
        mask = mask[None, None]  # (1, 1, T, S)
        if allowed is not None:
            mask = mask & allowed[None, None]
        if real is not None:
            mask = mask & real[:, None, None, :]
        return mask

    @torch.no_grad()
    def initialize(self, generator: torch.Generator) -> "Transformer":
        """Seeded start (Radford et al. 2019): weights of std 0.02, those that write to the stream
        smaller by sqrt(2 * layers), zero biases."""
        small = 0.02 / math.sqrt(2 * self.config.num_layers)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.dim() == 2:
                writes = name.endswith((".output.weight", ".down.weight"))
                nn.init.normal_(parameter, std=small if writes else 0.02, generator=generator)
        return self
