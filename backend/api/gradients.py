"""How far the gradient of a loss reaches back in time, in a character network over a text."""

import math

import numpy as np
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from backend.api.computing import compute, turn
from backend.api.texts import read_text, too_long
from backend.api.trace import TracedPoint
from backend.arrays import Array, encode
from backend.errors import Invalid, TooLarge

router = APIRouter(prefix="/api/checkpoints", tags=["gradients"])
Number = float | str  # NaN, Infinity and -Infinity are texts: JSON has no such numbers


class GradientsRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    text: str = Field(description="its last character is only predicted")
    at: int | None = Field(
        None, ge=0, description="step whose loss is followed back; null: the sum of all"
    )
    points: list[str] | None = Field(None, description="rnn.0.h, rnn.1.c ...; null means all")
    weight_scale: float = Field(
        1.0, ge=0, le=16, allow_inf_nan=False, description="times W_hh of every layer"
    )
    forget_bias: float = Field(
        0.0, ge=-16, le=16, allow_inf_nan=False, description="added to the bias of f or z"
    )
    clip: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="largest norm of the weights' gradient"
    )
    chunk: int | None = Field(None, ge=1, description="steps between truncations; null: none")
    layer: int | None = Field(None, ge=0, description="whose Jacobians are told; null: the last")
    radii: int = Field(0, ge=0, le=64, description="steps whose Jacobians are told, spread evenly")


class Back(BaseModel):
    """One way back from the loss."""

    gradients: dict[str, TracedPoint] = Field(
        description="log10 of the norm of dL/d point at each step; -infinity where it is 0"
    )
    carried: dict[str, TracedPoint] = Field(
        description="log10 of the norm of the part that the next step hands back"
    )
    norm: Number = Field(description="of the gradient with respect to all weights and biases")
    parameters: dict[str, Number] = Field(description="the same for each of them")
    factor: Number = Field(description="what clipping multiplies it by")
    clipped: Number = Field(description="its norm then")


class Truncated(Back):
    chunk: int
    starts: list[int] = Field(description="first step of each chunk")
    chunk_norms: Array = Field(description="(chunk): norm of what each gives to the gradient")
    cosine: Number = Field(description="between the truncated gradient and the whole one")


class JacobiansTold(BaseModel):
    layer: int
    state: list[str] = Field(description="letters of what the Jacobian is of: h, or h and c")
    steps: list[int]
    radius: Array = Field(description="(step): spectral radius of d state_t / d state_(t-1)")
    stretch: Array = Field(description="(step): its largest singular value")
    kept: Array | None = Field(description="(step): the largest f or z of a unit; null: no gate")


class Gradients(BaseModel):
    checkpoint: str
    tokens: list[str]
    at: int | None
    losses: Array = Field(description="(time), nats: -ln of the probability of the next character")
    loss: Number = Field(description="what the gradients are of")
    whole: Back
    truncated: Truncated | None
    jacobians: JacobiansTold | None


@router.post("/{id}/gradients", response_model=Gradients)
async def gradients(request: Request, id: str, body: GradientsRequest) -> dict:
    """Read `text` step by step and follow the loss at one step, or the sum of all, back in time."""
    state = request.app.state
    entry = await state.catalog.open(id, "trace")
    tokens = await run_in_threadpool(_check, entry, body, state)
    async with turn(request):
        return await compute(request, _measure, entry, tokens, body)


