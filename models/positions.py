"""Positions: what tells attention, which sees a set, that the set is a sequence.

`learned` adds a row of a table to each token, `sinusoidal` adds a fixed one (Vaswani et al. 2017,
arXiv:1706.03762, section 3.5), and `rotary` adds nothing: it turns queries and keys by an angle
that grows with the position, so that their product depends on the distance alone (Su et al. 2021,
arXiv:2104.09864).
"""

import torch
from torch import Tensor

POSITIONS = ("learned", "sinusoidal", "rotary", "none")


def sinusoidal(count: int, width: int) -> Tensor:
    """The table (count, width): sines of falling frequency in the even columns, cosines in the odd.

    PE[p, 2i] = sin(p / 10000^(2i/width)), PE[p, 2i+1] = cos(p / 10000^(2i/width)).
    """
    frequency = 10000.0 ** -(torch.arange(0, width, 2, dtype=torch.float64) / width)
    angle = torch.arange(count, dtype=torch.float64)[:, None] * frequency  # (count, ceil(width/2))
    table = torch.empty(count, width, dtype=torch.float64)
    table[:, 0::2] = angle.sin()
    table[:, 1::2] = angle[:, : width // 2].cos()
    return table.float()


def rotary(positions: Tensor, head_size: int, base: float = 10000.0) -> tuple[Tensor, Tensor]:
    """Cosines and sines (T, head_size) of the angles that `rotate` turns by.

    Column i and column i + head_size/2 are turned together, by p * base^(-2i/head_size).
    """
    frequency = base ** -(torch.arange(0, head_size, 2, device=positions.device) / head_size)
    angle = positions[:, None].float() * frequency  # (T, head_size / 2)
    angle = torch.cat([angle, angle], dim=-1)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Turn queries or keys (B, H, T, head_size) by angles from `rotary`."""
    cos, sin = turn
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin
