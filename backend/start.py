"""What happens behind the first page: torch, the kernels, the engine, then the checkpoints."""

import asyncio
import logging
from typing import TYPE_CHECKING

from fastapi import FastAPI

from backend.errors import Unavailable
from backend.settings import Settings

if TYPE_CHECKING:
    from backend.engine import Engine, Pictures, Readings, Spare

log = logging.getLogger("unrolled")
READING = 1.0  # seconds of the drain that readers get for what was written


def pick_device(name: str) -> str:
    """`auto` becomes cuda where there is one. Raises ValueError where cuda is asked for in vain."""
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda was asked for, and torch sees no CUDA device")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def _import(settings: Settings) -> str:
    import torch

    from models.prepare import prepare

    torch.set_num_threads(settings.threads)
    prepare()  # before anything runs: a number must not depend on when the kernels were ready
    return pick_device(settings.device)


def _engine(settings: Settings) -> "Engine":
    from backend.engine import Engine, Limits

    return Engine(
        Limits(
            max_active=settings.max_streams,
            max_queued=settings.max_queued,
            max_per_client=settings.quota("streams"),
            max_seconds=settings.max_stream_seconds,
            reader_deadline_seconds=settings.reader_seconds,
            max_state_bytes=settings.max_stream_bytes,
        )
    )


def _pictures(settings: Settings) -> "Pictures":
    from backend.engine import Pictures

    return Pictures(
        max_bytes=settings.max_features_bytes,
        max_upload_bytes=settings.max_upload_bytes,
        max_waiting=settings.max_queued,
        max_per_client=settings.quota("streams"),
    )


def _readings(settings: Settings) -> "Readings":
    from backend.engine import Readings

    return Readings(settings.max_readings_bytes)


def _spare(settings: Settings, engine: "Engine", pictures: "Pictures") -> "Spare":
    """Where trainings run: aside of what the engine does and of pictures that are looked at."""
    from backend.engine import Limits, Spare

    return Spare(
        Limits(
            max_active=settings.max_trainings,
            max_queued=0,
            max_per_client=settings.quota("trainings"),
            max_seconds=settings.max_training_seconds,
            reader_deadline_seconds=settings.reader_seconds,
        ),
        lambda: engine.busy or pictures.waiting > 0,
    )


async def open_engine(app: FastAPI) -> "Engine":
    """Import, compile and start; then load the checkpoints one after another."""
    state = app.state
    try:
        device = await asyncio.to_thread(_import, state.settings)
        engine = await asyncio.to_thread(_engine, state.settings)
        pictures = _pictures(state.settings)
        spare = _spare(state.settings, engine, pictures)
        engine.start()
        spare.start()
    except Exception as error:
        log.exception("the engine could not be started", extra={"whole": True})
        state.catalog.fail(f"the engine could not be started: {error}")
        raise Unavailable(f"The engine could not be started: {error}.") from error
    state.engine, state.pictures, state.spare = engine, pictures, spare
    state.readings = _readings(state.settings)
    state.catalog.device = device
    state.catalog.start()
    return engine


async def close_engine(app: FastAPI) -> None:
    """Refuse new generations, let those that run finish within the time to drain."""
    state = app.state
    state.stopping = True
    state.catalog.stop()
    if state.engine is not None:
        state.pictures.stop()
        await state.spare.stop(0)
        drain = state.settings.drain_seconds
        await state.engine.stop(max(drain / 2, drain - READING))
