"""A small machine for pickles that hold tensors and plain data, and nothing else.

It never imports and never calls what a file names: names become the stand-ins of
`models.importing.standins`, and REDUCE calls only those. Persistent ids, which torch uses for
storages, go to a function of the reader.
"""

import struct
from collections.abc import Callable

from models.importing import opcodes as op
from models.importing.opcodes import text_of
from models.importing.refused import Refused, damaged
from models.importing.standins import Fields, Named, NumpyKind, Opaque, check_key, find

MAX_MARKS = 64  # open at a time: how deep values nest while they are written


def load(raw: bytes, start: int, persistent: Callable[[tuple], object]) -> tuple[object, int]:
    """What the pickle at `start` holds, and the place behind it. Raises `Refused`.

    Values are dict, list, tuple, str, bytes, int, float, bool, None, and the stand-ins.
    """
    end, names = op.walk(raw, find, start)  # all opcodes are known, whole and few from here on
    try:
        return _Machine(raw, names, persistent).run(start), end
    except (IndexError, struct.error) as error:  # more taken from the stack than lies on it
        raise damaged("The pickle takes more values than it has put down.") from error


class _Machine:
    def __init__(self, raw: bytes, names: dict[bytes, Named], persistent: Callable):
        self.raw = raw
        self.names = names
        self.persistent = persistent
        self.stack: list = []
        self.marked: list[list] = []  # the stacks below each open MARK
        self.memo: list = []
        self.work = 0  # what calls were given, in bytes

    def run(self, at: int):
        raw, small = self.raw, _SMALL
        while True:
            code = raw[at]
            at += 1
            if code == op.BINPUT:
                self.put(raw[at])
                at += 1
            elif code == op.BINGET:
                self.get(raw[at])
                at += 1
            elif code == op.BINUNICODE:
                length = int.from_bytes(raw[at : at + 4], "little")
                at += 4 + length
                self.stack.append(text_of(raw[at - length : at]))
            elif code in small:
                small[code](self)
            elif code in _NUMBERS:
                width, read = _NUMBERS[code]
                self.stack.append(read(raw[at : at + width]))
                at += width
            elif code == op.STOP:
                return self.stop()
            else:
                at = self.rare(code, at)

    def rare(self, code: int, at: int) -> int:
        """The opcodes with an argument that are not common; the place behind them."""
        raw = self.raw
        if code in (op.LONG_BINPUT, op.LONG_BINGET):
            index = int.from_bytes(raw[at : at + 4], "little")
            (self.put if code == op.LONG_BINPUT else self.get)(index)
            return at + 4
        if code == op.GLOBAL:
            end = op.lines_end(raw, at)
            self.stack.append(self.names[raw[at:end]])
            return end
        if code == op.PROTO:
            if not 2 <= raw[at] <= 5:
                raise damaged(f"The pickle is of protocol {raw[at]}; 2 to 5 are read.")
            return at + 1
        if code == op.FRAME:  # a hint for readers of streams
            return at + 8
        width, read = _TEXTS[code]
        length = int.from_bytes(raw[at : at + width], "little")
        at += width + length
        self.stack.append(read(raw[at - length : at]))
        return at

    def put(self, index: int) -> None:
        if index > len(self.memo) + 1:  # Python 3 counts from 0, Python 2 from 1, both in order
            raise damaged("The pickle remembers its values out of order.")
        if index == len(self.memo) + 1:
            self.memo.append(_HOLE)
        if index == len(self.memo):
            self.memo.append(self.stack[-1])
        else:
            self.memo[index] = self.stack[-1]

    def get(self, index: int) -> None:
        value = self.memo[index]
        if value is _HOLE:
            raise damaged("The pickle recalls a value that it has not remembered.")
        self.stack.append(value)

    def push(self, value) -> None:
        self.stack.append(value)

    def memoize(self) -> None:
        self.memo.append(self.stack[-1])

    def mark(self) -> None:
        if len(self.marked) >= MAX_MARKS:
            raise Refused(
                "too_large_file",
                f"The pickle nests values more than {MAX_MARKS} deep.",
                op.SAVE_STATE_DICT,
            )
        self.marked.append(self.stack)
        self.stack = []

    def since_mark(self) -> list:
        values, self.stack = self.stack, self.marked.pop()
        return values

    def take(self, count: int) -> tuple:
        if len(self.stack) < count:
            raise IndexError
        values = tuple(self.stack[len(self.stack) - count :])
        del self.stack[len(self.stack) - count :]
        return values

    def append(self, values: list) -> None:
        target = self.stack[-1]
        if type(target) is list:
            target += values
        elif type(target) is not Opaque:
            raise damaged(f"The pickle appends to {_word(target)}, which is no list.")

    def set_items(self, values: list) -> None:
        target = self.stack[-1]
        if len(values) % 2:
            raise damaged("The pickle gives a key without a value.")
        if type(target) in (dict, Fields):
            for i in range(0, len(values), 2):
                key = values[i]
                target[key if type(key) is str else check_key(key)] = values[i + 1]
        elif type(target) is not Opaque:
            raise damaged(f"The pickle sets keys of {_word(target)}, which is no dict.")

    def stack_global(self) -> None:
        module, name = self.take(2)
        if type(module) is not str or type(name) is not str:
            raise damaged("The pickle names a class by something else than text.")
        self.stack.append(find(module, name))

    def call(self) -> None:
        """REDUCE and NEWOBJ: a stand-in makes a value of its arguments."""
        callee, args = self.take(2)
        if type(callee) is not Named or callee.make is None or type(args) is not tuple:
            what = callee.full if type(callee) is Named else _word(callee)
            raise Refused(
                "unsafe_file", f"The pickle calls {what[:100]!a} as a function.", op.SAVE_STATE_DICT
            )
        self.charge(args)
        try:
            self.stack.append(callee.make(*args))
        except TypeError as error:
            raise damaged(f"{callee.full[:100]} is called with the wrong arguments.") from error

    def charge(self, values: tuple) -> None:
        """A value that is remembered can be given again and again: what is made stays bounded."""
        for value in values:
            if isinstance(value, str | bytes):
                self.work += len(value)
            elif isinstance(value, list | tuple | dict):
                self.work += 4 * len(value)  # the bytes that each took, at least
        if self.work > 2 * len(self.raw) + 1000:
            raise Refused(
                "too_large_file", "The pickle makes more than it holds.", op.SAVE_STATE_DICT
            )

    def build(self) -> None:
        """Attributes of an object: kept where it is no more than them, else without effect."""
        (state,) = self.take(1)
        target = self.stack[-1]
        if type(target) is Fields and type(state) is dict:
            self.charge((state,))
            target.update(state)
        elif type(target) is NumpyKind:
            if type(state) is not tuple or len(state) < 2 or state[1] not in ("<", "|"):
                self.stack[-1] = Opaque("numpy.dtype")
        elif type(target) not in (dict, Fields, Opaque):
            raise damaged(f"The pickle gives attributes to {_word(target)}.")

    def persist(self) -> None:
        (told,) = self.take(1)
        if type(told) is not tuple:
            raise damaged("The pickle names a storage by something else than a tuple.")
        self.stack.append(self.persistent(told))

    def stop(self):
        if len(self.stack) != 1 or self.marked:
            raise damaged("The pickle does not end with one value.")
        return self.stack[0]


