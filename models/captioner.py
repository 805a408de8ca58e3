"""Show, attend and tell: a caption for a picture, and where each word was looked for.

A frozen encoder (`efficientnet`) makes a grid of features x_1..x_49; the decoder (`decoder`, an
LSTM) looks at

    a_j  = W_a standardised(x_j)                     annotations
    s_0  = tanh(W_0 mean(a))                         h and c before the first word
    z_i  = sigma(w_b . h_{i-1}) * context_i          the gate decides how much of the picture a
                                                     word needs

Source: Xu et al. 2015 (arXiv:1502.03044). `soft` takes the mean of the annotations weighted by
attention; `hard` draws one cell from the same weights, and its gradient comes from REINFORCE
(Williams 1992), since drawing has none; `none` sees the mean of all cells at every step.
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from models.checkpoint import check_choice, check_sizes
from models.decoder import BEGIN, UNKNOWN, Decoder, Memory
from models.efficientnet import FEATURES, GRID
from models.familiarity import Familiarity

ATTENTIONS = ("soft", "hard", "none")


@dataclass(frozen=True)
class CaptionerConfig:
    """Everything that fixes the shapes."""

    attention: str  # soft, hard or none
    target_size: int  # tokens that can be written
    embedding_size: int
    decoder_size: int
    context_size: int  # of an annotation
    attention_size: int  # of the score's hidden layer
    feature_size: int = FEATURES  # of a cell of the encoder's grid
    grid: int = GRID  # cells a side
    dropout: float = 0.0  # while training only

    def check(self) -> None:
        """Refuse sizes that no checkpoint of this kind has, before memory is taken for them."""
        check_choice(self, "attention", ATTENTIONS)
        bounds = {
            "target_size": (3, 1 << 17),
            "embedding_size": (1, 8192),
            "decoder_size": (1, 8192),
            "context_size": (1, 8192),
            "attention_size": (int(self.attention != "none"), 8192),
            "feature_size": (1, 8192),
            "grid": (1, 64),
        }
        check_sizes(self, bounds)

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return asdict(self)


class Captioner(Decoder):
    """`forward` maps grids and captions up to each word to the logits of their words."""

    kind = "captioner"
    tasks = ("caption",)
    never_written = (UNKNOWN, BEGIN)

    def __init__(self, config: CaptionerConfig):
        C, D = config.context_size, config.decoder_size
        super().__init__(
            "lstm",
            "none" if config.attention == "none" else "additive",
            config.target_size,
            config.embedding_size,
            D,
            C,
            config.attention_size,
            config.dropout,
        )
        self.config = config
        self.register_buffer("mean", torch.zeros(config.feature_size))  # of the training cells
        self.register_buffer("deviation", torch.ones(config.feature_size))
        self.annotate = nn.Linear(config.feature_size, C)
        self.first = nn.Linear(C, 2 * D)
        self.gate = None if config.attention == "none" else nn.Linear(D, 1)
        self.familiar = Familiarity(config.feature_size)

    def distance(self, cells: Tensor) -> Tensor:
        """How far pictures, cells (B, S, F), are from those that were learned: (B,), 0 to 2."""
        return self.familiar(cells)

    def read(self, cells: Tensor) -> tuple[Memory, Tensor]:
        """Cells (B, S, feature_size), row by row of the grid -> the memory and the first state
        (2, B, D)."""
        standard = (cells - self.mean) / self.deviation
        annotations = self.annotate(standard)  # (B, S, C)
        whole = annotations.mean(1)  # (B, C)
        h, c = torch.tanh(self.first(whole)).float().chunk(2, dim=-1)
        if self.attention is None:
            memory = Memory(annotations, None, None, whole)
        else:
            memory = Memory(annotations, self.attention.keys(annotations), None, None)
        return memory, torch.stack([h, c])

    def admission(self, h: Tensor) -> Tensor:
        """The gate of Xu et al., section 4.2.1."""
        return torch.sigmoid(self.linear(h, self.gate.weight, self.gate.bias))

    def forward(self, cells: Tensor, target: Tensor) -> tuple[Tensor, Tensor | None]:
        """Teacher forcing: cells (B, S, F), target (T, B) beginning with `<s>` -> logits
        (T, B, target_size) and the weights (T, B, S), None without attention."""
        found = self.follow(*self.read(cells), target)
        return found.logits, found.weights
