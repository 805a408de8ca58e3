"""Adam as it is written down, without what `torch.optim` brings along.

Source: Kingma and Ba 2014 (arXiv:1412.6980), algorithm 1. The numbers are those of
`torch.optim.Adam`, whose first use imports some eight hundred modules: too much for a server that
trains a network of six hundred weights between two requests.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

BETAS = 0.9, 0.999  # how much of the two running means a step keeps
EPSILON = 1e-8


class Adam:
    """Steps of one size, scaled weight by weight by the mean and the spread of its gradients."""

    def __init__(self, parameters: Iterable[Tensor], lr: float):
        self.lr, self.steps = lr, 0
        self.slots = [(p, torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter, _, _ in self.slots:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every weight against its gradient."""
        self.steps += 1
        first, second = BETAS
        size = self.lr / (1 - first**self.steps)
        spread = math.sqrt(1 - second**self.steps)
        for parameter, mean, square in self.slots:
            mean.lerp_(parameter.grad, 1 - first)
            square.mul_(second).addcmul_(parameter.grad, parameter.grad, value=1 - second)
            parameter.addcdiv_(mean, (square.sqrt() / spread).add_(EPSILON), value=-size)
