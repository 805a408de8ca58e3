"""What a stranger's layers are tried on: a fixed text where symbols are known, else fixed numbers.

Nothing is drawn at random: the same file gets the same report on every machine.
"""

from dataclasses import dataclass

import numpy as np

from models.doctor.diagnosis import ONE_HOT, Said, Settled, Stack
from models.doctor.vocabulary import how_read, is_sign

STEPS = 192  # of a probe, at most
FEWEST = 8
ENOUGH = 32  # tokens of the text that must be known
WORK = 1e9  # products of one layer over a probe, at most: the widest get fewer steps
TEXT = """\
The old clock on the wall had stopped again, so nobody knew how late it was. "We should go," she \
said, "before the rain comes back." He looked up from his book, counted to ten, and closed it.

Then they walked down to the river, past 12 empty boats and a dog that did not bark. What do you \
think? he asked; and she did not answer, because the first drops were already falling on the road.
"""


@dataclass(frozen=True)
class Probe:
    """What a stack reads: x (T, input) float32, and what it is in words."""

    x: np.ndarray
    says: str


def scattered(size: int, steps: int) -> list[int]:
    """So many numbers below `size`, spread by the golden ratio: all of them in turn, no order."""
    return [int((k * 0.6180339887498949 % 1) * size) for k in range(1, steps + 1)]


def tokens_of(symbols: list[str] | None, text: str = TEXT) -> list[int]:
    """The numbers of what a vocabulary knows of a text."""
    if symbols is None:
        return []
    index = {symbol: k for k, symbol in enumerate(symbols) if not is_sign(symbol)}
    if how_read(symbols) == "tokens":
        parts = [w.strip('.,;:?!"') if w not in index else w for w in text.split()]
        return [index.get(p, index.get(p.lower(), -1)) for p in parts]
    return [index.get(c, index.get(c.lower(), -1)) for c in text]


def probe_of(stack: Stack, settled: Settled, text: str | None = None) -> Probe:
    """What to try a stack on."""
    products = stack.hidden_size * (stack.hidden_size + stack.input_size) * 4
    steps = max(FEWEST, min(STEPS, int(WORK / products)))
    source = settled.inputs.get(stack.name)
    if source is None or (not isinstance(source, str) and source.shape[1] != stack.input_size):
        return _numbers(stack, steps)
    size = stack.input_size if isinstance(source, str) else len(source)
    known = [k for k in tokens_of(settled.symbols, text or TEXT) if 0 <= k < size][:steps]
    if known and (text or len(known) >= min(ENOUGH, steps)):
        what = "your text" if text else "a fixed text"
        says = Said("the first {n} symbols of {what} that it knows", n=len(known), what=what)
    else:
        known = scattered(size, steps)
        says = Said("a fixed sequence of {n} symbol numbers", n=steps)
    if isinstance(source, str):
        if source != ONE_HOT:
            raise ValueError(f"{source!r} is not what a stack can read")
        x = np.zeros((len(known), size), np.float32)
        x[np.arange(len(known)), known] = 1.0
        return Probe(x, says)
    return Probe(source[known].astype(np.float32), says)


def _numbers(stack: Stack, steps: int) -> Probe:
    at = np.arange(steps, dtype=np.float64)
    if stack.input_size == 1:
        wave = 0.5 + 0.25 * np.sin(at / 2) + 0.2 * np.sin(at / 11)
        return Probe(wave[:, None].astype(np.float32), Said("two sine waves, {n} steps", n=steps))
    # Phases by the golden ratio: fixed, of mean 0 and variance 1, no two columns alike.
    phase = np.arange(stack.input_size) * 2.399963
    x = np.sqrt(2) * np.sin(at[:, None] * (0.3 + phase % 1.7) + phase)
    return Probe(x.astype(np.float32), Said("fixed waves of numbers, {n} steps", n=steps))
