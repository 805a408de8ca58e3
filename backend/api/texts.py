"""What the routes that read text have in common: from a text to tokens, from names to points."""

from collections.abc import Iterable

from backend.errors import Invalid, TooLarge

SHOWN = 20  # unknown characters listed with their positions


def read_text(runner, text: str, field: str, limit: int) -> list[int]:
    """Tokens of a text, or an error that names the field and every position that is wrong."""
    from models.text import UnknownCharacters

    check_length(text, field, limit)
    try:
        return runner.characters.encode(text)
    except UnknownCharacters as error:
        raise strangers(error.found, field, runner.characters.symbols) from None


def check_length(text: str, field: str, limit: int) -> None:
    """Refuse a text that is empty or longer than `limit` characters."""
    if not text:
        raise Invalid(f"{field} is empty.", "Type at least one character.", "empty_text")
    if len(text) > limit:
        raise TooLarge(
            f"{field} has {len(text)} characters, at most {limit} are read.",
            "Send a shorter text.",
            "text_too_long",
            limit=limit,
        )


def strangers(places: list[tuple[int, str]], field: str, symbols: Iterable[str]) -> Invalid:
    """The error for characters at these places, where a model knows `symbols` (none: any)."""
    found = [{"position": at, "character": c, "code_point": f"U+{ord(c):04X}"} for at, c in places]
    known = "".join(symbols)
    count = len(found)
    first = ", ".join(f"{f['code_point']} at {f['position']}" for f in found[:3])
    return Invalid(
        f"This model does not know {count} character{'s' if count > 1 else ''} "
        f"of {field}: {first}{' ...' if count > 3 else ''}.",
        "Remove or replace them" + (f"; the model knows: {known}" if known else "."),
        "unknown_characters",
        characters=found[:SHOWN],
        count=count,
    )


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
