"""safetensors: 8 bytes of length, a JSON header, then the numbers, side by side.

The header is bounded before it is parsed, and the tensors must lie one after another from the
first byte behind it to the last of the file: no gap to hide in, no byte that is counted twice.
https://github.com/huggingface/safetensors#format
"""

import json
import math

import numpy as np

from models.importing.numbers import (
    MAX_AXES,
    MAX_TENSORS,
    SIZES,
    check_finite,
    check_kind,
    check_name,
    check_shape,
    load,
)
from models.importing.refused import Refused, damaged
from models.importing.source import Source

MAX_HEADER_BYTES = 1 << 20
KINDS = {
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
    "U8": "uint8",
    "I8": "int8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "BOOL": "bool",
}


def looks_so(source: Source) -> bool:
    """Whether the file begins as a safetensors file does."""
    return source.size >= 10 and source.read(8, 1) == b"{"


def read(source: Source) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The tensors by name, and the file's own metadata. Raises `Refused`."""
    header, start = _header(source)
    about = header.pop("__metadata__", {})
    if not isinstance(about, dict) or not all(isinstance(v, str) for v in about.values()):
        raise damaged("The __metadata__ of the header is not an object of texts.")
    if len(header) > MAX_TENSORS:
        raise Refused(
            "too_large_file",
            f"The file holds {len(header)} tensors, at most {MAX_TENSORS} are read.",
            "Give a smaller network.",
        )
    places = {name: _place(name, entry) for name, entry in header.items()}
    end = 0
    for name, (_, _, first, last) in sorted(places.items(), key=lambda item: item[1][2:]):
        if first != end:
            raise damaged(f"{name} begins at byte {first}, and the tensor before ends at {end}.")
        end = last
    if start + end != source.size:
        raise damaged(f"The tensors need {start + end} bytes, the file has {source.size}.")
    tensors = {}
    for name, (kind, shape, first, _) in places.items():
        tensors[name] = load(source, start + first, math.prod(shape), kind).reshape(shape)
        check_finite(name, tensors[name])
    return tensors, about


def _header(source: Source) -> tuple[dict, int]:
    """The header, and the offset of the first byte behind it."""
    length = int.from_bytes(source.read(0, 8), "little")
    if length > MAX_HEADER_BYTES:
        raise Refused(
            "too_large_file",
            f"The header says it has {length} bytes, at most {MAX_HEADER_BYTES} are read.",
            "Save again with fewer tensors.",
        )
    raw = source.read(8, length)
    # Small texts can be large objects: what a header of so many tensors needs, and no more.
    if raw.count(b"[") > 2 * MAX_TENSORS or raw.count(b",") > (4 + MAX_AXES) * MAX_TENSORS:
        raise Refused(
            "too_large_file",
            f"The header lists more than {MAX_TENSORS} tensors need.",
            "Give a smaller network.",
        )
    try:
        header = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_distinct, parse_constant=_no_constant
        )
    except Refused:
        raise
    except (ValueError, RecursionError) as error:
        raise damaged(f"The header is not JSON: {str(error)[:120]}.") from error
    if not isinstance(header, dict):
        raise damaged("The header is not a JSON object.")
    return header, 8 + length


def _distinct(pairs: list) -> dict:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise damaged(f"The header names {twice[:80]!a} twice.")
    return found


def _no_constant(text: str):
    raise damaged(f"The header holds {text}, which is not JSON.")


def _place(name: str, entry) -> tuple[str, tuple[int, ...], int, int]:
    """Element type, shape, and the first and last byte behind the header."""
    check_name(name)
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise damaged(f"The header says of {name} something else than dtype, shape, data_offsets.")
    found = entry["dtype"]
    kind = check_kind(name, KINDS.get(found) if isinstance(found, str) else None, str(found)[:40])
    shape = check_shape(name, entry["shape"])
    offsets = entry["data_offsets"]
    if not isinstance(offsets, list) or [type(x) for x in offsets] != [int, int]:
        raise damaged(f"The data_offsets of {name} are not two whole numbers.")
    first, last = offsets
    if last - first != math.prod(shape) * SIZES[kind]:
        raise damaged(
            f"{name} is {kind} {shape}, {math.prod(shape) * SIZES[kind]} bytes, "
            f"and its place has {last - first}."
        )
    return kind, shape, first, last
