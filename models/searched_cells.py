"""Cells found by search: MUT1, MUT2 and MUT3.

Source: Jozefowicz, Zaremba, Sutskever 2015, "An Empirical Exploration of Recurrent Network
Architectures". The authors had a program change the formula of a cell at random, over ten thousand
times, and keep what learned well; these three were the best that it found. With x the input, h the
state of the step before, sigma the logistic function and * the elementwise product they are

    mut1  z = sigma(W_xz x + b_z)                      r = sigma(W_xr x + W_hr h + b_r)
          n = tanh(W_hn (r * h) + tanh(x) + b_n)
    mut2  z = sigma(W_xz x + W_hz h + b_z)             r = sigma(x + W_hr h + b_r)
          n = tanh(W_hn (r * h) + W_xn x + b_n)
    mut3  z = sigma(W_xz x + W_hz tanh(h) + b_z)       r = sigma(W_xr x + W_hr h + b_r)
          n = tanh(W_hn (r * h) + W_xn x + b_n)

and all of them then mix the old state and the candidate as a GRU does. Two things to know:

- The paper writes h' = z * n + (1 - z) * h. Here z is the share that is kept, as in torch's GRU:
  h' = (1 - z) * n + z * h. Since 1 - sigma(s) = sigma(-s), it is the same network with the sign
  of W_xz, W_hz and b_z turned.
- Where x stands without a matrix, in mut1 and mut2, it is added to H numbers: the input has to be
  as wide as the state, `input_size == hidden_size`.

Parameters have torch.nn's names. The rows of `weight_ih_l0` and `weight_hh_l0` are the blocks of
H that a cell has (`ROWS`), in the order r, z, n; there is one bias, `bias_ih_l0`, of r, z and n.
They run on the torch road alone, step by step.
"""

from collections.abc import Callable
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.cells import Direction, Recurrent

# Which blocks of H rows a cell has in weight_ih and in weight_hh.
ROWS = {"mut1": ("rz", "rn"), "mut2": ("zn", "rzn"), "mut3": ("rzn", "rzn")}
BARE = ("mut1", "mut2")  # x enters without a matrix: the input is as wide as the state


class Weights(NamedTuple):
    """The parameters of one layer, as a `cells.Direction` has them too."""

    weight_ih: Tensor  # (blocks * H, input)
    weight_hh: Tensor  # (blocks * H, H)
    bias_ih: Tensor  # (3 * H): r, z, n


def _from_x1(w: Weights | Direction, x: Tensor) -> Tensor:
    H = w.weight_hh.shape[1]
    r_and_z = F.linear(x, w.weight_ih, w.bias_ih[: 2 * H])
    return torch.cat([r_and_z, x.tanh() + w.bias_ih[2 * H :]], dim=-1)


def _from_x2(w: Weights | Direction, x: Tensor) -> Tensor:
    H = w.weight_hh.shape[1]
    z_and_n = F.linear(x, w.weight_ih, w.bias_ih[H:])
    return torch.cat([x + w.bias_ih[:H], z_and_n], dim=-1)


def _from_x3(w: Weights | Direction, x: Tensor) -> Tensor:
    return F.linear(x, w.weight_ih, w.bias_ih)


