"""Products of a few rows with a fixed weight, as steps make them.

At batch 1 a product costs what it takes to read the weight. The kernels read it packed, as float16
where it is stored so, which takes a fraction of what `F.linear` takes; and they give each row the
same bits whatever rows stand beside it, so that a path of a beam search is the same text as that
text alone.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models import kernels

ROWS = 64  # from here on torch's matrix product is as good


class Products:
    """`F.linear` for weights that do not change; packs each one when it is first met.

    Falls back to `F.linear` off the CPU, for many rows, and until the kernels are compiled.
    """

    def __init__(self):
        self._packed: dict[tuple, tuple[kernels.Packed, np.ndarray, Tensor]] = {}

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """x (B, K), weight (N, K), bias (N) -> (B, N)."""
        if x.dim() != 2 or len(x) > ROWS or x.device.type != "cpu" or not kernels.ready():
            return F.linear(x, weight, bias)
        # A view of a weight is a new tensor at every call; where it lies in memory is not.
        key = (weight.data_ptr(), *weight.shape, None if bias is None else bias.data_ptr())
        if key not in self._packed:
            self._packed[key] = self._pack(weight, bias)
        packed, start, _ = self._packed[key]
        out = np.empty((len(x), packed.N), np.float32)
        kernels.project(packed, start, x.contiguous().numpy(), 0, out)
        return torch.from_numpy(out)[:, : len(weight)]

    @staticmethod
    def _pack(weight: Tensor, bias: Tensor | None):
        plain = weight.detach().float().contiguous().numpy()
        packed = kernels.pack(plain, kernels.is_half(plain))
        start = np.zeros(packed.N, np.float32)
        if bias is not None:
            start[: len(weight)] = bias.detach().numpy()
        return packed, start, weight  # held, so that its place in memory stays its own
