"""Translate a text, an event a token, with where the decoder looks and every point asked for."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from math import prod
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from backend.api.events import event
from backend.api.streams import EventStream, collect, submit
from backend.api.texts import check_length, read_points, strangers
from backend.api.translation import TARGET, Teller, Translation
from backend.errors import Invalid, TooLarge

router = APIRouter(prefix="/api/checkpoints", tags=["translate"])
Force = Annotated[list[int], Field(min_length=2, max_length=2)]


class TranslateRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    text: str = Field(description="the text to translate")
    beam_size: int = Field(1, ge=1, le=8, description="beginnings that are kept; 1: greedy")
    length_penalty: float = Field(
        1.0,
        ge=0,
        le=2,
        allow_inf_nan=False,
        description="hypotheses are ranked by log probability over length to this power",
    )
    max_new_tokens: int = Field(60, ge=1, description="tokens written after `prefix`, at most")
    prefix: list[int] = Field([], description="target tokens that the translation begins with")
    force: list[Force] = Field(
        [], description="target step, source position: all of the attention goes there"
    )
    points: list[str] | None = Field(None, description="names of points; null: all, []: none")
    stream: bool = Field(False, description="answer with server-sent events")


@dataclass(frozen=True)
class Wish:
    """A request that has been found good."""

    id: str
    runner: Any
    source: Any
    body: TranslateRequest
    points: list

    def run(self) -> Iterator[Any]:
        """On the engine's thread: the points of the source by name, then what the runner yields."""
        body = self.body
        names = [p.name for p in self.points if TARGET not in p.axes]
        yield self.runner.source_points(self.source, names)
        yield from self.runner.translate(
            self.source,
            beam_size=body.beam_size,
            length_penalty=body.length_penalty,
            max_new_tokens=body.max_new_tokens,
            prefix=tuple(body.prefix),
            force=dict(body.force),
            points=[p.name for p in self.points if TARGET in p.axes],
        )

    def job(self):
        """This wish for the engine."""
        from backend.engine import Turn

        sizes = {TARGET: 1, "source": len(self.source.ids)}
        once, each = 0, sizes["source"]  # numbers: of the source; of a step, its weights included
        for p in self.points:
            numbers = prod(sizes.get(a, n) for a, n in zip(p.axes, p.shape, strict=True))
            if TARGET in p.axes:
                each += numbers
            else:
                once += numbers
        length = len(self.body.prefix) + self.body.max_new_tokens
        return Turn(self.id, self.run, length, 4 * (each + -(-once // length)))


@router.post(
    "/{id}/translate",
    response_model=Translation,
    responses={
        200: {
            "content": {"text/event-stream": {}},
            "description": "the whole translation; with `stream`: `start`, a `beam` for every step "
            "of the search, a `step` for every token, then `done` or `error`",
        }
    },
)
async def translate(request: Request, id: str, body: TranslateRequest) -> Any:
    """Translate `text`. `force` puts the attention of a step on one source position, `prefix` makes
    the translation begin with other words: what follows is written under these conditions."""
    state = request.app.state
    entry = await state.catalog.open(id, "translate")
    wish = await run_in_threadpool(_wish, entry, body, state.settings)
    stream = await submit(request, wish.job())
    teller = Teller(entry.id, wish.runner, wish.source, wish.points)
    if body.stream:
        return EventStream(stream, _events(stream, teller))
    return await run_in_threadpool(teller.whole, await collect(request, stream))


async def _events(stream, teller: Teller) -> AsyncIterator[bytes]:
    from backend.engine import End

    async for items in stream:
        if not isinstance(items, End):
            yield b"".join([event(*teller.told(item)) for item in items])


# -- what cannot be done ---------------------------------------------------------------------


def _wish(entry, body: TranslateRequest, settings) -> Wish:
    """Raises `Invalid` or `TooLarge`, naming what is wrong and what would be right."""
    runner = entry.runner
    limit = settings.max_target_tokens
    if body.max_new_tokens > limit:
        raise Invalid(
            f"max_new_tokens is {_shown(body.max_new_tokens)}, at most {limit} are written.",
            "Ask for fewer.",
            "too_many_tokens",
            limit=limit,
        )
    points = read_points(runner, body.points)
    source = _read(runner, body.text, settings)
    _check_prefix(runner, body.prefix, limit)
    _check_force(runner, source, body)
    return Wish(entry.id, runner, source, body, points)


def _read(runner, text: str, settings):
    from models.text import UnknownCharacters

    check_length(text, "text", settings.max_text_characters)
    halves = [(at, c) for at, c in enumerate(text) if "\ud800" <= c <= "\udfff"]
    if halves:  # of a surrogate pair: JSON can write them, and no tokenizer reads them
        raise strangers(halves, "text", "")
    try:
        source = runner.read(text)
    except UnknownCharacters as error:
        known = [token for token in runner.source.tokens if len(token) == 1]
        raise strangers(error.found, "text", known) from None
    if len(source.ids) < 2:  # the end mark alone
        raise Invalid("text holds nothing to translate.", "Type at least one word.", "empty_text")
    limit = settings.max_source_tokens
    if len(source.ids) > limit:
        raise TooLarge(
            f"text has {len(source.ids)} tokens, at most {limit} are read.",
            "Send a shorter text, a sentence at a time.",
            "text_too_long",
            limit=limit,
        )
    return source


def _check_prefix(runner, prefix: list[int], limit: int) -> None:
    from models.subwords import BEGIN, END

    if len(prefix) > limit:
        raise Invalid(
            f"prefix has {len(prefix)} tokens, at most {limit} are written.",
            "Send a shorter prefix.",
            "too_many_tokens",
            limit=limit,
        )
    known = len(runner.target_tokens)
    for at, token in enumerate(prefix):
        if not 0 <= token < known or token == BEGIN:
            raise Invalid(
                f"prefix[{at}] is {_shown(token)}, which is no token that can be written.",
                f"The tokens are 0 to {known - 1}; {BEGIN} marks the beginning by itself.",
                "bad_prefix",
                position=at,
            )
        if token == END and at < len(prefix) - 1:
            raise Invalid(
                f"prefix[{at}] is {token}, the end mark, and {len(prefix) - at - 1} follow it.",
                "The end mark may only be the last token of a prefix.",
                "bad_prefix",
                position=at,
            )


def _check_force(runner, source, body: TranslateRequest) -> None:
    if body.force and not runner.attends:
        raise Invalid(
            "This network has no attention that could be forced.",
            "Send an empty force, or ask a checkpoint with attention.",
            "no_attention",
        )
    steps, positions, seen = len(body.prefix) + body.max_new_tokens, len(source.ids), set()
    for at, (step, position) in enumerate(body.force):
        wrong = ""
        if not 0 <= step < steps:
            wrong = f"target step {_shown(step)} is not there, the steps are 0 to {steps - 1}"
        elif not 0 <= position < positions:
            wrong = (
                f"source position {_shown(position)} is not there, they are 0 to {positions - 1}"
            )
        elif step in seen:
            wrong = f"target step {step} is forced twice"
        if wrong:
            raise Invalid(
                f"force[{at}]: {wrong}.",
                f"Choose a target step of 0 to {steps - 1}, each once, "
                f"and a source position of 0 to {positions - 1}.",
                "bad_force",
                step=step,
                position=position,
            )
        seen.add(step)


def _shown(number: int) -> str:
    """A number of the client's in a message: it may have thousands of digits."""
    return str(number) if abs(number) < 1 << 53 else "a huge number"
