"""Let a forecaster read a series: one step ahead everywhere, and on from where a window stands."""

import math
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from backend.api.computing import compute, turn
from backend.api.texts import read_points
from backend.api.trace import TracedPoint
from backend.arrays import Array, encode
from backend.errors import Invalid, TooLarge

router = APIRouter(prefix="/api/checkpoints", tags=["forecast"])
LARGEST = 1e12  # a value of a series, either side of 0: float32 holds it and its square
Value = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]


class ForecastRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    series: list[Value] | None = Field(
        None, description="values in their own units; null: AirPassengers, 144 months"
    )
    at: int | None = Field(
        None, ge=1, description="the window is the values before this one; null: the end"
    )
    steps: int = Field(12, ge=0, description="values to forecast from `at` on, each read in turn")
    points: list[str] | None = Field(None, description="names of points; null means all")


class Parts(BaseModel):
    train: tuple[int, int]
    validation: tuple[int, int]
    test: tuple[int, int]


class Output(BaseModel):
    """prediction = weight . state + bias, then value = low + prediction * (high - low)."""

    state: Array = Field(description="(unit), h of the last layer after the window")
    weight: Array = Field(description="(unit)")
    bias: float
    prediction: float = Field(description="scaled")
    low: float
    high: float
    value: float = Field(description="in the units of the series")


class Forecast(BaseModel):
    checkpoint: str
    window: int = Field(description="values that are read before a forecast")
    series: Array = Field(description="(value)")
    first: str | None = Field(description="month of value 0; null for a series that was sent")
    parts: Parts | None = Field(
        description="start and stop of each; null likewise, and for an imported network"
    )
    at: int
    fitted: Array = Field(
        description="(value), from the true window before each; NaN where there is none"
    )
    forecast: Array = Field(description="(step), of values `at`, `at` + 1, ...")
    output: Output = Field(description="how the first value of `forecast` comes about")
    points: dict[str, TracedPoint] = Field(description="over the window, the oldest value first")


@router.post("/{id}/forecast", response_model=Forecast)
async def forecast(request: Request, id: str, body: ForecastRequest) -> dict:
    """Forecast every value from the true ones before it, and `steps` values from `at` on, where
    the network reads its own forecasts."""
    state = request.app.state
    entry = await state.catalog.open(id, "forecast")
    _check(entry.runner, body, state.settings)
    points = read_points(entry.runner, body.points)
    async with turn(request):
        return await compute(request, _forecast, entry, body, points)


def _check(runner, body: ForecastRequest, settings) -> None:
    from models import airline

    window = runner.config.window
    if body.steps > settings.max_forecast_steps:
        raise TooLarge(
            f"steps is {body.steps}, at most {settings.max_forecast_steps} are forecast.",
            "Ask for fewer steps.",
            "too_many_steps",
            limit=settings.max_forecast_steps,
        )
    length = len(airline.MONTHS if body.series is None else body.series)
    if length > settings.max_series_values:
        raise TooLarge(
            f"series has {length} values, at most {settings.max_series_values} are read.",
            "Send a shorter series.",
            "series_too_long",
            limit=settings.max_series_values,
        )
    if length < window:
        raise Invalid(
            f"series has {length} values, and this network reads {window} before it forecasts.",
            f"Send at least {window} values.",
            "series_too_short",
        )
    if body.at is not None and not window <= body.at <= length:
        raise Invalid(
            f"at is {body.at}: a window of {window} before it does not lie in {length} values.",
            f"Choose {window} <= at <= {length}.",
            "bad_range",
        )


def _forecast(entry, body: ForecastRequest, points: list) -> dict:
    import torch

    from models import airline

    runner, own = entry.runner, body.series is None
    # A network that somebody brought has learned from another series, or other parts of this one.
    learned = own and "sha256" not in (entry.about.get("data") or {})
    values = airline.series() if own else torch.tensor(body.series, dtype=torch.float32)
    W, at = runner.config.window, len(values) if body.at is None else body.at
    found = runner.look(values[at - W : at], [point.name for point in points])
    fitted = np.full(len(values), math.nan, np.float32)
    fitted[W:] = runner.fitted(values).numpy()
    parts = {"train": airline.TRAIN, "validation": airline.VALIDATION, "test": airline.TEST}
    return {
        "checkpoint": entry.id,
        "window": W,
        "series": encode(values.numpy()),
        "first": airline.month_name(0) if own else None,
        "parts": {n: (p.start, p.stop) for n, p in parts.items()} if learned else None,
        "at": at,
        "fitted": encode(fitted),
        "forecast": encode(runner.ahead(values[:at], body.steps).numpy()),
        "output": _output(runner, values[at - W : at]),
        "points": {
            p.name: {"axes": p.axes, "range": p.range, "data": encode(found[p.name].cpu().numpy())}
            for p in points
        },
    }


def _output(runner, window) -> dict:
    """The last step of the window worked out: from the state to a value."""
    network, config = runner.network, runner.config
    last = f"rnn.{config.num_layers - 1}.h"
    found = runner.look(window, [last, "prediction"])
    prediction = found["prediction"][-1].item()
    return {
        "state": encode(found[last][-1].cpu().numpy()),
        "weight": encode(network.output.weight[0].cpu().numpy()),
        "bias": network.output.bias.item(),
        "prediction": prediction,
        "low": config.low,
        "high": config.high,
        "value": config.scale.undo(prediction),
    }
