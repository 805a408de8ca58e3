"""What a pickle may name, and what stands here for it. Nothing is imported by a name of a file.

Each name stands for a small function of this module that makes plain data or a mark of a tensor;
a name that is not listed is refused. Of some packages, whose settings lie about in checkpoints
beside the weights, anything is accepted and becomes an `Opaque`: a name without content, which is
left out later.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.importing.numbers import check_shape
from models.importing.opcodes import SAVE_STATE_DICT
from models.importing.refused import Refused, damaged


@dataclass(frozen=True, eq=False)
class Named:
    """A name of a pickle. `make` is what calling it does here; `kind` a storage's element type."""

    full: str
    make: Callable | None = None
    kind: str | None = None


@dataclass(frozen=True, eq=False)
class Opaque:
    """An object of a package that is not read: nothing of it but its class's name."""

    full: str


class Fields(dict):
    """An object that is no more than its attributes, such as argparse.Namespace."""


@dataclass(frozen=True)
class StorageMark:
    """Numbers in a row somewhere in the file. `shift`: numbers before it in the whole of `key`."""

    key: str
    kind: str  # element type, of numbers.SIZES
    count: int  # numbers in the whole
    shift: int = 0


@dataclass(frozen=True, eq=False)
class TensorMark:
    """A tensor that was not read yet. Offset and strides in numbers, not in bytes."""

    storage: StorageMark
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def find(module: str, name: str) -> Named:
    """What stands for a name. Raises `Refused` for all that are not known."""
    if module == "__builtin__":  # as Python 2 called it, and old protocols still do
        module = "builtins"
    if found := KNOWN.get((module, name)):
        return found
    full = f"{module}.{name}"
    if module.split(".", 1)[0] in OPAQUE_PACKAGES:
        return Named(full, lambda *_: Opaque(full))
    shown = ascii(full[:100])[1:-1]
    odd_tensor = module.startswith("torch") and name.startswith("_rebuild")
    if odd_tensor or name in _UNREAD_STORAGES:
        raise Refused(
            "unusable_tensor",
            f"A tensor was saved by {shown}: sparse, quantised, nested or on no device.",
            "Save dense tensors of float16, bfloat16, float32 or float64.",
        )
    raise Refused(
        "unsafe_file",
        f"The file names {shown}, which is neither a tensor nor plain data; a program that "
        "unpickles it would run that.",
        SAVE_STATE_DICT,
    )


def mapping(*args) -> dict:
    """OrderedDict and its like: empty, or from another dict, or from pairs."""
    if len(args) == 1 and type(args[0]) is list:
        result = {}
        for pair in args[0]:
            if type(pair) not in (list, tuple) or len(pair) != 2:
                raise damaged("A dict is made of something else than pairs.")
            result[check_key(pair[0])] = pair[1]
        return result
    if args and not (len(args) == 1 and type(args[0]) is dict):
        raise damaged("A dict is made of something else than pairs.")
    return args[0] if args else {}


def check_key(key):
    """A key of a dict: a single value, or a few of them. Others could take forever to hash."""
    if type(key) is tuple and len(key) <= 8:
        for part in key:
            if type(part) is tuple:
                raise damaged("A dict has a key of nested tuples.")
            check_key(part)
    elif type(key) is int and abs(key) >= 1 << 63:
        raise damaged("A dict has a key of more than 64 bits.")
    elif type(key) not in (str, int, float, bool, type(None)):
        raise damaged(f"A dict has a key that is no text or number, but {_word(key)}.")
    return key


def _default(*args) -> dict:
    if len(args) > 1 or not all(args[0] is None or isinstance(args[0], Named) for _ in args):
        raise damaged("A defaultdict is made of something else than a type.")
    return {}


def _items(*args) -> list | tuple:
    """set, frozenset, torch.Size: what is in them, in the order of the file."""
    if not args:
        return []
    if len(args) != 1 or type(args[0]) not in (list, tuple):
        raise damaged("A set or a size is made of something else than a list.")
    return args[0]


def _path(*args) -> str:
    if not all(type(part) is str for part in args):
        raise damaged("A path is made of something else than texts.")
    return "/".join(args).replace("//", "/")  # the first part of an absolute path is "/"


def _device(*args) -> str:
    if not args or type(args[0]) is not str:
        raise damaged("A device is made of something else than its name.")
    return args[0]


def _encode(text="", encoding="latin1"):
    """How Python 3 writes bytes into an old pickle."""
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise damaged("Bytes are made of something else than a text.")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise damaged("Bytes are made of a text that is none.") from error


