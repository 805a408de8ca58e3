"""Read a line of text in a picture: one that is drawn from a text, or one that is sent."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from backend.api.computing import turn
from backend.api.pictures import TYPES, Parts, check_type, uploading
from backend.api.texts import asked_points, check_length, check_whole, read_points
from backend.api.trace import TracedPoint, check_size
from backend.arrays import Array, encode
from backend.errors import Invalid

router = APIRouter(prefix="/api/checkpoints", tags=["read"])
BODIES = {"/api/checkpoints/{id}/read": "max_picture_bytes"}


class ReadQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str | None = Field(
        None, description="a text that is drawn as a picture; the body is empty"
    )
    points: list[str] | None = Field(
        None, description="name of a point, repeatable; `none`: no point; absent: all"
    )


class ReadCharacter(BaseModel):
    symbol: str
    start: int = Field(description="the columns that it was merged from: first, and after the last")
    stop: int
    probability: float = Field(description="the highest of them")


class Reading(BaseModel):
    checkpoint: str
    text: str = Field(description="what was read: repetitions merged, blanks dropped")
    characters: list[ReadCharacter]
    picture: Array = Field(description="(row, column) grey, as the network saw it")
    centres: Array = Field(description="(time), of each column in pixels from the left")
    tokens: list[str] = Field(description="the likeliest symbol of each column")
    token_ids: list[int]
    probability: Array = Field(description="(time), of these")
    blank: int = Field(description="the number of the blank")
    symbols: list[str] = Field(description="all that it tells apart")
    points: dict[str, TracedPoint]


@router.post(
    "/{id}/read",
    response_model=Reading,
    openapi_extra={
        "requestBody": {
            "required": False,
            "content": {type: {"schema": {"type": "string", "format": "binary"}} for type in TYPES},
        }
    },
)
async def read(request: Request, id: str, query: Annotated[ReadQuery, Query()]) -> dict:
    """Read the picture whose bytes are the body, or the one that `text` is drawn as. A step in time
    is a column of about four pixels."""
    state = request.app.state
    entry = await state.catalog.open(id, "read")
    points = read_points(entry.runner, asked_points(query.points))
    await state.ready()
    if query.text is None:
        check_type(request.headers.get("content-type", ""))
    else:
        check_length(query.text, "text", state.settings.max_text_characters)
        check_whole(query.text, "text")
    with uploading(request) as receive:
        raw = await receive(_whole)
        if raw and query.text is not None:
            raise Invalid("There are a picture and a text.", "Send one of the two.", "two_pictures")
        async with turn(request):
            limit = state.settings.max_trace_bytes
            return await run_in_threadpool(_read, entry, raw, query.text, points, limit)


async def _whole(parts: Parts) -> bytes:
    return b"".join([part async for part in parts])


def _read(entry, raw: bytes, text: str | None, points: list, limit: int) -> dict:
    from models import lines, vision

    runner = entry.runner
    try:
        if text is None:
            image = vision.read(raw, lines.WIDEST).image
        else:
            image = runner.picture(text)
        columns = runner.columns(image.width, image.height)
        check_size(points, 0, columns, columns, limit)
        found = runner.read(image, [point.name for point in points])
    except vision.PictureError as error:
        hint = "Send a whole PNG, JPEG, WebP, GIF or BMP of one line of text."
        raise Invalid(f"This picture cannot be read: {error}.", hint, "bad_picture") from None
    except lines.NotDrawn as error:
        hint = f"Type a line of 1 to {lines.LONGEST} characters."
        raise Invalid(f"This text cannot be drawn: {error}.", hint, "bad_text") from None
    return {
        "checkpoint": entry.id,
        "text": found.text,
        "characters": [vars(one) for one in found.characters],
        "picture": encode(found.pixels),
        "centres": encode(found.centres),
        "tokens": [runner.symbols[k] for k in found.token_ids],
        "token_ids": found.token_ids,
        "probability": encode(found.probabilities.max(-1)),
        "blank": runner.blank,
        "symbols": runner.symbols,
        "points": {
            p.name: {"axes": p.axes, "range": p.range, "data": encode(found.points[p.name])}
            for p in points
        },
    }
