"""Read a text and give every word of it a tag."""

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from backend.api.computing import compute, turn
from backend.api.texts import check_whole, read_points, read_text
from backend.api.trace import TracedPoint, check_size, told_points
from backend.arrays import Array, encode

router = APIRouter(prefix="/api/checkpoints", tags=["tag"])


class TagRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    text: str = Field(description="the text whose words are tagged")
    points: list[str] | None = Field(None, description="names of points; null: all, []: none")


class Tagging(BaseModel):
    checkpoint: str
    tokens: list[str] = Field(description="the words, as they are typed")
    spans: list[list[int]] = Field(description="start and stop of each in `text`, in characters")
    known: list[bool] = Field(description="whether the network has a row of its own for each")
    tags: list[str] = Field(description="the likeliest tag of each word")
    probabilities: Array = Field(description="(token, tag), beside `labels`")
    labels: list[str] = Field(description="all tags there are")
    points: dict[str, TracedPoint]


@router.post("/{id}/tag", response_model=Tagging)
async def tag(request: Request, id: str, body: TagRequest) -> dict:
    """Cut `text` into words and return the probability of every tag for each of them."""
    state = request.app.state
    entry = await state.catalog.open(id, "tag")
    check_whole(body.text, "text")
    tokens = await run_in_threadpool(read_text, entry.runner, body.text, "text", state.settings)
    points = read_points(entry.runner, body.points)
    check_size(points, 0, len(tokens), len(tokens), state.settings.max_trace_bytes)
    async with turn(request):
        return await compute(request, _tag, entry, body.text, points)


def _tag(entry, text: str, points: list) -> dict:
    runner = entry.runner
    spans = runner.reads.spans(text)
    words = [text[start:stop] for start, stop in spans]
    found = runner.tag(words, [point.name for point in points])
    return {
        "checkpoint": entry.id,
        "tokens": words,
        "spans": [list(span) for span in spans],
        "known": found.known,
        "tags": [runner.labels[k] for k in found.probabilities.argmax(-1).tolist()],
        "probabilities": encode(found.probabilities.cpu().numpy()),
        "labels": runner.labels,
        "points": told_points(points, found.points),
    }