def tensor(
    storage, offset, shape, stride, requires_grad=False, hooks=None, metadata=None
) -> TensorMark:
    """torch._utils._rebuild_tensor_v2: a window on a storage."""
    if type(storage) is not StorageMark:
        raise damaged("A tensor is made of something else than a storage.")
    if metadata:
        raise Refused(
            "unusable_tensor",
            "A tensor is a conjugate or negative view.",
            "Save it after .resolve_conj().resolve_neg().",
        )
    shape, stride = check_shape("a tensor", shape), check_shape("a tensor's strides", stride, False)
    if type(offset) is not int or not 0 <= offset < 1 << 40 or len(shape) != len(stride):
        raise damaged(
            "A tensor's place in its storage is not an offset and a stride for each axis."
        )
    return TensorMark(storage, offset, shape, stride)


def _parameter(data, requires_grad=True, hooks=None, state=None) -> TensorMark:
    if type(data) is not TensorMark:
        raise damaged("A parameter is made of something else than a tensor.")
    return data


def _typed(function, kind, args, state) -> TensorMark:
    """torch._tensor._rebuild_from_type_v2: a tensor with attributes of its own, which are lost."""
    if not isinstance(function, Named) or function.make not in (tensor, _parameter):
        raise Refused(
            "unusable_tensor", "A tensor is of a class that is not read.", "Save plain tensors."
        )
    if type(args) is not tuple:
        raise damaged("A tensor is made of something else than its parts.")
    return function.make(*args)


@dataclass(frozen=True, eq=False)
class NumpyKind:
    """A numpy.dtype of a single number: "f8" and its like."""

    text: str


def _numpy_kind(text=None, *_) -> NumpyKind | Opaque:
    known = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}
    return NumpyKind(text) if text in known else Opaque("numpy.dtype")


def _numpy_number(kind=None, raw=None):
    """numpy's scalar: a loss or a score, by its bytes."""
    if type(kind) is not NumpyKind or type(raw) is not bytes or len(raw) != int(kind.text[1]):
        return Opaque("numpy.scalar")
    return np.frombuffer(raw, "<" + kind.text)[0].item()


# Packages whose objects are settings and records beside the weights.
OPAQUE_PACKAGES = {
    "omegaconf", "typing", "pytorch_lightning", "lightning", "lightning_fabric",
    "lightning_utilities", "torchmetrics",
}  # fmt: skip
_UNREAD_STORAGES = {
    "UntypedStorage", "_UntypedStorage", "ComplexFloatStorage", "ComplexDoubleStorage",
    "QInt8Storage", "QUInt8Storage", "QInt32Storage", "QUInt4x2Storage", "QUInt2x4Storage",
}  # fmt: skip
_STORAGES = {
    "HalfStorage": "float16", "BFloat16Storage": "bfloat16", "FloatStorage": "float32",
    "DoubleStorage": "float64", "ByteStorage": "uint8", "CharStorage": "int8",
    "ShortStorage": "int16", "IntStorage": "int32", "LongStorage": "int64", "BoolStorage": "bool",
}  # fmt: skip
_DTYPES = [
    "float16", "bfloat16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool",
]  # fmt: skip
_ATTRIBUTE_DICTS = [
    "pytorch_lightning.utilities.parsing", "lightning_fabric.utilities.data",
    "lightning.fabric.utilities.data", "lightning.pytorch.utilities.parsing",
]  # fmt: skip
_TYPES = ["list", "dict", "int", "float", "str", "bool", "tuple", "object"]
_MAKERS = {
    ("collections", "OrderedDict"): mapping,
    ("collections", "Counter"): mapping,
    ("collections", "defaultdict"): _default,
    ("argparse", "Namespace"): lambda *_: Fields(),
    ("types", "SimpleNamespace"): lambda *_: Fields(),
    ("_codecs", "encode"): _encode,
    ("torch", "Size"): _items,
    ("torch", "device"): _device,
    ("torch._utils", "_rebuild_tensor"): tensor,
    ("torch._utils", "_rebuild_tensor_v2"): tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _typed,
    ("torch", "Tensor"): None,
    ("torch.nn.parameter", "Parameter"): None,
    ("numpy", "dtype"): _numpy_kind,
    ("numpy", "ndarray"): None,
    **{(f"numpy.{core}.multiarray", "scalar"): _numpy_number for core in ("core", "_core")},
    **{
        (f"numpy.{core}.multiarray", "_reconstruct"): lambda *_: Opaque("numpy.ndarray")
        for core in ("core", "_core")
    },
    **{(f"{place}", "AttributeDict"): mapping for place in _ATTRIBUTE_DICTS},
    **{
        ("pathlib", f"{pure}{system}Path"): _path
        for pure in ("", "Pure")
        for system in ("", "Posix", "Windows")
    },
    **{("builtins", name): _items for name in ("set", "frozenset")},
    **{("builtins", name): None for name in _TYPES},
}
KNOWN = {
    **{place: Named(".".join(place), make) for place, make in _MAKERS.items()},
    **{
        (place, name): Named(name, None, kind)
        for place in ("torch", "torch.cuda")
        for name, kind in _STORAGES.items()
    },
    **{("torch", name): Named(f"torch.{name}") for name in _DTYPES},
}


def _word(value) -> str:
    return type(value).__name__
