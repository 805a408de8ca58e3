"""From the hidden states of a whole text to one vector: the last ones, their mean, or attention.

Attention pooling gives every step a score and takes the mean of the states weighted by the softmax
of the scores: Yang et al. 2016 (hierarchical attention networks), after Bahdanau et al. 2015.

    score_t = v . tanh(W h_t + b)      a = softmax(score)      pooled = sum over t of a_t h_t

A step past the end of its text gets no weight at all.
"""

import torch
from torch import Tensor, nn

POOLINGS = ("last", "mean", "attention")


class Attention(nn.Module):
    """The scores of steps: `forward` maps states (T, B, D) and a mask (T, B) to weights (T, B)."""

    def __init__(self, width: int, size: int):
        super().__init__()
        self.states = nn.Linear(width, size)  # W, b
        self.score = nn.Linear(size, 1, bias=False)  # v

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        scores = self.score(self.states(states).tanh()).squeeze(-1)  # (T, B)
        return scores.masked_fill(~mask, -torch.inf).softmax(0)


def mask_of(states: Tensor, lengths: Tensor) -> Tensor:
    """Which steps of states (T, B, D) are of their texts: (T, B), True within `lengths` (B)."""
    steps = torch.arange(len(states), device=states.device)
    return steps[:, None] < lengths.to(states.device)


def last(states: Tensor, lengths: Tensor, hidden_size: int) -> Tensor:
    """The state of each direction once it has read the whole text: (T, B, D * H) -> (B, D * H).

    Forwards that is the last step of the text, backwards its first: torch's `h_n`.
    """
    ends = (lengths.to(states.device) - 1).view(1, -1, 1).expand(1, -1, hidden_size)
    forwards = states[..., :hidden_size].gather(0, ends)[0]  # (B, H)
    return torch.cat([forwards, states[0, :, hidden_size:]], dim=-1)
