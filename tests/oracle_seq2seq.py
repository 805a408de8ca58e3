"""What a sequence-to-sequence network computes, by `torch.nn`'s own cells and the formulas.

Everything is in float64, from the raw weights, one position at a time. Nothing here shares a line
with `models`. Gradients flow, so that it is an oracle of the backward pass as well.
"""

import torch
from torch import Tensor, nn
from torch.func import functional_call

CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell}
UNKNOWN, BEGIN, END = 0, 1, 2


def by_hand(
    cell: str,
    score: str,
    weights: dict[str, Tensor],
    source: list[int],
    read: list[int],
    force: dict[int, int] | None = None,
) -> tuple[dict[str, Tensor], Tensor]:
    """Every point by name and the logits (T, V), for source numbers and the numbers that the
    decoder reads, `<s>` first."""
    weights = {name: value.double() for name, value in weights.items()}
    points: dict[str, Tensor] = {}
    x = [weights["source_embedding.weight"][k] for k in source]
    layer = 0
    while f"encoder.weight_hh_l{layer}" in weights:
        ahead = _run(cell, own_weights(weights, f"encoder.|_l{layer}"), x)
        back = _run(cell, own_weights(weights, f"encoder.|_l{layer}_reverse"), x[::-1])
        for letter in ahead:
            points[f"encoder.{layer}.{letter}"] = torch.stack(ahead[letter])
            points[f"encoder.{layer}.reverse.{letter}"] = torch.stack(back[letter][::-1])
        x = [torch.cat(pair) for pair in zip(ahead["h"], back["h"][::-1], strict=True)]
        layer += 1
    points["annotation"] = torch.stack(x)
    ends = torch.cat([ahead["h"][-1], back["h"][-1]])
    s = (weights["bridge.weight"] @ ends + weights["bridge.bias"]).tanh()
    state = (s, torch.zeros_like(s)) if cell == "lstm" else (s,)
    if score == "none":
        fixed = (weights["bottleneck.weight"] @ ends + weights["bottleneck.bias"]).tanh()
        points["context"] = fixed
    if score == "additive":
        U, b = weights["attention.key.weight"], weights["attention.key.bias"]
        points["attention.key"] = torch.stack([U @ h + b for h in x])
        points["attention.v"] = weights["attention.v"]
    own, rows, logits = own_weights(weights, "decoder.|_l0"), [], []
    for t, token in enumerate(read):
        y = weights["target_embedding.weight"][END if token == UNKNOWN else token]
        row = {}
        if score != "none":
            row = attend(score, weights, state[0], x, (force or {}).get(t))
        context = row.get("context", points.get("context"))
        step = step_of(cell, own, torch.cat([y, context]), state)
        state = (step["h"], step["c"]) if cell == "lstm" else (step["h"],)
        rows.append(row | {f"decoder.0.{letter}": value for letter, value in step.items()})
        merged = torch.cat([step["h"], context, y])
        merged = (weights["readout.weight"] @ merged + weights["readout.bias"]).tanh()
        logits.append(weights["target_embedding.weight"] @ merged + weights["output_bias"])
    points |= {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
    return points, torch.stack(logits)


def own_weights(weights: dict[str, Tensor], where: str) -> dict[str, Tensor]:
    before, behind = where.split("|")
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return {name: weights[f"{before}{name}{behind}"] for name in names}


def attend(score: str, weights: dict[str, Tensor], s: Tensor, h: list[Tensor], at: int | None):
    row, energies = {}, []
    if score != "dot":
        row["attention.query"] = query = weights["attention.query.weight"] @ s
    for one in h:
        if score == "additive":
            key = weights["attention.key.weight"] @ one + weights["attention.key.bias"]
            energies.append((weights["attention.v"] * (query + key).tanh()).sum())
        else:
            energies.append(((s if score == "dot" else query) * one).sum())
    energy = torch.stack(energies)
    share = (energy - energy.max()).exp()
    share = share / share.sum()
    if at is not None:
        share = torch.zeros_like(share)
        share[at] = 1.0
    context = sum(weight * one for weight, one in zip(share, h, strict=True))
    return row | {"attention.energy": energy, "attention": share, "context": context}


def _run(cell: str, own: dict[str, Tensor], x: list[Tensor]) -> dict[str, list[Tensor]]:
    zero = torch.zeros(own["weight_hh"].shape[1], dtype=torch.float64)
    state, rows = (zero, zero) if cell == "lstm" else (zero,), []
    for at in x:
        rows.append(step_of(cell, own, at, state))
        state = tuple(rows[-1][letter] for letter in ("h", "c")[: len(state)])
    return {letter: [row[letter] for row in rows] for letter in rows[0]}


def step_of(cell: str, own: dict[str, Tensor], x: Tensor, state: tuple) -> dict[str, Tensor]:
    """The next state by torch's cell, the gates by the textbook."""
    H = own["weight_hh"].shape[1]
    with torch.device("meta"):
        module = CELLS[cell](len(x), H)
    after = functional_call(module, own, (x, state if cell == "lstm" else state[0]))
    from_x = (own["weight_ih"] @ x + own["bias_ih"]).split(H)
    from_h = (own["weight_hh"] @ state[0] + own["bias_hh"]).split(H)
    if cell == "lstm":
        i, f, g, o = (a + b for a, b in zip(from_x, from_h, strict=True))
        row = {"i": i.sigmoid(), "f": f.sigmoid(), "g": g.tanh(), "o": o.sigmoid()}
        return row | {"h": after[0], "c": after[1]}
    r, z = (a + b for a, b in zip(from_x[:2], from_h[:2], strict=True))
    n = (from_x[2] + r.sigmoid() * from_h[2]).tanh()
    return {"r": r.sigmoid(), "z": z.sigmoid(), "n": n, "h": after}
