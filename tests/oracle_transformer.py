"""What a stack of transformer blocks computes, by the formulas and by `torch.nn`, in float64.

`by_hand` goes from the raw weights, one head and one query at a time; rotary positions are products
of complex numbers there. `as_torch` puts the same weights into `torch.nn`'s own layers. Nothing
here shares a line with `models`.
"""

import math

import torch
from torch import Tensor, nn

ACTIVATIONS = {
    "relu": lambda x: x * (x > 0),
    "gelu": lambda x: x * (1 + torch.erf(x / math.sqrt(2))) / 2,
    "gelu_tanh": lambda x: x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
    "silu": lambda x: x / (1 + torch.exp(-x)),
}


def by_hand(
    config: dict,
    weights: dict[str, Tensor],
    tokens: list[int],
    prefix: str = "",
    memory: Tensor | None = None,
) -> tuple[dict[str, Tensor], Tensor]:
    """Every point by name, without a batch axis, and the stream (T, D) after the last norm, for a
    config as it is stored and the tensors of a weights file. `memory` (S, D) is what `cross` looks
    at. The weights of each head are points too, `blocks.{l}.attention` (H, T, S)."""
    own = {key.removeprefix(prefix): value.double() for key, value in weights.items()
           if key.startswith(prefix)}  # fmt: skip
    stack = _Stack(config, own)
    points = {}
    x = stack.embed(tokens)
    points["embedding"] = x
    for number in range(config["num_layers"]):
        x = stack.block(x, f"blocks.{number}", memory, points)
    if config["final_norm"]:
        x = stack.norm(x, "final_norm")
    return {f"{prefix}{name}": value for name, value in points.items()}, x


