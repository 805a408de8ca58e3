"""Train a small network while somebody watches, in the time that everything else leaves.

Nothing is stored: a run ends with its connection, and what it has learned is gone with it.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from backend.api.events import event
from backend.api.streams import EventStream, client_of, refusals
from backend.arrays import encode
from backend.errors import Invalid, NotFound

router = APIRouter(prefix="/api/training", tags=["training"])
FRAME_BYTES = 64 << 10  # captured numbers of a frame, at most


class TrainingRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    parameters: dict[str, Any] = Field(
        {}, max_length=64, description="by the names of the recipe's; those left out: its defaults"
    )


@router.get("")
async def list_recipes(request: Request) -> dict:
    """The trainings that can be watched, with what can be chosen about each."""
    await request.app.state.ready()
    recipes = await run_in_threadpool(_recipes)
    return {"recipes": [_about(recipe) for recipe in recipes.values()]}


@router.post(
    "/{recipe}",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"text/event-stream": {}},
            "description": "`start` with the parameters as they are used and what does not change, "
            "a `frame` at every moment that is kept, more of them early on, then `done`; or "
            "`error`",
        }
    },
)
async def train(request: Request, recipe: str, body: TrainingRequest) -> StreamingResponse:
    """Train a network and stream how it learns. Closing the connection ends the training."""
    from backend.engine import Turn
    from models.training.live import FRAMES

    state = request.app.state
    await state.ready()
    found = await run_in_threadpool(_recipe, recipe)
    parameters = _check(found, body.parameters)
    turn = Turn(found.name, lambda: _run(found, parameters), FRAMES + 1, FRAME_BYTES)
    with refusals():
        stream = state.spare.submit(turn, client_of(request))
    return EventStream(stream, _events(stream, found, parameters))


def _recipes() -> Mapping:
    from models.training.live_recipes import RECIPES

    return RECIPES


def _recipe(name: str):
    recipes = _recipes()
    if name not in recipes:
        shown = f" {name!r}" if name.isprintable() and len(name) < 60 else ""
        hint = f"The recipes are: {', '.join(recipes)}."
        raise NotFound(f"There is no recipe{shown}.", hint, "unknown_recipe")
    return recipes[name]


def _check(recipe, asked: Mapping) -> dict:
    from models.training.live import BadParameter

    try:
        return recipe.check(asked)
    except BadParameter as error:
        raise Invalid(f"{error}", error.hint, "bad_parameter") from None


def _about(recipe) -> dict:
    return {
        "name": recipe.name,
        "help": recipe.help,
        "checkpoint": recipe.checkpoint,
        "parameters": [
            {
                "name": one.name,
                "type": one.type,
                "default": one.default,
                "lowest": one.lowest,
                "highest": one.highest,
                "choices": list(one.choices),
                "help": one.help,
            }
            for one in recipe.parameters
        ],
        "points": [
            {"name": p.name, "axes": p.axes, "range": p.range, "shape": p.shape}
            for p in recipe.points
        ],
    }


def _run(recipe, parameters: Mapping) -> Iterator:
    from backend.engine import EngineError

    try:
        yield from recipe.run(parameters)
    except FloatingPointError as error:
        raise EngineError("non_finite", f"The training cannot go on: {error}.") from None


async def _events(stream, recipe, parameters: Mapping) -> AsyncIterator[bytes]:
    from backend.engine import End

    points = {point.name: point for point in recipe.points}
    fixed = await run_in_threadpool(recipe.fixed, parameters)
    yield event("start", {"recipe": recipe.name, "parameters": parameters} | _told(fixed, points))
    epoch = 0
    async for frames in stream:
        if isinstance(frames, End):
            yield event("done", {"recipe": recipe.name, "epoch": epoch})
            continue
        for frame in frames:
            epoch = frame.epoch
            yield event("frame", {"epoch": epoch} | _told(frame, points))


def _told(frame, points: Mapping) -> dict:
    return {
        "figures": {name: float(f"{value:.7g}") for name, value in frame.figures.items()},
        "texts": frame.texts,
        "arrays": {
            name: {"axes": points[name].axes, "range": points[name].range, "data": encode(values)}
            for name, values in frame.arrays.items()
        },
    }
