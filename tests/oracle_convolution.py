"""The convolutional network in float64, by torch's own `Conv1d` padded on the left."""

import torch
from torch.nn import functional as F

from models.char_conv import CharConvConfig


def by_torch(
    config: CharConvConfig, weights: dict[str, torch.Tensor], tokens: list[int]
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Every point (T, units) and the logits (T, V)."""
    weights = {name: value.double() for name, value in weights.items()}
    D, K = config.hidden_size, config.kernel_size
    x = weights["embedding.weight"][tokens].T[None]  # (1, D, T)
    points = {}

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        size = (x.square().mean(1, keepdim=True) + config.norm_eps).sqrt()
        return x / size * weights[f"{name}.weight"][:, None]

    for layer in range(config.num_layers):
        name, made = f"blocks.{layer}", {}
        reach = (K - 1) * 2**layer
        read = F.pad(norm(x, f"{name}.norm"), (reach, 0))
        for part in ("gate", "candidate"):
            convolve = torch.nn.Conv1d(D, config.gate_size, K, dilation=2**layer).double()
            flat = weights[f"{name}.{part}.weight"]  # (H, K * D)
            convolve.weight.data = flat.unflatten(1, (K, D)).transpose(1, 2)
            convolve.bias.data = weights[f"{name}.{part}.bias"]
            made[part] = convolve(read)
        gate, candidate = made["gate"].sigmoid(), made["candidate"].tanh()
        back = torch.nn.Conv1d(config.gate_size, D, 1, bias=False).double()
        back.weight.data = weights[f"{name}.output.weight"][:, :, None]
        x = x + back(gate * candidate)
        for part, value in (("gate", gate), ("candidate", candidate), ("residual", x)):
            points[f"{name}.{part}"] = value[0].T.detach()
    out = weights["embedding.weight" if config.tied else "output.weight"]
    return points, (norm(x, "final_norm")[0].T @ out.T).detach()
