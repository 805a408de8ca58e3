"""What goes on inside a transformer while it reads a text: points, cut where somebody looks."""

from time import perf_counter
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from backend.api.computing import compute, turn
from backend.api.texts import read_source, read_text, texts_of, too_long
from backend.api.wishes import check_prefix
from backend.arrays import Array, encode
from backend.errors import Invalid, TooLarge, Unavailable

router = APIRouter(prefix="/api/checkpoints", tags=["slices"])
NEXT = 10  # likeliest next tokens that are told
MOST = 1 << 53  # a number that JavaScript holds exactly


def exact(number: int) -> int:
    """Which indices are there is told by what is read; a huge one is told by its size."""
    if abs(number) > MOST:
        raise ValueError(f"must be at most {MOST}")
    return number


Index = Annotated[int, AfterValidator(exact)]
Stretch = Annotated[list[Index], Field(min_length=2, max_length=2)]
Rectangle = Annotated[list[Index], Field(min_length=4, max_length=4)]
Name = Annotated[str, Field(max_length=100)]


class SliceWish(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    point: Name = Field(description="name of a point; one `*` stands for every layer")
    at: dict[Name, Index | Stretch] = Field(
        {}, max_length=8, description="axis: one index, or [start, stop]; others are whole"
    )
    form: Literal["f4", "u1"] = Field("f4", description="float32, or a byte a number")
    size: int = Field(
        0, ge=0, le=4096, description="maps in u1 are pooled by their largest to so many cells"
    )
    top: int = Field(0, ge=0, le=1000, description="of a token axis: so many of the largest")


class EditsWish(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    heads_off: list[Name] = Field(
        [], max_length=4096, description="`blocks.2.5`: head 5 of the attention `blocks.2`"
    )
    blocked: list[Rectangle] = Field(
        [],
        max_length=256,
        description="[first query, after the last, first key, after the last]: may not be looked "
        "at, in any layer; of a translator its attention across",
    )
    positions: bool = Field(True, description="false: tokens have no position")
    order: list[Index] = Field([], description="the tokens are read in this order; []: as typed")


class SlicesRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    text: str = Field(description="the text that is read")
    target: list[Index] | None = Field(
        None,
        description="of a translator: tokens that its decoder reads behind `<s>`; null: those that "
        "it writes by itself, greedily and without edits",
    )
    edits: EditsWish = Field(EditsWish(), description="what is changed while reading")
    slices: list[SliceWish] = Field([], max_length=256)


class Sliced(BaseModel):
    point: str
    axes: list[str]
    range: str
    scale: str = Field(
        description="a byte b of u1 is (b / 255)^2 for `sqrt`, else low + b / 255 (high - low)"
    )
    low: float
    high: float
    pooled: int = Field(description="tokens a cell")
    data: Array
    top_tokens: list | None = Field(description="beside `data`, of `top`")
    top_ids: Array | None


class Next(BaseModel):
    tokens: list[str]
    token_ids: list[int]
    probabilities: Array


class Slices(BaseModel):
    checkpoint: str
    tokens: list[str] = Field(description="in the order they were read")
    token_ids: list[int]
    spans: list[list[int]] = Field(description="start and stop in `text`, in characters")
    target_tokens: list[str]
    target_ids: list[int]
    slices: list[Sliced]
    next: Next | None = Field(description="after the last token; null where nothing is predicted")
    edited: bool
    seconds: float = Field(description="that the server took")


@router.post("/{id}/slices", response_model=Slices)
async def slices(request: Request, id: str, body: SlicesRequest) -> dict:
    """Read `text`, and return parts of what goes on meanwhile. What was read is remembered for a
    while, so the next parts of the same text come at once. Row i of a decoder writes token i of
    the target."""
    state = request.app.state
    entry = await state.catalog.open(id, "slices")
    await state.ready()
    async with turn(request):
        if await request.is_disconnected():  # whoever types on asks anew
            raise Unavailable("The client has gone.", code="client_gone")  # read by nobody
        return await compute(request, _slices, entry, body, state.readings, state.settings)


# -- on a thread -----------------------------------------------------------------------------


def _slices(entry, body: SlicesRequest, readings, settings) -> dict:
    from models.edits import BadEdits
    from models.transformer_runner import TooLong

    began = perf_counter()
    runner = entry.runner
    edits = _edits(body.edits)
    pair = hasattr(runner, "target_tokens")
    ids, tokens, spans = _text(runner, body.text, settings, pair)
    target = _target(entry, body, ids, readings, settings, pair)
    try:
        order = edits.ordered(range(len(ids)))
        key = (entry.id, tuple(ids), tuple(target), edits)
        with readings.use(key, lambda: runner.reading(ids, edits, target)) as reading:
            found = _cut(runner, reading, body.slices, settings.max_trace_bytes)
            following = _next(runner, reading)
    except TooLong as error:
        # One place is that of `<s>`; the text itself has been found short enough.
        raise too_long("target", "tokens", error.found - 1, error.limit - 1) from None
    except BadEdits as error:
        hint = "Change edits as the message says, or leave them out."
        raise Invalid(f"{error}.", hint, "bad_edits") from None
    return {
        "checkpoint": entry.id,
        "tokens": [tokens[k] for k in order],
        "token_ids": [ids[k] for k in order],
        "spans": [list(spans[k]) for k in order],
        "target_tokens": [runner.target_tokens[k] for k in target] if pair else [],
        "target_ids": list(target),
        "slices": found,
        "next": following,
        "edited": edits != type(edits)(),
        "seconds": float(f"{perf_counter() - began:.3g}"),
    }


def _edits(wish: EditsWish):
    from models.edits import Edits

    return Edits(
        frozenset(wish.heads_off),
        tuple(map(tuple, wish.blocked)),
        wish.positions,
        tuple(wish.order),
    )


def _text(runner, text: str, settings, pair: bool) -> tuple[list[int], list[str], list]:
    """Numbers, texts and spans of the tokens."""
    if pair:
        source = read_source(runner, text, settings)
        return source.ids, source.tokens, source.spans
    ids = read_text(runner, text, "text", settings)
    return ids, [runner.reads.symbols[k] for k in ids], runner.reads.spans(text)


class Written:
    """What a translator writes by itself, as it is remembered."""

    def __init__(self, token_ids: list[int]):
        self.token_ids, self.bytes = token_ids, 64 * len(token_ids)


def _target(entry, body: SlicesRequest, ids, readings, settings, pair: bool) -> list[int]:
    """What the decoder reads."""
    runner = entry.runner
    if not pair:
        if body.target is not None:
            raise Invalid(
                "target is for networks that write a second text; this one reads one.",
                "Leave target out, or send null.",
                "bad_target",
            )
        return []
    limit = min(settings.max_target_tokens, runner.context)
    if body.target is not None:
        check_prefix(runner, body.target, limit, "target")
        return body.target

    def write() -> Written:
        source, most = runner.read(body.text), min(limit, runner.context - 1)
        *_, end = runner.translate(source, max_new_tokens=most, points=[])
        return Written(end.token_ids)

    with readings.use((entry.id, tuple(ids)), write) as written:
        return written.token_ids


def _cut(runner, reading, wishes: list[SliceWish], limit: int) -> list[dict]:
    """The slices, after their bytes have been counted."""
    from models.slicing import BadSlice, Slice
    from models.trace import UnknownPoint

    asked = []
    total = 0
    for at, wish in enumerate(wishes):
        where = {a: w if isinstance(w, int) else tuple(w) for a, w in wish.at.items()}
        one = Slice(wish.point, where, wish.form, wish.size, wish.top)
        try:
            total += reading.numbers(one) * (1 if wish.form == "u1" else 4)
        except UnknownPoint:
            raise _unknown(reading, wish.point, at) from None
        except BadSlice as error:
            hint = "Axes and their sizes stand with the points of the checkpoint."
            raise Invalid(f"slices[{at}]: {error}.", hint, "bad_slice", slice=at) from None
        asked.append(one)
    if total > limit:
        raise TooLarge(
            f"These slices take {total} bytes, at most {limit} are sent.",
            "Ask for fewer heads or layers, for u1 with a size, or for the top of the tokens.",
            "slices_too_large",
            limit=limit,
        )
    symbols = getattr(runner, "target_tokens", None) or runner.reads.symbols
    return [_told(reading.slice(one), symbols) for one in asked]


def _unknown(reading, name: str, at: int) -> Invalid:
    known = sorted({_starred(point) for point in reading.points})
    return Invalid(
        f"slices[{at}]: there is no point {name!r}."
        if name.isprintable()
        else f"slices[{at}]: no such point.",
        "The points of this checkpoint are: " + ", ".join(known),
        "unknown_point",
        slice=at,
    )


def _starred(name: str) -> str:
    """The name with a star for its layer."""
    return ".".join("*" if part.isdecimal() else part for part in name.split("."))


def _told(cut, symbols) -> dict:
    ids = cut.token_ids
    return {
        "point": cut.point,
        "axes": cut.axes,
        "range": cut.range,
        "scale": cut.scale,
        "low": cut.low,
        "high": cut.high,
        "pooled": cut.pooled,
        "data": encode(cut.data),
        "top_tokens": None if ids is None else texts_of(ids.tolist(), symbols),
        "top_ids": None if ids is None else encode(ids),
    }


def _next(runner, reading) -> dict | None:
    """The likeliest tokens after the last one, where the network predicts what follows."""
    pair = hasattr(runner, "target_tokens")
    if not pair and not runner.config.causal:
        return None
    symbols = runner.target_tokens if pair else runner.reads.symbols
    best = reading.next().topk(min(NEXT, len(symbols)))
    ids = best.indices.tolist()
    return {
        "tokens": texts_of(ids, symbols),
        "token_ids": ids,
        "probabilities": encode(np.asarray(best.values.cpu())),
    }
