"""What of a torch.save file is taken: where its weights lie, and the plain data beside them.

People save a state dict, or a dict that holds one among other things, or one for each part of a
network. The rule: dicts that hold tensors are groups. What belongs to an optimiser is left out. Is
one group under a name that says it is the model, that is taken, else all of them, their names
joined with dots and the beginning that all share left away.
"""

import math
from collections.abc import Iterator

from models.importing.numbers import MAX_NAME, MAX_TENSORS, check_name
from models.importing.opcodes import SAVE_STATE_DICT
from models.importing.refused import Refused, damaged
from models.importing.standins import Named, TensorMark

# Keys that say "this is the model", the clearest first.
MODEL_KEYS = (
    "state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "params",
    "module",
)  # fmt: skip
# Keys of what training needs and nobody else: optimisers and schedulers are also told by content.
TRAINING_KEYS = {
    "optimizer", "optimizers", "optimizer_states", "optimizer_state_dict", "optim", "lr_schedulers",
    "lr_scheduler", "scheduler", "scheduler_state_dict", "callbacks", "loops", "rng_state",
    "rng_states", "cuda_rng_state", "amp", "scaler", "native_amp_scaling_state",
}  # fmt: skip
MAX_COPIES = 4  # of the weights, such as an average, of which one is taken
MAX_DEPTH = 8  # of dicts above the tensors
MAX_EXTRA_DEPTH = 16
MAX_EXTRA_COST = 4 << 20  # a character costs 1, a value VALUE_COST
VALUE_COST = 16
MAX_LEFT_OUT = 32  # names of what was left out

_SINGLE = (str, int, float, type(None))  # a setting: {"optimizer": "adam"} is one
_DROPPED = object()


def choose(root) -> tuple[dict[str, TensorMark], dict, tuple[str, ...]]:
    """Tensors by name, extras, and what was left out. Raises `Refused`: no dict, no tensors."""
    if not isinstance(root, dict):
        what = "one tensor" if isinstance(root, TensorMark) else "something else"
        raise Refused(
            "unknown_format", f"The file holds {what}, not named tensors.", SAVE_STATE_DICT
        )
    left_out: list[str] = []
    groups, count = {}, 0
    for path, group in () if _optimiser(root) else _groups(root, (), left_out, set()):
        groups[path] = group
        count += len(group)
        _check_count(count, MAX_COPIES * MAX_TENSORS)
    if not groups:
        raise Refused("unknown_format", "The file holds no named tensors.", SAVE_STATE_DICT)
    taken = _model(groups)
    left_out += [".".join(path) for path in groups if path not in taken]
    shared = _shared(list(taken))
    tensors: dict[str, TensorMark] = {}
    for path in taken:
        for key, mark in groups[path].items():
            name = check_name(".".join((*path[shared:], key)))
            if name in tensors:
                raise damaged(f"The file holds {name} twice.")
            tensors[name] = mark
    _check_count(len(tensors))
    extras = _Extras(left_out).plain(root, (), 0)
    return tensors, extras, tuple(left_out[:MAX_LEFT_OUT])


def _check_count(count: int, most: int = MAX_TENSORS) -> None:
    if count > most:
        raise Refused(
            "too_large_file",
            f"The file holds {count} tensors or more, at most {most} are read.",
            "Give a smaller network.",
        )


def _groups(node: dict, path: tuple, left_out: list[str], barren: set[int]) -> Iterator:
    """The dicts that hold tensors, each under the path of keys that leads there.

    `barren` are the ids of those that hold none: one dict may hang in many places.
    """
    if len(path) > MAX_DEPTH:
        raise _too_much()
    own, count = {}, 0
    for key, value in node.items():
        name = _text(key)
        if name is None:
            continue
        if _optimiser(value) or (key in TRAINING_KEYS and not isinstance(value, _SINGLE)):
            left_out.append(".".join((*path, name)))
        elif isinstance(value, TensorMark):
            if name in own:  # 1 and "1"
                raise damaged(f"The file holds {name[:80]!a} twice.")
            own[name] = value
        elif isinstance(value, dict) and id(value) not in barren:
            for group in _groups(value, (*path, name), left_out, barren):
                count += 1
                yield group
    if own:
        yield path, own
    elif not count:
        barren.add(id(node))


