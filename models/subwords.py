"""Text to token numbers and back, for models that read and write whole sentences.

Two kinds of vocabulary, each with `<unk>`, `<s>` and `</s>` first, kept in the file format of the
`tokenizers` library: pieces of words (byte-pair merges; Sennrich, Haddow, Birch 2016,
arXiv:1508.07909), or single characters (no merges). A source is read without regard to case and to
spaces before punctuation; a target keeps both, so that joined tokens are the text.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from models.checkpoint import CheckpointError, CheckpointFiles
from models.decoder import BEGIN, END, UNKNOWN
from models.text import UnknownCharacters

SPECIAL = ["<unk>", "<s>", "</s>"]
SPACE = "▁"  # how a target vocabulary writes the space in front of a word


@dataclass(frozen=True)
class Source:
    """A text as it is read. The end mark is its last token."""

    text: str
    ids: list[int]
    tokens: list[str]  # as the user wrote them
    spans: list[tuple[int, int]]  # of each token in the text, in characters
    copied: list[int]  # tokens that are whole words which the vocabulary cannot write


class Vocabulary:
    """A tokenizer with the three special tokens. Raises `CheckpointError` for any other."""

    unknown, begin, end = UNKNOWN, BEGIN, END  # the numbers of the special tokens

    def __init__(self, tokenizer: Tokenizer):
        self.check(tokenizer)
        tokenizer.encode_special_tokens = True  # "</s>" in a text is four characters
        self.tokenizer = tokenizer
        size = tokenizer.get_vocab_size()
        written = [tokenizer.id_to_token(k) for k in range(size)]
        if any(token is None for token in written):
            raise CheckpointError("a tokenizer must number its tokens without gaps")
        self.tokens = [token.replace(SPACE, " ") for token in written]
        self.whole = tokenizer.pre_tokenizer is None  # a text is not cut into words

    def check(self, tokenizer: Tokenizer) -> None:
        """Refuse a tokenizer whose special tokens are not those that the networks know."""
        if [tokenizer.id_to_token(k) for k in range(3)] != SPECIAL:
            raise CheckpointError(f"a tokenizer must begin with {', '.join(SPECIAL)}")
        if getattr(tokenizer.model, "unk_token", None) != SPECIAL[UNKNOWN]:
            raise CheckpointError(f"a tokenizer must read what it does not know as {SPECIAL[0]}")

    @classmethod
    def read(cls, raw: str) -> "Vocabulary":
        """From the text of a tokenizer file."""
        try:
            tokenizer = Tokenizer.from_str(raw)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # nothing narrower; a panic of the library is no Exception
            raise CheckpointError(f"a tokenizer file cannot be read: {error}") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        if isinstance(tokenizer.model, models.BPE):
            tokenizer.model.dropout = None
        return cls(tokenizer)

    def __len__(self) -> int:
        return len(self.tokens)

    def save(self) -> str:
        """The text of a tokenizer file."""
        return self.tokenizer.to_str(pretty=False) + "\n"

    def encode_many(self, texts: Sequence[str]) -> list[list[int]]:
        """Numbers of each text, the end mark last."""
        found = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [[*one.ids, self.end] for one in found]

    def read_text(self, text: str) -> Source:
        """A text to translate, with where each token stands in it.

        A word with a character that is not known becomes one `<unk>`, to be copied. Where a
        text is not cut into words, raises `UnknownCharacters` with every position.
        """
        found = self.tokenizer.encode(text, add_special_tokens=False)
        if self.whole and self.unknown in found.ids:
            # What is not known is told in the characters that the user typed.
            alphabet = set(self.tokens)
            normal = self.tokenizer.normalizer
            clear = normal.normalize_str if normal else str
            strangers = [(k, c) for k, c in enumerate(text) if not set(clear(c)) <= alphabet]
            raise UnknownCharacters(strangers)
        strange = {w for w, k in zip(found.word_ids, found.ids, strict=True) if k == self.unknown}
        ids, spans, copied, before = [], [], [], None
        for word, number, span in zip(found.word_ids, found.ids, found.offsets, strict=True):
            if word not in strange:
                ids.append(number)
                spans.append(span)
            elif word != before:
                copied.append(len(ids))
                ids.append(self.unknown)
                spans.append(span)
            else:
                spans[-1] = (spans[-1][0], span[1])
            before = word
        for k, (start, stop) in enumerate(spans):  # an accent that was joined to its letter
            following = spans[k + 1][0] if k + 1 < len(spans) else len(text)
            while stop < following and not text[stop].isspace():
                stop += 1
            spans[k] = (start, stop)
        tokens = [text[start:stop] for start, stop in spans]
        return Source(
            text,
            [*ids, self.end],
            [*tokens, self.tokens[self.end]],
            [*spans, (len(text), len(text))],
            copied,
        )

    def join(self, numbers: Iterable[int], copies: Sequence[str] = ()) -> str:
        """The text of written tokens; the k-th `<unk>` is the k-th of `copies`, where there is
        one."""
        rest, parts = iter(copies), []
        for number in numbers:
            if number == self.unknown:
                parts.append(next(rest, self.tokens[self.unknown]))
            elif number not in (self.begin, self.end):
                parts.append(self.tokens[number])
        return "".join(parts).strip(" ")


SAME = [  # typographic variants that the corpora mix
    normalizers.Replace(Regex("[\u2018\u2019\u02bc\u00b4`]"), "'"),  # NFKC cuts \u00b4 in two
    normalizers.NFKC(),
    normalizers.Replace(Regex("[\u201c\u201d\u00ab\u00bb]"), '"'),
    normalizers.Replace(Regex("[\u2010-\u2015]"), "-"),
]


def _pieces(size: int) -> tuple[Tokenizer, trainers.BpeTrainer]:
    tokenizer = Tokenizer(models.BPE(unk_token=SPECIAL[UNKNOWN], fuse_unk=True))
    return tokenizer, trainers.BpeTrainer(
        vocab_size=size, special_tokens=SPECIAL, show_progress=False, min_frequency=2
    )


def source_pieces(texts: Iterable[str], size: int) -> Vocabulary:
    """A vocabulary of word pieces for reading: lower case, punctuation by itself, no spaces.

    A piece that goes on with a word is written with ## before it.
    """
    tokenizer = Tokenizer(
        models.BPE(unk_token=SPECIAL[UNKNOWN], fuse_unk=True, continuing_subword_prefix="##")
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=SPECIAL,
        show_progress=False,
        min_frequency=2,
        continuing_subword_prefix="##",
    )
    tokenizer.normalizer = normalizers.Sequence([*SAME, normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(texts, trainer)
    return Vocabulary(_in_order(tokenizer))


def target_pieces(texts: Iterable[str], size: int) -> Vocabulary:
    """A vocabulary of word pieces for writing: case is kept, a space belongs to the word behind."""
    tokenizer, trainer = _pieces(size)
    tokenizer.normalizer = normalizers.Sequence(SAME)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(SPACE, prepend_scheme="always"),
            pre_tokenizers.Punctuation("isolated"),
        ]
    )
    tokenizer.train_from_iterator(texts, trainer)
    return Vocabulary(_in_order(tokenizer))


def _in_order(tokenizer: Tokenizer) -> Tokenizer:
    """The same pieces, numbered by the alphabet: the library's numbers differ from run to run."""
    raw = json.loads(tokenizer.to_str())
    rest = sorted(raw["model"]["vocab"].keys() - set(SPECIAL))
    raw["model"]["vocab"] = {token: number for number, token in enumerate([*SPECIAL, *rest])}
    return Tokenizer.from_str(json.dumps(raw))


