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
    projection: str | None  # a linear layer between the embedding, or a one-hot input, and the rnn
    projection_bias: str | None
    output: str | None
    output_bias: str | None
    over: tuple[str, ...]

    def symbols(self, names: Shapes, stack: Stack) -> int:
        """How many symbols are read."""
        if self.embedding:
            return names[self.embedding][0]
        return names[self.projection][1] if self.projection else stack.input_size


def bias_of(weight: str, names: Shapes) -> str | None:
    """The bias beside a weight, where there is one."""
    name = re.sub(r"weight$", "bias", weight)
    return name if name != weight and names.get(name) == names[weight][:1] else None


def around(names: Shapes, stack: Stack) -> Around:
    """Find them among the tensors that are not the stack's."""
    rest = {name: shape for name, shape in names.items() if name not in stack.names.values()}
    width = stack.hidden_size * (1 + stack.bidirectional)
    begins = [name for name in _tables(rest) if rest[name][1] == stack.input_size]
    end = _output(rest, width, begins)
    begins = [name for name in begins if name != end]
    begin, between = _first(begins), None
    if begin is None:
        begin, between = _projected(rest, stack, width, end)
    if end and begin is between is None and width == stack.input_size and rest[end][0] != width:
        begin = end  # one matrix is kept for both, as writers of shared tensors do
    bias = bias_of(end, rest) if end else None
    if end and bias is None:
        alone = [name for name in rest if name.endswith("bias") and rest[name] == rest[end][:1]]
        bias = alone[0] if len(alone) == 1 else None
    beside = bias_of(between, rest) if between else None
    taken = {begin, between, beside, end, bias}
    over = tuple(name for name in rest if name not in taken)
    return Around(begin, between, beside, end, bias, over)


def _tables(rest: Shapes) -> list[str]:
    """Matrices without a bias beside them, as embeddings are."""
    return [name for name, shape in rest.items() if len(shape) == 2 and not bias_of(name, rest)]


def _first(begins: list[str]) -> str | None:
    return max(
        begins, key=lambda name: (bool(EMBEDDING.search(name)), -begins.index(name)), default=None
    )


def _output(rest: Shapes, width: int, begins: list[str]) -> str | None:
    """The matrix that reads the last layer. Where an embedding is as wide, the shapes of both are
    alike: a bias, then a name, then the order decides."""
    ends = [name for name, shape in rest.items() if len(shape) == 2 and shape[1] == width]
    return max(
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


def _projected(rest: Shapes, stack: Stack, width: int, end: str | None):
    """An embedding of another width and the matrix that brings it to that of the layers; or that
    matrix alone, which then reads a one-hot input. Only where its shape fits nowhere else."""
    for name, shape in rest.items():
        if len(shape) != 2 or name == end or shape[0] != stack.input_size or shape[1] == width:
            continue
        tables = [one for one in _tables(rest) if one not in (name, end)]
        begin = _first([one for one in tables if rest[one][1] == shape[1]])
        if begin is not None or (end and rest[end][0] == shape[1]):
            return begin, name
    return None, None
