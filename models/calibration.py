"""How usual a number is: the share of a validation set that has a smaller one.

`config.json` may hold `calibration`: for each measure its ascending quantiles on validation, evenly
spaced in shares from the smallest value to the greatest.
"""

import math
from itertools import pairwise

import numpy as np

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
