"""Read a text and say which label it carries."""

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from backend.api.computing import compute, turn
from backend.api.texts import check_whole, read_points, read_text
from backend.api.trace import TracedPoint, check_size, told_points
from backend.arrays import Array, encode

router = APIRouter(prefix="/api/checkpoints", tags=["classify"])


class ClassifyRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    text: str = Field(description="the text to classify")
    points: list[str] | None = Field(None, description="names of points; null: all, []: none")


class Classification(BaseModel):
    checkpoint: str
    labels: list[str]
    probabilities: Array = Field(description="(label), beside `labels`")
    tokens: list[str] = Field(description="what was read, as it is typed")
    spans: list[list[int]] = Field(description="start and stop of each in `text`, in characters")
    known: list[bool] = Field(description="whether the network has a row of its own for each")
    points: dict[str, TracedPoint]


@router.post("/{id}/classify", response_model=Classification)
async def classify(request: Request, id: str, body: ClassifyRequest) -> dict:
    """Read `text` and return the probability of every label. `labels` among the points is what
    the network would say if the text ended at each step, where it reads in one direction; where
    it weights its steps, `evidence` is what each of them adds to each label's logit."""
    state = request.app.state
    entry = await state.catalog.open(id, "classify")
    check_whole(body.text, "text")
    tokens = await run_in_threadpool(read_text, entry.runner, body.text, "text", state.settings)
    points = read_points(entry.runner, body.points)
    check_size(points, 0, len(tokens), len(tokens), state.settings.max_trace_bytes)
    async with turn(request):
        return await compute(request, _classify, entry, body.text, tokens, points)


def _classify(entry, text: str, tokens: list[int], points: list) -> dict:
    runner = entry.runner
    found = runner.classify(tokens, [point.name for point in points])
    spans = runner.reads.spans(text)
    return {
        "checkpoint": entry.id,
        "labels": runner.labels,
        "probabilities": encode(found.probabilities.cpu().numpy()),
        "tokens": [text[start:stop] for start, stop in spans],
        "spans": [list(span) for span in spans],
        "known": [runner.reads.knows(token) for token in tokens],
        "points": told_points(points, found.points),
    }
