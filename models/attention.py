"""Attention: how well each annotation answers a query, and the mean weighted by it.

For a query s (the decoder's state before a step) and annotations h_1..h_S (the encoder's states):

    energy_j = v . tanh(W s + U h_j)    additive    Bahdanau, Cho, Bengio 2015 (arXiv:1409.0473)
    energy_j = s . h_j                  dot         Luong, Pham, Manning 2015 (arXiv:1508.04025)
    energy_j = (W s) . h_j              general     the same
    weight_j = exp(energy_j) / sum over the real positions of exp(energy)
    context  = sum_j weight_j h_j                soft
    context  = h_j, of one j that is chosen      hard    Xu et al. 2015 (arXiv:1502.03044)

A position of padding has weight 0 exactly. Unlike `torch.nn.MultiheadAttention` there is one head,
nothing is scaled by the square root of the size, and the values are the annotations themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SCORES = ("additive", "dot", "general")
Look = Callable[[Tensor], Tensor]  # weights (B, S) -> the one position (B,) that is looked at


@dataclass(frozen=True)
class Attended:
    """One look at the annotations. `query` is None for the dot score, whose query is s itself."""

    query: Tensor | None  # (B, A): W s
    energy: Tensor  # (B, S); -inf at padding
    weights: Tensor  # (B, S), rows sum to 1
    context: Tensor  # (B, C)
    chosen: Tensor | None = None  # (B,), the one position of hard attention


class Attention(nn.Module):
    """Attention with a score of `SCORES`. Raises ValueError for sizes that do not fit together.

    `attention_size` is the width of the additive score's hidden layer; the others have none.
    """

    def __init__(self, score: str, query_size: int, annotation_size: int, attention_size: int = 0):
        super().__init__()
        if score not in SCORES:
            raise ValueError(f"score is {score!r}, expected one of {', '.join(SCORES)}")
        if score == "dot" and query_size != annotation_size:
            raise ValueError(
                f"the dot score needs a query as wide as an annotation, "
                f"found {query_size} and {annotation_size}"
            )
        self.score = score
        self.linear = F.linear  # as in `Seq2Seq`
        self.query = self.key = self.v = None
        if score == "additive":
            self.query = nn.Linear(query_size, attention_size, bias=False)
            self.key = nn.Linear(annotation_size, attention_size)
            self.v = nn.Parameter(torch.zeros(attention_size))
        elif score == "general":
            self.query = nn.Linear(query_size, annotation_size, bias=False)

    def keys(self, annotations: Tensor) -> Tensor:
        """What queries are held against, (B, S, C) -> (B, S, A): once for all steps."""
        return annotations if self.key is None else self.key(annotations)

    def forward(
        self,
        state: Tensor,
        keys: Tensor,
        annotations: Tensor,
        mask: Tensor | None = None,
        force: Tensor | None = None,
        look: Look | None = None,
    ) -> Attended:
        """State (B, D), keys (B, S, A), annotations (B, S, C), mask (B, S), True where real.

        `force` (B,) puts the whole weight of a row on one position; -1 leaves the row alone. The
        energies stay what the network computed. With a `look` attention is hard: the context is
        the one annotation that it chooses by the weights.
        """
        query = None if self.query is None else self.linear(state, self.query.weight)  # (B, A)
        asked = state if query is None else query
        if self.score == "additive":
            energy = torch.tanh(keys + asked[:, None]) @ self.v  # (B, S)
        else:
            energy = (keys @ asked[:, :, None])[:, :, 0]  # (B, S)
        energy = energy.float()
        if mask is not None:
            energy = energy.masked_fill(~mask, -torch.inf)
        weights = energy.softmax(-1)
        if force is not None:
            one_hot = torch.zeros_like(weights).scatter_(1, force.clamp(min=0)[:, None], 1.0)
            weights = torch.where((force >= 0)[:, None], one_hot, weights)
        if look is not None:
            chosen = look(weights)
            context = annotations[torch.arange(len(chosen), device=chosen.device), chosen]
            return Attended(query, energy, weights, context, chosen)
        context = (weights[:, None].to(annotations.dtype) @ annotations)[:, 0]  # (B, C)
        return Attended(query, energy, weights, context)
