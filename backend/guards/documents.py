"""A JSON body is UTF-8 and says each thing once.

Of two fields of one name one reader takes the first and another the last, so that what was checked
need not be what is used; the standard allows either. Here such a body is refused, and so are the
encodings, and the mark before the text, that one reader knows and another does not.
"""

import json

from fastapi import Request

from backend.errors import Invalid


def _once(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        name = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise Invalid(f"The body has the field {name!a:.60} twice.", "Send it once.", "twice")
    return found


async def each_once(request: Request) -> None:
    """A dependency of every route. Raises `Invalid` where a field comes twice at any depth."""
    if hasattr(request, "_json"):  # it was read as JSON, and is kept
        try:
            json.loads((await request.body()).decode(), object_pairs_hook=_once)
        except ValueError:
            raise Invalid(
                "The body is not valid JSON in UTF-8.",
                "Send a JSON object in UTF-8, without a mark of byte order.",
                "invalid_json",
            ) from None