_HOLE = object()


def _word(value) -> str:
    return value.full[:100] if type(value) in (Named, Opaque) else type(value).__name__


def _pushes(value) -> Callable[[_Machine], None]:
    return lambda machine: machine.push(value)


_SMALL: dict[int, Callable[[_Machine], None]] = {
    op.MARK: _Machine.mark,
    op.NONE: _pushes(None),
    op.NEWTRUE: _pushes(True),
    op.NEWFALSE: _pushes(False),
    op.EMPTY_TUPLE: _pushes(()),
    op.TUPLE: lambda m: m.push(tuple(m.since_mark())),
    op.TUPLE1: lambda m: m.push(m.take(1)),
    op.TUPLE2: lambda m: m.push(m.take(2)),
    op.TUPLE3: lambda m: m.push(m.take(3)),
    op.EMPTY_LIST: lambda m: m.push([]),
    op.EMPTY_SET: lambda m: m.push([]),
    op.EMPTY_DICT: lambda m: m.push({}),
    op.APPEND: lambda m: m.append(list(m.take(1))),
    op.APPENDS: lambda m: m.append(m.since_mark()),
    op.ADDITEMS: lambda m: m.append(m.since_mark()),
    op.FROZENSET: lambda m: m.push(m.since_mark()),
    op.SETITEM: lambda m: m.set_items(list(m.take(2))),
    op.SETITEMS: lambda m: m.set_items(m.since_mark()),
    op.MEMOIZE: _Machine.memoize,
    op.STACK_GLOBAL: _Machine.stack_global,
    op.REDUCE: _Machine.call,
    op.NEWOBJ: _Machine.call,
    op.BUILD: _Machine.build,
    op.BINPERSID: _Machine.persist,
}
_NUMBERS = {
    op.BININT: (4, lambda raw: int.from_bytes(raw, "little", signed=True)),
    op.BININT1: (1, lambda raw: raw[0]),
    op.BININT2: (2, lambda raw: int.from_bytes(raw, "little")),
    op.BINFLOAT: (8, lambda raw: struct.unpack(">d", raw)[0]),
}
_TEXTS = {
    op.LONG1: (1, lambda raw: int.from_bytes(raw, "little", signed=True)),
    op.SHORT_BINUNICODE: (1, text_of),
    op.BINSTRING: (4, text_of),  # a text of Python 2
    op.SHORT_BINSTRING: (1, text_of),
    op.BINBYTES: (4, bytes),
    op.SHORT_BINBYTES: (1, bytes),
}
