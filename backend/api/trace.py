"""Read a text and show the network's points over it."""

import numpy as np
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from backend.api.texts import read_points, read_text
from backend.arrays import Array, encode
from backend.errors import Invalid, TooLarge

router = APIRouter(prefix="/api/checkpoints", tags=["trace"])
NEXT = 5  # most likely next tokens that are told


class TraceRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    text: str
    points: list[str] | None = Field(None, description="names of points; null means all")
    start: int = Field(0, ge=0, description="first step that is shown")
    stop: int | None = Field(None, ge=1, description="step after the last; null: the end")


class TracedPoint(BaseModel):
    axes: list[str]
    range: str
    data: Array


class NextTokens(BaseModel):
    tokens: list[list[str]]
    probabilities: Array = Field(description="(time, 5), beside `tokens`")


class Trace(BaseModel):
    checkpoint: str
    tokens: list[str]
    points: dict[str, TracedPoint]
    next: NextTokens
    probability: Array = Field(description="of each token given those before it; NaN for the first")


@router.post("/{id}/trace", response_model=Trace)
async def trace(request: Request, id: str, body: TraceRequest) -> dict:
    """Read `text` from the zero state and return the points of steps `start` to `stop`."""
    state = request.app.state
    entry = await state.catalog.open(id, "trace")
    runner = entry.runner
    tokens = read_text(runner, body.text, "text", state.settings.max_text_characters)
    stop = len(tokens) if body.stop is None else body.stop
    if not body.start < stop <= len(tokens):
        raise Invalid(
            f"start {body.start} and stop {stop} do not fit a text of {len(tokens)} characters.",
            "Choose 0 <= start < stop <= length.",
            "bad_range",
        )
    points = read_points(runner, body.points)
    width = sum(point.shape[-1] for point in points)
    limit = state.settings.max_trace_bytes
    if 4 * width * (stop - body.start) > limit:
        raise TooLarge(
            f"These points take {4 * width * (stop - body.start)} bytes, at most {limit} are sent.",
            f"Ask for at most {limit // (4 * width)} steps at a time, or for fewer points.",
            "trace_too_large",
            limit=limit,
        )
    async with state.tracing:
        return await run_in_threadpool(_trace, entry, tokens, points, body.start, stop)


def _trace(entry, tokens: list[int], points: list, start: int, stop: int) -> dict:
    runner = entry.runner
    names = [point.name for point in points]
    values, after, probability = runner.trace(tokens, names, start, stop)
    top = after.topk(min(NEXT, after.shape[-1]))
    symbols = runner.characters.symbols
    return {
        "checkpoint": entry.id,
        "tokens": [symbols[token] for token in tokens[start:stop]],
        "points": {
            p.name: {"axes": p.axes, "range": p.range, "data": encode(_array(values[p.name]))}
            for p in points
        },
        "next": {
            "tokens": [[symbols[k] for k in row] for row in top.indices.tolist()],
            "probabilities": encode(_array(top.values)),
        },
        "probability": encode(_array(probability)),
    }


def _array(tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()
