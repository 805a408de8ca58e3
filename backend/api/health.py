"""Is the server alive, and what can it run."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict:
    """Alive: the event loop answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """Ready: every checkpoint is loaded or has failed with its reason; 503 until then."""
    state = request.app.state
    entries = state.catalog.entries.values()
    loading = [entry for entry in entries if entry.status == "loading"]
    awaited = any(not entry.joined for entry in loading)
    ready = not awaited and state.engine is not None and not state.stopping
    body = {
        "status": "ready" if ready else "starting",
        "device": state.catalog.device,
        "ready": [entry.id for entry in entries if entry.status == "ready"],
        "loading": [entry.id for entry in loading],
        "failed": {entry.id: entry.reason for entry in entries if entry.status == "failed"},
    }
    return JSONResponse(body, 200 if ready else 503)
