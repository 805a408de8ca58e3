"""Which opcodes of pickle are read, how long each is, and a first walk over them.

A pickle is a program for a small machine. Here only those opcodes exist that plain data and tensors
need; a pickle with any other is refused before the first is carried out.
Names and codes: CPython's pickletools.
"""

from collections.abc import Callable

from models.importing.refused import Refused, damaged

MAX_OPCODES = 250_000
MAX_CONTAINERS = 65_536
MAX_TEXT = 1 << 20  # bytes of one text

PROTO, STOP, FRAME = 0x80, 0x2E, 0x95
MARK, NONE, NEWTRUE, NEWFALSE = 0x28, 0x4E, 0x88, 0x89
BININT, BININT1, BININT2, LONG1, BINFLOAT = 0x4A, 0x4B, 0x4D, 0x8A, 0x47
BINUNICODE, SHORT_BINUNICODE = 0x58, 0x8C
BINSTRING, SHORT_BINSTRING, BINBYTES, SHORT_BINBYTES = 0x54, 0x55, 0x42, 0x43
EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3 = 0x29, 0x74, 0x85, 0x86, 0x87
EMPTY_LIST, APPEND, APPENDS = 0x5D, 0x61, 0x65
EMPTY_DICT, SETITEM, SETITEMS = 0x7D, 0x73, 0x75
EMPTY_SET, ADDITEMS, FROZENSET = 0x8F, 0x90, 0x91
BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET = 0x71, 0x72, 0x94, 0x68, 0x6A
GLOBAL, STACK_GLOBAL, REDUCE, NEWOBJ, BUILD, BINPERSID = 0x63, 0x93, 0x52, 0x81, 0x62, 0x51

_FIXED = {  # bytes behind the opcode
    PROTO: 1, FRAME: 8, MARK: 0, NONE: 0, NEWTRUE: 0, NEWFALSE: 0,
    BININT: 4, BININT1: 1, BININT2: 2, BINFLOAT: 8,
    EMPTY_TUPLE: 0, TUPLE: 0, TUPLE1: 0, TUPLE2: 0, TUPLE3: 0,
    EMPTY_LIST: 0, APPEND: 0, APPENDS: 0, EMPTY_DICT: 0, SETITEM: 0, SETITEMS: 0,
    EMPTY_SET: 0, ADDITEMS: 0, FROZENSET: 0,
    BINPUT: 1, LONG_BINPUT: 4, MEMOIZE: 0, BINGET: 1, LONG_BINGET: 4,
    STACK_GLOBAL: 0, REDUCE: 0, NEWOBJ: 0, BUILD: 0, BINPERSID: 0, STOP: 0,
}  # fmt: skip
_PREFIXED = {  # bytes of the length behind the opcode, and the most it may say
    LONG1: (1, 16),
    BINUNICODE: (4, MAX_TEXT),
    SHORT_BINUNICODE: (1, 255),
    BINSTRING: (4, MAX_TEXT),
    SHORT_BINSTRING: (1, 255),
    BINBYTES: (4, MAX_TEXT),
    SHORT_BINBYTES: (1, 255),
}
_CONTAINERS = {
    EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3, EMPTY_LIST, EMPTY_DICT, EMPTY_SET, FROZENSET,
    REDUCE, NEWOBJ, MARK,
}  # fmt: skip
# Opcode -> how far to the next; 0: one further, and a container; below 0: see `walk`.
_PREFIX, _LINES, _END, _UNREAD = -1, -2, -3, -4
_STEPS = [_UNREAD] * 256
for _code, _length in _FIXED.items():
    _STEPS[_code] = 0 if _code in _CONTAINERS else 1 + _length
for _code in _PREFIXED:
    _STEPS[_code] = _PREFIX
_STEPS[GLOBAL], _STEPS[STOP] = _LINES, _END

# What the opcodes that run code are called, to say which one was found.
_REFUSED = {
    0x69: "INST", 0x6F: "OBJ", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x92: "NEWOBJ_EX",
    0x50: "PERSID", 0x8B: "LONG4", 0x49: "INT", 0x4C: "LONG", 0x53: "STRING", 0x56: "UNICODE",
    0x8D: "BINUNICODE8", 0x8E: "BINBYTES8", 0x96: "BYTEARRAY8", 0x97: "NEXT_BUFFER",
    0x98: "READONLY_BUFFER", 0x30: "POP", 0x31: "POP_MARK", 0x32: "DUP", 0x67: "GET", 0x70: "PUT",
    0x6C: "LIST", 0x64: "DICT", 0x46: "FLOAT",
}  # fmt: skip


def walk(raw: bytes, named: Callable[[str, str], object], start: int = 0) -> tuple[int, dict]:
    """The place behind the STOP of the pickle at `start`, and what its GLOBALs name.

    Checks that each opcode is one that is read, whole, and that there are not too many. Names are
    given to `named` (module, name), which refuses what it does not know; what it returns is in the
    dict, by the two lines as they stand. Raises `Refused`.
    """
    at, heavy, steps, names = start, 0, _STEPS, {}
    try:
        for _ in range(MAX_OPCODES):
            code = raw[at]
            step = steps[code]
            if step > 0:
                at += step
            elif step == 0:
                at += 1
                heavy += 1
                if heavy > MAX_CONTAINERS:
                    raise _too_large(f"more than {MAX_CONTAINERS} containers")
            elif step == _PREFIX:
                width, most = _PREFIXED[code]
                length = int.from_bytes(raw[at + 1 : at + 1 + width], "little")
                if length > most:
                    raise _too_large(f"one value of {length} bytes, at most {most} are read")
                at += 1 + width + length
            elif step == _LINES:
                end = lines_end(raw, at + 1)
                lines = raw[at + 1 : end]
                if lines not in names:
                    names[lines] = named(*text_of(lines).split("\n")[:2])
                at = end
            elif step == _END:
                return at + 1, names
            else:
                name = _REFUSED.get(code, f"0x{code:02x}")
                raise Refused(
                    "unsafe_file",
                    f"The pickle holds the opcode {name}, which a state dict does not need.",
                    SAVE_STATE_DICT,
                )
    except IndexError as error:
        raise damaged("The pickle ends before its end: the file was cut short.") from error
    raise _too_large(f"more than {MAX_OPCODES} opcodes")


def lines_end(raw: bytes, at: int) -> int:
    """The place behind the two lines that begin here. Raises `Refused`: they are too long."""
    first = raw.find(b"\n", at, at + 256)
    second = raw.find(b"\n", first + 1, first + 257)
    if first < 0 or second < 0:
        raise damaged("The pickle names a class without an end to the name.")
    return second + 1


def text_of(raw: bytes) -> str:
    """Bytes of a pickle as text. Raises `Refused` where they are not UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise damaged(f"The pickle holds a text that is not UTF-8: {raw[:40]!r}.") from error


SAVE_STATE_DICT = (
    "Save the weights alone, torch.save(model.state_dict(), PATH), or as safetensors, "
    "and give that file."
)


def _too_large(what: str) -> Refused:
    return Refused("too_large_file", f"The pickle holds {what}.", SAVE_STATE_DICT)
