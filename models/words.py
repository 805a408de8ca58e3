"""Text to words and back, for models that read words.

A text is cut as the English treebanks cut theirs: punctuation stands alone, and what is written
together with a word (`n't`, `'s`, `'ll`) is a word of its own. Nothing but spaces is lost.
"""

import re
from collections.abc import Iterable, Sequence

UNKNOWN = "<unk>"
WORD = re.compile(
    r"https?://\S+|www\.\S+|\S+@\S+\.\w+"  # addresses, whole
    r"|\d+(?:[.,:/]\d+)*"  # numbers: 1,000  10:30  3.5
    r"|(?:[^\W\d_]\.){2,}"  # U.S.  e.g.
    r"|(?:Mr|Mrs|Ms|Dr|St|Jr|vs)\."
    r"|[^\W_]+?(?=n['’]t\b)"  # do | n't
    r"|n['’]t\b"
    r"|['’](?:s|m|d|ll|re|ve)\b"
    r"|[^\W_]+"
    r"|\.{2,}|-{2,}|!+|\?+"
    r"|\S",
    re.IGNORECASE,
)


def cut(text: str) -> list[tuple[int, int]]:
    """Start and stop of every word of a text."""
    return [found.span() for found in WORD.finditer(text)]


class Words:
    """The vocabulary of a model that reads words in small letters: word k is `symbols[k]`.

    The first symbol stands for every word that is not among the others.
    """

    unit = "words"  # what its tokens are called

    def __init__(self, symbols: Sequence[str]):
        if not symbols or symbols[0] != UNKNOWN:
            raise ValueError(f"the first symbol must be {UNKNOWN}")
        self.symbols = list(symbols)
        self._index = {symbol: number for number, symbol in enumerate(self.symbols)}

    def __len__(self) -> int:
        return len(self.symbols)

    def number(self, word: str) -> int:
        """The number of one word; 0 where it is not known."""
        return self._index.get(normal(word), 0)

    def encode(self, text: str) -> list[int]:
        """Numbers of the words of a text."""
        return [self.number(text[start:stop]) for start, stop in cut(text)]

    def knows(self, number: int) -> bool:
        """Whether a number stands for one word, not for all unknown ones."""
        return 0 < number < len(self)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and stop of each token in a text."""
        return cut(text)

    def decode(self, numbers: Iterable[int]) -> str:
        """The words of a sequence of numbers, a space between."""
        return " ".join(self.symbols[number] for number in numbers)


def normal(word: str) -> str:
    """A word as it is looked up: in small letters, with the plain apostrophe."""
    return word.lower().replace("’", "'")