def _optimiser(value) -> bool:
    return isinstance(value, dict) and value.keys() >= {"state", "param_groups"}


def _text(key) -> str | None:
    """A key as part of a name; None where it is not fit for one."""
    if type(key) is int:
        return str(key)
    return key if type(key) is str and len(key) <= MAX_NAME else None


def _too_much() -> Refused:
    return Refused(
        "too_large_file",
        f"Beside its weights the file holds more than {MAX_EXTRA_COST // VALUE_COST} values or "
        f"{MAX_EXTRA_COST} characters, or they nest more than {MAX_EXTRA_DEPTH} deep.",
        SAVE_STATE_DICT,
    )


def _model(groups: dict[tuple, dict]) -> list[tuple]:
    if () in groups:
        return list(groups)
    for key in MODEL_KEYS:
        for depth in range(MAX_DEPTH):
            found = [path for path in groups if path[depth : depth + 1] == (key,)]
            if found:
                return [path for path in found if path[:depth] == found[0][:depth]]
    return list(groups)


def _shared(paths: list[tuple]) -> int:
    """How many keys all paths begin with."""
    first, last = min(paths), max(paths)
    least = min(map(len, paths))
    return next((i for i in range(least) if first[i] != last[i]), least)


class _Extras:
    """Copies plain data; what is none is named in `left_out` and dropped.

    A list of which one item is dropped is dropped whole: its places would say something else.
    A list or dict that hangs in several places is copied once and counted as often as it hangs.
    """

    def __init__(self, left_out: list[str]):
        self.left_out = left_out
        self.already = set(left_out)
        self.cost = 0
        self.copies: dict[int, tuple[object, int]] = {}  # by id: the copy, and its cost

    def plain(self, value, path: tuple[str, ...], depth: int):
        """A value as str, int, float, bool, None, list or dict of those, or _DROPPED."""
        if not isinstance(value, dict | list | tuple):
            self.add(VALUE_COST + (len(value) if isinstance(value, str) else 0), depth)
            return self._single(value, path)
        copy, inside = self.copies.get(id(value), (None, VALUE_COST))
        self.add(inside, depth)
        if copy is None:
            before = self.cost
            copy = (self._dict if isinstance(value, dict) else self._list)(value, path, depth)
            self.copies[id(value)] = copy, VALUE_COST + self.cost - before
        return copy

    def add(self, cost: int, depth: int) -> None:
        self.cost += cost
        if self.cost > MAX_EXTRA_COST or depth > MAX_EXTRA_DEPTH:
            raise _too_much()

    def _single(self, value, path: tuple[str, ...]):
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, int) and abs(value) < 1 << 63:
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)  # JSON has no infinity
        if isinstance(value, Named):
            return value.full  # a type, such as torch.float32, as its name
        if not isinstance(value, TensorMark):
            self._leave(".".join(path))
        return _DROPPED

    def _list(self, value: list | tuple, path: tuple[str, ...], depth: int):
        items = [self.plain(item, path, depth + 1) for item in value]
        if any(item is _DROPPED for item in items):
            self._leave(".".join(path))
            return _DROPPED
        return items

    def _dict(self, value: dict, path: tuple[str, ...], depth: int):
        result = {}
        for key, item in value.items():
            name = _text(key)
            if name is None or ".".join((*path, name)) in self.already:
                continue
            self.add(len(name), depth)
            found = self.plain(item, (*path, name), depth + 1)
            if found is not _DROPPED:
                result[name] = found
        return result if result or not value or depth == 0 else _DROPPED

    def _leave(self, name: str) -> None:
        if name not in self.already and len(self.left_out) < MAX_LEFT_OUT:
            self.left_out.append(name)
            self.already.add(name)
