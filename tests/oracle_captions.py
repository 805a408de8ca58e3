"""What a network of captions computes, by `torch.nn.LSTMCell` and the formulas of Xu et al. 2015.

In float64, from the raw weights, one cell of the picture at a time.
"""

import torch
from torch import Tensor

from tests.oracle_seq2seq import END, UNKNOWN, attend, own_weights, step_of


def by_hand(
    attention: str,
    weights: dict[str, Tensor],
    cells: Tensor,
    read: list[int],
    force: dict[int, int] | None = None,
    chosen: list[int | None] | None = None,
) -> tuple[dict[str, Tensor], Tensor]:
    """Every point by name, cells in one row, and the logits (T, V), for cells (S, F) and the
    numbers that the decoder reads, `<s>` first. `chosen` is the one cell of each step of a hard
    network."""
    weights = {name: value.double() for name, value in weights.items()}
    standard = [(x.double() - weights["mean"]) / weights["deviation"] for x in cells]
    notes = [weights["annotate.weight"] @ x + weights["annotate.bias"] for x in standard]
    whole = sum(notes) / len(notes)
    points = {"annotation": torch.stack(notes)}
    if attention == "none":
        points["context"] = whole
    else:
        U, b = weights["attention.key.weight"], weights["attention.key.bias"]
        points["attention.key"] = torch.stack([U @ note + b for note in notes])
        points["attention.v"] = weights["attention.v"]
    state = (weights["first.weight"] @ whole + weights["first.bias"]).tanh().chunk(2)
    own, rows, logits = own_weights(weights, "decoder.|_l0"), [], []
    for t, token in enumerate(read):
        y = weights["target_embedding.weight"][END if token == UNKNOWN else token]
        row, context = {}, whole
        if attention != "none":
            row = attend("additive", weights, state[0], notes, (force or {}).get(t))
            looked = notes[chosen[t]] if attention == "hard" else row["context"]
            gate = weights["gate.weight"] @ state[0] + weights["gate.bias"]
            row["gate"] = gate.sigmoid()
            context = row["context"] = row["gate"] * looked
        step = step_of("lstm", own, torch.cat([y, context]), state)
        state = (step["h"], step["c"])
        rows.append(row | {f"decoder.0.{letter}": value for letter, value in step.items()})
        merged = torch.cat([step["h"], context, y])
        merged = (weights["readout.weight"] @ merged + weights["readout.bias"]).tanh()
        logits.append(weights["target_embedding.weight"] @ merged + weights["output_bias"])
    points |= {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
    return points, torch.stack(logits)
