"""Generation: one step of a recurrent stack for many texts at once, on the CPU in float32.

Every text has a slot, a row of `Stepper.state`, and a step takes any subset of the slots. The
numbers of a row are bitwise the same whatever the batch and whatever the other rows hold, so a
text comes out the same on a busy server as alone.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.cells import GATES, Recurrent, gates

CHUNK = 16  # rows a product of the torch road always has: its sums then never depend on the batch


class Stepper:
    """One step for many rows. Not to be shared between threads.

    `table` (V, input) is the vector of each token, `output_weight` (V, H) and `output_bias` (V)
    make logits of the last layer's h. `capacity` is the number of slots.
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
        first = recurrent.layers[0][0]
        with torch.no_grad():
            self._table = F.linear(table, first.weight_ih, first.bias_ih)  # (V, G * H)
        self._output = (output_weight.detach(), output_bias.detach())

    def reset(self, slot: int) -> None:
        """Put a slot back to the state before any text: zeros."""
        self.state[slot] = 0.0

    def step(self, slots: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read one token a slot: int64 (B,), int64 (B,) -> captures (B, width), logits (B, V).

        Advances `state` in place. What is returned may be overwritten by the next call. Slots
        must be distinct. Raises IndexError for a slot or a token that there is not.
        """
        slots, tokens = np.asarray(slots, np.int64), np.asarray(tokens, np.int64)
        B = len(slots)
        capture = np.empty((B, self.width), np.float32)
        logits = np.empty((B, self.vocab_size), np.float32)
        for start in range(0, B, CHUNK):
            rows = slice(start, min(start + CHUNK, B))
            self._step_torch(slots[rows], tokens[rows], capture[rows], logits[rows])
        return capture, logits

    @torch.no_grad()
    def _step_torch(self, slots, tokens, capture, logits) -> None:
        cell, n = self.recurrent.cell, len(slots)
        state = torch.zeros(CHUNK, *self.state.shape[1:])
        state[:n] = torch.from_numpy(self.state[slots])
        from_x = torch.zeros(CHUNK, GATES[cell] * self.recurrent.hidden_size)
        from_x[:n] = self._table[torch.from_numpy(tokens)]
        found = []
        for layer, (direction,) in enumerate(self.recurrent.layers):
            rows = state[:, direction.rows]  # (CHUNK, 1 or 2, H)
            if layer:
                from_x = F.linear(h, direction.weight_ih, direction.bias_ih)  # noqa: F821
            from_h = F.linear(rows[:, 0].contiguous(), direction.weight_hh, direction.bias_hh)
            now = gates(cell, from_x, from_h)
            if cell == "lstm":
                rows[:, 1] = now["c"] = now["f"] * rows[:, 1] + now["i"] * now["g"]
                h = now["o"] * now["c"].tanh()
            elif cell == "gru":
                h = (1 - now["z"]) * now["n"] + now["z"] * rows[:, 0]
            else:
                h = now["a"].tanh() if cell == "rnn_tanh" else now["a"].relu()
            rows[:, 0] = now["h"] = h
            found += [now[letter] for letter in self.recurrent.letters]
        self.state[slots] = state[:n].numpy()
        capture[:] = torch.cat(found, dim=1)[:n].numpy()
        logits[:] = F.linear(h, *self._output)[:n].numpy()
