"""Which symbols a network reads: found in its file, told by a person, or guessed from their number.

A guess is the alphabet that people mostly use at that size; it is labelled as a guess, because a
wrong order of the right symbols gives a network that runs and writes nonsense.
"""

import json
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from models.doctor.diagnosis import Guess, Said

ROOT = Path(__file__).parents[2] / "checkpoints"
DEEPEST = 6  # levels of what a file holds that are looked at
LABELS = re.compile(r"label|class|categor|tag|target|y_", re.I)
SYMBOLS = re.compile(r"vocab|itos|stoi|char|token|word|symbol|alphabet|letter|idx|index|ix", re.I)
PRINTABLE = "".join(map(chr, range(32, 127)))
SHAKESPEARE = "\n !$&',-.3:;?" + string.ascii_uppercase + string.ascii_lowercase
PAD, UNKNOWN = "<pad>", "<unk>"

# (what it is, its symbols in their order), by number.
KNOWN = [
    ("the sorted alphabet of the Shakespeare text that most tutorials read", SHAKESPEARE),
    ("a to z", string.ascii_lowercase),
    ("a full stop, then a to z", "." + string.ascii_lowercase),
    ("a space, then a to z", " " + string.ascii_lowercase),
    ("a to z, then a space", string.ascii_lowercase + " "),
    ("a to z, then space and full stop", string.ascii_lowercase + " ."),
    ("line break and space, then a to z", "\n " + string.ascii_lowercase),
    ("a to z and A to Z", string.ascii_letters),
    ("a to z, A to Z and the marks  .,;'", string.ascii_letters + " .,;'"),
    ("printable ASCII, by its codes", PRINTABLE),
    ("line break, then printable ASCII", "\n" + PRINTABLE),
    ("tab, line break, then printable ASCII", "\t\n" + PRINTABLE),
    ("string.printable of Python, as it stands", string.printable),
    ("string.printable of Python, sorted", "".join(sorted(string.printable))),
    ("ASCII by its codes", "".join(map(chr, range(128)))),
    ("bytes, shown as Latin-1", "".join(map(chr, range(256)))),
]


@dataclass(frozen=True)
class Heard:
    """Symbols in their order, and where they were found."""

    symbols: list[str]
    where: str


def as_list(value) -> list[str] | None:
    """Symbols in the order of their numbers, of any of the usual forms; None if it is no such.

    A list, a string of distinct characters, a dict from symbols to numbers or from numbers to
    symbols; numbers must be 0..n-1.
    """
    if isinstance(value, str):
        value = list(value)
    if isinstance(value, Mapping):
        pairs = list(value.items())
        if pairs and all(type(number) is int for _, number in pairs):
            pairs = [(number, symbol) for symbol, number in pairs]
        try:
            by_number = {int(number): symbol for number, symbol in pairs}
        except (TypeError, ValueError):
            return None
        if sorted(by_number) != list(range(len(pairs))):
            return None
        value = [by_number[k] for k in range(len(pairs))]
    if not isinstance(value, list | tuple) or len(value) < 2:
        return None
    if not all(isinstance(one, str) for one in value) or len(set(value)) != len(value):
        return None
    return list(value)


def lists(extras, where: str = "", depth: int = DEEPEST) -> Iterator[Heard]:
    """Every list of symbols among the extras of a file, with the way to it."""
    found = as_list(extras) if not isinstance(extras, str) or SYMBOLS.search(where) else None
    if found is not None and where:
        yield Heard(found, where)
    if isinstance(extras, Mapping) and depth:
        for name, value in extras.items():
            yield from lists(value, f"{where}.{name}" if where else str(name), depth - 1)


def heard(extras: Mapping, size: int, pattern: re.Pattern) -> tuple[Heard | None, list[Heard]]:
    """The list of so many symbols in a file, those whose name fits first; and all the others."""
    every = list(lists(extras))
    fits = [one for one in every if len(one.symbols) == size]
    fits.sort(key=lambda one: not pattern.search(one.where))
    rest = [one for one in every if len(one.symbols) != size and pattern.search(one.where)]
    return (fits[0] if fits else None), rest


@cache
def _own() -> list[tuple[str, list[str]]]:
    """The alphabets of the project's own networks of characters."""
    found: dict[tuple[str, ...], str] = {}
    for path in sorted(ROOT.glob("*/vocabulary.json")):
        try:
            symbols = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(symbols, list) and all(isinstance(s, str) and len(s) == 1 for s in symbols):
            found.setdefault(tuple(symbols), path.parent.name)
    return [(name, list(symbols)) for symbols, name in found.items()]


def guesses(size: int, others: list[Heard] = ()) -> tuple[Guess, ...]:
    """What symbols it may be, the likeliest first."""
    found = []
    for one in others:  # the file's own list, with the sign that people add while training
        if len(one.symbols) == size - 1:
            for sign, at in ((PAD, 0), (UNKNOWN, 0), (PAD, size - 1), (UNKNOWN, size - 1)):
                if sign not in one.symbols:
                    value = [*one.symbols[:at], sign, *one.symbols[at:]]
                    says = Said(
                        "{where} of the file, with {sign} at {at}",
                        where=one.where,
                        sign=sign,
                        at=at,
                    )
                    found.append(Guess(says, value))
    for name, symbols in _own():
        if len(symbols) == size:
            found.append(Guess(Said("the alphabet of {name}, in its order", name=name), symbols))
    for what, symbols in KNOWN:
        if len(symbols) == size:
            found.append(Guess(Said(what), list(symbols)))
    return tuple(found)


def is_sign(symbol: str) -> bool:
    """Whether a symbol is no text but a sign: <pad>, [EOS], the empty one."""
    return not symbol or (len(symbol) > 2 and (symbol[0] + symbol[-1]) in ("<>", "[]"))


def how_read(symbols: list[str]) -> str:
    """What a text is cut into: `characters`, `characters_and_signs` or `tokens`."""
    if all(len(symbol) == 1 for symbol in symbols):
        return "characters"
    if all(len(symbol) == 1 or is_sign(symbol) for symbol in symbols):
        return "characters_and_signs"
    return "tokens"


def pieces(symbols: list[str]) -> bool:
    """Whether many symbols carry the marks of a subword tokenizer."""
    marked = sum(symbol.startswith(("Ġ", "▁", "##")) or symbol.endswith("@@") for symbol in symbols)
    return marked * 10 > len(symbols)
