"""The table of hostile files, and the two ways into it."""

import struct
from collections.abc import Callable

from tests.weight_files import mapping, pt, tensor

NAN, INFINITY = struct.pack("<f", float("nan")), struct.pack("<f", float("inf"))
HOSTILE: dict[str, tuple[str, str, Callable[[], bytes]]] = {}


def files(code: str, **made: tuple) -> None:
    """Enter files under one code: name=(a word of the message, bytes or a function of them)."""
    for name, (word, make) in made.items():
        assert name not in HOSTILE, name
        HOSTILE[name] = (code, word, make if callable(make) else lambda raw=make: raw)


def pickles(code: str, **made: tuple) -> None:
    """Enter values as the pickle of a torch.save file: name=(a word of the message, the value)."""
    files(code, **{name: (word, lambda v=value: pt(v)) for name, (word, value) in made.items()})


def beside(value: bytes) -> bytes:
    """A value beside good weights."""
    return mapping({"weight": tensor(), "more": value})
