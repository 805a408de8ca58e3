"""The next token of every row of a batch in one compiled pass.

This is `sampling.draw`, `sampling.top` and `sampling.uniform` together, without the arrays in
between and without holding the interpreter: what a server does once a step for all its texts.
`sampling` says what the numbers are, and serves until the pass is compiled; the two add up in
the same order.
"""

import math
from typing import NamedTuple

import numpy as np

from models import kernels, sampling

CANDIDATES = 5
GAMMA, MIX_1, MIX_2 = (
    np.uint64(n) for n in (sampling.GAMMA, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
S11, S27, S30, S31 = (np.uint64(n) for n in (11, 27, 30, 31))


class Settings(NamedTuple):
    """How each row draws; see `sampling.draw`."""

    temperature: np.ndarray  # (B,) float64
    top_k: np.ndarray  # (B,) int64, 0 is off
    top_p: np.ndarray  # (B,) float64, 1 is off
    seed: np.ndarray  # (B,) uint64


class Choice(NamedTuple):
    """What was chosen for each row, and from what. Rows that are not sound hold no numbers."""

    sound: np.ndarray  # (B,) bool: every logit is finite
    tokens: np.ndarray  # (B,) int64
    probability: np.ndarray  # (B,) float32, the model's own, of the token
    ids: np.ndarray  # (B, k) int64, the likeliest tokens; k is CANDIDATES or the vocabulary
    own: np.ndarray  # (B, k) float32, their probabilities by the model
    drawn: np.ndarray  # (B, k) float32, and in the distribution that was drawn from


def choose(
    logits: np.ndarray, settings: Settings, positions: np.ndarray, forced: np.ndarray
) -> Choice:
    """Choose the token at `positions` (B,) int64 of each row from logits (B, V) float32.

    `forced` (B,) int64 is the token a row takes whatever is likely, or -1 to draw one.
    """
    B, V = logits.shape
    k = min(CANDIDATES, V)
    if not ready():
        return _choose_slowly(logits, settings, positions, forced)
    choice = Choice(
        np.empty(B, np.bool_),
        np.empty(B, np.int64),
        np.empty(B, np.float32),
        np.empty((B, k), np.int64),
        np.empty((B, k), np.float32),
        np.empty((B, k), np.float32),
    )
    _choose(np.ascontiguousarray(logits), *settings, positions, forced, *choice)
    return choice


def _choose_slowly(logits, settings, positions, forced) -> Choice:
    """The same by `sampling`."""
    sound = np.isfinite(logits).all(axis=1)
    logits = np.where(sound[:, None], logits, np.float32(0))
    seeds = zip(settings.seed.tolist(), positions.tolist(), strict=True)
    u = np.array([sampling.uniform(seed, position) for seed, position in seeds])
    tokens, own, drawn = sampling.draw(logits, *settings[:3], u)
    tokens = np.where(forced >= 0, forced, tokens)
    ids = sampling.top(own, CANDIDATES)
    at = np.arange(len(logits))
    rows = at[:, None]
    return Choice(sound, tokens, own[at, tokens], ids, own[rows, ids], drawn[rows, ids])


_compiled = False


def ready() -> bool:
    """Whether the compiled pass serves."""
    return _compiled


def warm_up() -> bool:
    """Compile the pass, or read it from the disk, and say whether that could be done.

    Takes seconds the first time: call it at set-up or in a thread of its own, before the first
    token is drawn.
    """
    global _compiled
    if kernels.numba and not _compiled:
        one = np.ones(1)
        settings = (one, np.ones(1, np.int64), one, np.ones(1, np.uint64))
        k, position = np.zeros((1, 1), np.int64), np.zeros(1, np.int64)
        p = np.zeros((1, 1), np.float32)
        _choose(p, *settings, position, position, one > 0, position.copy(), p[0].copy(), k, p, p)
        _compiled = True
    return _compiled


@kernels.compiled
def _mix(z):
    z = (z ^ (z >> S30)) * MIX_1
    z = (z ^ (z >> S27)) * MIX_2
    return z ^ (z >> S31)


@kernels.compiled
def _restrict(row, weights, top_k, top_p):
    """Put the weights to zero that top-k and top-p leave out; returns the sum of the others."""
    V = len(row)
    order = np.argsort(-row, kind="mergesort")
    keep = min(top_k, V) if top_k > 0 else V
    total = 0.0
    for n in range(keep):
        total += weights[order[n]]
    reached, size = 0.0, 0
    while size < keep and (size == 0 or top_p == 1 or reached < top_p * total):
        reached += weights[order[size]]
        size += 1
    for n in range(size, V):
        weights[order[n]] = 0.0
    total = 0.0
    for v in range(V):
        total += weights[v]
    return total


@kernels.compiled
def _choose(
    logits,
    temperature,
    top_k,
    top_p,
    seed,
    positions,
    forced,
    sound,
    tokens,
    probability,
    ids,
    own,
    drawn,
):
    B, V = logits.shape
    k = ids.shape[1]
    chances, weights = np.empty(V), np.empty(V)
    for b in range(B):
        row = logits[b]
        peak = row[0]
        sound[b] = True
        for j in range(V):
            if not math.isfinite(row[j]):
                sound[b] = False
            elif row[j] > peak:
                peak = row[j]
        if not sound[b]:
            continue

        total = 0.0
        for j in range(V):
            chances[j] = math.exp(np.float64(row[j]) - peak)
            total += chances[j]
        if temperature[b] == 1.0:
            weights[:] = chances
            weight = total
        else:
            weight = 0.0
            for j in range(V):
                weights[j] = math.exp((np.float64(row[j]) - peak) / temperature[b])
                weight += weights[j]
        if 0 < top_k[b] < V or top_p[b] < 1:
            weight = _restrict(row, weights, top_k[b], top_p[b])

        z = _mix(_mix(seed[b]) + np.uint64(positions[b] + 1) * GAMMA)
        u = np.float64(z >> S11) * 2.0**-53
        token, reached, goal = forced[b], 0.0, u * weight
        if token < 0:
            for j in range(V):
                if weights[j] > 0:
                    token = j  # the last of them, should rounding keep the sum below the goal
                    reached += weights[j]
                    if reached > goal:
                        break
        tokens[b] = token
        probability[b] = chances[token] / total

        filled = 0
        for j in range(V):  # insert into the k likeliest so far; ties stay in order of id
            chance = np.float32(chances[j] / total)
            if filled == k and chance <= own[b, k - 1]:
                continue
            at = filled if filled < k else k - 1
            filled = at + 1
            while at > 0 and own[b, at - 1] < chance:
                own[b, at], ids[b, at] = own[b, at - 1], ids[b, at - 1]
                at -= 1
            own[b, at], ids[b, at] = chance, j
        for n in range(k):
            drawn[b, n] = weights[ids[b, n]] / weight