def _check(entry, body: GradientsRequest, state) -> list[int]:
    """The tokens of the text, or an error that names what cannot be measured."""
    from models.gradients import can_measure, points_of

    runner, settings = entry.runner, state.settings
    if not can_measure(runner):
        able = [e.id for e in state.catalog.entries.values() if e.runner and can_measure(e.runner)]
        raise Invalid(
            f"Checkpoint {entry.id} has no gradients that are measured here.",
            "Ask a character network of RNN, LSTM or GRU layers: "
            f"{', '.join(able) or 'there is none here'}.",
            "wrong_task",
            checkpoints=able,
        )
    if len(body.text) > settings.max_gradient_characters:
        limit = settings.max_gradient_characters
        raise too_long("text", "characters", len(body.text), limit)
    tokens = read_text(runner, body.text, "text", settings)
    T = len(tokens) - 1
    if T < 1:
        raise Invalid(
            "text has 1 character; one is read and the next is predicted.",
            "Type at least two characters.",
            "text_too_short",
        )
    if body.at is not None and body.at >= T:
        raise Invalid(f"at is {body.at}.", f"Choose 0 to {T - 1}, or null.", "bad_range")
    layers = runner.recurrent.num_layers
    if body.layer is not None and body.layer >= layers:
        raise Invalid(f"layer is {body.layer}.", f"Choose 0 to {layers - 1}, or null.", "bad_range")
    known = points_of(runner)
    strangers = [name for name in body.points or () if name not in known]
    if strangers:
        raise Invalid(
            f"There is no gradient of {strangers[0]!r}.",
            "The gradients of this checkpoint are of: " + ", ".join(known),
            "unknown_point",
        )
    work = T * sum(p.numel() for p in runner.network.parameters())
    if work > settings.max_gradient_work:
        raise TooLarge(
            f"{T} steps of this network are more than is unrolled at once.",
            f"Send at most {max(1, settings.max_gradient_work * T // work) + 1} characters.",
            "gradients_too_large",
            limit=settings.max_gradient_work,
        )
    return tokens


def _measure(entry, tokens: list[int], body: GradientsRequest) -> dict:
    from models.gradients import Edits, measure, spread

    edits = Edits(body.weight_scale, body.forget_bias)
    found = measure(entry.runner.network, tokens, body.at, edits, body.chunk)
    T = len(tokens) - 1
    losses = found.unrolled.losses.detach()
    truncated = None
    if found.truncated is not found.whole:
        truncated = _back(found.truncated, body) | {
            "chunk": body.chunk,
            "starts": list(range(0, T, body.chunk)),
            "chunk_norms": _array(found.chunk_norms),
            "cosine": _number(found.cosine),
        }
    layer = len(found.unrolled.layers) - 1 if body.layer is None else body.layer
    steps = spread(T, body.radii)
    return {
        "checkpoint": entry.id,
        "tokens": [entry.runner.reads.symbols[token] for token in tokens],
        "at": body.at,
        "losses": _array(losses),
        "loss": _number(float(losses.sum() if body.at is None else losses[body.at])),
        "whole": _back(found.whole, body),
        "truncated": truncated,
        "jacobians": _jacobians(found.unrolled, layer, steps) if steps else None,
    }


def _jacobians(unrolled, layer: int, steps: list[int]) -> dict:
    made = unrolled.jacobians(layer, steps)
    gated = bool(made.keep.any())
    return {
        "layer": layer,
        "state": list(unrolled.layers[layer].after),
        "steps": steps,
        "radius": _array(made.spectral_radius()),
        "stretch": _array(made.largest_singular_value()),
        "kept": _array(made.keep.amax(-1)) if gated else None,
    }


def _back(back, body: GradientsRequest) -> dict:
    from models.gradients import clip

    norm = back.norm
    factor, clipped = (1.0, norm) if body.clip is None else clip(norm, body.clip)
    names = list(back.reach) if body.points is None else body.points
    return {
        "gradients": {name: _logarithm(back.reach[name]) for name in names},
        "carried": {name: _logarithm(back.carried[name]) for name in names},
        "norm": _number(norm),
        "parameters": {name: _number(value) for name, value in back.norms.items()},
        "factor": _number(factor),
        "clipped": _number(clipped),
    }


def _array(values) -> dict:
    """As float32; what is past its largest number is infinite there."""
    with np.errstate(over="ignore"):
        return encode(values.numpy())


def _logarithm(norms) -> dict:
    with np.errstate(divide="ignore"):
        return {"axes": ["time"], "range": "real", "data": encode(np.log10(norms.numpy()))}


def _number(value: float) -> Number:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
