"""Small forecasters of many seeds, trained as one: every operation is done for all of them at once.

What a step of a network of four units costs is the calling, not the arithmetic, so ten of them cost
hardly more than one. The formulas are those of `models.cells`; gradients of the sum of all losses
are those of each network's own loss, and Adam goes number by number, so that nothing passes from
one network to another.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.forecaster import Forecaster, ForecasterConfig

Stacked = dict[str, Tensor]  # a parameter's name -> (S, ...), one network after another


def stack(networks: Sequence[Forecaster]) -> Stacked:
    """The parameters of networks of one shape, to be trained."""
    states = [network.state_dict() for network in networks]
    return {
        name: torch.stack([state[name] for state in states]).requires_grad_() for name in states[0]
    }


def predict(cell: str, p: Stacked, x: Tensor) -> Tensor:
    """Scaled windows x (B, T, 1), read by all networks -> (S, B)."""
    S, B, H = len(p["output.bias"]), len(x), p["output.weight"].shape[-1]
    from_input = torch.einsum("bt,sg->tsbg", x[..., 0], p["rnn.weight_ih_l0"][..., 0])
    from_input = from_input + p["rnn.bias_ih_l0"][:, None]  # (T, S, B, G * H)
    matrix, bias = p["rnn.weight_hh_l0"].mT, p["rnn.bias_hh_l0"][:, None]
    h = c = x.new_zeros(S, B, H)
    for given in from_input:
        kept = torch.baddbmm(bias, h, matrix)  # (S, B, G * H)
        if cell == "lstm":
            i, f, g, o = (given + kept).split(H, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        elif cell == "gru":
            r, z = (given + kept)[..., : 2 * H].sigmoid().split(H, -1)
            n = (given[..., 2 * H :] + r * kept[..., 2 * H :]).tanh()
            h = n + z * (h - n)
        else:
            h = (given + kept).tanh()
    return (h * p["output.weight"]).sum(-1) + p["output.bias"]


def train(
    config: ForecasterConfig,
    seeds: Sequence[int],
    x: Tensor,
    y: Tensor,
    epochs: int,
    learning_rate: float,
) -> tuple[list[Forecaster], Tensor]:
    """A network a seed, each trained on all pairs x (B, T, 1), y (B, 1) as if it were alone.

    One layer only. Returns the networks, and the loss of each before each epoch (epochs, S).
    """
    networks = [
        Forecaster(config).initialize(torch.Generator().manual_seed(seed)) for seed in seeds
    ]
    p = stack(networks)
    optimizer = torch.optim.Adam(p.values(), lr=learning_rate, foreach=True)
    losses = torch.empty(epochs, len(networks))
    for epoch in range(epochs):
        loss = (predict(config.cell, p, x) - y[:, 0]).square().mean(-1)  # (S,)
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        losses[epoch] = loss.detach()
    for k, network in enumerate(networks):
        network.load_state_dict({name: value[k].detach() for name, value in p.items()})
        network.eval().requires_grad_(False)
    return networks, losses
