"""Tensors of a torch.save file out of its storages: a window with an offset and strides each.

Plain and transposed windows are taken, also windows with gaps; what repeats or overlaps itself is
not. Storages are read once, so tied weights stay tied; what must be copied is bounded by the file.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from models.importing.numbers import check_finite
from models.importing.refused import Refused, damaged
from models.importing.standins import StorageMark, TensorMark

MAX_SHARING = 8  # times the file: what tied tensors may come to when each is written out
SHARING_FLOOR = 1 << 20  # bytes that are always granted


def gather(
    marks: Mapping[str, TensorMark],
    storage: Callable[[StorageMark, str], np.ndarray],
    size: int,
) -> dict[str, np.ndarray]:
    """The tensors as C-contiguous arrays. `storage` reads a whole storage, for the tensor named.

    `size` is the file's, in bytes. Raises `Refused`.
    """
    for name, mark in marks.items():
        check_window(name, mark)
    result: dict[str, np.ndarray] = {}
    read: dict[str, np.ndarray] = {}
    windows: dict[tuple, np.ndarray] = {}
    total, copied = 0, 0
    for name, mark in marks.items():
        key = mark.storage.key
        if key not in read:
            read[key] = storage(mark.storage, name)
        window = (key, mark.storage.shift + mark.offset, mark.shape, mark.stride)
        found = windows.get(window)
        if found is None:
            found = _window(read[key], mark)
            if not found.flags.c_contiguous:
                copied += found.nbytes
                if copied > 2 * size:
                    raise _too_much()
                found = np.ascontiguousarray(found)
            check_finite(name, found)
            windows[window] = found
        total += found.nbytes
        if total > MAX_SHARING * size + SHARING_FLOOR:
            raise _too_much()
        result[name] = found
    return result


def check_window(name: str, mark: TensorMark) -> None:
    """Refuse a window that leaves its storage, or shows a number twice."""
    if math.prod(mark.shape) == 0:
        return
    steps = zip(mark.stride, mark.shape, strict=True)
    axes = sorted((step, size) for step, size in steps if size > 1)
    extent = 1  # numbers from the first to the last of the axes so far
    for step, size in axes:
        if step < extent:
            raise Refused(
                "unusable_tensor",
                f"{name} has shape {mark.shape} and strides {mark.stride}: it shows one number in "
                "several places.",
                "Save it after .contiguous().",
            )
        extent += step * (size - 1)
    first = mark.storage.shift + mark.offset
    if first + extent > mark.storage.count:
        raise damaged(
            f"{name} needs numbers {first} to {first + extent} of a storage of "
            f"{mark.storage.count}."
        )


def _window(numbers: np.ndarray, mark: TensorMark) -> np.ndarray:
    if math.prod(mark.shape) == 0:
        return np.empty(mark.shape, numbers.dtype)
    step = numbers.itemsize
    steps = zip(mark.stride, mark.shape, strict=True)
    strides = [step * n if size > 1 else step for n, size in steps]
    first = (mark.storage.shift + mark.offset) * step
    # numpy checks once more that all of it lies in the buffer
    return np.ndarray(mark.shape, numbers.dtype, numbers.data, first, strides)


def _too_much() -> Refused:
    return Refused(
        "too_large_file",
        "The tensors of the file share their numbers so often that they come to far more than the "
        "file.",
        "Save each weight once, as safetensors.",
    )
