"""Translate a text, an event a token, with where the decoder looks and every point asked for."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from backend.api.telling import along
from backend.api.texts import read_points, read_source
from backend.api.translation import TARGET, Teller, Translation
from backend.api.wishes import Wish, answer, check_force, check_new_tokens, check_prefix

router = APIRouter(prefix="/api/checkpoints", tags=["translate"])
Force = Annotated[list[int], Field(min_length=2, max_length=2)]


class TranslateRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    text: str = Field(description="the text to translate")
    beam_size: int = Field(1, ge=1, le=8, description="beginnings that are kept; 1: greedy")
    length_penalty: float = Field(
        1.0,
        ge=0,
        le=2,
        allow_inf_nan=False,
        description="hypotheses are ranked by log probability over length to this power",
    )
    max_new_tokens: int = Field(60, ge=1, description="tokens written after `prefix`, at most")
    prefix: list[int] = Field([], description="target tokens that the translation begins with")
    force: list[Force] = Field(
        [], description="target step, source position: all of the attention goes there"
    )
    points: list[str] | None = Field(None, description="names of points; null: all, []: none")
    stream: bool = Field(False, description="answer with server-sent events")


@router.post(
    "/{id}/translate",
    response_model=Translation,
    responses={
        200: {
            "content": {"text/event-stream": {}},
            "description": "the whole translation; with `stream`: `start`, a `beam` for every step "
            "of the search, a `step` for every token, then `done` or `error`",
        }
    },
)
async def translate(request: Request, id: str, body: TranslateRequest) -> Any:
    """Translate `text`. `force` puts the attention of a step on one source position, `prefix` makes
    the translation begin with other words: what follows is written under these conditions."""
    state = request.app.state
    entry = await state.catalog.open(id, "translate")
    wish, source = await run_in_threadpool(_wish, entry, body, state.settings)
    teller = Teller(entry.id, entry.runner, source, wish.points, wish.step_axis)
    return await answer(request, wish, teller, body.stream)


def _sizes(positions: int, length: int, point) -> dict[str, int]:
    """Of the axes of a point: those of the source, and the keys of a decoder, which grow."""
    own = point.name.startswith("decoder.") and ".cross." not in point.name
    keys = (length + 1) // 2 + 1 if own else positions
    return {"source": positions, "time": positions, "query": positions, "key": keys}


# -- what cannot be done ---------------------------------------------------------------------


def _wish(entry, body: TranslateRequest, settings) -> tuple[Wish, Any]:
    """The request, found good, and its source. Raises `Invalid` or `TooLarge`."""
    runner = entry.runner
    limit = settings.max_target_tokens
    check_new_tokens(body.max_new_tokens, limit)
    limit = min(limit, runner.context or limit)
    points = read_points(runner, body.points)
    source = read_source(runner, body.text, settings)
    check_prefix(runner, body.prefix, limit)
    length, positions = len(body.prefix) + body.max_new_tokens, len(source.ids)
    length = min(length, runner.context or length)
    check_force(runner, body.force, length, "target step", {"source position": positions})
    write = partial(
        runner.translate,
        source,
        body.beam_size,
        body.length_penalty,
        body.max_new_tokens,
        tuple(body.prefix),
        dict(body.force),
    )
    wish = Wish(
        entry.id,
        points,
        step_axis=getattr(runner, "step_axis", along(TARGET)),
        sizes=partial(_sizes, positions, length),
        annotations=positions,
        length=length,
        look=partial(runner.source_points, source),
        write=write,
    )
    return wish, source
