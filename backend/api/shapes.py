"""Shapes of a recurrent layer: torch runs one with the sizes asked for."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from backend.arrays import Array, encode

router = APIRouter(prefix="/api/shapes", tags=["lessons"])


class ShapesQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cell: Literal["rnn", "lstm", "gru"] = "rnn"
    input_size: int = Field(3, ge=1, le=8)
    hidden_size: int = Field(4, ge=1, le=8)
    num_layers: int = Field(1, ge=1, le=4)
    bidirectional: bool = False
    batch_first: bool = False
    length: int = Field(5, ge=1, le=8)
    batch: int = Field(2, ge=1, le=5)


class Shaped(BaseModel):
    name: str
    role: str = Field(description="input, weight, bias, output or state")
    axes: list[str]
    data: Array


class Shapes(BaseModel):
    code: str = Field(description="the line of Python that makes the layer")
    tensors: list[Shaped]
    equal: dict[str, bool] = Field(description="parts of what comes out that are the same numbers")


@router.get("", response_model=Shapes)
async def shapes(request: Request, query: Annotated[ShapesQuery, Query()]) -> dict:
    """Every tensor of one recurrent layer of torch, with what each axis is."""
    await request.app.state.ready()
    return await run_in_threadpool(_shapes, query.model_dump())


def _shapes(sizes: dict) -> dict:
    from models.shapes import explore

    found = explore(**sizes)
    return {
        "code": found.code,
        "tensors": [
            {"name": one.name, "role": one.role, "axes": one.axes, "data": encode(one.data.numpy())}
            for one in found.tensors
        ],
        "equal": found.equal,
    }
