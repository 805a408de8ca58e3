"""Generation: one step of a convolutional stack for many texts at once, on the CPU in float32.

A layer looks at places that are `dilation` apart, so what it has read is kept in a ring of the last
(kernel_size - 1) * dilation vectors: the place that is written next holds the oldest one, which is
read just before. A row of `state` is the rings of all layers side by side, behind the place where
they are; a text begins with zeros, which is what a whole pass sees before its first character.

The numbers of a row are bitwise the same whatever the batch and whatever the other rows hold, as
in `stepper`: the kernels have this from the order of their sums, and the torch road, which serves
until they are compiled, takes each row alone.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models import kernels
from models.stepper import check_there, one_a_slot

HALF = np.float32(0.5)


class Product:
    """x (B, K) -> x W^T + b, (B, N), each row as if it were alone. `capacity` rows at most."""

    def __init__(self, weight: Tensor, bias: Tensor | None, capacity: int):
        self.weight = weight.detach().float().contiguous()
        self.bias = None if bias is None else bias.detach().float()
        self.capacity, self.N = capacity, len(weight)
        self._packed: kernels.Packed | None = None

    def _pack(self) -> None:
        weight = self.weight.numpy()
        self._packed = kernels.pack(weight, kernels.is_half(weight))
        self._bias = np.zeros(self._packed.N, np.float32)
        if self.bias is not None:
            self._bias[: self.N] = self.bias.numpy()
        self._out = np.empty((self.capacity, self._packed.N), np.float32)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """May be overwritten by the next call."""
        if not kernels.ready():
            rows = [F.linear(torch.tensor(row), self.weight, self.bias) for row in x]
            return torch.stack(rows).numpy()
        if self._packed is None:
            self._pack()
        out = self._out[: len(x)]
        kernels.project(self._packed, self._bias, x, 0, out)
        return out[:, : self.N]


class Norm:
    """RMSNorm of each row (B, D)."""

    def __init__(self, norm):
        self.weight = norm.weight.detach().float().numpy()
        self.share, self.eps = np.float32(1 / len(self.weight)), np.float32(norm.eps)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        square = self.share * np.add.reduce(x * x, axis=1, keepdims=True)
        return x / np.sqrt(square + self.eps) * self.weight


class Layer:
    """The weights of one block, and where its ring lies in a row of the state.

    The logistic function is 1/2 + tanh(x / 2) / 2: the gate's weights are halved here, which loses
    nothing, so that one tanh serves the gate and the candidate.
    """

    def __init__(self, block, start: int, capacity: int):
        D = len(block.norm.weight)
        self.norm = Norm(block.norm)
        self.seen = Product(
            torch.cat([block.gate.weight / 2, block.candidate.weight]),
            torch.cat([block.gate.bias / 2, block.candidate.bias]),
            capacity,
        )
        self.output = Product(block.output.weight, None, capacity)
        self.H = len(block.gate.weight)
        self.length = (block.kernel_size - 1) * block.dilation  # vectors of the ring
        self.back = block.dilation * np.arange(block.kernel_size - 1, 0, -1)  # the earliest first
        self.columns = slice(start, start + self.length * D)


class ConvolutionStepper:
    """One step for many rows of a `char_conv.CharConv`. Not to be shared between threads.

    `capacity` is the number of slots. `state` (capacity, 1 + kept * D) may be read and written
    between steps: a copied row is all there is to know about a text. Its first column is the place
    in the longest ring. `layout` names the columns of a capture: (point, start, stop).
    """

    def __init__(self, network, capacity: int):
        config = network.config
        D = config.hidden_size
        self.vocab_size, self.kernel_size = config.vocab_size, config.kernel_size
        self.state = np.zeros((capacity, 1 + (config.receptive_field - 1) * D), np.float32)
        self.layers, self.layout = [], []
        ring = column = 0
        for number, block in enumerate(network.blocks):
            layer = Layer(block, 1 + ring, capacity)
            self.layers.append(layer)
            ring += layer.length * D
            for name, size in (("gate", layer.H), ("candidate", layer.H), ("residual", D)):
                self.layout.append((f"blocks.{number}.{name}", column, column + size))
                column += size
        self.width = column
        self.period = self.layers[-1].length  # every ring fits into it a whole number of times
        self._table = network.embedding.weight.detach().float().numpy()
        self._norm = Norm(network.final_norm)
        self._output = Product(network.output_weight, None, capacity)
        self._rings = [
            self.state[:, layer.columns].reshape(capacity, layer.length, D) for layer in self.layers
        ]  # views
        self._seen = np.empty((capacity, self.kernel_size, D), np.float32)
        self._capture = np.empty((capacity, self.width), np.float32)

    def reset(self, slot: int) -> None:
        """Put a slot back to the state before any text: zeros."""
        self.state[slot] = 0.0

    def step(self, slots: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read one token a slot: int64 (B,), int64 (B,) -> captures (B, width), logits (B, V).

        Advances `state` in place. What is returned may be overwritten by the next call. Slots
        must be distinct. Raises IndexError for a slot or a token that there is not, and
        ValueError for more rows than slots, or none.
        """
        slots, tokens = one_a_slot(slots, tokens, len(self.state))
        B = len(slots)
        check_there(slots, len(self.state), tokens, self.vocab_size)
        at = self.state[slots, 0].astype(np.int64)  # exact: small whole numbers
        rows, ago = slots[:, None], at[:, None]
        x, capture, first = self._table[tokens], self._capture[:B], 0  # (B, D)
        for layer, ring in zip(self.layers, self._rings, strict=True):
            H, seen = layer.H, self._seen[:B]  # (B, K, D)
            seen[:, :-1] = ring[rows, (ago - layer.back) % layer.length]
            seen[:, -1] = ring[slots, at % layer.length] = layer.norm(x)
            found = capture[:, first : first + 2 * H]  # the gates, then the candidates
            np.tanh(layer.seen(seen.reshape(B, -1)), out=found)
            gate = found[:, :H]
            gate *= HALF
            gate += HALF
            x = x + layer.output(gate * found[:, H:])
            first += 2 * H + x.shape[1]
            capture[:, first - x.shape[1] : first] = x
        self.state[slots, 0] = (at + 1) % self.period
        return capture, self._output(self._norm(x))
