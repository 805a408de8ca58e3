"""Continue a prefix, a server-sent event a token, with every point asked for."""

import secrets
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from backend.api import turns
from backend.api.events import StepWriter, event, writer_of
from backend.api.streams import EventStream, submit
from backend.api.texts import context_of, read_points, read_text
from backend.errors import Invalid

router = APIRouter(prefix="/api/checkpoints", tags=["generate"])
MAX_TOP_K = 1 << 16  # as many symbols as a vocabulary may have
MAX_SEED = (1 << 53) - 1  # a number that JavaScript holds exactly


class GenerateRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    prefix: str = Field(description="the text to go on from")
    max_new_tokens: int = Field(200, ge=1)
    temperature: float = Field(
        0.8, gt=0, le=100, allow_inf_nan=False, description="the logits are divided by it"
    )
    top_k: int = Field(0, ge=0, le=MAX_TOP_K, description="draw among the k most likely; 0: all")
    top_p: float = Field(
        1.0, gt=0, le=1, allow_inf_nan=False, description="draw among the likeliest that make p"
    )
    seed: int | None = Field(None, ge=0, le=MAX_SEED, description="null: the server chooses")
    points: list[str] | None = Field(None, description="names of points; null: all, []: none")
    start: int = Field(0, ge=0, description="steps of the prefix before this one are not sent")
    heads_off: list[Annotated[str, Field(max_length=100)]] = Field(
        [], max_length=4096, description="heads that add nothing, such as `blocks.2.5`"
    )


@router.post(
    "/{id}/generate",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"text/event-stream": {}},
            "description": "`start`, a `step` for every token of the prefix and every new one, "
            "then `done`, which says why it `stopped`: `length`, or at the end of the `context`; "
            "or `error`",
        }
    },
)
async def generate(request: Request, id: str, body: GenerateRequest) -> StreamingResponse:
    """Stream what the network writes after `prefix`, and what goes on inside it."""
    state = request.app.state
    limit = state.settings.max_new_tokens
    if body.max_new_tokens > limit:
        raise Invalid(
            f"max_new_tokens is {body.max_new_tokens}, at most {limit} are written.",
            "Ask for fewer; a stream can be continued from its text.",
            "too_many_tokens",
            limit=limit,
        )
    entry = await state.catalog.open(id, "generate")
    runner = entry.runner
    prefix = await run_in_threadpool(read_text, runner, body.prefix, "prefix", state.settings)
    if body.start > len(prefix):
        raise Invalid(
            f"start is {body.start}, the prefix has {len(prefix)} {runner.reads.unit}.",
            "start counts steps of the prefix that are not sent.",
            "bad_range",
        )
    points = read_points(runner, body.points)
    seed = secrets.randbelow(1 << 32) if body.seed is None else body.seed
    batched = hasattr(runner, "stepper")  # with others of its kind; else it takes turns
    if not batched:
        turns.check_heads(runner, body.heads_off)
    elif body.heads_off:
        raise Invalid("This network has no heads.", "Leave heads_off out, or send [].", "bad_edits")
    take_turns = partial(turns.job, context=context_of(runner, state.settings))
    make, tell = (_job, _events) if batched else (take_turns, turns.events)
    stream = await submit(request, make(entry, body, prefix, points, seed))
    return EventStream(stream, tell(stream, entry, body, prefix, points, seed))


def _job(entry, body: GenerateRequest, prefix, points, seed):
    from backend.engine import Job

    return Job(
        model_id=entry.id,
        runner=entry.runner,
        prefix=tuple(prefix),
        max_new_tokens=body.max_new_tokens,
        temperature=body.temperature,
        top_k=body.top_k,
        top_p=body.top_p,
        seed=seed,
        points=tuple(point.name for point in points),
        start=body.start,
    )


async def _events(stream, entry, body, prefix, points, seed) -> AsyncIterator[bytes]:
    from backend.engine import End

    writer = writer_of(tuple(entry.runner.reads.symbols), tuple(points))
    written: list[int] = []
    yield event("start", {"checkpoint": entry.id, "seed": seed, "tokens": len(prefix)})
    async for steps in stream:
        if isinstance(steps, End):
            yield _done(writer, steps, prefix + written, len(written), seed)
        else:
            written.extend(step.token_id for step in steps if not step.prefix)
            yield writer.steps(steps)


def _done(writer: StepWriter, end, tokens: list[int], count: int, seed: int) -> bytes:
    symbols = writer.tokens
    text = "".join(symbols[k][1:-1] for k in tokens)  # JSON strings without their quotes
    return (
        f'event: done\ndata: {{"text":"{text}","seed":{seed},"tokens":{count},'
        f'"next":[{writer.candidates(end.next)}],"stopped":"length"}}\n\n'
    ).encode()
