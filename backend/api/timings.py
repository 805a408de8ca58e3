"""Times of a layer: torch runs one recurrent, one convolutional and one self-attending, now."""

import asyncio
from dataclasses import dataclass, field
from time import monotonic
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from backend.api.computing import turn

router = APIRouter(prefix="/api/timings", tags=["lessons"])


@dataclass
class Turn:
    """Whose turn it is to measure, and what was measured last, by width, with when it began."""

    one: asyncio.Lock = field(default_factory=asyncio.Lock)
    latest: dict[int, tuple[float, dict]] = field(default_factory=dict)


class TimingsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    width: int = Field(64, ge=16, le=256, multiple_of=16, description="d of all three layers")


class TimedLayer(BaseModel):
    multiply_adds: list[int] = Field(description="at each length")
    milliseconds: list[float | None] = Field(
        description="the median of a few runs at each length; null: there was no time left for it"
    )


class TimingsAnswer(BaseModel):
    width: int
    kernel_size: int = Field(description="places that the convolution looks at")
    lengths: list[int]
    layers: dict[str, TimedLayer] = Field(description="recurrent, convolution, attention")
    crossing: float | None = Field(
        description="the length from which on attention took longer than the recurrent layer; "
        "null: it did not, or always did"
    )
    device: str
    threads: int = Field(description="CPU threads that one product may use")
    seconds: float = Field(description="that all of it took")


@router.get("", response_model=TimingsAnswer)
async def timings(request: Request, query: Annotated[TimingsQuery, Query()]) -> dict:
    """Measure one layer of each kind over sequences of 16 to 2048 vectors: about a second.

    One measurement runs at a time. Who asks while others wait for the same width shares theirs, if
    it begins after the question.
    """
    state = request.app.state
    asked = monotonic()
    await state.ready()
    async with state.timing.one:
        began, found = state.timing.latest.get(query.width, (asked - 1, None))
        if began < asked:
            async with turn(request):
                began = monotonic()
                found = await run_in_threadpool(_measure, query.width, state.catalog.device)
            state.timing.latest[query.width] = (began, found)
    return found


def _measure(width: int, device: str) -> dict:
    from models.timing import KERNEL, crossing, measure, multiply_adds

    found = measure(width, device=device)
    return {
        "width": width,
        "kernel_size": KERNEL,
        "lengths": found.lengths,
        "layers": {
            kind: {
                "multiply_adds": [multiply_adds(kind, n, width) for n in found.lengths],
                "milliseconds": times,
            }
            for kind, times in found.milliseconds.items()
        },
        "crossing": crossing(found, "recurrent", "attention"),
        "device": found.device,
        "threads": found.threads,
        "seconds": found.seconds,
    }
