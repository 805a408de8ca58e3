"""Backpropagation through time, measured: how far the gradient of a loss reaches into the past.

A character network is unrolled over a text by explicit steps (the formulas of `cells`), in float64
so that what has shrunk by a hundred orders of magnitude is still a number. Step t reads character t
and its loss is -ln p of character t + 1. Of the loss at one step, or of the sum over all, autograd
then tells

    |dL/dh_t|, |dL/dc_t|   of every layer at every step: all ways from that state to the loss
    carried                the part of it that step t + 1 hands back; the rest comes from above
    the weights' gradient  its norm, and what clipping it to a largest norm makes of it

and the same for truncated backpropagation (Williams and Peng 1990): chunks of `chunk` steps, the
state carried over, the gradient stopped at every border between two of them. A weight's gradient is
a sum over steps of outer products, sum_t d_t s_t^T, so norms and angles come from the products
d_s . d_t and s_s . s_t (T, T) and the gradient itself is never laid out.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from models.cells import GATES, advance, gates
from models.char_rnn import CharRNN, CharRunner
from models.jacobians import Jacobians, jacobians

MEASURED = tuple(GATES)  # cells whose steps are known here
TINY = 1e-6  # that torch.nn.utils.clip_grad_norm_ adds to a norm


@dataclass(frozen=True)
class Edits:
    """What is changed in the weights before the text is read."""

    weight_scale: float = 1.0  # times W_hh of every layer
    forget_bias: float = 0.0  # added to the bias of f (LSTM) or z (GRU), of every layer


@dataclass(frozen=True)
class Product:
    """A weight (and its bias) at work: source (T, in) -> made (T, out), whose gradient it has."""

    weight: str
    bias: str | None
    source: Tensor
    made: list[Tensor]  # one a step, or all of them in one tensor


@dataclass(frozen=True)
class Layer:
    """One layer unrolled: what autograd is asked about, step by step."""

    weight_hh: Tensor  # (G * H, H), edited
    from_x: Tensor  # (T, G * H)
    from_h: list[Tensor]  # T of (G * H)
    after: dict[str, list[Tensor]]  # letter -> T states of (H)
    taken: dict[str, list[Tensor]]  # letter -> the states (H) that the T steps began from


@dataclass(frozen=True)
class Unrolled:
    """A text read with the graph kept."""

    cell: str
    losses: Tensor  # (T,)
    layers: list[Layer]
    products: list[Product]

    def jacobians(self, layer: int, steps: list[int]) -> Jacobians:
        """Of some steps of a layer, in float32."""
        one = self.layers[layer]

        def some(values) -> Tensor:
            return torch.stack([values[t] for t in steps]).detach().float()

        before, after = (tuple(map(some, d.values())) for d in (one.taken, one.after))
        w = one.weight_hh.float()
        return jacobians(self.cell, w, some(one.from_x), some(one.from_h), before, after)


@dataclass(frozen=True)
class Back:
    """One way back. Norms (T,) by point: `rnn.0.h`, and `rnn.0.c` of an LSTM."""

    reach: dict[str, Tensor]
    carried: dict[str, Tensor]  # 0 at the last step
    norms: dict[str, float]  # of the gradient with respect to each parameter
    deltas: list[Tensor] = field(repr=False)  # (T, out) of each product

    @property
    def norm(self) -> float:
        """Of all parameters together."""
        return sum(norm**2 for norm in self.norms.values()) ** 0.5


@dataclass(frozen=True)
class Measured:
    """What `measure` returns."""

    unrolled: Unrolled = field(repr=False)
    whole: Back
    truncated: Back
    cosine: float  # between the two gradients with respect to all parameters
    chunk_norms: Tensor  # (chunks,): of the part that each chunk gives


def can_measure(runner) -> bool:
    """Whether a checkpoint at work is a network that can be unrolled here."""
    return isinstance(runner, CharRunner) and runner.network.config.cell in MEASURED


def points_of(runner: CharRunner) -> list[str]:
    """The points whose gradients are told: the states of every layer."""
    letters = runner.recurrent.state_letters
    return [f"rnn.{k}.{x}" for k in range(runner.recurrent.num_layers) for x in letters]


def spread(T: int, count: int) -> list[int]:
    """At most `count` of the steps 0 .. T - 1, evenly, the first and the last among them."""
    if count < 2:
        return [T - 1][:count]
    count = min(count, T)
    return sorted({round(k * (T - 1) / max(1, count - 1)) for k in range(count)})


@torch.enable_grad()
def measure(
    network: CharRNN,
    tokens: list[int],
    at: int | None = None,
    edits: Edits = Edits(),
    chunk: int | None = None,
) -> Measured:
    """The gradients of the loss at step `at` (None: of the sum over all steps).

    `tokens` has T + 1 entries, the last of which is only predicted. Raises ValueError for fewer
    than 2, for a step that there is not, for a chunk below 1 and for a cell not in `MEASURED`.
    """
    T = len(tokens) - 1
    if network.config.cell not in MEASURED:
        raise ValueError(f"cell {network.config.cell} is not one of {', '.join(MEASURED)}")
    if T < 1:
        raise ValueError(f"{T + 1} tokens, expected at least 2: one is read, the next is predicted")
    if at is not None and not 0 <= at < T:
        raise ValueError(f"at is {at}, expected 0 to {T - 1}")
    if chunk is not None and chunk < 1:
        raise ValueError(f"chunk is {chunk}, expected at least 1")
    size = T if chunk is None else min(chunk, T)
    unrolled = unroll(network, tokens, edits)
    whole = truncated = go_back(unrolled, at)
    if size < T:
        truncated = go_back(unroll(network, tokens, edits, size), at)
    products = unrolled.products
    ours = sum(_inner(products, truncated.deltas, truncated.deltas))  # (T, T)
    norms = [ours[k : k + size, k : k + size].sum().clamp_min(0).sqrt() for k in range(0, T, size)]
    both = float(sum(_inner(products, whole.deltas, truncated.deltas)).sum())
    lengths = whole.norm * truncated.norm
    cosine = both / lengths if lengths else float("nan")
    return Measured(unrolled, whole, truncated, cosine, torch.stack(norms))


def clip(norm: float, most: float) -> tuple[float, float]:
    """What `torch.nn.utils.clip_grad_norm_` makes of a gradient of this norm: factor, new norm."""
    factor = min(1.0, most / (norm + TINY))
    return factor, norm * factor


def unroll(
    network: CharRNN, tokens: list[int], edits: Edits = Edits(), chunk: int | None = None
) -> Unrolled:
    """Read tokens[:-1] step by step. Every `chunk` steps the state goes on, the graph does not."""
    config = network.config
    read = torch.tensor(tokens)
    weights = _edited(network, edits)
    T, H = len(tokens) - 1, config.hidden_size
    one_hot = F.one_hot(read[:-1], config.vocab_size).double()
    x, products = one_hot, []
    if config.embedding_size:
        x = weights["embedding.weight"][read[:-1]].requires_grad_()
        products.append(Product("embedding.weight", None, one_hot, [x]))
    layers = []
    for number in range(config.num_layers):
        w_ih, w_hh, b_ih, b_hh = (
            f"rnn.{kind}_l{number}" for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        from_x = F.linear(x, weights[w_ih], weights[b_ih])  # (T, G * H)
        if not from_x.requires_grad:
            from_x.requires_grad_()
        layer = Layer(weights[w_hh], from_x, [], {}, {})
        _run(config.cell, layer, weights[b_hh], T, H, chunk or T)
        before = torch.stack(layer.taken["h"]).detach()
        products.append(Product(w_ih, b_ih, x.detach(), [from_x]))
        products.append(Product(w_hh, b_hh, before, layer.from_h))
        layers.append(layer)
        x = torch.stack(layer.after["h"])
    logits = F.linear(x, weights["output.weight"], weights["output.bias"])
    products.append(Product("output.weight", "output.bias", x.detach(), [logits]))
    losses = F.cross_entropy(logits, read[1:], reduction="none")
    return Unrolled(config.cell, losses, layers, products)


def _edited(network: CharRNN, edits: Edits) -> dict[str, Tensor]:
    """All weights in float64 on the CPU, W_hh scaled and the gate that keeps given its bias."""
    H, cell = network.config.hidden_size, network.config.cell
    found = {name: value.detach().cpu().double() for name, value in network.state_dict().items()}
    for name in found:
        if "weight_hh" in name:
            found[name] = found[name] * edits.weight_scale
        if "bias_ih" in name and GATES[cell] > 1:
            found[name] = found[name].clone()
            found[name][H : 2 * H] += edits.forget_bias  # rows i f g o, and r z n
    return found


def _run(cell: str, layer: Layer, bias: Tensor, T: int, H: int, chunk: int) -> None:
    """The steps of a layer, written into it."""
    letters = ("h", "c") if cell == "lstm" else ("h",)
    state = {letter: bias.new_zeros(H) for letter in letters}
    for letter in letters:
        layer.after[letter], layer.taken[letter] = [], []
    from_x = layer.from_x.unbind()  # one backward for all steps: indexing would have one a step
    for t in range(T):
        # What a step begins from is a node of its own: its gradient is what the step hands back.
        if t % chunk == 0:
            state = {letter: value.detach().requires_grad_() for letter, value in state.items()}
        else:
            state = {letter: value.view_as(value) for letter, value in state.items()}
        for letter in letters:
            layer.taken[letter].append(state[letter])
        from_h = F.linear(state["h"], layer.weight_hh, bias)
        state = advance(cell, gates(cell, from_x[t], from_h), [state[letter] for letter in letters])
        layer.from_h.append(from_h)
        for letter in letters:
            layer.after[letter].append(state[letter])


def go_back(unrolled: Unrolled, at: int | None) -> Back:
    """From the loss at a step, or from the sum, back through the graph, which is then spent."""
    states = {
        f"rnn.{number}.{letter}": (layer.after[letter], layer.taken[letter])
        for number, layer in enumerate(unrolled.layers)
        for letter in layer.after
    }
    asked = [value for pair in states.values() for values in pair for value in values]
    asked += [value for product in unrolled.products for value in product.made]
    loss = unrolled.losses.sum() if at is None else unrolled.losses[at]
    found = torch.autograd.grad(loss, asked, allow_unused=True)
    pairs = zip(asked, found, strict=True)
    grads = iter([torch.zeros_like(value) if g is None else g for value, g in pairs])

    def following(count: int) -> Tensor:
        return torch.stack([next(grads) for _ in range(count)])

    T = len(unrolled.losses)
    reach, carried = {}, {}
    for name in states:
        reach[name] = following(T).norm(dim=-1)
        taken = following(T).norm(dim=-1)  # of step t: what it hands back to t - 1
        carried[name] = torch.cat([taken[1:], taken.new_zeros(1)])
    deltas = [following(len(p.made)).flatten(0, -2) for p in unrolled.products]  # (T, out)
    norms = {}
    for product, delta in zip(unrolled.products, deltas, strict=True):
        squares = (delta @ delta.mT) * (product.source @ product.source.mT)
        norms[product.weight] = float(squares.sum().clamp_min(0).sqrt())
        if product.bias:
            norms[product.bias] = float(delta.sum(0).norm())
    return Back(reach, carried, norms, deltas)


def _inner(products: list[Product], ours: list[Tensor], theirs: list[Tensor]) -> list[Tensor]:
    """Of each product: (T, T), the part that steps s of ours and t of theirs give to the inner
    product of the two gradients, with respect to its weight and its bias."""
    return [
        (one @ other.mT) * (product.source @ product.source.mT + (product.bias is not None))
        for product, one, other in zip(products, ours, theirs, strict=True)
    ]
