"""How weights rest in a checkpoint's file, and back to the float32 that is computed with.

In float16; the matrices of a large network in rows of 8-bit integers with a scale each; whole
numbers that are counts as they are.
"""

import torch
from torch import Tensor

COUNTS = "counts."  # how the names of tensors begin that hold whole numbers and stay so
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def rounded(weights: dict[str, Tensor], pack: bool = False) -> dict[str, Tensor]:
    """Weights as they rest: float16, or with `pack` as `packed` has them; counts as they are."""
    if pack:
        return packed(weights)
    return {n: value if n.startswith(COUNTS) else value.half() for n, value in weights.items()}


def packed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Every matrix (R, C) as int8 (R, C) and, under `<name>.scale`, float16 (R,); the rest float16.

    A row is its integers, -127..127, times its scale, 1/127 of its largest weight or a trace more:
    half the bytes of float16, and every weight within half a scale of what it was.
    """
    found = {}
    for name, value in weights.items():
        if value.dim() != 2:
            found[name] = value.half()
            continue
        # A little more than 1/127 of the largest: rounded to a float16 it is still enough.
        scale = (value.float().abs().amax(1) / 127 * (1 + 2.0**-10)).clamp(min=2.0**-14).half()
        found[name] = (value.float() / scale.float()[:, None]).round().to(torch.int8)
        found[f"{name}.scale"] = scale
    return found


def unpacked(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The float32 weights of float tensors and of what `packed` made; counts as they are.

    Raises ValueError, naming the tensor.
    """
    found = {}
    for name, value in weights.items():
        scale = weights.get(f"{name}.scale")
        if value.dtype == torch.int8 and scale is not None:
            if value.dim() != 2 or tuple(scale.shape) != value.shape[:1]:
                raise ValueError(
                    f"{name}.scale has shape {tuple(scale.shape)}, expected one number for each row"
                    f" of {name} {tuple(value.shape)}"
                )
            found[name] = value.float() * scale.float()[:, None]
        elif name.startswith(COUNTS) and value.dtype in (torch.uint8, torch.int32):
            found[name] = value
        elif value.dtype not in DTYPES:
            raise ValueError(
                f"{name} is {value.dtype}, expected 16 to 64-bit floats"
                f"{f', or {name}.scale beside it' if value.dtype == torch.int8 else ''}"
            )
        elif weights.get(name.removesuffix(".scale"), value).dtype != torch.int8:
            found[name] = value.float()
    return found
