"""Tokens of a `tokenizer.json` from elsewhere: pieces of words, or of bytes.

A tokenizer of bytes (GPT-2, Llama 3, SmolLM2) may cut inside a character. Such a piece is no text
by itself: its symbol names its bytes, `⟨E2 96⟩`, its span is that of the whole character, and
`decode` joins the bytes of all tokens before it reads them. What a tokenizer adds around a text
(`[CLS]`, a begin mark) is part of `encode`, with an empty span; a name such as `[MASK]` or
`<|im_end|>` that is typed in a text is that token.
"""

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator

from tokenizers import Tokenizer, models

from models.checkpoint import CheckpointError

SPACE = "▁"  # how tokenizers of the SentencePiece family write a space
MAX_NUMBER = 1 << 20  # of a token; more than any vocabulary holds


def bytes_alphabet() -> dict[str, int]:
    """The letter that stands for each byte in byte-level files: itself where it can be printed,
    else the next unused letter from U+0100 on (GPT-2; Radford et al. 2019)."""
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in printed]
    letters = {chr(byte): byte for byte in printed}
    return letters | {chr(0x100 + k): byte for k, byte in enumerate(rest)}


ALPHABET = bytes_alphabet()


class Pieces:
    """A tokenizer and the text of each of its tokens."""

    unit = "tokens"  # what they are called

    def __init__(self, tokenizer: Tokenizer, style: str):
        self.tokenizer, self.style = tokenizer, style
        added = tokenizer.get_added_tokens_decoder()
        self.special = {number for number, token in added.items() if token.special}
        names = {number: name for name, number in tokenizer.get_vocab().items()}
        if not names or max(names) >= MAX_NUMBER:
            raise CheckpointError(
                f"tokenizer.json must hold tokens numbered 0..{MAX_NUMBER - 1}, found "
                f"{max(names, default='none')}"
            )
        self._bytes: list[bytes] = []
        self.symbols: list[str] = []  # what a token is shown as
        for number in range(max(names) + 1):
            raw = self._raw(names.get(number), number in added)
            self._bytes.append(raw)
            self.symbols.append(_shown(raw) if number in names else f"⟨{number}⟩")

    @classmethod
    def read(cls, raw: str) -> "Pieces":
        """From the text of a tokenizer file. Raises `CheckpointError`."""
        try:
            about = json.loads(raw)
            # " be" is shown with its space, so the span of a token has it too.
            _set(about.get("post_processor"), "trim_offsets", False)
            tokenizer = Tokenizer.from_str(json.dumps(about))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # nothing narrower; a panic of the library is no Exception
            raise CheckpointError(f"tokenizer.json cannot be read: {error}") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        if isinstance(tokenizer.model, models.BPE):
            tokenizer.model.dropout = None
        return cls(tokenizer, _style(about, tokenizer.model))

    def __len__(self) -> int:
        """One more than the largest number of a token."""
        return len(self.symbols)

    @property
    def mask(self) -> int | None:
        """The token that hides a word, where there is one."""
        found = (self.tokenizer.token_to_id(name) for name in ("[MASK]", "<mask>"))
        return next((number for number in found if number is not None), None)

    def encode(self, text: str) -> list[int]:
        """Numbers of the tokens, those that are put around a text too."""
        return self.tokenizer.encode(text).ids

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and stop of each token in a text, in characters; empty for what was added.

        Tokens that share a character share its span.
        """
        found = self.tokenizer.encode(text)
        spans, before = [], 0
        for (start, stop), word in zip(found.offsets, found.sequence_ids, strict=True):
            if word is None:
                start = stop = before
            spans.append((start, stop))
            before = stop
        return spans

    def decode(self, numbers: Iterable[int]) -> str:
        """The text of tokens, the names of special ones in it."""
        return "".join(self.decode_each(numbers))

    def decode_each(self, numbers: Iterable[int]) -> Iterator[str]:
        """What each token adds to the text that is written: nothing while a character is not whole,
        and one part more at the end, which is empty where all of them were."""
        if self.style == "words":
            yield from self._decode_words(numbers)
            return
        reader = getincrementaldecoder("utf-8")("replace")
        for number in numbers:
            yield reader.decode(self._bytes[number])
        yield reader.decode(b"", True)

    def _decode_words(self, numbers: Iterable[int]) -> Iterator[str]:
        """Of WordPiece, which keeps no spaces: one between words, none before `##`."""
        first = True
        for number in numbers:
            text = self.symbols[number]
            inside = text.startswith("##") and number not in self.special
            yield text[2:] if inside else text if first else f" {text}"
            first = False
        yield ""

    def _raw(self, name: str | None, added: bool) -> bytes:
        """The bytes that a token of this name writes."""
        if name is None:
            return b""
        if self.style == "bytes" and not added and all(letter in ALPHABET for letter in name):
            return bytes(ALPHABET[letter] for letter in name)
        if self.style == "spaces" and not added:
            if re.fullmatch("<0x[0-9A-F]{2}>", name):  # a byte that no other token writes
                return bytes.fromhex(name[3:5])
            name = name.replace(SPACE, " ")
        return name.encode("utf-8", "replace")


def _shown(raw: bytes) -> str:
    """The text of a token, with bytes that are no character named."""
    text = raw.decode("utf-8", "surrogateescape")
    return re.sub(
        "[\udc80-\udcff]+",
        lambda found: f"⟨{found[0].encode('utf-8', 'surrogateescape').hex(' ').upper()}⟩",
        text,
    )


def _kinds(about) -> set[str]:
    """The `type` of a part of a tokenizer file, and of the parts of a sequence."""
    if not isinstance(about, dict):
        return set()
    parts = [one for value in about.values() if isinstance(value, list) for one in value]
    return {about.get("type")}.union(*map(_kinds, parts))


def _style(about: dict, model: models.Model) -> str:
    """How names of tokens are written: as bytes, with ▁ for spaces, or as words with ##."""
    if "ByteLevel" in _kinds(about.get("decoder")) | _kinds(about.get("pre_tokenizer")):
        return "bytes"
    return "words" if isinstance(model, models.WordPiece) else "spaces"


def _set(about, name: str, value) -> None:
    """Set a field wherever a part of a tokenizer file, or of its sequences, has it."""
    for one in about if isinstance(about, list) else [about]:
        if isinstance(one, dict):
            if name in one:
                one[name] = value
            for inner in one.values():
                _set(inner, name, value)
