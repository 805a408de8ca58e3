"""What stands around the recurrent layers: an embedding before them, a linear layer after.

A weight says what it is by its shape; names decide only where two shapes would do for either.
"""

import re
from dataclasses import dataclass

from models.doctor.diagnosis import Shapes, Stack

OUTPUT = re.compile(r"out|fc|linear|head|logit|classif|decod|proj|dense|tag|h2o|hidden2|pred", re.I)
EMBEDDING = re.compile(r"emb|encod|lookup|wte|table|vectors|e2|word|char", re.I)


@dataclass(frozen=True)
class Around:
    """Names in the file; `over` are those that nothing here has a place for."""

    embedding: str | None
    output: str | None
    output_bias: str | None
    over: tuple[str, ...]


def bias_of(weight: str, names: Shapes) -> str | None:
    """The bias beside a weight, where there is one."""
    name = re.sub(r"weight$", "bias", weight)
    return name if name != weight and names.get(name) == names[weight][:1] else None


def around(names: Shapes, stack: Stack) -> Around:
    """Find both among the tensors that are not the stack's."""
    rest = {name: shape for name, shape in names.items() if name not in stack.names.values()}
    matrices = [name for name, shape in rest.items() if len(shape) == 2]
    width = stack.hidden_size * (1 + stack.bidirectional)
    ends = [name for name in matrices if rest[name][1] == width]
    begins = [
        name
        for name in matrices
        if rest[name][1] == stack.input_size and bias_of(name, rest) is None
    ]
    # Where H = E the shapes of both are alike: a bias, then a name, then the order decides.
    end = max(
        ends,
        key=lambda name: (
            bias_of(name, rest) is not None,
            name not in begins or len(begins) > 1,
            bool(OUTPUT.search(name)),
            not re.search(r"emb", name, re.I),
            ends.index(name),
        ),
        default=None,
    )
    begins = [name for name in begins if name != end]
    begin = max(
        begins, key=lambda name: (bool(EMBEDDING.search(name)), -begins.index(name)), default=None
    )
    bias = bias_of(end, rest) if end else None
    if end and begin is None and width == stack.input_size and rest[end][0] != width:
        begin = end  # one matrix is kept for both, as writers of shared tensors do
    if end and bias is None:
        alone = [name for name in rest if name.endswith("bias") and rest[name] == rest[end][:1]]
        bias = alone[0] if len(alone) == 1 else None
    taken = {begin, end, bias}
    return Around(begin, end, bias, tuple(name for name in rest if name not in taken))
