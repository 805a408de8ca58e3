"""Character-level recurrent language models: embed, recur, predict the next character.

Source: Mikolov et al. 2010 (recurrent language models); Karpathy, Johnson, Fei-Fei 2015
(arXiv:1506.02078) for the character form. The network is a `torch.nn` RNN, LSTM or GRU with
its own parameter names under `rnn.`, an embedding (or one-hot input) before and one linear
layer after it. This module holds the network as it is trained; `cells` holds the explicit
steps that show its gates.
"""

from dataclasses import asdict, dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CellName = Literal["rnn_tanh", "rnn_relu", "lstm", "gru"]
CELLS: dict[str, type[nn.RNNBase]] = {
    "rnn_tanh": nn.RNN,
    "rnn_relu": nn.RNN,
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}


@dataclass(frozen=True)
class CharRNNConfig:
    """Everything that fixes the shapes of a character model."""

    cell: CellName
    vocab_size: int
    hidden_size: int
    num_layers: int = 1
    embedding_size: int = 0  # 0: the input is one-hot, as wide as the vocabulary
    dropout: float = 0.0  # while training only: after the embedding, between layers, before output

    @property
    def input_size(self) -> int:
        """Width of what the first layer reads."""
        return self.embedding_size or self.vocab_size

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return asdict(self)


class CharRNN(nn.Module):
    """Next-character model. `forward` maps tokens (T, B) to logits (T, B, V)."""

    kind = "char_rnn"
    tasks = ("trace", "generate")

    def __init__(self, config: CharRNNConfig):
        super().__init__()
        self.config = config
        self.embedding = (
            nn.Embedding(config.vocab_size, config.embedding_size)
            if config.embedding_size
            else None
        )
        options = {"nonlinearity": config.cell[4:]} if config.cell.startswith("rnn_") else {}
        self.rnn = CELLS[config.cell](
            config.input_size,
            config.hidden_size,
            config.num_layers,
            dropout=config.dropout if config.num_layers > 1 else 0.0,
            **options,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden_size, config.vocab_size)

    def embed(self, tokens: Tensor) -> Tensor:
        """Tokens (...) -> inputs (..., input_size)."""
        if self.embedding is None:
            one_hot = F.one_hot(tokens, self.config.vocab_size)
            return one_hot.to(self.output.weight.dtype)
        return self.embedding(tokens)

    def forward(self, tokens: Tensor, state=None) -> tuple[Tensor, object]:
        """Tokens (T, B) and a torch.nn state -> logits (T, B, V) and the state after them."""
        hidden, state = self.rnn(self.dropout(self.embed(tokens)), state)  # (T, B, H)
        return self.output(self.dropout(hidden)), state

    @torch.no_grad()
    def initialize(self, generator: torch.Generator) -> "CharRNN":
        """Seeded start: orthogonal recurrent blocks, Xavier inputs, zero biases.

        The LSTM's forget gate starts open (bias 1; Jozefowicz et al. 2015), so that early
        gradients reach back in time.
        """
        H = self.config.hidden_size
        for name, parameter in self.named_parameters():
            if "weight_hh" in name:
                for block in parameter.split(H):  # (H, H) a gate
                    nn.init.orthogonal_(block, generator=generator)
            elif parameter.dim() == 2 and name.startswith("embedding"):
                nn.init.normal_(parameter, std=0.5, generator=generator)
            elif parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter, generator=generator)
            else:
                nn.init.zeros_(parameter)
                if self.config.cell == "lstm" and "bias_ih" in name:
                    parameter[H : 2 * H] = 1.0
        return self
