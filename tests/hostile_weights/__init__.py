"""Files of weights that mean harm, or are broken: each is small, and none is read.

`HOSTILE` maps what it is to the code of its refusal, a word of the message, and a function that
makes it. Those that would run code if they were unpickled make a file `code.SENTINEL` where they
run; `code.LIVE` are values that do so when Python's own pickle reads them.
"""

from tests.hostile_weights import (
    archives,
    arrays,
    code,
    no_weights,
    old_files,
    pickles,
    safetensors,
)
from tests.hostile_weights.entries import HOSTILE

__all__ = ["HOSTILE", "SORTS"]

SORTS = (archives, arrays, code, no_weights, old_files, pickles, safetensors)  # each enters its own
