"""How usual a number is: the share of a validation set that has a smaller one.

`config.json` may hold `calibration`: for each measure its ascending quantiles on validation, evenly
spaced in shares from the smallest value to the greatest.
"""

import math
from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from models.checkpoint import CheckpointError

MOST = 10_001  # quantiles of one measure


def read_calibration(about: dict) -> dict[str, list[float]]:
    """The quantiles by measure, none where nothing was calibrated. Raises `CheckpointError`."""
    found = about.get("calibration") or {}
    if not isinstance(found, dict):
        raise CheckpointError("calibration must be an object of lists")
    for name, values in found.items():
        sound = isinstance(values, list) and 2 <= len(values) <= MOST
        sound = sound and all(type(x) in (int, float) and math.isfinite(x) for x in values)
        if not sound or any(a > b for a, b in pairwise(values)):
            raise CheckpointError(
                f"calibration.{name} must be a list of 2 to {MOST} ascending finite numbers"
            )
    return found


def share_below(quantiles: list[float], value: float) -> float:
    """The share (0..1) of the calibrated numbers that are smaller than a value."""
    return float(np.interp(value, quantiles, np.linspace(0.0, 1.0, len(quantiles))))


class Calibrated:
    """What a runner says of a picture and of its own words, beside what was usual on validation.

    It has a `network`, which measures the `distance` of pictures where that is calibrated.
    """

    calibration: Mapping[str, list[float]] = MappingProxyType({})

    @torch.no_grad()
    def familiarity(self, cells: Tensor) -> dict[str, float] | None:
        """How far cells (1, S, F) lie from the training pictures, and the share of validation
        pictures that lie farther; None where that was not measured."""
        if "distance" not in self.calibration:
            return None
        distance = float(self.network.distance(cells))
        share = 1.0 - share_below(self.calibration["distance"], distance)
        return {"distance": distance, "share": share}

    def confidence(self, mean_log_probability: float) -> dict[str, float] | None:
        """The share of validation texts that the network found less likely, in nats a token; None
        where that was not measured."""
        if "log_probability" not in self.calibration:
            return None
        share = share_below(self.calibration["log_probability"], mean_log_probability)
        return {"mean_log_probability": mean_log_probability, "share": share}
