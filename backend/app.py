"""The wiring of the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from starlette.routing import Route

from backend import class_pages, docs, errors, guards, metrics, pages, static
from backend.api import (
    answer,
    caption,
    checkpoints,
    classify,
    context,
    forecast,
    generate,
    gradients,
    health,
    imports,
    lessons,
    read,
    scenes,
    shapes,
    slices,
    tag,
    timings,
    trace,
    training,
    translate,
    units,
)
from backend.catalog import Catalog
from backend.desk import Desk
from backend.imports import Imports
from backend.joining import Door, Joining
from backend.observing import Observed
from backend.settings import Settings
from backend.start import close_engine, open_engine


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    """Answer first, load behind: the first page does not wait for torch."""
    state = app.state
    opening = asyncio.create_task(open_engine(app))
    opening.add_done_callback(lambda task: task.cancelled() or task.exception())  # told by others

    async def ready():
        return await asyncio.shield(opening)

    state.ready = ready
    watching = asyncio.create_task(state.metrics.watch())
    try:
        yield
    finally:
        watching.cancel()
        opening.cancel()
        await close_engine(app)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application. Everything it needs to know is in `settings`."""
    settings = settings or Settings()
    app = FastAPI(
        title="Unrolled",
        summary="See inside recurrent and attention networks while they work.",
        lifespan=_life,
        docs_url=None,  # FastAPI's own pages load their scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
        dependencies=[Depends(guards.each_once)],
        responses=errors.RESPONSES,
    )
    state = app.state
    state.settings, state.engine, state.stopping = settings, None, False
    state.catalog = Catalog(settings.checkpoints, settings.device, settings.max_streams)
    state.imports = Imports(settings, state.catalog)
    state.door = Door(settings.join) if settings.join else None
    state.tracing = Desk(2, settings.quota("readings"))
    state.timing = timings.Turn()
    state.metrics = metrics.Metrics(state)
    errors.install(app, pages.error_page, guards.HEADERS)
    api = (
        health,
        checkpoints,
        imports,
        trace,
        context,
        gradients,
        units,
        slices,
        generate,
        translate,
        caption,
        answer,
        classify,
        tag,
        forecast,
        read,
        scenes,
        shapes,
        timings,
        lessons,
        training,
    )
    bodies: dict[str, int] = {}  # what a path may be sent, where it is not the usual
    for module in (*api, metrics, docs, class_pages, pages):
        app.include_router(module.router)
        for path, setting in getattr(module, "BODIES", {}).items():
            bodies[path] = getattr(settings, setting)
    app.router.routes.insert(0, Route("/static/{path:path}", static.serve))
    app.add_middleware(Joining, door=state.door, page=class_pages.outside)
    guards.install(app, settings, bodies)
    app.add_middleware(Observed)
    return app
