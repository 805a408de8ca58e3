"""A text to begin with on a network that nobody has said one for: of symbols that it knows."""

from collections.abc import Sequence

from models.doctor.probe import TEXT
from models.doctor.vocabulary import how_read, is_sign

LONGEST = 24  # characters
TOKENS = 5


def opening(symbols: Sequence[str] | None) -> str:
    """Some words of the fixed text whose symbols are all known, else some symbols; "" for none."""
    if not symbols:
        return ""
    known = {symbol for symbol in symbols if not is_sign(symbol)}
    if how_read(list(symbols)) == "tokens":
        found = [word for word in dict.fromkeys(TEXT.lower().split()) if word in known]
        return " ".join(found[:TOKENS] or [s for s in symbols if s in known and s.strip()][:TOKENS])
    words = [word for word in _words() if set(word) <= known]
    if " " not in known:
        words = sorted(words, key=len, reverse=True)[:1]
    text = ""
    for word in words:
        longer = f"{text} {word}".lstrip()
        if len(longer) > LONGEST:
            break
        text = longer
    return text or "".join(s for s in symbols if s in known and s.isprintable())[:TOKENS]


def _words() -> list[str]:
    """The words of the text, then once more in small letters and without their marks."""
    written = TEXT.split()
    return [*written, *("".join(c for c in word if c.isalpha()).lower() for word in written)]
