"""Vocabularies of any symbols: characters with signs among them, or tokens between white space.

Their numbers are in an order that somebody else chose. Every symbol has a form that is shown, which
has no white space in it and reads back as that symbol: a text that a network wrote can be read
again, symbol for symbol. A symbol that the vocabulary has for the unknown, `<unk>` mostly, stands
for whatever else a text holds; without one, what is not known is refused with its place.
"""

import re
from collections.abc import Iterable, Sequence

from models.text import UnknownCharacters
from models.words import cut

UNKNOWNS = ("<unk>", "<UNK>", "[UNK]", "<oov>", "<OOV>", "[OOV]", "UNK", "unk", "<unknown>")
BLANKS = {" ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍"}
EMPTY = "<empty>"


def shown(symbol: str) -> str:
    """A symbol without white space, never empty."""
    return "".join(BLANKS.get(c, "␣") if c.isspace() else c for c in symbol) or EMPTY


class _Symbols:
    """What both kinds of vocabulary share."""

    unit: str

    def __init__(self, symbols: Sequence[str], told: Sequence[str]):
        self.symbols = list(told)
        self._index = {symbol: k for k, symbol in enumerate(symbols)}
        self.unknown = next((self._index[one] for one in UNKNOWNS if one in self._index), None)
        if len(set(self.symbols)) != len(self.symbols):
            twice = next(one for one in self.symbols if self.symbols.count(one) > 1)
            raise ValueError(f"two symbols look alike: {twice!r}")

    def __len__(self) -> int:
        return len(self.symbols)

    def knows(self, number: int) -> bool:
        """Whether a number stands for one symbol, not for all unknown ones."""
        return 0 <= number < len(self) and number != self.unknown

    def _pieces(self, text: str) -> list[tuple[int, int, int | None]]:
        """Start, stop and number of every token of a text; None where it is not known."""
        raise NotImplementedError

    def encode(self, text: str) -> list[int]:
        """Numbers of the tokens. Raises `UnknownCharacters` with every position."""
        pieces = self._pieces(text)
        strange = [(a, text[a:b]) for a, b, number in pieces if number is None]
        if strange:
            raise UnknownCharacters(strange)
        return [number for _, _, number in pieces]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and stop of each token in a text."""
        return [(start, stop) for start, stop, _ in self._pieces(text)]

    def decode(self, numbers: Iterable[int]) -> str:
        """The text of a sequence of numbers."""
        return "".join(self.symbols[number] for number in numbers)


class MarkedCharacters(_Symbols):
    """Characters, and signs of several that stand for no text, such as <pad> or <eos>."""

    unit = "characters"

    def __init__(self, symbols: Sequence[str]):
        super().__init__(symbols, [s if len(s) == 1 else shown(s) for s in symbols])
        self._index |= {symbol: k for k, symbol in enumerate(self.symbols)}
        signs = sorted((s for s in self.symbols if len(s) > 1), key=len, reverse=True)
        self._cut = re.compile("|".join([*map(re.escape, signs), "."]), re.DOTALL)

    def _pieces(self, text: str) -> list[tuple[int, int, int | None]]:
        return [(*found.span(), self.number(found[0])) for found in self._cut.finditer(text)]

    def number(self, character: str) -> int | None:
        """The number of a character or sign, or of the unknown."""
        return self._index.get(character, self.unknown)


class Tokens(_Symbols):
    """Tokens that stand between white space; each is shown with a blank behind it.

    A word that is not in the vocabulary is looked up in small letters, then cut at its marks, as
    far as the vocabulary holds what comes of it.
    """

    unit = "tokens"

    def __init__(self, symbols: Sequence[str]):
        plain = [shown(symbol) for symbol in symbols]
        super().__init__(symbols, [f"{symbol} " for symbol in plain])
        self._index |= {symbol: k for k, symbol in enumerate(plain)}
        for k, symbol in enumerate(plain):  # a whole word as a tokenizer of pieces marks it
            self._index.setdefault(symbol.lstrip("▁Ġ") or symbol, k)

    def number(self, word: str) -> int | None:
        """The number of a word as it stands, in small letters, or of the unknown."""
        found = self._known(word)
        return self.unknown if found is None else found

    def _known(self, word: str) -> int | None:
        return self._index.get(word, self._index.get(word.lower()))

    def _pieces(self, text: str) -> list[tuple[int, int, int | None]]:
        pieces = []
        for found in re.finditer(r"\S+", text):
            start, word = found.start(), found[0]
            parts = [(start + a, start + b, word[a:b]) for a, b in cut(word)]
            whole = self._known(word) is not None or all(
                self._known(part) is None for *_, part in parts
            )
            for a, b, part in [(*found.span(), word)] if whole else parts:
                pieces.append((a, b, self.number(part)))
        return pieces
