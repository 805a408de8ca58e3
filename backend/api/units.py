"""Units of a network ranked by how well each knows a property of the characters of a text."""

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from backend.api.computing import compute, turn
from backend.api.texts import read_points, read_text
from backend.arrays import Array, encode
from backend.errors import Invalid, TooLarge

router = APIRouter(prefix="/api/checkpoints", tags=["trace"])
MOST = 4000  # characters that are looked at in one go


class UnitsRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    text: str
    property: str | None = Field(None, description="name of a property; null: that of `marks`")
    marks: list[bool | None] | None = Field(
        None, description="whether each character has it; null: do not look at this character"
    )
    points: list[str] | None = Field(None, description="names of points; null: every h and c")
    most: int = Field(20, ge=1, le=1000, description="units that are told, the best first")


class RankedUnit(BaseModel):
    point: str
    unit: int
    chosen: float | None = Field(description="score on the first half of the text; null: has none")
    judged: float | None = Field(description="score on the second half, which chose nothing")


class Units(BaseModel):
    checkpoint: str
    property: str | None
    score: str = Field(description="auc of a property that is yes or no, correlation of a number")
    numbers: Array = Field(description="(time): the property; NaN: not looked at")
    split: int = Field(description="the first character of the second half")
    compared: int = Field(description="how many units were scored")
    units: list[RankedUnit]


@router.post("/{id}/units", response_model=Units)
async def units(request: Request, id: str, body: UnitsRequest) -> dict:
    """Score every unit against a property of the characters, or against marks of your own: chosen
    on the first half of the text, judged on the second."""
    state = request.app.state
    if len(body.text) > MOST:
        raise TooLarge(
            f"text has {len(body.text)} characters, at most {MOST} are looked at.",
            "Send a shorter text.",
            "text_too_long",
            limit=MOST,
        )
    entry = await state.catalog.open(id, "trace")
    runner = entry.runner
    tokens = await run_in_threadpool(read_text, runner, body.text, "text", state.settings)
    points = [p for p in read_points(runner, body.points) if p.axes == ("time", "unit")]
    if body.points is None:
        points = [point for point in points if point.name[-1] in "hc"]
    if not points or not (runner.reads.unit == "characters" or hasattr(runner, "recurrent")):
        raise Invalid(
            "Units are looked for in recurrent networks that read characters or tokens.",
            "Choose a checkpoint of the kind char_rnn, and points with the axes time and unit.",
            "no_units",
        )
    numbers, yes_or_no = _property(body)
    # A token has the property that its first character has.
    numbers = numbers[[start for start, _ in runner.reads.spans(body.text)]]
    await state.ready()
    async with turn(request):
        return await compute(request, _units, entry, body, tokens, points, numbers, yes_or_no)


def _property(body: UnitsRequest):
    """The property (T,) of each character, and whether it is yes or no."""
    import numpy as np

    from models.properties import PROPERTIES

    if (body.property is None) == (body.marks is None):
        raise Invalid(
            "One of property and marks is needed.",
            "Send the name of a property, or a mark for every character.",
            "bad_property",
        )
    if body.property is not None:
        if body.property not in PROPERTIES:
            raise Invalid(
                "There is no such property.",
                "The properties are: " + ", ".join(PROPERTIES),
                "bad_property",
            )
        found = PROPERTIES[body.property]
        return found.of(body.text), found.yes_or_no
    if len(body.marks) != len(body.text):
        raise Invalid(
            f"There are {len(body.marks)} marks for {len(body.text)} characters.",
            "Send one for each.",
            "bad_property",
        )
    return np.array([np.nan if mark is None else float(mark) for mark in body.marks]), True


def _units(entry, body: UnitsRequest, tokens, points, numbers, yes_or_no: bool) -> dict:
    import numpy as np

    from models.probing import rank

    found, _, _ = entry.runner.trace(tokens, [point.name for point in points], 0, len(tokens))
    half = (len(tokens) + 1) // 2
    values = {name: value.cpu().numpy() for name, value in found.items()}
    first = {name: value[:half] for name, value in values.items()}
    second = {name: value[half:] for name, value in values.items()}
    ranked = rank(first, second, numbers[:half], numbers[half:], yes_or_no)
    return {
        "checkpoint": entry.id,
        "property": body.property,
        "score": "auc" if yes_or_no else "correlation",
        "numbers": encode(numbers.astype(np.float32)),
        "split": half,
        "compared": len(ranked),
        "units": [
            {
                "point": one.point,
                "unit": one.unit,
                "chosen": _number(one.chosen),
                "judged": _number(one.judged),
            }
            for one in ranked[: body.most]
        ],
    }


def _number(value: float) -> float | None:
    return None if value != value else value
