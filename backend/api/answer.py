"""Answer a question about a picture, with where the network looked on its way."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from backend.api.captioning import Familiarity, Grid, Image, told_of
from backend.api.computing import compute, turn
from backend.api.forms import FORM, read_form
from backend.api.pictures import KEY
from backend.api.texts import asked_points, check_length, read_points
from backend.api.trace import TracedPoint
from backend.arrays import Array, encode
from backend.errors import Invalid, TooLarge

router = APIRouter(prefix="/api/checkpoints", tags=["answer"])
BODIES = {"/api/checkpoints/{id}/answer": "max_picture_bytes"}
FIELDS = {
    "image": {"type": "string", "format": "binary", "description": "a picture"},
    "key": {"type": "string", "pattern": KEY, "description": "or the key of one sent before"},
    "question": {"type": "string", "description": "what is asked about it, in English"},
}


class AnswerQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    points: list[str] | None = Field(
        None, description="name of a point, repeatable; `none`: no point; absent: all"
    )


class Answer(BaseModel):
    checkpoint: str
    image: Image
    grid: Grid
    familiarity: Familiarity | None = Field(description="null where it was not measured")
    question_tokens: list[str] = Field(description="the words of the question, and the end mark")
    question_spans: list[tuple[int, int]] = Field(
        description="start and stop of each in `question`, in characters"
    )
    unknown: list[int] = Field(description="positions of words that the network does not know")
    answers: list[str] = Field(description="all that it can say, the likeliest first")
    probabilities: Array = Field(description="(answer), in the same order")
    attention: Array = Field(description="(hop, row, column)")
    points: dict[str, TracedPoint]


@router.post(
    "/{id}/answer",
    response_model=Answer,
    openapi_extra={
        "requestBody": {
            "content": {
                FORM: {"schema": {"type": "object", "properties": FIELDS, "required": ["question"]}}
            }
        }
    },
)
async def answer(request: Request, id: str, query: Annotated[AnswerQuery, Query()]) -> dict:
    """Answer `question` about the picture of the form: the file `image`, or the `key` of a picture
    that was sent before."""
    state = request.app.state
    entry = await state.catalog.open(id, "answer")
    points = read_points(entry.runner, asked_points(query.points))
    seen, question = await read_form(request, "question")
    asked = _read(entry.runner, question, state.settings)
    async with turn(request):
        return await compute(request, _answer, entry, seen, asked, points)


def _read(runner, text: str, settings):
    check_length(text, "question", settings.max_text_characters)
    asked = runner.read(text)
    if len(asked.ids) < 2:  # the end mark alone
        raise Invalid("question holds no word.", "Type at least one word.", "empty_text")
    limit = settings.max_source_tokens
    if len(asked.ids) > limit:
        raise TooLarge(
            f"question has {len(asked.ids)} words, at most {limit} are read.",
            "Ask a shorter one.",
            "text_too_long",
            limit=limit,
        )
    return asked


def _answer(entry, seen, asked, points: list) -> dict:
    runner = entry.runner
    found = runner.answer(seen.fine, asked, [point.name for point in points])
    _, rows, columns = found.attention.shape
    grid = {"row": rows, "column": columns}
    return {
        "checkpoint": entry.id,
        **told_of(seen, grid, runner.familiarity(seen.fine)),
        "question_tokens": asked.tokens,
        "question_spans": asked.spans,
        "unknown": asked.unknown,
        "answers": found.answers,
        "probabilities": encode(found.probabilities),
        "attention": encode(found.attention),
        "points": {
            p.name: {"axes": p.axes, "range": p.range, "data": encode(found.points[p.name])}
            for p in points
        },
    }
