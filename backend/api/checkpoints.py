"""The catalogue of checkpoints."""

from fastapi import APIRouter, Request

router = APIRouter(prefix="/api/checkpoints", tags=["checkpoints"])


@router.get("")
async def list_checkpoints(request: Request) -> dict:
    """Every checkpoint with its kind, tasks, size, licence, status and points."""
    return {"checkpoints": request.app.state.catalog.summaries()}


@router.get("/{id}")
async def show_checkpoint(request: Request, id: str) -> dict:
    """One checkpoint with its config, measured figures and model card."""
    return await request.app.state.catalog.settled(id)
