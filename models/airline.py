"""AirPassengers: 144 monthly totals, and how a series becomes pairs that a network learns from.

International airline passengers in thousands, January 1949 to December 1960: series G of Box
and Jenkins, Time Series Analysis: Forecasting and Control (1976), known as AirPassengers. Plain
monthly counts, public data.

Three things matter before any network is there, and are here: pairs are cut with a sliding
window (`windows`), the parts follow one another in time (`TRAIN`, `VALIDATION`, `TEST`), and the
scale is fitted on the training part alone (`Scale.fit`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

FIRST_YEAR = 1949
SEASON = 12  # months
# fmt: off
MONTHS = (  # thousands of passengers, a row a year
    112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118,
    115, 126, 141, 135, 125, 149, 170, 170, 158, 133, 114, 140,
    145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166,
    171, 180, 193, 181, 183, 218, 230, 242, 209, 191, 172, 194,
    196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201,
    204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229,
    242, 233, 267, 269, 270, 315, 364, 347, 312, 274, 237, 278,
    284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271, 306,
    315, 301, 356, 348, 355, 422, 465, 467, 404, 347, 305, 336,
    340, 318, 362, 348, 363, 435, 491, 505, 404, 359, 310, 337,
    360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405,
    417, 391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432,
)
# fmt: on
TRAIN = slice(0, 96)  # 1949 to 1956: weights and scale are fitted on it
VALIDATION = slice(96, 120)  # 1957 and 1958: which seed, which window
TEST = slice(120, 144)  # 1959 and 1960: the figures; no choice looks at it


def series() -> Tensor:
    """The 144 months as float32 (144,), thousands of passengers."""
    return torch.tensor(MONTHS, dtype=torch.float32)


def month_name(index: int) -> str:
    """`1949-01` for month 0; months past the end go on counting."""
    year, month = divmod(index, SEASON)
    return f"{FIRST_YEAR + year}-{month + 1:02d}"


def windows(values: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Every `size` values in a row, and the value that follows them.

    Values (N,) -> x (N - size, size, 1) and y (N - size, 1); pair k has the target values[k +
    size]. Raises ValueError where no pair fits.
    """
    N = len(values)
    if not 1 <= size < N:
        raise ValueError(f"a window of {size} does not fit in {N} values, expected 1..{N - 1}")
    return values.unfold(0, size, 1)[:-1, :, None], values[size:, None]


def part(values: Tensor, size: int, which: slice) -> tuple[Tensor, Tensor]:
    """The pairs whose target lies in a part.

    A window may begin before its part: at that month the past is known. Returns x (M, size, 1)
    and y (M, 1); M is smaller than the part only where its windows would begin before the series.
    """
    return windows(values[max(0, which.start - size) : which.stop], size)


@dataclass(frozen=True)
class Scale:
    """Numbers to about 0..1 and back: scaled = (value - low) / span."""

    low: float
    span: float

    @classmethod
    def fit(cls, values: Tensor) -> "Scale":
        """Min-max: the smallest value becomes 0, the largest 1. Fit it on the training part."""
        low = values.min().item()
        return cls(low, values.max().item() - low)

    @classmethod
    def divided_by_maximum(cls, values: Tensor) -> "Scale":
        """The mistake many programs make: subtract the minimum, divide by the old maximum.

        The largest value then becomes (max - min) / max, not 1. Nothing fails: whoever undoes it
        with the same two numbers gets the values back, whoever undoes it as min-max does not.
        """
        return cls(values.min().item(), values.max().item())

    def apply(self, values: Tensor) -> Tensor:
        """Values of any shape -> scaled."""
        return (values - self.low) / self.span

    def undo(self, scaled: Tensor) -> Tensor:
        """Scaled values of any shape -> values."""
        return scaled * self.span + self.low


def naive(values: Tensor, which: slice) -> Tensor:
    """The forecast that every month is like the month before it: (M,) for the part's months."""
    return values[which.start - 1 : which.stop - 1]


def seasonal_naive(values: Tensor, which: slice) -> Tensor:
    """The forecast that every month is like the same month a year before: (M,)."""
    return values[which.start - SEASON : which.stop - SEASON]


def rmse(predicted: Tensor, true: Tensor) -> float:
    """Root of the mean squared error, in the units of both."""
    return (predicted - true).square().mean().sqrt().item()
