"""Arrays on the wire: `{"dtype", "shape", "bdata"}`, the form plotly.js reads.

Little-endian, C order, base64; `shape` is text such as `"12, 256"`. Numbers are cast to float32
or uint8 first: NaN and infinity survive the trip, which they would not as JSON numbers.
"""

from typing import Literal

import numpy as np
from pybase64 import b64encode_as_string
from pydantic import BaseModel, Field

DTYPES = {np.dtype("<f4"): "f4", np.dtype("u1"): "u1"}


class Array(BaseModel):
    """An array of numbers."""

    dtype: Literal["f4", "u1"] = Field(description="f4: float32, u1: unsigned byte")
    shape: str = Field(description='sizes of the axes, e.g. "12, 256"', examples=["12, 256"])
    bdata: str = Field(description="base64 of the numbers, little-endian, last axis fastest")


def encode(values: np.ndarray) -> dict[str, str]:
    """A float or uint8 array as the wire form; every float becomes float32."""
    values = np.asarray(values)
    dtype = np.dtype("u1") if values.dtype == np.uint8 else np.dtype("<f4")
    values = np.asarray(values, dtype, order="C")
    shape = ", ".join(str(size) for size in values.shape)
    return {"dtype": DTYPES[dtype], "shape": shape, "bdata": b64encode_as_string(values)}
