"""Networks as practitioners write them, and what their files would hold."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

V, E, H = 11, 6, 7
SYMBOLS = list("\n abcdefghi")
FUSED = {
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "rnn_tanh": nn.RNN,
    "rnn_relu": lambda *a, **k: nn.RNN(*a, nonlinearity="relu", **k),
}
SINGLE = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "rnn_tanh": nn.RNNCell}


class Written(nn.Module):
    """A next-symbol model under names of somebody's own: tokens (T) -> logits (T, V)."""

    def __init__(
        self,
        cell="lstm",
        embedding=True,
        tied=False,
        bias=True,
        layers=1,
        names=("emb", "rnn", "fc"),
    ):
        super().__init__()
        self.called, self.embeds = names, embedding
        width = H if tied else E if embedding else V
        if embedding:
            self.add_module(names[0], nn.Embedding(V, width))
        self.add_module(names[1], FUSED[cell](width, H, layers, bias=bias))
        output = nn.Linear(H, V, bias=bias)
        if tied:
            output.weight = getattr(self, names[0]).weight
        self.add_module(names[2], output)

    def forward(self, tokens: Tensor) -> Tensor:
        table, rnn, output = (getattr(self, name, None) for name in self.called)
        x = table(tokens) if self.embeds else F.one_hot(tokens, V).float()
        return output(rnn(x[:, None])[0][:, 0])


class Stepped(nn.Module):
    """The same of single cells in a list, stepped by hand."""

    def __init__(self, cell: str):
        super().__init__()
        self.embed = nn.Embedding(V, E)
        self.cells = nn.ModuleList([SINGLE[cell](E, H), SINGLE[cell](H, H)])
        self.to_logits = nn.Linear(H, V)

    def forward(self, tokens: Tensor) -> Tensor:
        states, logits = [None, None], []
        for x in self.embed(tokens)[:, None]:
            for k, cell in enumerate(self.cells):
                states[k] = cell(x, states[k])
                x = states[k][0] if isinstance(states[k], tuple) else states[k]
            logits.append(self.to_logits(x)[0])
        return torch.stack(logits)


def seeded(network: type, *arguments, **options) -> nn.Module:
    """A network whose weights are those of a seed, spread so that they look trained."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        made = network(*arguments, **options)
        with torch.no_grad():
            for parameter in made.parameters():
                parameter.copy_(torch.randn_like(parameter) * 0.5)
    return made.eval()


def held(network: nn.Module, prefix: str = "") -> Mapping[str, np.ndarray]:
    """What a file of its state would hold."""
    return {prefix + name: value.numpy() for name, value in network.state_dict().items()}
