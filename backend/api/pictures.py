"""Reading the picture of a request: its bytes, or the key of one that was sent before.

The declared type must be one of those that are read; which of them the bytes are is for the bytes
to say, since the name of a file, which browsers go by, is often wrong about that.
"""

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from backend.api.streams import client_of, refusals
from backend.errors import Invalid, Late, NotFound, Unavailable, Unsupported

TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp")
KEY = r"^[0-9a-f]{64}$"


async def read_picture(request: Request, key: str | None):
    """The picture that is the body, or, where the body is empty, the one of a key.

    Raises `Unsupported`, `Invalid`, `NotFound`, `Late`, `Busy` or `Unavailable`.
    """
    if key is None:
        check_type(request.headers.get("content-type", ""))
    return await look(request, request.stream(), key)


async def look(request: Request, parts: AsyncIterator[bytes], key: str | None):
    """The picture of these bytes, which may have none where there is a key."""
    from models.vision import PictureError

    state = request.app.state
    await state.ready()
    with refusals(), state.pictures.upload(client_of(request)) as upload:
        try:
            async with asyncio.timeout(state.settings.upload_seconds):
                async for part in parts:
                    upload.add(part)
        except TimeoutError:
            raise Late("The picture did not arrive in time.", "Send a smaller one.") from None
        except ClientDisconnect:
            raise Unavailable("The client has gone.", code="client_gone") from None
        if key is not None:
            return recall(request, key, upload.size)
        try:
            return await state.pictures.look(upload.whole())
        except PictureError as error:
            raise Invalid(
                f"This picture cannot be read: {error}.",
                "Send a whole PNG, JPEG, WebP, GIF or BMP.",
                "bad_picture",
            ) from None


def recall(request: Request, key: str, size: int):
    """The picture of a key, where it is remembered and no bytes came with it."""
    if size:
        raise Invalid(
            "There are a picture and the key of one.", "Send one of the two.", "two_pictures"
        )
    seen = request.app.state.pictures.recall(key)
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
