"""Muon: momentum whose step is made orthogonal, for the matrices inside a network.

Source: Jordan et al. 2024 ("Muon: an optimizer for hidden layers in neural networks"). Each matrix
moves by the nearest (half-)orthogonal matrix to its momentum, found by five steps of a
Newton-Schulz iteration with their coefficients; everything else (tables, gains, biases) moves by
Adam. torch's own form makes the products in bfloat16, which a processor without them makes slowly,
and one matrix at a time; here matrices of one shape go together, in float32.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
STEPS = 5


def orthogonal(matrices: Tensor) -> Tensor:
    """(..., m, n) -> about the nearest matrices whose singular values are all 1.

    Theirs lie between 0.68 and 1.21; those that were below 0.0015 of the matrix's norm are raised
    only about 480 times.
    """
    wide = matrices.shape[-2] <= matrices.shape[-1]
    x = matrices if wide else matrices.transpose(-2, -1)
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(STEPS):
        gram = x @ x.transpose(-2, -1)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if wide else x.transpose(-2, -1)


def is_hidden(name: str, parameter: Tensor) -> bool:
    """Whether a parameter is a matrix inside the network: no table of tokens, no way out."""
    return parameter.dim() == 2 and "embedding" not in name and not name.startswith("output")


class Muon(Optimizer):
    """Two groups: `matrices` by Muon, the rest by Adam at `ratio` of its learning rate.

    A matrix (m, n) moves by lr * sqrt(max(1, m / n)) along an orthogonal one.
    """

    def __init__(
        self,
        network: nn.Module,
        lr: float = 0.02,
        ratio: float = 0.2,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.98),
        weight_decay: float = 0.0,
    ):
        named = list(network.named_parameters())
        matrices = [p for name, p in named if is_hidden(name, p)]
        rest = [p for name, p in named if not is_hidden(name, p)]
        self.momentum, self.betas, self.decay = momentum, betas, weight_decay
        groups = [{"params": matrices, "ratio": 1.0}, {"params": rest, "ratio": ratio}]
        super().__init__(groups, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None) -> None:
        """Move every parameter that has a gradient."""
        hidden, rest = self.param_groups
        self._orthogonal([p for p in hidden["params"] if p.grad is not None], hidden["lr"])
        self._adam([p for p in rest["params"] if p.grad is not None], rest["lr"] * rest["ratio"])

    def _orthogonal(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        by_shape: dict[tuple, list[nn.Parameter]] = {}
        for p in parameters:
            by_shape.setdefault(tuple(p.shape), []).append(p)
        for (m, n), same in by_shape.items():
            moving = []
            for p in same:
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                state["momentum"].lerp_(p.grad, 1 - self.momentum)
                moving.append(p.grad.lerp(state["momentum"], self.momentum))  # Nesterov's
            steps = orthogonal(torch.stack(moving)) * max(1.0, m / n) ** 0.5
            for p, step in zip(same, steps, strict=True):
                p.mul_(1 - lr * self.decay).sub_(lr * step)

    def _adam(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        first, second = self.betas
        for p in parameters:
            state = self.state[p]
            if not state:
                state |= {"step": torch.zeros(()), "mean": torch.zeros_like(p),
                          "square": torch.zeros_like(p)}  # fmt: skip
            state["step"] += 1
            t = float(state["step"])
            state["mean"].lerp_(p.grad, 1 - first)
            state["square"].lerp_(p.grad.square(), 1 - second)
            scale = (state["square"] / (1 - second**t)).sqrt_().add_(1e-8)
            p.sub_(lr / (1 - first**t) * state["mean"] / scale)
