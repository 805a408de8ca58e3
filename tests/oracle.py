"""What a character model computes, by `torch.nn`'s own cells and the formulas, in float64.

Nothing here shares a line with `models.cells`: a step is an `nn.LSTMCell`, `nn.GRUCell` or
`nn.RNNCell`; the gates are the textbook's, from the raw weights. Cells that torch has not are
`oracle_searched`'s.
"""

import torch
from torch import Tensor, nn

from tests import oracle_searched

CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "rnn_tanh": nn.RNNCell, "rnn_relu": nn.RNNCell}


@torch.no_grad()
def by_hand(cell: str, weights: dict[str, Tensor], tokens: list[int]) -> tuple[dict, Tensor]:
    """Every point (T, H) by name, and the logits (T, V), from the tensors of a weights file."""
    weights = {name: value.double() for name, value in weights.items()}
    V = len(weights["output.bias"])
    x = weights.get("embedding.weight", torch.eye(V, dtype=torch.float64))[tokens]
    points = {}
    layer = 0
    while f"rnn.weight_ih_l{layer}" in weights:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[: 4 if cell in CELLS else 3]
        own = {name: weights[f"rnn.{name}_l{layer}"] for name in names}
        steps = _layer(cell, own, x)
        points |= {f"rnn.{layer}.{letter}": values for letter, values in steps.items()}
        x = steps["h"]
        layer += 1
    return points, x @ weights["output.weight"].T + weights["output.bias"]


def _layer(cell: str, own: dict[str, Tensor], x: Tensor) -> dict[str, Tensor]:
    if cell not in CELLS:
        found = oracle_searched.steps(cell, own, x)
        return {letter: torch.from_numpy(values) for letter, values in found.items()}
    H = own["weight_hh"].shape[1]
    options = {"nonlinearity": cell[4:]} if cell.startswith("rnn_") else {}
    step = CELLS[cell](x.shape[1], H, dtype=torch.float64, **options)
    step.load_state_dict(own)
    h = c = torch.zeros(H, dtype=torch.float64)
    rows = []
    for at in x:
        from_x = own["weight_ih"] @ at + own["bias_ih"]
        from_h = own["weight_hh"] @ h + own["bias_hh"]
        if cell == "lstm":
            i, f, g, o = (from_x + from_h).split(H)
            row = {"i": i.sigmoid(), "f": f.sigmoid(), "g": g.tanh(), "o": o.sigmoid()}
            h, c = step(at, (h, c))
            row |= {"h": h, "c": c}
        elif cell == "gru":
            (r_x, z_x, n_x), (r_h, z_h, n_h) = from_x.split(H), from_h.split(H)
            r = (r_x + r_h).sigmoid()
            row = {"r": r, "z": (z_x + z_h).sigmoid(), "n": (n_x + r * n_h).tanh()}
            row["h"] = h = step(at, h)
        else:
            row = {"a": from_x + from_h}
            row["h"] = h = step(at, h)
        rows.append(row)
    return {letter: torch.stack([row[letter] for row in rows]) for letter in rows[0]}
