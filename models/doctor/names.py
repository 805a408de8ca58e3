"""What the names of tensors tell: wrappers around a network, and the recurrent layers in it."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from models.doctor.diagnosis import Said, Shapes, Stack

# What wrappers put before every name: DataParallel, torch.compile, trainers.
WRAPPERS = (
    "module.",
    "_orig_mod.",
    "model.",
    "net.",
    "network.",
    "state_dict.",
    "model_state_dict.",
)
PARAMETER = re.compile(
    r"(?P<path>(?:.*\.)?)(?P<what>(?:weight|bias)_(?:ih|hh|hr))"
    r"(?:_l(?P<layer>\d+))?(?P<back>_reverse)?"
)
LEFTOVERS = re.compile(
    r"(^|\.)(optim|optims|optimizers?|optimizer_state(_dict)?|optimiser|opt|scheduler|lr_scheduler"
    r"|scaler|exp_avg(_sq)?|momentum_buffer|rng_state|torch_rng_state|cuda_rng_state)(\.|$)"
)
CELLS = {4: "lstm", 3: "gru", 1: "rnn_tanh"}  # by rows of weight_hh over its columns
WORDS = {"lstm": "LSTM", "gru": "GRU", "rnn_tanh": "RNN", "rnn_relu": "RNN"}


def strip(names: Iterable[str]) -> str:
    """The wrappers that all names begin with, in a row: `model.module.`, or nothing."""
    names, prefix = list(names), ""
    while names:
        rest = [name[len(prefix) :] for name in names]
        wrapper = next((w for w in WRAPPERS if all(name.startswith(w) for name in rest)), None)
        if wrapper is None:
            return prefix
        prefix += wrapper
    return prefix


def natural(name: str) -> list:
    """A key that sorts cell2 before cell10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


@dataclass(frozen=True)
class Layers:
    """One module of recurrent layers: an nn.LSTM, or one nn.LSTMCell."""

    path: str  # with the dot at its end
    names: dict[str, str]  # weight_ih_l0 -> the name in the file
    single: bool  # of a cell: the names in the file have no _l0
    projected: tuple[str, ...]  # weight_hr_l0, of an LSTM with proj_size


def modules(names: Shapes) -> list[Layers]:
    """The recurrent modules of a file, in natural order of their paths."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    single, projected = {}, defaultdict(list)
    for name in names:
        match = PARAMETER.fullmatch(name)
        if match is None:
            continue
        path = match["path"]
        if match["what"] == "weight_hr":
            projected[path].append(name)
        single[path] = single.get(path, True) and match["layer"] is None
        own = f"{match['what']}_l{match['layer'] or 0}{match['back'] or ''}"
        found[path][own] = name
    return [
        Layers(path, found[path], single[path], tuple(projected[path]))
        for path in sorted(found, key=lambda path: natural(path.rstrip(".")))
        if any(own.startswith("weight_hh_l") for own in found[path])
    ]


def of_training(name: str) -> bool:
    """Whether a tensor belongs to what trained the network, an optimizer's averages say."""
    return LEFTOVERS.search(name) is not None


class Misfit(ValueError):
    """Recurrent layers whose shapes do not fit together, and why: `says`, as the doctor says it."""

    def __init__(self, template: str, **values):
        self.says = Said(template, **values)
        super().__init__(self.says)


def stack(layers: Layers, names: Shapes, called: str = "rnn") -> Stack:
    """A module as a stack of layers. Raises `Misfit`, naming the tensor."""
    own = dict(layers.names)
    hh, ih = (names[own[name]] if name in own else () for name in ("weight_hh_l0", "weight_ih_l0"))
    if len(hh) != 2 or len(ih) != 2 or not ih[1]:
        raise Misfit(
            "{name} and weight_hh_l0 must both be there, as matrices.",
            name=f"{layers.path}weight_ih_l0",
        )
    H = hh[1]
    if not H or hh[0] % H or hh[0] // H not in CELLS:
        raise Misfit(
            "{name} has shape {shape}, expected 1, 3 or 4 times as many rows as columns (RNN, GRU, "
            "LSTM).",
            name=own["weight_hh_l0"],
            shape=hh,
        )
    G, depth = hh[0] // H, sum(bool(re.fullmatch(r"weight_hh_l\d+", name)) for name in own)
    both, bias = "weight_hh_l0_reverse" in own, "bias_hh_l0" in own
    expected = {}
    for layer in range(depth):
        width = ih[1] if layer == 0 else H * (1 + both)
        for suffix in (f"_l{layer}", f"_l{layer}_reverse")[: 1 + both]:
            expected |= {f"weight_ih{suffix}": (G * H, width), f"weight_hh{suffix}": (G * H, H)}
            if bias:
                expected |= {f"bias_ih{suffix}": (G * H,), f"bias_hh{suffix}": (G * H,)}
    for name, shape in expected.items():
        if name not in own:
            raise Misfit("{name} {shape} is missing.", name=layers.path + name, shape=shape)
        found = names[own[name]]
        if found != shape:
            raise Misfit(
                "{name} has shape {found}, expected {shape}.",
                name=own[name],
                found=found,
                shape=shape,
            )
    more = sorted(own.keys() - expected.keys())
    if more:
        raise Misfit(
            "{name} does not belong to {n} layer(s) of {cell}.",
            name=own[more[0]],
            n=depth,
            cell=WORDS[CELLS[G]],
        )
    kept = {name: own[name] for name in expected}
    return Stack(called, CELLS[G], kept, ih[1], H, depth, both, bias)


def chain(parts: list[Stack]) -> Stack | None:
    """Stacks that feed each other, as one: lstm1 then lstm2, or the cells of a list."""
    first = parts[0]
    names, depth, out = {}, 0, first.input_size
    for part in parts:
        alike = (part.cell, part.hidden_size, part.bidirectional, part.bias) == (
            first.cell, first.hidden_size, first.bidirectional, first.bias,
        )  # fmt: skip
        if not alike or part.input_size != out:
            return None
        for own, name in part.names.items():
            layer = int(re.search(r"_l(\d+)", own)[1])
            names[re.sub(r"_l\d+", f"_l{layer + depth}", own)] = name
        depth += part.num_layers
        out = part.hidden_size * (1 + part.bidirectional)
    return Stack(
        first.name, first.cell, names, first.input_size, first.hidden_size, depth,
        first.bidirectional, first.bias,
    )  # fmt: skip


def numbered(path: str) -> str:
    """A path without its numbers: what lstm1 and lstm2, cells.0 and cells.1 share."""
    return re.sub(r"\d+", "", path)
