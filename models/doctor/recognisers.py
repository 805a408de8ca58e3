"""Which networks are recognised: a module each, with a function `recognise(names, extras)`.

It gets the shape of every tensor by its name, and returns `Found`, or None where this is not its
network. The order decides only where two leave equally many tensors over.
"""

from collections.abc import Mapping
from importlib import import_module

from models.doctor.diagnosis import Found, Shapes

RECOGNISERS = [
    "models.doctor.recurrent",
    "models.doctor.encoder_decoder",
    "models.doctor.line_reader",
]


def recognise(names: Shapes, extras: Mapping) -> Found | None:
    """What a file of such tensors is: of all that recognise it, who leaves fewest tensors over."""
    found = [import_module(name).recognise(names, extras) for name in RECOGNISERS]
    return min(
        (one for one in found if one is not None),
        key=lambda one: len(names.keys() - one.uses),
        default=None,
    )
