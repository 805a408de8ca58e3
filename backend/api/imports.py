"""Bring a checkpoint of one's own: the file's bytes, the doctor's diagnosis, answers, deletion."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect

from backend.api.streams import client_of
from backend.errors import Unavailable

router = APIRouter(prefix="/api", tags=["imports"])
BODIES = {
    "/api/checkpoints": "max_import_bytes",
    "/api/checkpoints/{id}/answers": "max_answers_bytes",
}
Text = Annotated[str, Field(max_length=4096)]


class Line(BaseModel):
    """One import."""

    id: str = Field(description="`import-` and 12 hex digits of the file's SHA-256")
    status: Literal["asking", "loading", "ready", "unusable"] = Field(
        description="`asking`: answers are missing; `unusable`: nothing here can run it"
    )
    reason: str = Field(description="why it is unusable")
    name: str | None = Field(description="what the file was called")
    title: str | None
    bytes: int | None = Field(description="of the file that was brought")
    sha256: str | None
    format: str | None = Field(description="pt, safetensors, npz, or folder: of the project's form")
    imported: str = Field(description="when, in UTC")


class Imported(Line):
    """One import with what the doctor says of it."""

    answers: dict[str, Any] = Field(description="given so far, by the names of the questions")
    diagnosis: dict[str, Any] = Field(
        description="kind, title, says, config, questions, proof, health, problems"
    )


class Listed(BaseModel):
    importing: bool = Field(description="whether this server takes files")
    imports: list[Line]


class Answers(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    answers: dict[Annotated[str, Field(max_length=64)], list[Text] | Text | None] = Field(
        {},
        description="by the name of the question: a list, or one of its choices; null takes back",
    )
    title: Annotated[str, Field(max_length=500)] | None = Field(
        None, description="what it is called from now on"
    )


class Deleted(BaseModel):
    id: str
    deleted: bool = True


class Brought(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=4096)] = Field(
        "", description="what the file is called; only shown, and cut at 120 characters"
    )


@router.get("/imports")
def list_imports(request: Request) -> Listed:
    """Every checkpoint that was brought, those included that still wait for answers."""
    imports = request.app.state.imports
    return Listed(importing=imports.settings.takes_imports, imports=imports.listed())


@router.post(
    "/checkpoints",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            }
        }
    },
)
async def import_checkpoint(request: Request, query: Annotated[Brought, Query()]) -> Imported:
    """Bring a checkpoint: the body is a `.pt`, `.pth`, `.safetensors` or `.npz` file, or a `.zip`
    of a checkpoint's folder. It is read without running anything in it. 409 with its `id` where
    this very file is here already."""
    state = request.app.state
    state.imports.check_on()
    await state.ready()
    declared = request.headers.get("content-length", "")
    try:
        return await state.imports.take(
            request.stream(),
            query.name,
            int(declared[:20]) if declared.isdecimal() else 0,
            client_of(request),
            request.is_disconnected,
        )
    except ClientDisconnect:
        raise Unavailable("The client has gone.", code="client_gone") from None


@router.get("/checkpoints/{id}/diagnosis")
def show_diagnosis(request: Request, id: str) -> Imported:
    """What the doctor says of a checkpoint that was brought."""
    return request.app.state.imports.told(id)


@router.post("/checkpoints/{id}/answers")
async def answer_questions(request: Request, id: str, body: Answers) -> Imported:
    """Answer what the file does not say: its vocabulary, its labels. What is not answered stays
    asked; once nothing is, the network can be run."""
    await request.app.state.ready()
    return await request.app.state.imports.answer(id, body.answers, body.title)


@router.delete("/checkpoints/{id}")
async def delete_checkpoint(request: Request, id: str) -> Deleted:
    """Delete a checkpoint that was brought. What it is writing just now goes on to its end."""
    await request.app.state.imports.delete(id)
    return Deleted(id=id)
