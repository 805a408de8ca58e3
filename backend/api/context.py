"""How likely a text is where only the last characters before each one are given."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from backend.api.computing import compute, turn
from backend.api.texts import read_text, too_long
from backend.arrays import Array, encode
from backend.errors import Invalid, TooLarge

router = APIRouter(prefix="/api/checkpoints", tags=["trace"])
Length = Annotated[int, Field(ge=1)]


class ContextRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    text: str
    lengths: list[Length] = Field(
        [1, 2, 4, 8, 16, 32, 64],
        min_length=1,
        max_length=32,
        description="how many tokens before each one are given, at most",
    )


class Context(BaseModel):
    checkpoint: str
    tokens: list[str]
    lengths: list[int]
    probability: Array = Field(
        description="(length, time) of each token; NaN for the first, which nothing stands before"
    )


@router.post("/{id}/context", response_model=Context)
async def context(request: Request, id: str, body: ContextRequest) -> dict:
    """Read `text` again from every place of it, and tell how likely each token is when the network
    is given no more than so many tokens before it."""
    from models.truncated import by_context, windows_of

    state = request.app.state
    entry = await state.catalog.open(id, "trace")
    tokens = await run_in_threadpool(_check, entry, body, state)
    longest = min(max(body.lengths), len(tokens) - 1)
    await state.ready()
    passes = []
    for starts in windows_of(len(tokens), longest):
        async with turn(request):  # others have their turn between two parts
            passes.append(await compute(request, _read, entry, tokens, longest, starts))
    lengths = [min(length, longest) for length in body.lengths]
    found = by_context(tokens, lengths, passes)
    return {
        "checkpoint": entry.id,
        "tokens": [entry.runner.reads.symbols[token] for token in tokens],
        "lengths": body.lengths,
        "probability": encode(found.numpy()),
    }


def _read(entry, tokens: list[int], longest: int, starts: range):
    from models.truncated import expected

    return expected(entry.runner, tokens, longest, starts)


def _check(entry, body: ContextRequest, state) -> list[int]:
    """The tokens of the text, or an error that names what cannot be measured."""
    from models.truncated import parameters_of

    runner, settings = entry.runner, state.settings
    if not hasattr(runner, "following"):
        able = [e.id for e in state.catalog.entries.values() if hasattr(e.runner, "following")]
        raise Invalid(
            f"Checkpoint {entry.id} does not say what comes next in a text.",
            f"Ask a language model: {', '.join(able) or 'there is none here'}.",
            "wrong_task",
            checkpoints=able,
        )
    limit = settings.max_context_characters
    if len(body.text) > limit:
        raise too_long("text", "characters", len(body.text), limit)
    tokens = read_text(runner, body.text, "text", settings)
    if len(tokens) < 2:
        raise Invalid(
            "text is one token; the first has nothing before it.",
            "Type at least two characters.",
            "text_too_short",
        )
    weights = parameters_of(runner)
    steps = len(tokens) * min(max(body.lengths), len(tokens))
    if steps * weights > settings.max_context_work:
        fit = settings.max_context_work // (len(tokens) * weights)
        raise TooLarge(
            f"{len(tokens)} texts of {max(body.lengths)} tokens are more than is read at once.",
            f"Ask for lengths up to {fit}, or send a shorter text."
            if fit
            else "Send a shorter text.",
            "context_too_large",
            limit=settings.max_context_work,
        )
    return tokens
