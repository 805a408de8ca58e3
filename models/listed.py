"""Vocabularies that are a list of symbols in an order of their own, as other people's networks have
them: the marks for what is not known, for a beginning and for an end stand anywhere in the list.

A list whose symbols are single characters, but for the marks, reads and writes characters; any
other reads and writes words. It is kept in the file format of the `tokenizers` library, like all
vocabularies of networks that write.
"""

from collections.abc import Mapping, Sequence

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from models.checkpoint import CheckpointError
from models.subwords import SPACE, Source, Vocabulary
from models.text import UnknownCharacters

# How marks are written, without brackets and in small letters.
MARKS: Mapping[str, tuple[str, ...]] = {
    "unknown": ("unk", "unknown", "oov"),
    "begin": ("s", "sos", "bos", "go", "start", "begin"),
    "end": ("/s", "eos", "end", "stop"),
    "padding": ("pad", "padding", "blank"),
}
BRACKETS = ("<>", "[]", "{}", "__", "||")


def mark_of(symbol: str) -> str | None:
    """What a symbol marks, a key of MARKS; None for one that is text."""
    bare = symbol.replace("|", "")
    for opens, closes in BRACKETS:
        if len(bare) > 2 and bare.startswith(opens) and bare.endswith(closes):
            bare = bare.strip(opens + closes).lower()
            return next((mark for mark, names in MARKS.items() if bare in names), None)
    # Without brackets a mark is in capitals, or its letters would be a word.
    named = len(bare) > 2 and bare.isupper()
    return next((mark for mark, known in MARKS.items() if named and bare.lower() in known), None)


def marks_of(symbols: Sequence[str]) -> dict[str, int]:
    """Where each mark of MARKS stands first, of those that there are."""
    found: dict[str, int] = {}
    for number, symbol in enumerate(symbols):
        if (mark := mark_of(symbol)) is not None:
            found.setdefault(mark, number)
    return found


def by_characters(symbols: Sequence[str]) -> bool:
    """Whether a list reads and writes characters, not words."""
    return all(len(symbol) == 1 or mark_of(symbol) for symbol in symbols)


class Listed(Vocabulary):
    """A vocabulary whose marks stand anywhere. `needs` are those that it cannot do without."""

    needs: tuple[str, ...] = ("end",)

    def check(self, tokenizer: Tokenizer) -> None:
        """Find the marks. Raises `CheckpointError` where one that is needed is missing."""
        size = tokenizer.get_vocab_size()
        symbols = [tokenizer.id_to_token(k) or "" for k in range(size)]
        marks = marks_of([symbol.removeprefix(SPACE) for symbol in symbols])
        for mark in self.needs:
            if mark not in marks:
                names = ", ".join(f"<{name}>" for name in MARKS[mark])
                raise CheckpointError(f"the symbols have no mark of the {mark}: one of {names}")
        self.unknown = marks.get("unknown", -1)
        self.begin = marks.get("begin", -1)
        self.end = marks["end"]

    def read_text(self, text: str) -> Source:
        """A text to translate; see `Vocabulary.read_text`."""
        if self.unknown < 0 and (strangers := self.strangers(text)):
            raise UnknownCharacters(strangers)
        return super().read_text(text)

    def strangers(self, text: str) -> list[tuple[int, str]]:
        """Characters that are not known, or are of a word that is not, with their places."""
        normal, known = self.tokenizer.normalizer, set(self.tokens)
        clear = normal.normalize_str if normal else str
        if self.whole:
            return [(k, c) for k, c in enumerate(text) if not set(clear(c)) <= known]
        cut = self.tokenizer.pre_tokenizer.pre_tokenize_str(text)
        strange = [span for word, span in cut if clear(word) not in known]
        return [(k, text[k]) for start, stop in strange for k in range(start, stop)]


class ListedTarget(Listed):
    """A vocabulary for writing: it says what the first token is written after."""

    needs = ("begin", "end")


def source_list(symbols: Sequence[str]) -> Listed:
    """What reads with a list of symbols. Raises `CheckpointError`."""
    tokenizer = _tokenizer(symbols, "")
    if not any(mark_of(s) is None and s != s.lower() for s in symbols):
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    if not by_characters(symbols):
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return Listed(tokenizer)


def target_list(symbols: Sequence[str]) -> ListedTarget:
    """What writes with a list of symbols: words with a space before each, or characters. Raises
    `CheckpointError`."""
    if by_characters(symbols):
        return ListedTarget(_tokenizer(symbols, ""))
    tokenizer = _tokenizer(symbols, SPACE)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(SPACE, prepend_scheme="always")
    return ListedTarget(tokenizer)


def _tokenizer(symbols: Sequence[str], before: str) -> Tokenizer:
    """Symbol k as token k; `before` stands before each that is no mark."""
    numbers = {(s if mark_of(s) else before + s): number for number, s in enumerate(symbols)}
    if len(numbers) != len(symbols):
        raise CheckpointError("the symbols of a vocabulary must differ from each other")
    marks = marks_of(symbols)
    unknown = symbols[marks["unknown"]] if "unknown" in marks else None
    if by_characters(symbols):
        return Tokenizer(models.BPE(numbers, [], unk_token=unknown))
    return Tokenizer(models.WordLevel(numbers, unk_token=unknown))
