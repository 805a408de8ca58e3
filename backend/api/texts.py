"""What the routes that read text have in common: from a text to tokens, from names to points."""

from collections.abc import Iterable, Sequence
from typing import Any

from backend.errors import Invalid, TooLarge

SHOWN = 20  # unknown characters listed with their positions
LONGEST = 40  # characters of an unknown word that are repeated
MOST_KNOWN = 1000  # characters of an alphabet that are told


def read_text(runner, text: str, field: str, settings) -> list[int]:
    """Tokens of a text, or an error that names the field and every position that is wrong."""
    from models.text import UnknownCharacters

    check_length(text, field, settings.max_text_characters)
    reads = runner.reads
    try:
        if reads.unit == "tokens":
            check_whole(text, field)
        ids = reads.encode(text)
    except UnknownCharacters as error:
        raise strangers(error.found, field, reads.symbols) from None
    if not ids:  # spaces, for one, that a tokenizer drops
        raise Invalid(f"{field} holds nothing to read.", "Type at least one word.", "empty_text")
    limit = context_of(runner, settings)
    if limit is not None and len(ids) > limit:
        raise too_long(field, reads.unit, len(ids), limit)
    return ids


def context_of(runner, settings) -> int | None:
    """How many tokens a network reads at once; None: as many as there are."""
    return None if runner.context is None else min(runner.context, settings.max_context_tokens)


def read_source(runner, text: str, settings):
    """A text to translate, as its network reads it; the errors of `read_text`."""
    from models.text import UnknownCharacters

    check_length(text, "text", settings.max_text_characters)
    check_whole(text, "text")
    try:
        source = runner.read(text)
    except UnknownCharacters as error:
        known = [token for token in runner.source.tokens if len(token) == 1]
        raise strangers(error.found, "text", known) from None
    if len(source.ids) < 2:  # the end mark alone
        raise Invalid("text holds nothing to translate.", "Type at least one word.", "empty_text")
    limit = min(settings.max_source_tokens, runner.context or settings.max_source_tokens)
    if len(source.ids) > limit:
        raise too_long("text", "tokens", len(source.ids), limit)
    return source


def too_long(field: str, unit: str, found: int, limit: int) -> TooLarge:
    """The error for a text of more characters or tokens than are read."""
    return TooLarge(
        f"{field} has {found} {unit}, at most {limit} are read.",
        "Send a shorter text.",
        "text_too_long",
        limit=limit,
    )


def check_whole(text: str, field: str) -> None:
    """Refuse halves of surrogate pairs: JSON can write them, and no tokenizer reads them."""
    halves = [(at, c) for at, c in enumerate(text) if "\ud800" <= c <= "\udfff"]
    if halves:
        raise strangers(halves, field, "")


def check_length(text: str, field: str, limit: int) -> None:
    """Refuse a text that is empty or longer than `limit` characters."""
    if not text:
        raise Invalid(f"{field} is empty.", "Type at least one character.", "empty_text")
    if len(text) > limit:
        raise too_long(field, "characters", len(text), limit)


def strangers(places: list[tuple[int, str]], field: str, symbols: Iterable[str]) -> Invalid:
    """The error for characters, or tokens, at these places; a model knows `symbols` (none: any)."""
    found = [
        {
            "position": at,
            "character": c[:LONGEST],
            "code_point": f"U+{ord(c):04X}" if len(c) == 1 else c[:LONGEST],  # a word, as it stands
        }
        for at, c in places
    ]
    known = "".join(symbols)
    if len(known) > MOST_KNOWN:
        known = f"{known[:MOST_KNOWN]} ..."
    count = len(found)
    unit = "token" if any(len(c) > 1 for _, c in places) else "character"
    first = ", ".join(f"{f['code_point']} at {f['position']}" for f in found[:3])
    return Invalid(
        f"This model does not know {count} {unit}{'s' if count > 1 else ''} "
        f"of {field}: {first}{' ...' if count > 3 else ''}.",
        "Remove or replace them" + (f"; the model knows: {known}" if known else "."),
        "unknown_characters",
        characters=found[:SHOWN],
        count=count,
    )


def texts_of(ids: int | list, symbols: Sequence[str]) -> Any:
    """Numbers in lists of any depth -> their texts; a number without a token has none."""
    if isinstance(ids, list):
        return [texts_of(one, symbols) for one in ids]
    return symbols[ids] if ids < len(symbols) else ""


def asked_points(names: list[str] | None) -> list[str] | None:
    """The names of a query, which has no way to write an empty list: `none` alone is one."""
    return [] if names == ["none"] else names


def read_points(runner, names: list[str] | None) -> list:
    """The points that were asked for, in the order of the network. None asks for all."""
    if names is None:
        return list(runner.points)
    known = {point.name for point in runner.points}
    for name in names:
        if name not in known:
            raise Invalid(
                f"There is no point {name!r}." if name.isprintable() else "No such point.",
                "The points of this checkpoint are: " + ", ".join(sorted(known)),
                "unknown_point",
            )
    wanted = set(names)
    return [point for point in runner.points if point.name in wanted]
