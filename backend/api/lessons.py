"""The course: which lessons there are, and whether an answer to an exercise is right.

The routes are plain functions, and so run on threads: a lesson that has changed is read anew.
"""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from backend import lessons
from backend.errors import Invalid, NotFound

router = APIRouter(prefix="/api/lessons", tags=["lessons"])
Language = Literal["en", "ru"]


class Answer(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    answer: float | int = Field(
        allow_inf_nan=False, description="a number, or the number of an option, from 0"
    )
    language: Language = Field("en", description="of what is said")


class Verdict(BaseModel):
    right: bool
    said: str = Field(description="about a right answer; a hint where it is wrong")


@router.get("")
def list_lessons(language: Language = "en") -> dict:
    """The lessons in their order."""
    return {
        "lessons": [
            {"slug": one.slug, **{name: one.about[name] for name in lessons.ABOUT},
             "exercises": [exercise.id for exercise in one.exercises]}
            for one in lessons.course(language)
        ]
    }  # fmt: skip


@router.post("/{slug}/exercises/{id}", response_model=Verdict)
def check_answer(slug: str, id: str, body: Answer) -> dict:
    """Whether an answer is right. Right answers are not told."""
    if slug not in lessons.slugs():
        raise NotFound("There is no such lesson.", "The lessons are: " + ", ".join(lessons.slugs()))
    found = {one.id: one for one in lessons.lesson(slug, body.language).exercises}
    if id not in found:
        raise NotFound("There is no such exercise.", "Those here are: " + ", ".join(found))
    exercise = found[id]
    try:
        right = exercise.right(body.answer)
    except ValueError as error:
        raise Invalid(f"answer: {error}.", "Look at the exercise.", "bad_answer") from None
    return {"right": right, "said": exercise.about["said"] if right else exercise.about["hint"]}
