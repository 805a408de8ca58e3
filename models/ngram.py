"""Character n-grams: a model that looks up what followed the last few characters in its text.

The mathematics is in `models.counts`. There is nothing to train here: the numbers are counts. It
has no state but the last `order` - 1 characters, and nothing further back can matter to it.

On disk the n-grams are a tree, one level an order, the children of an n-gram side by side in the
level below it, all of them whole numbers:

    counts.<n>.symbol    (N,) uint8   the last character of each n-gram, rising below one parent
    counts.<n>.count     (N,) uint8   how often it occurred
    counts.<n>.children  (N,) uint8   how many of the next order begin with it; not of the last
    counts.<n>.back      (M,) uint8   `back` of each history, those without children left out

A number of 255 or more rests as 255, and is the next one of `<name>.large` (int32).
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from models.char_rnn import alphabet
from models.checkpoint import CheckpointError, CheckpointFiles, check_sizes, config_of
from models.counts import Counts, after, check_fits
from models.text import Characters
from models.trace import Point

LARGE = 255  # the mark of a number that does not fit into a byte


@dataclass(frozen=True)
class NGramConfig:
    """Everything that fixes what a table of counts means."""

    vocab_size: int
    order: int  # characters of the longest n-gram, the predicted one among them

    def check(self) -> None:
        """Refuse sizes that no checkpoint of this kind has."""
        check_sizes(self, {"vocab_size": (1, LARGE), "order": (1, 16)})
        try:
            check_fits(self.vocab_size, self.order)
        except ValueError as error:
            raise CheckpointError(str(error)) from error

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return asdict(self)


class NGram:
    """The counts of orders 1 to N."""

    kind = "ngram"
    tasks = ("trace", "generate")

    def __init__(self, config: NGramConfig, orders: Sequence[Counts]):
        self.config, self.orders = config, orders

    def after(self, tokens: Sequence[int], start: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """What follows each of tokens[start:], and the weight of each order in it.

        Returns float64 (T, V) and (T, N + 1), both with rows that sum to 1.
        """
        behind = self.config.order - 1
        read = np.append(np.zeros(behind, np.int64), np.asarray(tokens, np.int64))
        places = np.arange(start + 1, len(tokens) + 1)  # characters up to and with each
        return self.after_each(read[places[:, None] + np.arange(behind)], places)

    def after_each(self, windows: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same for histories that have nothing to do with each other: (B, N - 1) and (B,)."""
        return after(self.orders, windows, lengths, self.config.vocab_size)


def to_tensors(orders: Sequence[Counts], base: int) -> dict[str, Tensor]:
    """The tree of the docstring."""
    found: dict[str, Tensor] = {}

    def put(name: str, numbers: np.ndarray) -> None:
        found[name] = torch.from_numpy(np.minimum(numbers, LARGE).astype(np.uint8))
        found[f"{name}.large"] = torch.from_numpy(numbers[numbers >= LARGE].astype(np.int32))

    for n, one in enumerate(orders, 1):
        name = f"counts.{n}"
        found[f"{name}.symbol"] = torch.from_numpy((one.grams % base).astype(np.uint8))
        put(f"{name}.count", one.counts)
        put(f"{name}.back", one.back)
        if n < len(orders):
            children = np.zeros(len(one.grams), np.int64)
            children[np.searchsorted(one.grams, orders[n].histories)] = np.diff(orders[n].first)
            found[f"{name}.children"] = torch.from_numpy(children.astype(np.uint8))
    return found


def from_tensors(tensors: dict[str, Tensor], config: NGramConfig) -> list[Counts]:
    """The orders of a tree. Raises `CheckpointError`, naming the tensor that is wrong."""
    base, orders, left = config.vocab_size, [], dict(tensors)

    def take(name: str, size: int | None, dtype: torch.dtype = torch.uint8) -> np.ndarray:
        if name not in left:
            raise CheckpointError(f"{name} is missing from model.safetensors")
        tensor = left.pop(name)
        if tensor.dtype != dtype or tensor.dim() != 1 or size not in (None, len(tensor)):
            raise CheckpointError(
                f"{name} is {tensor.dtype} {tuple(tensor.shape)}, expected {dtype} "
                f"({'any length' if size is None else size},)"
            )
        return tensor.numpy().astype(np.int64)

    def whole(name: str, size: int) -> np.ndarray:
        """Numbers with the large ones in their places, each at least 1."""
        numbers = take(name, size)
        marked = numbers == LARGE
        numbers[marked] = take(f"{name}.large", int(marked.sum()), torch.int32)
        if numbers.min(initial=1) < 1:
            raise CheckpointError(f"{name} holds {numbers.min()}, expected 1 or more")
        return numbers

    parents, children = np.zeros(1, np.int64), None  # the empty history
    for n in range(1, config.order + 1):
        name = f"counts.{n}"
        symbols = take(f"{name}.symbol", None if children is None else int(children.sum()))
        if not len(symbols):
            raise CheckpointError(f"{name}.symbol is empty, expected at least one {n}-gram")
        children = np.array([len(symbols)]) if children is None else children
        grams = np.repeat(parents, children) * base + symbols
        if symbols.max() >= base or not (np.diff(grams) > 0).all():
            raise CheckpointError(
                f"{name}.symbol does not rise from 0 to {base - 1} at most below each parent"
            )
        some = children > 0
        first = np.append(0, np.cumsum(children[some]))
        counts = whole(f"{name}.count", len(grams))
        back = whole(f"{name}.back", int(some.sum()))
        orders.append(Counts(grams, counts, parents[some], first, back))
        if n < config.order:
            parents, children = grams, take(f"{name}.children", len(grams))
    if left:
        raise CheckpointError(f"{min(left)} is not part of these counts")
    return orders


