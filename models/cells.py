"""Recurrent layers that show what they compute: plain RNN, LSTM and GRU.

Formulas, with torch.nn's parameter names, row order and two biases (x: input, h: hidden state
of the step before, sigma: logistic function, *: elementwise product):

    rnn   a = W_ih x + b_ih + W_hh h + b_hh          h' = tanh(a) or relu(a)      (Elman 1990)
    lstm  i, f, o = sigma(W_ih x + b_ih + W_hh h + b_hh)     rows in the order i, f, g, o
          g = tanh(likewise)     c' = f * c + i * g     h' = o * tanh(c')
          (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000)
    gru   r, z = sigma(W_ih x + b_ih + W_hh h + b_hh)        rows in the order r, z, n
          n = tanh(W_in x + b_in + r * (W_hn h + b_hn))   h' = (1 - z) * n + z * h
          (Cho et al. 2014, who apply r to h before W_hn; Chung et al. 2014 and many after them
          write z where torch has 1 - z)

`Recurrent.run` captures any of these quantities for a whole sequence, by one of two roads that
give the same numbers to 1e-5 (5e-5 on a GPU). The kernel road (`kernels`, CPU) runs the recurrence
and keeps every gate as it goes. The torch road, here, lets torch's fused layer find every h first;
the gates of all steps then follow from two matrix products, and c from a scan over time.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models import kernels
from models.scans import scan
from models.trace import Point, choose

CELL_POINTS: dict[str, tuple[str, ...]] = {
    "rnn_tanh": ("h", "a"),
    "rnn_relu": ("h", "a"),
    "lstm": ("h", "c", "i", "f", "g", "o"),
    "gru": ("h", "r", "z", "n"),
}
GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}  # blocks of H rows in a weight
CellName = Literal["rnn_tanh", "lstm", "gru"]  # those whose h is bounded
# torch's layers of each cell, to be trained.
LAYERS: dict[str, Callable[..., nn.RNNBase]] = {
    "rnn_tanh": partial(nn.RNN, nonlinearity="tanh"),
    "rnn_relu": partial(nn.RNN, nonlinearity="relu"),
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}
UNIT_LETTERS = frozenset("ifozr")  # made by a logistic function


def letter_range(cell: str, letter: str) -> str:
    """The range of a point of a recurrent layer, as `trace.Point` says it."""
    if letter in UNIT_LETTERS:
        return "unit"
    bounded = letter in "gn" or (letter == "h" and cell != "rnn_relu")
    return "signed" if bounded else "real"


@dataclass(frozen=True)
class Direction:
    """One layer in one direction: its name, its parameters and its rows in a state."""

    name: str  # rnn.0, rnn.0.reverse
    reverse: bool
    weight_ih: Tensor  # (G * H, input)
    weight_hh: Tensor  # (G * H, H)
    bias_ih: Tensor | None  # (G * H)
    bias_hh: Tensor | None  # (G * H)
    rows: slice  # of the state: h, then c for an LSTM


@dataclass(frozen=True)
class Captured:
    """What `Recurrent.run` returns. Arrays over a sequence start with (T, B)."""

    points: dict[str, Tensor] = field(repr=False)  # (T, B, H) each
    output: Tensor = field(repr=False)  # (T, B, D * H), of the last layer
    state: Tensor = field(repr=False)  # (S, B, H) after the last step


class Recurrent:
    """A stack of recurrent layers, built from the parameters of `nn.RNN`, `nn.LSTM` or `nn.GRU`.

    `weights` has torch.nn's names (`weight_ih_l0`, `bias_hh_l1_reverse`, ...); the number of
    layers, the sizes, the directions and whether there are biases are read from it. Raises
    ValueError, naming the tensor, where names or shapes do not fit together.

    A family of cells that torch.nn has not is a subclass: it says which it knows, what shapes
    their parameters have, and how a step goes (`searched_cells`).
    """

    known: ClassVar[dict[str, tuple[str, ...]]] = CELL_POINTS  # letters of the points of each cell
    compiled: ClassVar[bool] = True  # whether the kernels have these cells

    def __init__(self, cell: str, weights: dict[str, Tensor]):
        if cell not in self.known:
            raise ValueError(f"cell {cell!r} is not one of {', '.join(self.known)}")
        if "weight_hh_l0" not in weights or "weight_ih_l0" not in weights:
            raise ValueError("weight_ih_l0 and weight_hh_l0 are needed")
        self.cell = cell
        self.letters = self.known[cell]
        self.hidden_size = weights["weight_hh_l0"].shape[-1]
        self.input_size = weights["weight_ih_l0"].shape[-1]
        self.num_layers = sum(
            name.startswith("weight_hh_l") and not name.endswith("_reverse") for name in weights
        )
        self.bidirectional = "weight_hh_l0_reverse" in weights
        self.bias = "bias_ih_l0" in weights
        self.state_letters = ("h", "c") if cell == "lstm" else ("h",)
        self.layers = self._layers(dict(weights))  # per layer: its one or two directions
        self._fused: dict[str, nn.RNNBase] = {}
        self._packed: dict[str, kernels.Packed] = {}

    def shapes(self, width: int) -> dict[str, tuple[int, ...]]:
        """Shapes of the parameters of a direction that reads `width` numbers a step."""
        H, G = self.hidden_size, GATES[self.cell]
        shapes = {"weight_ih": (G * H, width), "weight_hh": (G * H, H)}
        return shapes | {"bias_ih": (G * H,), "bias_hh": (G * H,)} if self.bias else shapes

    def from_x(self, direction: Direction, x: Tensor) -> Tensor:
        """What steps take from their inputs alone: x (..., input) -> (..., G * H)."""
        return F.linear(x, direction.weight_ih, direction.bias_ih)

    def step(self, direction: Direction, from_x: Tensor, before: Tensor) -> dict[str, Tensor]:
        """One step from `from_x` (..., G * H) and the state before it, (1 or 2, ..., H): every
        point of the cell by its letter, (..., H) each."""
        from_h = F.linear(before[0], direction.weight_hh, direction.bias_hh)
        now = gates(self.cell, from_x, from_h)
        return now | advance(self.cell, now, before)

    def _layers(self, weights: dict[str, Tensor]) -> list[list[Direction]]:
        H = self.hidden_size
        layers, row = [], 0
        for layer in range(self.num_layers):
            width = self.input_size if layer == 0 else H * (1 + self.bidirectional)
            directions = []
            for reverse in (False, True)[: 1 + self.bidirectional]:
                suffix = f"_l{layer}" + "_reverse" * reverse
                tensors = dict.fromkeys(("bias_ih", "bias_hh"))
                for name, shape in self.shapes(width).items():
                    tensor = weights.pop(name + suffix, None)
                    if tensor is None:
                        raise ValueError(f"{name}{suffix} {shape} is missing")
                    if tuple(tensor.shape) != shape:
                        found = tuple(tensor.shape)
                        raise ValueError(f"{name}{suffix} has shape {found}, expected {shape}")
                    tensors[name] = tensor.detach().contiguous()
                rows = slice(row, row + len(self.state_letters))
                row = rows.stop
                name = f"rnn.{layer}" + ".reverse" * reverse
                directions.append(Direction(name, reverse, rows=rows, **tensors))
            layers.append(directions)
        if weights:
            raise ValueError(f"{min(weights)} is not a parameter of this {self.cell}")
        self.state_rows = row
        return layers

    @property
    def points(self) -> list[Point]:
        """Every point of the stack, layer by layer, in the order of the formulas."""
        return [
            Point(
                f"{direction.name}.{letter}",
                ("time", "unit"),
                letter_range(self.cell, letter),
                (None, self.hidden_size),
            )
            for directions in self.layers
            for direction in directions
            for letter in self.letters
        ]

    @torch.no_grad()
    def run(
        self, x: Tensor, state: Tensor | None = None, points: Collection[str] | None = None
    ) -> Captured:
        """Run a sequence x (T, B, input) and capture points (None: all of them).

        `state` (S, B, H) holds, per layer and direction, h and for an LSTM c; None is zeros.
        Backward directions start from their rows at the end of the text, as in torch.nn.
        Raises `UnknownPoint` for a name that there is not, ValueError for a shape.
        """
        wanted = choose(points, [point.name for point in self.points])
        B = self._check(x, state)
        if state is None:
            state = x.new_zeros(self.state_rows, B, self.hidden_size)
        plain = x.device.type == "cpu" and x.dtype == torch.float32
        fast = self.compiled and plain and kernels.ready()
        after, captured = torch.empty_like(state), {}
        for directions in self.layers:
            outputs = []
            for direction in directions:
                asked = {name[-1] for name in wanted if name[:-2] == direction.name}
                source = x.flip(0) if direction.reverse else x
                road = self._run_kernels if fast else self._run_torch
                found, after[direction.rows] = road(direction, source, state[direction.rows], asked)
                if direction.reverse:
                    found = {letter: value.flip(0) for letter, value in found.items()}
                outputs.append(found["h"])
                captured |= {f"{direction.name}.{letter}": found[letter] for letter in asked}
            x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=-1)  # (T, B, D * H)
        ordered = {p.name: captured[p.name] for p in self.points if p.name in captured}
        return Captured(ordered, x, after)

    def _check(self, x: Tensor, state: Tensor | None) -> int:
        if x.dim() != 3 or x.shape[-1] != self.input_size or 0 in x.shape:
            raise ValueError(f"x has shape {tuple(x.shape)}, expected (T, B, {self.input_size})")
        T, B, _ = x.shape
        expected = (self.state_rows, B, self.hidden_size)
        if state is not None and tuple(state.shape) != expected:
            raise ValueError(f"state has shape {tuple(state.shape)}, expected {expected}")
        return B

    def _fused_layer(self, direction: Direction) -> nn.RNNBase:
        """torch's fused layer with this direction's parameters, to run forwards."""
        if direction.name not in self._fused:
            width = direction.weight_ih.shape[1]
            with torch.device("meta"):
                layer = LAYERS[self.cell](width, self.hidden_size, bias=self.bias)
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            tensors = {f"{n}_l0": getattr(direction, n) for n in names[: 4 if self.bias else 2]}
            layer.load_state_dict(tensors, assign=True)
            layer.requires_grad_(False).eval()
            layer.flatten_parameters()
            self._fused[direction.name] = layer
        return self._fused[direction.name]

    def _run_torch(
        self, direction: Direction, x: Tensor, state: Tensor, asked: set[str]
    ) -> tuple[dict[str, Tensor], Tensor]:
        """One direction over x (T, B, input), first step first -> at least the letters asked,
        and h, (T, B, H) each, and the state after the last step (1 or 2, B, H)."""
        first = tuple(row.unsqueeze(0).contiguous() for row in state)
        with _full_precision(x):
            h, last = self._fused_layer(direction)(x, first if self.cell == "lstm" else first[0])
        found = {"h": h}
        last = torch.cat(last) if self.cell == "lstm" else last  # (1 or 2, B, H)
        if not asked - {"h"}:
            return found, last
        before = torch.cat([first[0], h[:-1]])  # (T, B, H), what each step started from
        from_x = F.linear(x, direction.weight_ih, direction.bias_ih)  # (T, B, G * H)
        from_h = F.linear(before, direction.weight_hh, direction.bias_hh)
        found |= gates(self.cell, from_x, from_h)
        if self.cell == "lstm":
            found["c"] = scan(found["f"], found["i"] * found["g"], first[1][0])
        return found, last

    @cached_property
    def half(self) -> bool:
        """Whether all matrices are float16 numbers, so that the kernels may rest them as such."""
        return all(
            kernels.is_half(weight.numpy())
            for directions in self.layers
            for direction in directions
            for weight in (direction.weight_ih, direction.weight_hh)
        )

    def packed(self, direction: Direction, name: str) -> kernels.Packed:
        """A weight of a direction in the form of the kernels, packed when first wanted."""
        key = f"{direction.name}.{name}"
        if key not in self._packed:
            self._packed[key] = kernels.pack(getattr(direction, name).numpy(), self.half)
        return self._packed[key]

    def _run_kernels(
        self, direction: Direction, x: Tensor, state: Tensor, asked: set[str]
    ) -> tuple[dict[str, Tensor], Tensor]:
        """The same as `_run_torch`, on the kernel road."""
        (T, B, _), H = x.shape, self.hidden_size
        gates = F.linear(x, direction.weight_ih, direction.bias_ih)  # (T, B, G * H)
        w_hh = self.packed(direction, "weight_hh")
        h = x.new_empty(T + 1, B, H)
        h[0] = state[0]
        c = h
        if self.cell == "lstm":
            c = x.new_empty(T + 1 if "c" in asked else 2, B, H)
            c[0] = state[1]
        b_hh = direction.bias_hh if self.bias else x.new_zeros(gates.shape[-1])
        kernels.sequence(
            kernels.CELL_CODES[self.cell],
            w_hh,
            *(value.numpy() for value in (b_hh, gates, h, c, x.new_empty(B, w_hh.N))),
        )
        letters = self.letters[len(self.state_letters) :]
        found = dict(zip(letters, gates.chunk(len(letters), dim=-1), strict=True))
        if not asked.issuperset(letters):  # let go of what was not asked
            found = {letter: found[letter].clone() for letter in asked.intersection(letters)}
        found["h"], last = h[1:], [h[T]]
        if self.cell == "lstm":
            found["c"] = c[1:]
            last.append(c[T % len(c)])
        return found, torch.stack(last)


def _full_precision(x: Tensor):
    """On CUDA, float32 products as such: cuDNN would round their factors to 10 bits (TF32)."""
    if not x.is_cuda:
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


def gates(cell: str, from_x: Tensor, from_h: Tensor) -> dict[str, Tensor]:
    """W_ih x + b_ih and W_hh h + b_hh, each (..., G * H) -> the gates, (..., H) each."""
    if cell == "lstm":
        i, f, g, o = (from_x + from_h).chunk(4, dim=-1)
        return {"i": i.sigmoid(), "f": f.sigmoid(), "g": g.tanh(), "o": o.sigmoid()}
    if cell == "gru":
        (r_x, z_x, n_x), (r_h, z_h, n_h) = from_x.chunk(3, dim=-1), from_h.chunk(3, dim=-1)
        r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
        return {"r": r, "z": z, "n": (n_x + r * n_h).tanh()}
    return {"a": from_x + from_h}


def advance(cell: str, now: dict[str, Tensor], before: Sequence[Tensor]) -> dict[str, Tensor]:
    """The state that a step makes of its gates and of the state before it, h and for an LSTM c:
    the same, by their letters, (..., H) each."""
    if cell == "lstm":
        c = now["f"] * before[1] + now["i"] * now["g"]
        return {"h": now["o"] * c.tanh(), "c": c}
    if cell == "gru":
        return {"h": (1 - now["z"]) * now["n"] + now["z"] * before[0]}
    return {"h": now["a"].tanh() if cell == "rnn_tanh" else now["a"].relu()}
