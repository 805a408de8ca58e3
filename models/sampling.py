"""Drawing the next token: temperature, top-k, top-p, and a random number that can be replayed.

Every row is treated on its own, so what a text draws never depends on who shares the batch.
`draw` has two forms that agree, one compiled for many rows a step, one in NumPy.
"""

import math

import numpy as np

from models import kernels

MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio, odd


def _mix(z: int) -> int:
    """The output function of SplitMix64: a bijection of 64 bits that scatters them."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def uniform(seed: int, position: int) -> float:
    """The number in [0, 1) of a seed at an absolute position of the text.

    SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"),
    started from the mixed seed and read at a counter. There is no state, so step t of seed s
    draws the same number however one got there. Seeds count modulo 2^64; 53 bits are used.
    """
    return (_mix((_mix(seed & MASK) + (position + 1) * GAMMA) & MASK) >> 11) * 2.0**-53


def top(probabilities: np.ndarray, k: int) -> np.ndarray:
    """(B, V) -> the ids of the k greatest, (B, min(k, V)) int64, likeliest first, ties by id."""
    B, V = probabilities.shape
    left, rows = np.array(probabilities), np.arange(B)
    ids = np.empty((B, min(k, V)), np.int64)
    for place in range(ids.shape[1]):
        ids[:, place] = left.argmax(axis=1)  # the first of equals
        left[rows, ids[:, place]] = -np.inf
    return ids


def draw(
    logits: np.ndarray,
    temperature: np.ndarray,
    top_k: np.ndarray,
    top_p: np.ndarray,
    u: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Choose one token a row.

    logits (B, V) float32; temperature (B,) > 0; top_k (B,) int, 0 is off; top_p (B,) in (0, 1],
    1 is off; u (B,) in [0, 1). First comes the temperature; then the k likeliest tokens are kept
    (ties to the lower id); then, of these as probabilities, the smallest set of the likeliest
    that reaches top_p (Holtzman et al. 2020). The token is where u falls in the cumulative sum
    in the order of ids.

    Returns the tokens (B,) int64 and two (B, V) float32: the model's own probabilities, at
    temperature 1, and the distribution that was drawn from. Raises FloatingPointError, naming
    the row, where a logit is not finite, and ValueError for a setting out of range.
    """
    # copies where they must be: the compiled form takes writable arrays of exactly these kinds
    logits = np.require(logits, np.float32, "CW")
    temperature, top_p, u = (np.array(setting, np.float64) for setting in (temperature, top_p, u))
    top_k = np.array(top_k, np.int64)
    if not kernels.ready():
        _check(logits, temperature, top_k, top_p, u)
        return _draw_numpy(logits, temperature, top_k, top_p, u)
    tokens = np.empty(len(logits), np.int64)
    probabilities, drawn = np.empty_like(logits), np.empty_like(logits)
    if not _draw_compiled(logits, temperature, top_k, top_p, u, tokens, probabilities, drawn):
        _check(logits, temperature, top_k, top_p, u)
    return tokens, probabilities, drawn


def _check(logits, temperature, top_k, top_p, u) -> None:
    finite = np.isfinite(logits).all(axis=1)
    if not finite.all():
        raise FloatingPointError(f"row {int(finite.argmin())} has a logit that is not finite")
    if not np.all((temperature > 0) & (temperature < math.inf)):
        raise ValueError("temperature must be positive; for the likeliest token use top_k=1")
    if not np.all((top_p > 0) & (top_p <= 1)):
        raise ValueError("top_p must be greater than 0 and at most 1")
    if not np.all(top_k >= 0):
        raise ValueError("top_k must not be negative; 0 is off")
    if not np.all((u >= 0) & (u < 1)):
        raise ValueError("u must be at least 0 and less than 1")


def _draw_numpy(logits, temperature, top_k, top_p, u):
    V = logits.shape[1]
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    probabilities = np.exp(shifted)
    probabilities /= np.cumsum(probabilities, axis=1)[:, -1:]  # one after the other, as below
    with np.errstate(over="ignore"):
        weights = np.exp(shifted / temperature[:, None])
    tokens = np.empty(len(logits), np.int64)
    for b, row in enumerate(weights):
        if top_k[b] or top_p[b] < 1:
            order = np.argsort(-logits[b], kind="stable")
            keep = min(top_k[b] or V, V)
            row[order[keep:]] = 0.0
            if top_p[b] < 1:
                reached = np.cumsum(row[order[:keep]])
                size = 1 + np.searchsorted(reached, top_p[b] * reached[-1])
                row[order[size:]] = 0.0
        sums = np.cumsum(row)
        tokens[b] = np.searchsorted(sums, u[b] * sums[-1], side="right")
        row /= sums[-1]
    return tokens, probabilities.astype(np.float32), weights.astype(np.float32)


@kernels.compiled
def _draw_compiled(logits, temperature, top_k, top_p, u, tokens, probabilities, drawn):
    """`_draw_numpy`, into the last three arrays. False where `_check` will complain."""
    B, V = logits.shape
    weights = np.empty(V)
    for b in range(B):
        row, T, p = logits[b], temperature[b], top_p[b]
        greatest = row[0]
        for v in range(V):
            if not math.isfinite(row[v]):
                return False
            greatest = max(greatest, row[v])
        if not (0 < T < math.inf and 0 < p <= 1 and top_k[b] >= 0 and 0 <= u[b] < 1):
            return False
        total = 0.0
        for v in range(V):
            weights[v] = math.exp(np.float64(row[v]) - np.float64(greatest))
            total += weights[v]
        for v in range(V):
            probabilities[b, v] = weights[v] / total
        if T != 1:
            for v in range(V):
                weights[v] = math.exp((np.float64(row[v]) - np.float64(greatest)) / T)
        if top_k[b] > 0 or p < 1:
            order = np.argsort(-row, kind="mergesort")
            keep = min(top_k[b], V) if top_k[b] > 0 else V
            total, reached, size = 0.0, 0.0, 0
            for v in order[:keep]:
                total += weights[v]
            while size < keep and (size == 0 or p == 1 or reached < p * total):
                reached += weights[order[size]]
                size += 1
            for v in order[size:]:
                weights[v] = 0.0
        total = 0.0
        for v in range(V):
            total += weights[v]
        reached, place = weights[0], 0
        while reached <= u[b] * total:
            place += 1
            reached += weights[place]
        tokens[b] = place
        for v in range(V):
            drawn[b, v] = weights[v] / total
    return True


def warm_up() -> None:
    """Compile the drawing; `kernels.warm_up` calls this."""
    one, row = np.ones(1), np.zeros((1, 2), np.float32)
    _draw_compiled(row, one, np.ones(1, np.int64), one, one / 2, np.ones(1, np.int64), row, row)
    _draw_compiled.disable_compile()
