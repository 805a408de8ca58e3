"""Read a text and show the network's points over it."""

from math import prod

import numpy as np
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from backend.api.computing import compute, turn
from backend.api.texts import read_points, read_text, texts_of
from backend.arrays import Array, encode
from backend.errors import Invalid, TooLarge

router = APIRouter(prefix="/api/checkpoints", tags=["trace"])
NEXT = 5  # most likely next tokens that are told
TOLD = 16  # bytes, about, that one of them takes
STEPS = ("time", "query")  # axes that start and stop cut


class TraceRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    text: str
    points: list[str] | None = Field(None, description="names of points; null means all")
    start: int = Field(0, ge=0, description="first step that is shown")
    stop: int | None = Field(None, ge=1, description="step after the last; null: the end")
    top: int = Field(NEXT, ge=1, le=1024, description="most likely next tokens that are told")


class TracedPoint(BaseModel):
    axes: list[str]
    range: str
    data: Array


class NextTokens(BaseModel):
    tokens: list[list[str]]
    probabilities: Array = Field(description="(time, top), beside `tokens`")


class Trace(BaseModel):
    checkpoint: str
    tokens: list[str]
    token_ids: list[int] = Field(description="their numbers in the vocabulary")
    points: dict[str, TracedPoint]
    next: NextTokens | None = Field(description="null where nothing is predicted")
    probability: Array | None = Field(
        description="of each token given those before it; NaN for the first"
    )


@router.post("/{id}/trace", response_model=Trace)
async def trace(request: Request, id: str, body: TraceRequest) -> dict:
    """Read `text` and return the points of steps `start` to `stop`: of axes `time` and `query`; all
    keys that they look at."""
    state = request.app.state
    entry = await state.catalog.open(id, "trace")
    runner = entry.runner
    tokens = await run_in_threadpool(read_text, runner, body.text, "text", state.settings)
    stop = len(tokens) if body.stop is None else body.stop
    if not body.start < stop <= len(tokens):
        raise Invalid(
            f"start {body.start} and stop {stop} do not fit a text of {len(tokens)} "
            f"{runner.reads.unit}.",
            "Choose 0 <= start < stop <= length.",
            "bad_range",
        )
    points = read_points(runner, body.points)
    told = TOLD * (body.top - NEXT) * (stop - body.start)  # more than is told by itself
    limit = max(0, state.settings.max_trace_bytes - max(0, told))
    check_size(points, body.start, stop, len(tokens), limit)
    await state.ready()
    run, memory = (_trace, ()) if hasattr(runner, "trace") else (_reading, (state.readings,))
    async with turn(request):
        return await compute(request, run, entry, tokens, points, body, stop, *memory)


def check_size(points: list, start: int, stop: int, length: int, limit: int) -> None:
    """Refuse more numbers than are sent, before they are made."""
    once, each = 0, 0  # bytes: of all steps together, of a step
    for p in points:
        sizes = dict.fromkeys(STEPS, 1) | {"key": length}
        size = 4 * prod(sizes.get(a, n) for a, n in zip(p.axes, p.shape, strict=True))
        if set(STEPS) & set(p.axes):
            each += size
        else:
            once += size
    total = once + each * (stop - start)
    if total > limit:
        fit = max(0, limit - once) // each if each else 0
        raise TooLarge(
            f"These points take {total} bytes, at most {limit} are sent.",
            f"Ask for at most {fit} steps at a time, or for fewer points."
            if fit
            else "Ask for fewer points.",
            "trace_too_large",
            limit=limit,
        )


def _trace(entry, tokens: list[int], points: list, body: TraceRequest, stop: int) -> dict:
    """Of a network that reads step by step."""
    runner, start = entry.runner, body.start
    names = [point.name for point in points]
    values, after, probability = runner.trace(tokens, names, start, stop)
    top = None if after is None else after.topk(min(body.top, after.shape[-1]))
    symbols = runner.reads.symbols
    return {
        "checkpoint": entry.id,
        "tokens": [symbols[token] for token in tokens[start:stop]],
        "token_ids": tokens[start:stop],
        "points": told_points(points, values),
        "next": None
        if top is None
        else {
            "tokens": [[symbols[k] for k in row] for row in top.indices.tolist()],
            "probabilities": encode(_array(top.values)),
        },
        "probability": None if probability is None else encode(_array(probability)),
    }


def _reading(entry, tokens: list[int], points: list, body: TraceRequest, stop: int, readings):
    """Of a transformer, which reads a text at once."""
    from models.edits import NOTHING
    from models.slicing import Slice

    runner = entry.runner
    symbols, start = runner.reads.symbols, body.start
    steps = (start, stop)
    key = (entry.id, tuple(tokens), (), NOTHING)  # as that of a request for slices
    with readings.use(key, lambda: runner.reading(tokens)) as found:
        cut = [found.slice(Slice(p.name, {a: steps for a in STEPS if a in p.axes})) for p in points]
        predicts = runner.config.causal
        last = f"blocks.{runner.config.num_layers - 1}.lens"
        top = (
            found.slice(Slice(last, {"time": steps}, top=min(body.top, len(symbols))))
            if predicts
            else None
        )
        given = found.given(tokens)[start:stop] if predicts else None
    return {
        "checkpoint": entry.id,
        "tokens": [symbols[token] for token in tokens[start:stop]],
        "token_ids": tokens[start:stop],
        "points": {
            one.point: {"axes": one.axes, "range": one.range, "data": encode(one.data)}
            for one in cut
        },
        "next": None
        if top is None
        else {
            "tokens": texts_of(top.token_ids.tolist(), symbols),
            "probabilities": encode(top.data),
        },
        "probability": None if given is None else encode(_array(given)),
    }


def told_points(points: list, values: dict) -> dict:
    """Points as they are sent, each with its numbers."""
    return {
        p.name: {"axes": p.axes, "range": p.range, "data": encode(_array(values[p.name]))}
        for p in points
    }


def _array(tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()
