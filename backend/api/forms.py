"""Reading a form with a picture in it, `multipart/form-data`, in memory only."""

import re
from collections.abc import Iterable

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from backend.api.pictures import KEY, Parts, check_type, see, uploading
from backend.errors import Invalid, Unsupported

FORM = "multipart/form-data"
MOST_TEXT = 128 << 10  # bytes of a field that is no file


class InMemory(MultiPartParser):
    """Starlette's reader, which would write a file of more than a megabyte to the disk."""

    spool_max_size = 0  # no size is too large: the body has its limit


async def read_form(request: Request, *fields: str) -> tuple:
    """The picture of a form, its file `image` or the text `key`, and its other text fields.

    Raises what `read_picture` raises.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Unsupported("This is no form.", f"Send {FORM} with {_named(fields)}.")

    async def parse(parts: Parts) -> dict:
        reader = InMemory(
            request.headers, parts, max_files=1, max_fields=8, max_part_size=MOST_TEXT
        )
        try:
            form = await reader.parse()
        except MultiPartException as error:
            problem = error.message.rstrip(".")
            raise _bad(f"The form cannot be read: {problem}.", fields) from None
        try:
            return await _values(form.multi_items(), fields)
        finally:
            await form.close()

    await request.app.state.ready()
    with uploading(request) as receive:
        found = await receive(parse)
        key, raw = found.get("key"), found.get("image", b"")
        return await see(request, raw, key), *(found[name] for name in fields)


async def _values(
    items: Iterable[tuple[str, str | UploadFile]], fields: tuple[str, ...]
) -> dict[str, str | bytes]:
    """Each field once, a picture as bytes. Raises `Invalid`."""
    found: dict[str, str | bytes] = {}
    for name, value in items:
        if name in found:
            raise _bad(f"The form has {name!a:.40} twice.", fields)
        if name not in ("image", "key", *fields):
            raise _bad(f"The form has a field {name!a:.40}.", fields)
        if isinstance(value, UploadFile) != (name == "image"):
            raise _bad(f"The field {name} is {'no' if name == 'image' else 'a'} file.", fields)
        if name == "image":
            check_type(value.content_type or "")
            value = await value.read()
        found[name] = value
    for name in fields:
        if name not in found:
            raise _bad(f"The form has no {name}.", fields)
    if "image" not in found and "key" not in found:
        raise _bad("The form has no picture.", fields)
    if not re.fullmatch(KEY, found.get("key", "0" * 64)):
        raise _bad("The field key is no key of a picture.", fields)
    return found


def _bad(message: str, fields: tuple[str, ...]) -> Invalid:
    return Invalid(message, f"Send {_named(fields)}.", "bad_form")


def _named(fields: tuple[str, ...]) -> str:
    return " and ".join(["the file image or the text key", *fields])