class _Stack:
    def __init__(self, config: dict, weights: dict[str, Tensor]):
        self.config, self.weights = config, weights

    def embed(self, tokens: list[int]) -> Tensor:
        config, D = self.config, self.config["hidden_size"]
        x = self.weights["token_embedding.weight"][tokens] * config["embedding_scale"]
        for t in range(len(tokens)):
            if config["positions"] == "learned":
                x[t] += self.weights["position_embedding.weight"][t]
            if config["positions"] == "sinusoidal":
                for column in range(D):
                    angle = t / 10000 ** (2 * (column // 2) / D)
                    x[t, column] += math.cos(angle) if column % 2 else math.sin(angle)
        return self.norm(x, "embedding_norm") if config["embedding_norm"] else x

    def block(self, x: Tensor, name: str, memory: Tensor | None, points: dict) -> Tensor:
        own = lambda y: self.attention(y, y, f"{name}.attention", name, points)
        x = self.part(x, f"{name}.attention_norm", points, f"{name}|attended", own)
        points[f"{name}.middle"] = x
        if self.config["cross"]:
            cross = f"{name}.cross"
            other = lambda y: self.attention(y, memory, cross, cross, points, own_text=False)
            x = self.part(x, f"{name}.cross_norm", points, f"{cross}|attended", other)
            points[f"{cross}.middle"] = x
        mlp = lambda y: self.mlp(y, f"{name}.mlp", points)
        x = self.part(x, f"{name}.mlp_norm", points, f"{name}.mlp|", mlp)
        points[f"{name}.residual"] = x
        return x

    def norm(self, x: Tensor, name: str) -> Tensor:
        gain, eps = self.weights[f"{name}.weight"], self.config["norm_eps"]
        if self.config["norm"] == "rms":
            return x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * gain
        x = x - x.mean(-1, keepdim=True)
        x = x / (x.square().mean(-1, keepdim=True) + eps).sqrt()
        return x * gain + self.weights[f"{name}.bias"]

    def part(self, x: Tensor, norm: str, points: dict, names: str, part) -> Tensor:
        name, added = names.split("|")
        added = f"{name}.{added}" if added else name
        points[f"{name}.read"] = self.norm(x, norm) if self.config["norm_first"] else x
        points[added] = part(points[f"{name}.read"])
        x = x + points[added]
        return x if self.config["norm_first"] else self.norm(x, norm)

    def linear(self, x: Tensor, name: str) -> Tensor:
        y = x @ self.weights[f"{name}.weight"].T
        return y + self.weights[f"{name}.bias"] if self.config["bias"] else y

    def mlp(self, x: Tensor, name: str, points: dict) -> Tensor:
        act = ACTIVATIONS[self.config["activation"]]
        hidden = self.linear(x, f"{name}.up")
        if self.config["gated"]:
            hidden = act(self.linear(x, f"{name}.gate")) * hidden
        else:
            hidden = act(hidden)
        points[f"{name}.hidden"] = hidden
        return self.linear(hidden, f"{name}.down")

    def attention(
        self, x: Tensor, y: Tensor, name: str, point: str, points: dict, own_text: bool = True
    ) -> Tensor:
        """Queries of x (T, D) look at keys and values of y (S, D)."""
        H = self.config["num_heads"]
        G = self.config["num_kv_heads"] or H
        q, k, v = (
            torch.stack(self.linear(of, f"{name}.{part}").chunk(n, dim=-1))
            for of, part, n in ((x, "query", H), (y, "key", G), (y, "value", G))
        )  # (H, T, d), (G, S, d) twice
        if own_text and self.config["positions"] == "rotary":
            q, k = self._turn(q), self._turn(k)
        (_, T, d), S = q.shape, len(y)
        weights = torch.zeros(H, T, S, dtype=torch.float64)
        z = torch.zeros(H, T, v.shape[-1], dtype=torch.float64)
        for head in range(H):
            group = head // (H // G)
            for t in range(T):
                last = t + 1 if own_text and self.config["causal"] else S
                share = torch.exp(k[group, :last] @ q[head, t] / math.sqrt(d))
                weights[head, t, :last] = share / share.sum()
                z[head, t] = sum(weights[head, t, s] * v[group, s] for s in range(last))
        points |= {f"{point}.q": q, f"{point}.k": k, f"{point}.v": v, f"{point}.heads": z,
                   f"{point}.attention": weights}  # fmt: skip
        return self.linear(torch.cat(list(z), dim=-1), f"{name}.output")

    def _turn(self, x: Tensor) -> Tensor:
        """Columns i and i + d/2 of row p as one complex number, times e^(i p base^(-2i/d))."""
        _, T, d = x.shape
        pairs = torch.complex(x[..., : d // 2], x[..., d // 2 :])
        for p in range(T):
            for i in range(d // 2):
                angle = p * self.config["rotary_base"] ** (-2 * i / d)
                pairs[:, p, i] *= complex(math.cos(angle), math.sin(angle))
        return torch.cat([pairs.real, pairs.imag], dim=-1)


def torch_attention(weights: dict[str, Tensor], name: str, heads: int) -> nn.MultiheadAttention:
    """`torch.nn`'s attention with the weights of one of ours."""
    D = weights[f"{name}.query.weight"].shape[1]
    built = nn.MultiheadAttention(D, heads, batch_first=True, dtype=torch.float64)
    built.load_state_dict(_attention(weights, name))
    return built.eval()


def as_torch(config: dict, weights: dict[str, Tensor]) -> nn.Module:
    """`torch.nn.TransformerEncoder`, or `TransformerDecoder` where the config looks across, with
    these weights. For LayerNorm, biases, no gate and no rotary positions."""
    kind = "Decoder" if config["cross"] else "Encoder"
    layer = getattr(nn, f"Transformer{kind}Layer")(
        config["hidden_size"],
        config["num_heads"],
        config["mlp_size"],
        dropout=0.0,
        activation=config["activation"],
        layer_norm_eps=config["norm_eps"],
        batch_first=True,
        norm_first=config["norm_first"],
        dtype=torch.float64,
    )
    norm = None
    if config["final_norm"]:
        norm = nn.LayerNorm(config["hidden_size"], config["norm_eps"], dtype=torch.float64)
        norm.load_state_dict(_pair(weights, "final_norm", ""))
    options = {} if config["cross"] else {"enable_nested_tensor": False}
    built = getattr(nn, f"Transformer{kind}")(layer, config["num_layers"], norm, **options)
    for number, own in enumerate(built.layers):
        own.load_state_dict(layer_weights(weights, f"blocks.{number}", config["cross"]))
    return built.eval()


def layer_weights(weights: dict[str, Tensor], name: str, cross: bool) -> dict[str, Tensor]:
    """One block's tensors under the names of `torch.nn`'s layer."""
    norms = ["attention_norm", *(["cross_norm"] if cross else []), "mlp_norm"]
    parts = {"self_attn": "attention", **({"multihead_attn": "cross"} if cross else {})}
    made = {}
    for theirs, ours in parts.items():
        own = _attention(weights, f"{name}.{ours}")
        made |= {f"{theirs}.{key}": value for key, value in own.items()}
    for number, ours in enumerate(norms, 1):
        made |= _pair(weights, f"{name}.{ours}", f"norm{number}.")
    made |= _pair(weights, f"{name}.mlp.up", "linear1.")
    return made | _pair(weights, f"{name}.mlp.down", "linear2.")


def _pair(weights: dict[str, Tensor], ours: str, theirs: str) -> dict[str, Tensor]:
    return {f"{theirs}{part}": weights[f"{ours}.{part}"].double() for part in ("weight", "bias")}


def _attention(weights: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    stacked = {
        f"in_proj_{part}": torch.cat(
            [weights[f"{name}.{map}.{part}"] for map in ("query", "key", "value")]
        ).double()
        for part in ("weight", "bias")
    }
    return stacked | _pair(weights, f"{name}.output", "out_proj.")
