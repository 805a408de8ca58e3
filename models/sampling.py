"""Drawing the next token: temperature, top-k, top-p, and a random number that can be replayed.

Every row is treated on its own, so what a text draws never depends on who shares the batch.
"""

import numpy as np

MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15  # 2^64 / golden ratio, odd


def _mix(z: int) -> int:
    """The finalizer of SplitMix64 (Steele, Lea and Flood 2014): a bijection of 64 bits."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def uniform(seed: int, position: int) -> float:
    """The number in [0, 1) of a seed at an absolute position of the text.

    SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators")
    read at a counter, its start mixed from the seed: no state, so step t of seed s draws the
    same number however one got there. Any int is a seed; 53 bits are used.
    """
    return (_mix((_mix(seed & MASK) + (position + 1) * GAMMA) & MASK) >> 11) * 2.0**-53


def top(probabilities: np.ndarray, k: int) -> np.ndarray:
    """(B, V) -> the ids of the k greatest, (B, min(k, V)) int64, likeliest first, ties by id."""
    return np.argsort(-probabilities, axis=1, kind="stable")[:, :k]


def draw(
    logits: np.ndarray,
    temperature: np.ndarray,
    top_k: np.ndarray,
    top_p: np.ndarray,
    u: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Choose one token a row. Returns tokens (B,) int64, and two (B, V) float32: the model's own
    probabilities (temperature 1) and the distribution that was drawn from.

    logits (B, V) float32; temperature (B,) > 0; top_k (B,) int, 0 is off; top_p (B,) in (0, 1],
    1 is off; u (B,) in [0, 1). First the temperature, then the k likeliest tokens (ties to the
    lower id), then of these, as probabilities, the smallest set of the likeliest that reaches
    top_p; one is always left. The token is where u falls in the cumulative sum in the order of
    ids. Raises FloatingPointError, naming the row, where a logit is not finite, and ValueError
    for a setting out of range.
    """
    finite = np.isfinite(logits).all(axis=1)
    if not finite.all():
        raise FloatingPointError(f"row {int(np.argmin(finite))} has a logit that is not finite")
    B, V = logits.shape
    if not (np.all(temperature > 0) and np.all(np.isfinite(temperature))):
        raise ValueError("temperature must be positive; for the likeliest token use top_k=1")
    if not (np.all(top_p > 0) and np.all(top_p <= 1)):
        raise ValueError("top_p must lie in (0, 1]")
    if not np.all(top_k >= 0):
        raise ValueError("top_k must not be negative; 0 is off")
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    probabilities = _normal(np.exp(shifted))
    weights = np.exp(shifted / np.asarray(temperature, np.float64)[:, None])
    for b in range(B):
        if 0 < top_k[b] < V or top_p[b] < 1:
            order = np.argsort(-logits[b], kind="stable")
            keep = min(int(top_k[b]) or V, V)
            weights[b, order[keep:]] = 0.0
            if top_p[b] < 1:
                reached = np.cumsum(weights[b, order[:keep]] / weights[b].sum()) >= top_p[b]
                if reached.any():
                    weights[b, order[int(np.argmax(reached)) + 1 :]] = 0.0
    drawn = _normal(weights)
    tokens = np.empty(B, np.int64)
    for b in range(B):
        sums = np.cumsum(drawn[b])
        # the last sum may fall short of 1 by rounding: u is scaled so that it is always reached
        tokens[b] = np.searchsorted(sums, u[b] * sums[-1], side="right")
    return tokens, probabilities.astype(np.float32), drawn.astype(np.float32)


def _normal(weights: np.ndarray) -> np.ndarray:
    return weights / weights.sum(axis=1, keepdims=True)
