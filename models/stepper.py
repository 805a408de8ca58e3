"""Generation: one step of a recurrent stack for many texts at once, on the CPU in float32.

Every text has a slot, a row of `Stepper.state`, and a step takes any subset of the slots. The
numbers of a row are bitwise the same whatever the batch and whatever the other rows hold, so a
text comes out the same on a busy server as alone. The kernels have this from the order of their
sums (`kernels.multiply`); the torch road, which serves until they are compiled, from taking each
row alone. (Rows at two places of one torch batch may differ in the last bit: the ends of an
array take other instructions than its middle.)
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models import kernels
from models.cells import GATES, Recurrent


def one_a_slot(slots, tokens, places: int) -> tuple[np.ndarray, np.ndarray]:
    """What is read in a step, int64 (B,) each. Raises ValueError for more rows than places, or
    none."""
    slots, tokens = np.array(slots, np.int64), np.array(tokens, np.int64)
    if not 0 < len(slots) <= places or slots.shape != tokens.shape:
        raise ValueError(f"{len(slots)} slots and {len(tokens)} tokens, of {places} slots")
    return slots, tokens


def check_there(slots: np.ndarray, places: int, tokens: np.ndarray, size: int) -> None:
    """Raise IndexError for a slot that is none of the places, and for a token that there is not."""
    for values, count in ((slots, places), (tokens, size)):
        if values.min() < 0 or values.max() >= count:
            raise IndexError("there is no such token or slot")


class Stepper:
    """One step for many rows. Not to be shared between threads.

    `table` (V, input) is the vector of each token, `output_weight` (V, H) and `output_bias` (V)
    make logits of the last layer's h. `capacity` is the number of slots. `state` (capacity, S, H)
    may be read and written between steps: a copied row is all there is to know about a text.
    `layout` names the columns of a capture: (point, start, stop).
    """

    def __init__(
        self,
        recurrent: Recurrent,
        table: Tensor,
        output_weight: Tensor,
        output_bias: Tensor,
        capacity: int,
    ):
        if recurrent.bidirectional:
            raise ValueError("a backward direction reads the text from its end: it cannot step")
        H = recurrent.hidden_size
        self.recurrent = recurrent
        self.vocab_size = len(output_weight)
        self.state = np.zeros((capacity, recurrent.state_rows, H), np.float32)
        self.layout = [(point.name, k * H, (k + 1) * H) for k, point in enumerate(recurrent.points)]
        self.width = len(self.layout) * H
        with torch.no_grad():
            self._table = recurrent.from_x(recurrent.layers[0][0], table)  # (V, G * H)
        self._output = (output_weight.detach(), output_bias.detach())
        self._kernels = self._kernel_step() if recurrent.compiled and kernels.ready() else None

    def _kernel_step(self) -> "_KernelStep":
        return _KernelStep(self.recurrent, self._table, *self._output, self.state)

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
        if self.recurrent.compiled and kernels.ready():
            if self._kernels is None:
                self._kernels = self._kernel_step()
            return self._kernels(slots, tokens)
        check_there(slots, len(self.state), tokens, self.vocab_size)
        rows = [
            self._step_torch(*pair) for pair in zip(slots.tolist(), tokens.tolist(), strict=True)
        ]
        capture, logits = zip(*rows, strict=True)
        return np.stack(capture), np.stack(logits)

    @torch.no_grad()
    def _step_torch(self, slot: int, token: int) -> tuple[np.ndarray, np.ndarray]:
        """One row by torch, in the order of the formulas: capture (width,), logits (V,)."""
        recurrent, found = self.recurrent, []
        from_x, state = self._table[token].clone(), torch.tensor(self.state[slot])  # (S, H)
        for layer, (direction,) in enumerate(recurrent.layers):
            if layer:
                from_x = recurrent.from_x(direction, now["h"])  # noqa: F821
            now = recurrent.step(direction, from_x, state[direction.rows])
            state[direction.rows] = torch.stack([now[x] for x in recurrent.state_letters])
            found += [now[letter] for letter in recurrent.letters]
        h = now["h"]
        logits = F.linear(h, *self._output)
        self.state[slot] = state.numpy()
        return torch.cat(found).numpy(), logits.numpy()


class _KernelStep:
    """The kernel road of a Stepper: packed weights and the work space for `capacity` rows."""

    def __init__(
        self,
        recurrent: Recurrent,
        table: Tensor,
        output_weight: Tensor,
        output_bias: Tensor,
        state: np.ndarray,
    ):
        H, capacity = recurrent.hidden_size, len(state)
        blocks = len(recurrent.letters) * H  # of a layer in a capture
        width = recurrent.num_layers * blocks
        self.state, self.vocab_size = state, len(table)
        self.cell = kernels.CELL_CODES[recurrent.cell]
        self.layers = []
        for layer, (direction,) in enumerate(recurrent.layers):
            w_hh = recurrent.packed(direction, "weight_hh")
            # the first layer's input products come from the table; its w_ih is not read
            w_ih = recurrent.packed(direction, "weight_ih") if layer else w_hh
            zeros = np.zeros(GATES[recurrent.cell] * H, np.float32)
            biases = [
                b.numpy() if b is not None else zeros
                for b in (direction.bias_ih, direction.bias_hh)
            ]
            first = layer * blocks
            below = first - blocks if layer else -1
            self.layers.append((w_ih, w_hh, *biases, direction.rows.start, first, below))
        self.table = np.zeros((len(table), w_hh.N), np.float32)
        self.table[:, : table.shape[1]] = table.numpy()
        weight = output_weight.float().contiguous().numpy()
        self.output = kernels.pack(weight, kernels.is_half(weight))
        self.output_bias = np.zeros(self.output.N, np.float32)
        self.output_bias[: self.vocab_size] = output_bias.numpy()
        self.last = width - blocks  # where the h of the last layer starts
        self.from_x = np.empty((capacity, w_hh.N), np.float32)
        self.from_h = np.empty_like(self.from_x)
        self.before = np.empty((capacity, H), np.float32)
        self.capture = np.empty((capacity, width), np.float32)
        self.logits = np.empty((capacity, self.output.N), np.float32)

    def __call__(self, slots: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        B = len(slots)
        capture, logits, from_x = self.capture[:B], self.logits[:B], self.from_x[:B]
        kernels.look_up(self.table, tokens, slots, len(self.state), from_x)
        for w_ih, w_hh, b_ih, b_hh, row, first, below in self.layers:
            kernels.step_layer(
                self.cell, w_ih, w_hh, b_ih, b_hh, from_x, self.from_h, self.before,
                self.state, slots, row, capture, first, below,
            )  # fmt: skip
        kernels.project(self.output, self.output_bias, capture, self.last, logits)
        return capture, logits[:, : self.vocab_size]
