"""Caption a picture, an event a word, with where the decoder looks and every point asked for."""

import re
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from backend.api.captioning import TOKEN, Caption, Teller
from backend.api.pictures import KEY, TYPES, read_picture
from backend.api.telling import along
from backend.api.texts import asked_points, read_points
from backend.api.wishes import Wish, answer, check_force, check_new_tokens, check_prefix
from backend.errors import Invalid

router = APIRouter(prefix="/api/checkpoints", tags=["caption"])
BODIES = {"/api/checkpoints/{id}/caption": "max_picture_bytes"}
NUMBERS = r"^(-?\d{1,9}(,-?\d{1,9})*)?$"
THREE = r"^-?\d{1,9},-?\d{1,9},-?\d{1,9}$"


def numbers(text: str) -> list[int]:
    """Numbers between commas."""
    return [int(part) for part in re.findall(r"-?\d+", text)]


class CaptionQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    image: str | None = Field(
        None, pattern=KEY, description="key of a picture that was sent before; the body is empty"
    )
    beam_size: int = Field(1, ge=1, le=8, description="beginnings that are kept; 1: greedy")
    length_penalty: float = Field(
        1.0,
        ge=0,
        le=2,
        allow_inf_nan=False,
        description="hypotheses are ranked by log probability over length to this power",
    )
    max_new_tokens: int = Field(30, ge=1, description="tokens written after `prefix`, at most")
    prefix: Annotated[str, Field(pattern=NUMBERS), AfterValidator(numbers)] = Field(
        "",
        validate_default=True,
        description="numbers of the tokens that the caption begins with, such as `12,7,3`",
    )
    force: list[Annotated[str, Field(pattern=THREE), AfterValidator(numbers)]] = Field(
        [], description="`step,row,column`: all of the attention goes to that cell; repeatable"
    )
    seed: int | None = Field(
        None, ge=0, lt=1 << 53, description="draws the cells of a network with hard attention"
    )
    points: list[str] | None = Field(
        None, description="name of a point, repeatable; `none`: no point; absent: all"
    )
    stream: bool = Field(False, description="answer with server-sent events")


@router.post(
    "/{id}/caption",
    response_model=Caption,
    openapi_extra={
        "requestBody": {
            "content": {type: {"schema": {"type": "string", "format": "binary"}} for type in TYPES}
        }
    },
    responses={
        200: {
            "content": {"text/event-stream": {}},
            "description": "the whole caption; with `stream`: `start`, a `beam` for every step of "
            "the search, a `step` for every token, then `done` or `error`",
        }
    },
)
async def caption(request: Request, id: str, query: Annotated[CaptionQuery, Query()]) -> Any:
    """Caption the picture whose bytes are the body. `force` puts the attention of a step on one
    cell, `prefix` makes the caption begin with other words: what follows is written under these
    conditions."""
    state = request.app.state
    entry = await state.catalog.open(id, "caption")
    points = _check(entry.runner, query, state.settings)
    seen = await read_picture(request, query.image)
    familiarity = await run_in_threadpool(entry.runner.familiarity, seen.cells)
    teller = Teller(entry.id, entry.runner, seen, familiarity, points)
    return await answer(request, _wish(entry, seen, query, points), teller, query.stream)


def _wish(entry, seen, query: CaptionQuery, points: list) -> Wish:
    runner = entry.runner
    columns = runner.grid["column"]
    write = partial(
        runner.caption,
        seen.cells,
        query.beam_size,
        query.length_penalty,
        query.max_new_tokens,
        tuple(query.prefix),
        {step: row * columns + column for step, row, column in query.force},
        query.seed,
    )
    return Wish(
        entry.id,
        points,
        step_axis=along(TOKEN),
        sizes=lambda point: {},
        annotations=seen.cells.shape[1],
        length=len(query.prefix) + query.max_new_tokens,
        look=partial(runner.picture_points, seen.cells),
        write=write,
    )


def _check(runner, query: CaptionQuery, settings) -> list:
    """The points asked for. Raises `Invalid` for what cannot be done, before the picture comes."""
    limit = settings.max_target_tokens
    check_new_tokens(query.max_new_tokens, limit)
    points = read_points(runner, asked_points(query.points))
    check_prefix(runner, query.prefix, limit)
    length = len(query.prefix) + query.max_new_tokens
    check_force(runner, query.force, length, "step", runner.grid)
    if query.seed is not None and not runner.hard:
        raise Invalid(
            "This network looks at all cells: there is nothing to draw.",
            "Leave the seed out, or ask a checkpoint with hard attention.",
            "no_draws",
        )
    if query.seed is not None and query.beam_size > 1:
        raise Invalid(
            "A search takes the likeliest cells: there is nothing to draw.",
            "Leave the seed out, or search with a beam_size of 1.",
            "no_draws",
        )
    return points