def words(texts: Iterable[str], least: int) -> Vocabulary:
    """A vocabulary of whole words seen at least so often, for writing: lower case, no punctuation
    but the apostrophe and the hyphen inside a word, a space in front of each."""
    tokenizer = Tokenizer(models.WordLevel({}, unk_token=SPECIAL[UNKNOWN]))
    tokenizer.normalizer = normalizers.Sequence(
        [
            *SAME,
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"(?<!\w)['-]|['-](?!\w)|[^\w\s'-]"), " "),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(SPACE, prepend_scheme="always")
    trainer = trainers.WordLevelTrainer(
        vocab_size=1 << 17, min_frequency=least, special_tokens=SPECIAL, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return Vocabulary(_in_order(tokenizer))


def characters(symbols: Iterable[str], lower: bool = False) -> Vocabulary:
    """A vocabulary of single characters, the whole text one word."""
    numbers = {token: k for k, token in enumerate([*SPECIAL, *sorted(set(symbols))])}
    tokenizer = Tokenizer(models.BPE(numbers, [], unk_token=SPECIAL[UNKNOWN]))
    if lower:
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    return Vocabulary(tokenizer)


def both_sides(
    files: CheckpointFiles,
    sizes: tuple[int, int],
    kinds: tuple[type[Vocabulary], type[Vocabulary]] = (Vocabulary, Vocabulary),
) -> list[Vocabulary]:
    """What a checkpoint reads with and what it writes with, of the sizes that its config says.

    Raises `CheckpointError`.
    """
    sides = []
    for side, size, kind in zip(("source", "target"), sizes, kinds, strict=True):
        name = f"{side}.tokenizer.json"
        if name not in files.tokenizers:
            raise CheckpointError(f"{name} is missing")
        vocabulary = kind.read(files.tokenizers[name])
        if len(vocabulary) != size:
            raise CheckpointError(
                f"{name} holds {len(vocabulary)} tokens, config.json says {side}_size {size}"
            )
        sides.append(vocabulary)
    return sides