def points_of(config: NGramConfig) -> list[Point]:
    """The weight of each order, 0 (all characters alike) to the highest: the longest history that
    was seen is that of the last one with a weight."""
    return [Point("order", ("time", "order"), "probability", (None, config.order + 1))]


def open_checkpoint(files: CheckpointFiles, device: str = "cpu", capacity: int = 128):
    """Build what runs a table of counts; it does on the CPU. Raises `CheckpointError`."""
    config = config_of(NGramConfig, files.about)
    characters = alphabet(files, config.vocab_size)
    return NGramRunner(NGram(config, from_tensors(files.weights, config)), characters, capacity)


class NGramRunner:
    """A table of counts at work: traces of whole texts, and steps for the engine."""

    kind, tasks = NGram.kind, NGram.tasks
    context = None  # tokens that can be read: as many as there are

    def __init__(self, network: NGram, characters: Characters, capacity: int = 128):
        self.network, self.characters = network, characters
        self.reads, self.config = characters, network.config
        self.vocab_size = len(characters)
        self.points = points_of(network.config)
        self.stepper = NGramStepper(network, capacity)
        self.layout = self.stepper.layout

    def following(self, windows: Tensor) -> Tensor:
        """Texts (B, L), each as if it began there -> probabilities (B, L, V) of what comes next."""
        (B, L), behind = windows.shape, self.config.order - 1
        read = np.concatenate([np.zeros((B, behind), np.int64), windows.numpy()], 1)
        histories = read[:, 1 + np.arange(L)[:, None] + np.arange(behind)].reshape(B * L, behind)
        after, _ = self.network.after_each(histories, np.tile(np.arange(1, L + 1), B))
        return torch.from_numpy(after.reshape(B, L, -1)).float()

    def trace(self, tokens: list[int], points: Collection[str] | None, start: int, stop: int):
        """Show tokens[start:stop], reading only what can matter to these.

        Returns the points asked for (None: all) as float32 (T, orders) tensors by name, the
        probabilities (T, V) of what comes next after each token, and the probability (T,) of
        each token given those before it, NaN for the first of the text. T = stop - start.
        """
        first = max(0, start - self.config.order)
        shown = min(start, 1)  # one before `start`: what it expected
        after, weights = self.network.after(tokens[first:stop], start - first - shown)
        known = after[np.arange(len(after) - 1), tokens[start - shown + 1 : stop]]
        given = np.append(np.full(1 - shown, np.nan), known)
        names = [p.name for p in self.points] if points is None else list(points)
        found = {"order": torch.from_numpy(weights[shown:]).float()}
        return (
            {name: found[name] for name in names},
            torch.from_numpy(after[shown:]).float(),
            torch.from_numpy(given).float(),
        )


class NGramStepper:
    """One step for many rows: the logits are logarithms of the mixture.

    A row of `state` is how many characters are known, and the last order - 1 of them. `layout`
    names the columns of a capture: (point, start, stop).
    """

    def __init__(self, network: NGram, capacity: int):
        order = network.config.order
        self.network, self.vocab_size = network, network.config.vocab_size
        self.state = np.zeros((capacity, order), np.float32)  # whole numbers, exact
        self.layout = [("order", 0, order + 1)]
        self.width = order + 1

    def reset(self, slot: int) -> None:
        """Put a slot back to the state before any text."""
        self.state[slot] = 0.0

    def step(self, slots: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read one token a slot: int64 (B,), int64 (B,) -> captures (B, width), logits (B, V).

        Advances `state` in place. Slots must be distinct. Raises IndexError for a slot or a token
        that there is not, and ValueError for more rows than slots, or none.
        """
        slots, tokens = np.array(slots, np.int64), np.array(tokens, np.int64)
        B, behind = len(slots), self.state.shape[1] - 1
        if not 0 < B <= len(self.state) or slots.shape != tokens.shape:
            raise ValueError(f"{B} slots and {len(tokens)} tokens, of {len(self.state)} slots")
        for values, size in ((slots, len(self.state)), (tokens, self.vocab_size)):
            if values.min() < 0 or values.max() >= size:
                raise IndexError("there is no such token or slot")
        read = np.concatenate([self.state[slots, 1:], tokens[:, None]], 1).astype(np.int64)
        known = np.minimum(self.state[slots, 0].astype(np.int64) + 1, behind)
        windows = read[:, 1:]  # (B, behind)
        self.state[slots, 0], self.state[slots, 1:] = known, windows
        p, weights = self.network.after_each(windows, known)
        return weights.astype(np.float32), np.log(p).astype(np.float32)