def _gates1(r_and_z: Tensor, w_hh: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    r, z = r_and_z.chunk(2, dim=-1)
    return (r + F.linear(h, w_hh)).sigmoid(), z.sigmoid()


def _gates2(r_and_z: Tensor, w_hh: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    return (r_and_z + F.linear(h, w_hh)).sigmoid().chunk(2, dim=-1)


def _gates3(r_and_z: Tensor, w_hh: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    (r, z), (w_r, w_z) = r_and_z.chunk(2, dim=-1), w_hh.chunk(2)
    return (r + F.linear(h, w_r)).sigmoid(), (z + F.linear(h.tanh(), w_z)).sigmoid()


# What a cell takes from x for r, z and n: (..., input) -> (..., 3 * H).
FROM_X: dict[str, Callable] = {"mut1": _from_x1, "mut2": _from_x2, "mut3": _from_x3}
# r and z from their share of that (..., 2 * H), their rows of weight_hh and the state before.
MAKE_GATES: dict[str, Callable] = {"mut1": _gates1, "mut2": _gates2, "mut3": _gates3}


def step(cell: str, w: Weights | Direction, from_x: Tensor, h: Tensor) -> dict[str, Tensor]:
    """One step: `from_x` (..., 3 * H) and the state before it (..., H) -> h, r, z, n."""
    H = h.shape[-1]
    r_and_z, n_x = from_x.split([2 * H, H], dim=-1)
    w_gates, w_n = w.weight_hh.split([len(w.weight_hh) - H, H])
    r, z = MAKE_GATES[cell](r_and_z, w_gates, h)
    n = (n_x + F.linear(r * h, w_n)).tanh()
    return {"h": torch.lerp(n, h, z), "r": r, "z": z, "n": n}  # n + z * (h - n)


class Searched(nn.Module):
    """A stack of layers of one of these cells, to be trained: called as `nn.GRU` is.

    Raises ValueError for sizes that a cell cannot have.
    """

    cell: ClassVar[str]

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, dropout: float = 0):
        super().__init__()
        check_widths(self.cell, input_size, hidden_size)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.dropout = dropout
        H, (of_x, of_h) = hidden_size, ROWS[self.cell]
        for layer in range(num_layers):
            width = H if layer else input_size
            shapes = {"weight_ih": (len(of_x) * H, width), "weight_hh": (len(of_h) * H, H)}
            for name, shape in (shapes | {"bias_ih": (3 * H,)}).items():
                parameter = nn.Parameter(torch.empty(shape))
                nn.init.uniform_(parameter, -(H**-0.5), H**-0.5)  # as torch.nn's layers do
                self.register_parameter(f"{name}_l{layer}", parameter)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (T, B, input) and a state (layers, B, H) -> every h of the last layer (T, B, H), and
        the state after the last step."""
        if state is None:
            state = x.new_zeros(self.num_layers, x.shape[1], self.hidden_size)
        last = []
        for layer, h in enumerate(state):
            if layer:
                x = F.dropout(x, self.dropout, self.training)
            w = Weights(*(getattr(self, f"{name}_l{layer}") for name in Weights._fields))
            rows = []
            for from_x in FROM_X[self.cell](w, x).unbind():
                h = step(self.cell, w, from_x, h)["h"]
                rows.append(h)
            x = torch.stack(rows)
            last.append(h)
        return x, torch.stack(last)


class MUT1(Searched):
    """z asks the input alone; the input enters the candidate bare."""

    cell = "mut1"


class MUT2(Searched):
    """The input enters the reset gate bare."""

    cell = "mut2"


class MUT3(Searched):
    """Nearest to a GRU: z sees the state through a tanh, and r comes before the matrix."""

    cell = "mut3"


SEARCHED: dict[str, type[Searched]] = {kind.cell: kind for kind in (MUT1, MUT2, MUT3)}


def check_widths(cell: str, input_size: int, hidden_size: int) -> None:
    """Raises ValueError where x has to be as wide as the state and is not."""
    if cell in BARE and input_size != hidden_size:
        raise ValueError(
            f"{cell} adds its input to the state's numbers without a matrix: the input has "
            f"{input_size} numbers, the state {hidden_size}; they must be as many"
        )


class SearchedRecurrent(Recurrent):
    """The same cells at work, with every point captured."""

    known: ClassVar = dict.fromkeys(ROWS, ("h", "r", "z", "n"))
    compiled: ClassVar = False

    def shapes(self, width: int) -> dict[str, tuple[int, ...]]:
        """Shapes of the parameters of a layer that reads `width` numbers a step."""
        check_widths(self.cell, width, self.hidden_size)
        H, (of_x, of_h) = self.hidden_size, ROWS[self.cell]
        shapes = {"weight_ih": (len(of_x) * H, width), "weight_hh": (len(of_h) * H, H)}
        return shapes | {"bias_ih": (3 * H,)}

    def from_x(self, direction: Direction, x: Tensor) -> Tensor:
        """What steps take from their inputs alone: x (..., input) -> (..., 3 * H)."""
        return FROM_X[self.cell](direction, x)

    def step(self, direction: Direction, from_x: Tensor, before: Tensor) -> dict[str, Tensor]:
        """One step from `from_x` (..., 3 * H) and the state before it, (1, ..., H)."""
        return step(self.cell, direction, from_x, before[0])

    def _run_torch(
        self, direction: Direction, x: Tensor, state: Tensor, asked: set[str]
    ) -> tuple[dict[str, Tensor], Tensor]:
        steps = []
        for from_x in self.from_x(direction, x).unbind():
            steps.append(self.step(direction, from_x, state))
            state = steps[-1]["h"][None]
        found = {k: torch.stack([now[k] for now in steps]) for k in {"h", *asked}}
        return found, state
