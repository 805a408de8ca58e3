"""Drawn scenes, to ask about: what is in each is known exactly."""

import io
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, Field

router = APIRouter(prefix="/api/scenes", tags=["scenes"])
Seed = Annotated[int, Path(ge=0, lt=1 << 31, description="the same seed is the same scene")]


class Thing(BaseModel):
    shape: str
    colour: str
    box: tuple[float, float, float, float] = Field(description="left, top, right, bottom in pixels")


class Question(BaseModel):
    question: str
    answer: str
    named: list[int] = Field(description="numbers of the objects that it starts from")
    found: list[int] = Field(description="of those that it is about in the end, or that count")


class Scene(BaseModel):
    objects: list[Thing]
    questions: list[Question]


@router.get(
    "/{seed}.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}, "description": "224 x 224 pixels"}},
)
def show_scene(seed: Seed) -> Response:
    """The picture of a scene."""
    return Response(_png(seed), 200, {"Cache-Control": "max-age=86400"}, "image/png")


@router.get("/{seed}")
def describe_scene(seed: Seed) -> Scene:
    """What is in a scene, with questions about it and their answers."""
    from models.questions import questions
    from models.scenes import arrange

    scene = arrange(seed)
    return Scene(
        objects=[Thing(shape=t.shape, colour=t.colour, box=t.box) for t in scene.things],
        questions=[
            Question(question=q.text, answer=q.answer, named=q.named, found=q.found)
            for q in questions(scene)
        ],
    )


@lru_cache(256)
def _png(seed: int) -> bytes:
    from models.scenes import draw

    file = io.BytesIO()
    draw(seed)[0].save(file, "PNG")
    return file.getvalue()
