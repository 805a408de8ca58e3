"""What a network of visual question answering computes, one cell at a time, in float64, with
`torch.nn.GRUCell` for the question. Nothing here shares a line with `models`."""

import torch
from torch import Tensor

from tests.oracle_seq2seq import own_weights, step_of


def by_hand(weights: dict[str, Tensor], cells: Tensor, ids: list[int]) -> tuple[dict, Tensor]:
    """Every point by name and the logits, for the cells (S, F) of one picture and the numbers of
    one question."""
    weights = {name: value.double() for name, value in weights.items()}
    grid = len(weights["row"])
    own, steps = own_weights(weights, "question.|_l0"), []
    state = (torch.zeros(own["weight_hh"].shape[1], dtype=torch.float64),)
    for k in ids:
        step = step_of("gru", own, weights["embedding.weight"][k], state)
        state = (step["h"],)
        steps.append(step)
    points = {
        f"question.0.{letter}": torch.stack([step[letter] for step in steps]) for letter in "hrzn"
    }
    notes = []
    for place, x in enumerate(cells.double()):
        x = (x - weights["mean"]) / weights["deviation"]
        at = weights["row"][place // grid] + weights["column"][place % grid]
        notes.append((weights["annotate.weight"] @ x + weights["annotate.bias"]).tanh() + at)
    points["annotation"] = torch.stack(notes).unflatten(0, (grid, grid))

    def energies(name: str, u: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query = weights[f"{name}.query.weight"] @ u
        keys = [weights[f"{name}.key.weight"] @ a + weights[f"{name}.key.bias"] for a in notes]
        found = [(weights[f"{name}.v"] * (query + key).tanh()).sum() for key in keys]
        return query, torch.stack(keys), torch.stack(found)

    u, rows = [state[0]], []
    while f"hops.{len(rows)}.v" in weights:
        name = f"hops.{len(rows)}"
        if rows:
            W, b = (weights[f"refine.{len(rows) - 1}.{part}"] for part in ("weight", "bias"))
            u.append((W @ torch.cat([u[-1], rows[-1]["context"]]) + b).tanh())
        query, keys, energy = energies(name, u[-1])
        share = (energy - energy.max()).exp()
        share = share / share.sum()
        context = sum(s * a for s, a in zip(share, notes, strict=True))
        rows.append(
            {
                "attention": share.view(grid, grid),
                "attention.energy": energy.view(grid, grid),
                "attention.query": query,
                "attention.key": keys.unflatten(0, (grid, grid)),
                "attention.v": weights[f"{name}.v"],
                "context": context,
            }
        )
    points |= {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
    points["asked"] = torch.stack(u)
    _, _, energy = energies("counter", u[0])
    counted = [1 / (1 + (-e - weights["threshold"]).exp()) for e in energy]
    points["counter.energy"] = energy.view(grid, grid)
    points["counter"] = torch.stack(counted).view(grid, grid)
    numbers = range(weights["seen.weight"].shape[1] - len(rows) * len(u[0]))
    tally = [max(0.0, 1 - abs(n - float(sum(counted)))) for n in numbers]
    points["tally"] = torch.tensor(tally, dtype=torch.float64)
    seen = torch.cat([*(row["context"] for row in rows), points["tally"]])
    seen = (weights["seen.weight"] @ seen + weights["seen.bias"]).tanh()
    wanted = (weights["wanted.weight"] @ u[0] + weights["wanted.bias"]).tanh()
    return points, weights["output.weight"] @ (wanted * seen) + weights["output.bias"]
