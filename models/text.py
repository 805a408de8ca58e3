"""Text to symbol numbers and back, for models that read characters."""

from collections.abc import Iterable, Sequence


class UnknownCharacters(ValueError):
    """Characters that are not in a model's alphabet, with their positions in the text."""

    def __init__(self, found: list[tuple[int, str]]):
        self.found = found
        super().__init__(f"{len(found)} characters are not in the alphabet")


class Characters:
    """The alphabet of a character model: symbol k is `symbols[k]`."""

    unit = "characters"  # what its tokens are called

    def __init__(self, symbols: Sequence[str]):
        if any(len(symbol) != 1 for symbol in symbols):
            raise ValueError("every symbol of a character alphabet must be one character")
        self.symbols = list(symbols)
        self._index = {symbol: number for number, symbol in enumerate(self.symbols)}

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, text: str) -> list[int]:
        """Numbers of the characters. Raises `UnknownCharacters` with every position."""
        index = self._index
        try:
            return [index[character] for character in text]
        except KeyError:
            found = [(at, c) for at, c in enumerate(text) if c not in index]
            raise UnknownCharacters(found) from None

    def knows(self, number: int) -> bool:
        """Whether a number stands for one symbol: here they all do."""
        return 0 <= number < len(self)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and stop of each token in a text."""
        return [(at, at + 1) for at in range(len(text))]

    def decode(self, numbers: Iterable[int]) -> str:
        """The text of a sequence of numbers."""
        return "".join(self.symbols[number] for number in numbers)


class FoldedCharacters(Characters):
    """An alphabet of small letters: capital ones are read as these."""

    def encode(self, text: str) -> list[int]:
        """Numbers of the characters. Raises `UnknownCharacters` with every position."""
        try:
            return super().encode("".join(map(small, text)))
        except UnknownCharacters as error:
            raise UnknownCharacters([(at, text[at]) for at, _ in error.found]) from None


def small(character: str) -> str:
    """A character in small letters, where that is one character too."""
    lower = character.lower()
    return lower if len(lower) == 1 else character
