"""Reading the picture of a request: its bytes, or the key of one that was sent before.

Nothing of it is written to disk, and once its features are known nothing of it is kept at all. The
declared type must be one of those that are read; which of them the bytes are is for the bytes to
say, since the name of a file, which browsers go by, is often wrong about that.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from backend.api.streams import client_of, refusals
from backend.errors import Invalid, Late, NotFound, Unavailable, Unsupported

TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp")
KEY = r"^[0-9a-f]{64}$"
Parts = AsyncIterator[bytes]


async def read_picture(request: Request, key: str | None):
    """The picture that is the body, or, where the body is empty, the one of a key.

    Raises `Unsupported`, `Invalid`, `NotFound`, `Late`, `Busy` or `Unavailable`.
    """
    if key is None:
        check_type(request.headers.get("content-type", ""))

    async def whole(parts: Parts) -> bytes:
        return b"".join([part async for part in parts])

    await request.app.state.ready()
    with uploading(request) as receive:
        return await see(request, await receive(whole), key)


@contextmanager
def uploading(request: Request) -> Iterator[Callable[[Callable[[Parts], Awaitable]], Awaitable]]:
    """A function that receives the body: it returns what another makes of its parts.

    They count against the budget of all uploads until the context ends.
    """
    state = request.app.state

    async def receive(make: Callable[[Parts], Awaitable[Any]]) -> Any:
        try:
            async with asyncio.timeout(state.settings.upload_seconds), aclosing(parts()) as all:
                return await make(all)
        except TimeoutError:
            raise Late("The picture did not arrive in time.", "Send a smaller one.") from None
        except ClientDisconnect:
            raise Unavailable("The client has gone.", code="client_gone") from None

    async def parts() -> Parts:
        async with aclosing(request.stream()) as stream:
            async for part in stream:
                upload.add(len(part))
                yield part

    with refusals(), state.pictures.upload(client_of(request)) as upload:
        yield receive


async def see(request: Request, raw: bytes, key: str | None):
    """The picture of these bytes, or, where there are none, of a key."""
    from models.vision import PictureError

    pictures = request.app.state.pictures
    if key is None:
        try:
            return await pictures.look(raw)
        except PictureError as error:
            raise Invalid(
                f"This picture cannot be read: {error}.",
                "Send a whole PNG, JPEG, WebP, GIF or BMP.",
                "bad_picture",
            ) from None
    if raw:
        raise Invalid(
            "There are a picture and the key of one.", "Send one of the two.", "two_pictures"
        )
    seen = pictures.recall(key)
    if seen is None:
        raise NotFound(
            "This picture is not remembered.", "Send its bytes again.", "unknown_picture"
        )
    return seen


def check_type(declared: str) -> None:
    """Refuse what says that it is something else than a picture that is read."""
    if declared.partition(";")[0].strip().lower() not in TYPES:
        raise Unsupported(
            "This type of file is not read." if declared else "The type of file is not told.",
            f"Send one of these with its Content-Type: {', '.join(TYPES)}.",
            types=list(TYPES),
        )
