"""What the child hands over: the tensors as safetensors, the extras as JSON.

Written part by part, so that no second copy of the numbers is made.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

TENSORS, EXTRAS = "tensors.safetensors", "extras.json"
_DTYPES = {
    "float16": "F16", "float32": "F32", "float64": "F64", "uint8": "U8", "int8": "I8",
    "int16": "I16", "int32": "I32", "int64": "I64", "bool": "BOOL",
}  # fmt: skip


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray]) -> int:
    """Write C-contiguous arrays as safetensors, bit for bit; returns the bytes of the file."""
    # the widest numbers first, so that each lies at a multiple of its size
    names = sorted(tensors, key=lambda name: -tensors[name].itemsize)
    header, end = {}, 0
    for name in names:
        array = tensors[name]
        header[name] = {
            "dtype": _DTYPES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [end, end + array.nbytes],
        }
        end += array.nbytes
    raw = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        for name in names:
            file.write(tensors[name].reshape(-1).view(np.uint8).data)
    return 8 + len(raw) + end


def write_extras(path: Path, extras: dict, left_out: tuple[str, ...]) -> None:
    """Write {"extras", "left_out"} as JSON in ASCII: lone surrogates survive as escapes."""
    path.write_text(json.dumps({"extras": extras, "left_out": list(left_out)}), "ascii")
