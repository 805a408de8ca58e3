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


class Product:
    """x (B, K) -> x W^T + b, (B, N), each row as if it were alone. `capacity` rows at most."""

    def __init__(self, weight: Tensor, bias: Tensor | None, capacity: int):
        self.weight = weight.detach().float().contiguous()
        self.bias = None if bias is None else bias.detach().float()
        self.capacity = capacity
        self._packed: kernels.Packed | None = None

    def _pack(self) -> None:
        weight = self.weight.numpy()
        self._packed = kernels.pack(weight, kernels.is_half(weight))
        self._bias = np.zeros(self._packed.N, np.float32)
        if self.bias is not None:
            self._bias[: len(weight)] = self.bias.numpy()
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
        return out[:, : len(self.weight)]


class _Layer:
    """The weights of one block, and where its ring lies in a row of the state."""

    def __init__(self, block, start: int, capacity: int):
        D = block.norm.weight.shape[0]
        both = (block.gate, block.candidate)
        self.norm = _Norm(block.norm)
        self.seen = Product(
            torch.cat([part.weight for part in both]), torch.cat([part.bias for part in both]),
            capacity,
        )  # fmt: skip
        self.output = Product(block.output.weight, None, capacity)
        self.H = len(block.gate.weight)
        self.dilation = block.dilation
        self.length = (block.kernel_size - 1) * block.dilation  # vectors of the ring
        self.columns = slice(start, start + self.length * D)


class _Norm:
    """RMSNorm of each row (B, D)."""

    def __init__(self, norm):
        self.weight, self.eps = norm.weight.detach().float().numpy(), np.float32(norm.eps)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        square = np.mean(x * x, axis=1, dtype=np.float32, keepdims=True)
        return x / np.sqrt(square + self.eps) * self.weight


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
            layer = _Layer(block, 1 + ring, capacity)
            self.layers.append(layer)
            ring += layer.length * D
            for name, size in (("gate", layer.H), ("candidate", layer.H), ("residual", D)):
                self.layout.append((f"blocks.{number}.{name}", column, column + size))
                column += size
        self.width = column
        self.period = self.layers[-1].length  # every ring fits into it a whole number of times
        self._table = network.embedding.weight.detach().float().numpy()
        self._norm = _Norm(network.final_norm)
        self._output = Product(network.output_weight, None, capacity)
        self._rings = [
            self.state[:, layer.columns].reshape(capacity, layer.length, D) for layer in self.layers
        ]  # views
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
        slots = np.array(slots, np.int64)
        tokens = np.array(tokens, np.int64)
        B = len(slots)
        if not 0 < B <= len(self.state) or slots.shape != tokens.shape:
            raise ValueError(f"{B} slots and {len(tokens)} tokens, of {len(self.state)} slots")
        for values, size in ((slots, len(self.state)), (tokens, self.vocab_size)):
            if values.min() < 0 or values.max() >= size:
                raise IndexError("there is no such token or slot")
        at = self.state[slots, 0].astype(np.int64)  # exact: small whole numbers
        x, capture = self._table[tokens], self._capture[:B]  # (B, D)
        columns = iter(self.layout)
        for layer, ring in zip(self.layers, self._rings, strict=True):
            H, read = layer.H, layer.norm(x)
            back = [k * layer.dilation for k in range(self.kernel_size - 1, 0, -1)]
            kept = [ring[slots, (at - steps) % layer.length] for steps in back]
            ring[slots, at % layer.length] = read
            both = layer.seen(np.concatenate([*kept, read], 1))  # (B, 2 * H)
            gate, candidate = sigmoid(both[:, :H]), np.tanh(both[:, H:])
            x = x + layer.output(gate * candidate)
            for value in (gate, candidate, x):
                _, start, stop = next(columns)
                capture[:, start:stop] = value
        self.state[slots, 0] = (at + 1) % self.period
        return capture, self._output(self._norm(x))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """The logistic function, by way of tanh: it cannot overflow."""
    half = np.float32(0.5)
    return half + half * np.tanh(half * x)
