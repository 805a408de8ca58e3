"""Whether a network is healthy: what its weights say, and what its states do over a probe.

Every finding is a fact with its number; `look` and `bad` say that it is worth a glance or that
something is broken. Where a bound decides, it stands here with its reason.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from models.cells import GATES, UNIT_LETTERS, Recurrent
from models.doctor.diagnosis import Finding, Level, Said, Settled, Stack
from models.doctor.proof import weights_of
from models.jacobians import KRYLOV, LANCZOS, arnoldi

SILENT = 1e-3  # |h| that no gate and no output can tell from 0
STILL = 1e-4  # deviation over the probe of a unit that says the same whatever it reads
CLOSED, OPEN = 0.05, 0.95  # a gate past these is saturated, as the lab counts it
FULL = 0.95  # |h| past it is saturated
MOSTLY = 0.95  # share of steps from which a unit counts as always saturated
SOME = 0.1  # share of units from which dead ones are bad
MANY = 0.8  # share of saturated values that is worth a look: gates of trained networks reach half
FAINT = 0.1  # of the median length of an embedding's rows
FAR = 40.0  # deviations of a weight from the mean of its tensor
DENSE = 256  # units up to which the matrix itself is taken apart
GATE_LETTERS = {"lstm": "ifgo", "gru": "rzn", "rnn_tanh": "h", "rnn_relu": "h"}
SHOWN = 5  # places that are named


def examine(stack: Stack, cell: str, tensors, x: np.ndarray, settled: Settled) -> list[Finding]:
    """Everything that was looked at in one stack and its table, over a probe x (T, input)."""
    own = {name: tensors[name] for name in stack.names.values()}
    if any(broken(own)):  # what is no number makes no states
        return []
    found: list[Finding] = []
    with torch.no_grad():
        recurrent = Recurrent(cell, {k: v.float() for k, v in weights_of(stack, tensors).items()})
        run = recurrent.run(torch.from_numpy(x)[:, None])
        for direction in (one for directions in recurrent.layers for one in directions):
            points = {
                letter: run.points[f"{direction.name}.{letter}"][:, 0]
                for letter in recurrent.letters
            }
            name = stack.called(direction.name)
            found.append(dead(points["h"], name))
            found.append(saturated(cell, points, name))
            found += keeps(cell, points, direction, name)
            found.append(recurrence(cell, direction.weight_hh, name))
    found += untouched(stack, tensors)
    table = settled.inputs.get(stack.name)
    if isinstance(table, np.ndarray) and not any(broken({"": table})):
        found += rows(table, settled.symbols)
    return [*found, *far(own)]


def broken(tensors: Mapping[str, np.ndarray]) -> Iterator[Finding]:
    """Tensors that hold what is no number, and where."""
    for name, value in tensors.items():
        wrong = ~np.isfinite(value)
        if wrong.any():
            at = tuple(int(k) for k in np.argwhere(wrong)[0])
            text = "{name} holds {n} values that are NaN or infinite, the first at {at}."
            n = int(wrong.sum())
            yield Finding("finite", n, Said(text, name=name, n=n, at=at), "bad", name)


def places(units: Iterable[int]) -> str:
    """`3, 17 and 5 more`: a few numbers by name."""
    units = list(units)
    named = ", ".join(map(str, units[:SHOWN]))
    return named if len(units) <= SHOWN else f"{named} + {len(units) - SHOWN}"


def dead(h: Tensor, name: str) -> Finding:
    """Units whose state is nothing, or never moves: h (T, H)."""
    silent = h.abs().amax(0) < SILENT
    still = ~silent & (h.std(0) < STILL)
    units = torch.nonzero(silent | still)[:, 0].tolist()
    share = len(units) / h.shape[1]
    level: Level = "good" if not units else "bad" if share > SOME else "look"
    if units:
        text = (
            "{name}: {n} of {of} units are dead over the probe: {silent} near 0, {still} constant."
        )
    else:
        text = "{name}: all {of} units move over the probe."
    values = {
        "n": len(units),
        "of": h.shape[1],
        "silent": int(silent.sum()),
        "still": int(still.sum()),
    }
    says = Said(text, name=name, **values)
    return Finding("dead_units", len(units), says, level, places(units))


def saturated(cell: str, points: Mapping[str, Tensor], name: str) -> Finding:
    """How much of the gates and of h lies at the ends of their ranges; points (T, H) by letter."""
    shares, always = {}, {}
    for letter, value in points.items():
        if letter in UNIT_LETTERS:
            past = (value < CLOSED) | (value > OPEN)
        elif letter == "h" and cell != "rnn_relu":
            past = value.abs() > FULL
        else:
            continue
        shares[letter] = round(float(past.float().mean()), 4)
        units = torch.nonzero(past.float().mean(0) >= MOSTLY)[:, 0].tolist()
        if shares[letter] > MANY:
            always[letter] = units
    if not shares:
        says = Said("{name}: a rectified state has no end to be saturated at.", name=name)
        return Finding("saturated", {}, says, "good")
    listed = ", ".join(f"{letter} {share:.0%}" for letter, share in shares.items())
    text = "{name}: share of the steps at which a unit is saturated: {shares}."
    where = "; ".join(f"{letter}: {places(units)}" for letter, units in always.items())
    level: Level = "look" if always else "good"
    return Finding("saturated", shares, Said(text, name=name, shares=listed), level, where)


def keeps(cell: str, points: Mapping[str, Tensor], direction, name: str) -> Iterator[Finding]:
    """What the gate that keeps the state keeps, and the bias it starts from."""
    letter = {"lstm": "f", "gru": "z"}.get(cell)
    if letter is None:
        return
    mean = float(points[letter].mean())
    level: Level = "good" if 0.05 <= mean <= 0.995 else "look"
    if 0 < mean < 1:
        steps = math.log(0.5) / math.log(mean)
        text = (
            "{name}: {letter} keeps {mean} of the state a step on average; half is gone after "
            "{steps} steps."
        )
        says = Said(text, name=name, letter=letter, mean=f"{mean:.2f}", steps=f"{steps:.1f}")
    else:
        text = "{name}: {letter} is {mean} at every step: nothing is {fate}."
        fate = "forgotten" if mean else "kept"
        says = Said(text, name=name, letter=letter, mean=f"{mean:.0f}", fate=fate)
    yield Finding("keeps", round(mean, 4), says, level)
    if direction.bias_ih is None:
        return
    at = "ifgo".index("f") if cell == "lstm" else "rzn".index("z")
    H = direction.weight_hh.shape[1]
    bias = (direction.bias_ih + direction.bias_hh)[at * H : (at + 1) * H]
    mean = float(bias.mean())
    text = "{name}: the biases of {letter} add up to {mean} on average, {low} to {high}."
    low, high = float(bias.min()), float(bias.max())
    values = {"mean": f"{mean:.2f}", "low": f"{low:.2f}", "high": f"{high:.2f}"}
    level = "look" if mean < -1 else "good"
    yield Finding(
        "forget_bias", round(mean, 4), Said(text, name=name, letter=letter, **values), level
    )


def recurrence(cell: str, weight_hh: Tensor, name: str) -> Finding:
    """Spectral radius and norm of the blocks of W_hh, (G * H, H): how a state acts on itself."""
    H, G = weight_hh.shape[1], GATES[cell]
    blocks = weight_hh.reshape(G, H, H)
    both = zip(radii(blocks).tolist(), norms(blocks).tolist(), strict=True)
    value = {
        letter: [round(radius, 4), round(norm, 4)]
        for letter, (radius, norm) in zip(GATE_LETTERS[cell], both, strict=True)
    }
    # In a gated cell the gates decide; a plain one multiplies its state by this at every step.
    radius = value.get("h", [1.0])[0]
    level: Level = "bad" if radius == 0 else "good" if 0.5 < radius < 2 else "look"
    listed = ", ".join(f"W_h{x} {r:.2f} ({n:.2f})" for x, (r, n) in value.items())
    text = "{name}: spectral radius of the recurrent blocks, and their norm: {listed}."
    return Finding("recurrence", value, Said(text, name=name, listed=listed), level)


def radii(blocks: Tensor) -> Tensor:
    """The largest absolute eigenvalue of each of (G, H, H)."""
    if blocks.shape[-1] <= DENSE:
        return torch.linalg.eigvals(blocks).abs().amax(-1)
    apply = lambda v: (blocks @ v[..., None])[..., 0]
    return arnoldi(apply, _start(blocks), KRYLOV)


def norms(blocks: Tensor) -> Tensor:
    """The largest singular value of each of (G, H, H)."""
    if blocks.shape[-1] <= DENSE:
        return torch.linalg.matrix_norm(blocks, 2)
    twice = lambda v: ((blocks @ v[..., None]).mT @ blocks)[:, 0]
    return arnoldi(twice, _start(blocks), LANCZOS).sqrt()


def _start(blocks: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    one = torch.randn(blocks.shape[-1], generator=generator)
    return one.expand(len(blocks), -1)


def untouched(stack: Stack, tensors) -> Iterator[Finding]:
    """Recurrent weights that look as torch draws them: uniform in +-1/sqrt(H).

    Training moves some past that bound almost at once; a uniform number deviates by
    its bound / sqrt(3).
    """
    bound = stack.hidden_size**-0.5
    for own, name in stack.names.items():
        value = tensors[name]
        if not own.startswith("weight_hh") or value.dtype.kind != "f":
            continue
        inside = value.size >= 64 and max(value.max(), -value.min()) <= bound * 1.000001
        if inside and abs(value.std(dtype=np.float64) / (bound / math.sqrt(3)) - 1) < 0.03:
            text = "{name} is spread evenly within ±1/√H, as torch starts: was it trained?"
            yield Finding("untouched", True, Said(text, name=name), "look", name)


def rows(table: np.ndarray, symbols: Sequence[str] | None) -> Iterator[Finding]:
    """Rows of an embedding (V, E) that are zero, faint, or the same as another."""
    size = np.sqrt(np.einsum("ve,ve->v", table, table, dtype=np.float64))
    zero = np.flatnonzero(size == 0).tolist()
    faint = np.flatnonzero((size > 0) & (size < FAINT * np.median(size))).tolist()
    seen: dict[bytes, int] = {}
    same = [k for k, row in enumerate(table) if size[k] and seen.setdefault(row.tobytes(), k) != k]
    if zero == [0]:
        says = Said("Row 0 of the embedding is zero, as that of padding is.")
        yield Finding("zero_rows", 1, says, "good", spelled(zero, symbols))
    elif zero:
        text = "{n} rows of the embedding are zero: nothing is known of these symbols."
        says = Said(text, n=len(zero))
        yield Finding("zero_rows", len(zero), says, "look", spelled(zero, symbols))
    if faint:
        text = (
            "{n} rows of the embedding are far shorter than the others (under {share} of the "
            "median): symbols that were hardly seen."
        )
        says = Said(text, n=len(faint), share=f"{FAINT:.0%}")
        yield Finding("faint_rows", len(faint), says, "look", spelled(faint, symbols))
    if same:
        says = Said("{n} rows of the embedding are the same as an earlier one.", n=len(same))
        yield Finding("same_rows", len(same), says, "look", spelled(same, symbols))
    if not (zero or faint or same):
        says = Said("The {n} rows of the embedding differ, and none is faint.", n=len(table))
        yield Finding("rows", len(table), says, "good")


def spelled(numbers: Sequence[int], symbols: Sequence[str] | None) -> str:
    """Numbers of symbols, with the symbols where they are known."""
    if symbols is None:
        return places(numbers)
    named = ", ".join(f"{k} {symbols[k]!r}" for k in numbers[:SHOWN])
    return named if len(numbers) <= SHOWN else f"{named} + {len(numbers) - SHOWN}"


def far(tensors: Mapping[str, np.ndarray]) -> Iterator[Finding]:
    """Numbers that lie far from all others of their tensor."""
    worst, largest = 0.0, ""
    for name, value in tensors.items():
        deviation = (
            value.std(dtype=np.float64) if value.size >= 16 and value.dtype.kind == "f" else 0.0
        )
        if not deviation:
            continue
        mean = value.mean(dtype=np.float64)
        reach = float(max(value.max() - mean, mean - value.min()) / deviation)
        worst, largest = max((worst, largest), (reach, name))
    if not largest:
        return
    level: Level = "look" if worst > FAR else "good"
    text = "The farthest number lies {reach} deviations from the mean of its tensor."
    yield Finding("outliers", round(worst, 2), Said(text, reach=f"{worst:.0f}"), level, largest)
