"""How much a picture is like those that a network learned from.

The features of a picture, averaged over its cells and standardised, are a direction; so are the
typical pictures, the centres of a spherical k-means (Dhillon and Modha 2001) over the training
pictures. The distance is 1 - cos to the nearest of them, from 0 to 2: measured on Flickr8k it tells
drawings, scans and close-ups from the photographs of people and dogs outdoors that were learned,
where a Mahalanobis distance does not.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TYPICAL = 16  # centres


class Familiarity(nn.Module):
    """Typical pictures of a training set, as buffers that a checkpoint keeps."""

    def __init__(self, feature_size: int, typical: int = TYPICAL):
        super().__init__()
        self.register_buffer("mean", torch.zeros(feature_size))  # of pooled features
        self.register_buffer("deviation", torch.ones(feature_size))
        self.register_buffer("typical", torch.zeros(typical, feature_size))  # rows of length 1

    def directions(self, cells: Tensor) -> Tensor:
        """Cells (B, S, F) -> standardised pooled features of length 1, (B, F)."""
        return F.normalize((cells.mean(1) - self.mean) / self.deviation, dim=-1)

    def forward(self, cells: Tensor) -> Tensor:
        """Cells (B, S, F) -> the distance (B,) to the nearest typical picture."""
        return 1 - (self.directions(cells) @ self.typical.t()).amax(-1)

    @torch.no_grad()
    def learn(self, pooled: Tensor, generator: torch.Generator, rounds: int = 25) -> "Familiarity":
        """Find the typical pictures of a training set, pooled features (N, F).

        Raises ValueError where there are fewer than have to be found.
        """
        K = len(self.typical)
        if len(pooled) < K:
            raise ValueError(f"{K} typical pictures cannot be found among {len(pooled)}")
        self.mean.copy_(pooled.mean(0))
        self.deviation.copy_(pooled.std(0).clamp(min=1e-3))
        x = self.directions(pooled[:, None])  # (N, F)
        centres = x[torch.randperm(len(x), generator=generator)[:K]].clone()
        for _ in range(rounds):
            nearest = (x @ centres.t()).argmax(-1)
            sums = torch.zeros_like(centres).index_add_(0, nearest, x)
            found = sums.norm(dim=-1) > 0  # a centre that nobody is near stays where it is
            centres[found] = F.normalize(sums[found], dim=-1)
        self.typical.copy_(centres)
        return self
