"""Files of weights that mean harm, or are broken: each is small, and none is read.

`HOSTILE` maps what it is to the code of its refusal, a word of the message, and a function that
makes it. Those that would run code if they were unpickled make a file SENTINEL where they run;
`LIVE` are values that do so when Python's own pickle reads them.
"""

import json
import struct
from collections.abc import Callable

from tests.weight_files import (
    BUILD,
    DICT,
    LIST,
    MARK,
    NEWOBJ,
    NONE,
    NUMBERS,
    REDUCE,
    TUPLE,
    Part,
    archive,
    call,
    descriptor,
    legacy,
    legacy_storage,
    mapping,
    named,
    npy,
    npz,
    number,
    pickled,
    place,
    pt,
    pt_parts,
    safetensors,
    several,
    storage,
    tensor,
    text,
)

SENTINEL = "code-was-run"
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


# -- code --------------------------------------------------------------------------------------

SCRIPT = text(f"open({SENTINEL!r}, 'w').close()")
EXEC = named("builtins", "exec")
ORDERED = named("collections", "OrderedDict")
FLOATS = named("torch", "FloatStorage")
RUN = EXEC + several(SCRIPT) + REDUCE
LIVE = {
    "reduce": RUN,
    "reduce_by_an_old_name": call("__builtin__", "exec", SCRIPT),
    "beside_good_values": mapping({"epoch": number(3), "more": RUN}),
    "deep_inside": mapping({"a": LIST + mapping({"b": several(RUN)}) + b"a"}),
    "as_a_key": DICT + RUN + NONE + b"s",
    "thrown_away": RUN + b"0" + DICT,
    "in_attributes": call("collections", "OrderedDict") + mapping({"_metadata": RUN}) + BUILD,
    "inst": MARK + SCRIPT + b"ibuiltins\nexec\n",
    "obj": MARK + EXEC + SCRIPT + b"o",
    "stack_global": b"\x8c\x08builtins\x8c\x04exec\x93" + several(SCRIPT) + REDUCE,
    "stack_global_from_the_memo": (
        DICT + text("builtins") + b"q\0" + text("exec") + b"q\1h\0h\1\x93"
        + several(SCRIPT) + REDUCE + b"s"
    ),
    "by_way_of_getattr": call(
        "builtins", "getattr", call("importlib", "import_module", text("builtins")), text("exec")
    ) + several(SCRIPT) + REDUCE,
    "factory_of_a_defaultdict": call("collections", "defaultdict", EXEC) + SCRIPT + RUN + b"s",
    "newobj": named("types", "SimpleNamespace") + TUPLE + NEWOBJ + mapping({"x": RUN}) + BUILD,
}  # fmt: skip
for _name, _value in LIVE.items():
    pickles("unsafe_file", **{f"code_{_name}": ("", _value)})

pickles(
    "unsafe_file",
    system=("posix.system", call("posix", "system", text("true"))),
    popen=("subprocess.Popen", call("subprocess", "Popen", text("true"))),
    browser=("webbrowser.open", beside(call("webbrowser", "open", text("http://127.0.0.1")))),
    runpy=("runpy._run_code", call("runpy", "_run_code", text("1"), DICT)),
    timeit=("timeit.timeit", call("timeit", "timeit", text("1"))),
    dotted_name=("abc.sys.exit", call("collections", "abc.sys.exit", text(""))),
    torch_hub=("torch.hub.load", call("torch.hub", "load", text("a"), text("b"))),
    torch_load=("torch.load", call("torch", "load", text("x"))),
    numpy_load=("numpy.load", call("numpy", "load", text("x"), NONE, number(1))),
    hooks_of_a_tensor=("exec", mapping({"w": tensor().replace(ORDERED, EXEC)})),
    persistent_id=("exec", several(text("storage"), RUN) + b"Q"),
    newobj_of_a_process=("Popen", named("subprocess", "Popen") + several(text("true")) + NEWOBJ),
    newobj_ex=("NEWOBJ_EX", named("builtins", "set") + TUPLE + DICT + b"\x92"),
    inst_of_a_good_class=("INST", MARK + b"ibuiltins\nset\n"),
    obj_of_a_good_class=("OBJ", MARK + named("builtins", "set") + b"o"),
    ext1=("EXT1", b"\x82\1"),
    ext2=("EXT2", b"\x83\1\0"),
    ext4=("EXT4", b"\x84\1\0\0\0"),
    persid=("PERSID", b"Pstorage\n"),
    next_buffer=("NEXT_BUFFER", b"\x97"),
    unknown_opcode=("0xff", b"\xff"),
    type_called=("as a function", call("builtins", "int", text("1"))),
    dtype_called=("as a function", call("torch", "float32", text("1"))),
    storage_called=("as a function", call("torch", "FloatStorage", number(1 << 30))),
    text_called=("as a function", text("exec") + several() + REDUCE),
    whole_model=("__main__.Net", named("__main__", "Net") + TUPLE + NEWOBJ),
    rebuild_from_a_type=(
        "exec",
        call("torch._tensor", "_rebuild_from_type_v2", EXEC, EXEC, several(SCRIPT), NONE),
    ),
    long4=("LONG4", b"\x8b" + struct.pack("<I", 1 << 30)),
    escapes_in_a_name=("\\x1b", named("\x1b[2Jevil", "exec")),
)  # fmt: skip
files(
    "unsafe_file",
    bare_pickle=("bare pickle", pickled(RUN)),
    bare_pickle_of_protocol_5=("bare pickle", pickled(RUN, 5)),
    old_file=("exec", lambda: legacy(RUN)),
    old_file_machine=("exec", lambda: legacy(machine=RUN)),
    old_file_keys=("exec", lambda: legacy(keys=RUN)),
    old_file_storage_in_its_head=("storage", lambda: legacy(machine=legacy_storage())),
    old_file_module_with_source=(
        "__main__.Net",
        lambda: legacy(several(text("module"), named("__main__", "Net"), text("a.py")) + b"Q"),
    ),
    torchscript=(
        "TorchScript",
        lambda: archive([*pt_parts(), Part("archive/constants.pkl", pickled(TUPLE))]),
    ),
    torchscript_code=(
        "TorchScript",
        lambda: archive([*pt_parts(), Part("archive/code/__torch__.py", b"exit()")]),
    ),
    exported_program=(
        "exported program",
        lambda: archive([Part("a/archive_format", b"pt2"), Part("a/models/model.json", b"{}")]),
    ),
)

# -- pickles that grow, nest and lie -----------------------------------------------------------


def doubling(levels: int, pair: bytes = b"\x86") -> bytes:
    """Each level holds the one before twice."""
    steps = (b"h%ch%c" % (i, i) + pair + b"q%c" % (i + 1) for i in range(levels))
    return MARK + TUPLE + b"q\0" + b"".join(steps) + b"t"


def sevenfold(bottom: bytes) -> bytes:
    """Seven dicts with a hundred keys, each of which leads to the dict before."""
    levels = (
        mapping(dict.fromkeys(map(str, range(100)), b"h%c" % (i - 1) if i else bottom)) + b"q%c" % i
        for i in range(7)
    )
    return several(*levels)


LONG_LIST = LIST + b"q\0" + MARK + several(text("a"), NONE) * 2000 + b"e"
PATH = call("pathlib", "PosixPath", b"h\0", b"h\0")
ENCODE = call("_codecs", "encode", b"h\0", text("latin1"))
LONG_TEXT = text("x" * 100_000) + b"q\0"
COLLIDING = b"".join(number(k * ((1 << 61) - 1)) + NONE for k in range(5, 2000))

pickles(
    "too_large_file",
    opcode_bomb=("opcodes", NONE * 300_000),
    container_bomb=("containers", DICT * 100_000),
    mark_bomb=("deep", MARK * 1000),
    doubling_tuples=("values", beside(doubling(60))),
    doubling_dicts=("values", mapping({"weight": tensor(), "a": sevenfold(NONE), "more": b"h\6"})),
    doubling_weights=("16384", mapping({"a": sevenfold(tensor()), "more": b"h\6"})),
    one_text_a_thousand_times=(
        "characters",
        beside(LONG_TEXT + several(*[b"h\0"] * 1000) + b"\x86"),
    ),
    list_in_itself=("values", beside(LIST + b"q\0h\0a")),
    dict_in_itself=("values", beside(DICT + b"q\0" + text("a") + b"h\0s")),
    copies_of_a_list=("more than it holds", LONG_LIST + (ORDERED + b"h\0\x85R") * 500),
    copies_of_a_text=("more than it holds", LONG_TEXT + PATH * 500),
    copies_as_bytes=("more than it holds", LONG_TEXT + ENCODE * 500),
    text_longer_than_the_file=("one value", b"X" + struct.pack("<I", 0xFFFF_FFFF) + b"x"),
    bytes_longer_than_the_file=("one value", b"B" + struct.pack("<I", 0x7FFF_FFFF) + b"x"),
    huge_whole_number=("one value", b"\x8a\xff" + b"\1" * 255),
)  # fmt: skip
pickles(
    "damaged_file",
    memo_out_of_order=("out of order", NONE + b"r" + struct.pack("<I", 0x7FFF_FFFF)),
    memo_never_set=("more values", b"h\7"),
    memo_with_a_hole=("not remembered", NONE + b"q\1h\0"),
    nothing_on_the_stack=("more values", b"s"),
    no_mark=("more values", b"t"),
    two_values=("one value", NONE + NONE),
    open_mark=("one value", MARK + NONE),
    key_without_a_value=("without a value", DICT + MARK + NONE + b"u"),
    append_to_a_dict=("no list", DICT + NONE + b"a"),
    keys_of_a_list=("no dict", LIST + NONE + NONE + b"s"),
    attributes_of_a_list=("attributes", LIST + NONE + b"b"),
    key_that_has_no_hash=("key", DICT + LIST + NONE + b"s"),
    key_of_doubling_tuples=("key", DICT + doubling(60) + NONE + b"s"),
    keys_of_one_hash=("64 bits", DICT + MARK + COLLIDING + b"u"),
    no_utf8=("UTF-8", b"X\1\0\0\0\xff"),
    name_without_an_end=("name", b"cbuiltins" + b"x" * 500),
    name_by_number=("by something else", number(1) + number(2) + b"\x93"),
    wrong_arguments=("wrong arguments", call("torch._utils", "_rebuild_tensor_v2")),
    pairs_that_are_none=("pairs", call("collections", "OrderedDict", LIST + number(1) + b"a")),
    size_of_text=("list", call("torch", "Size", text("abc"))),
    storage_of_no_tuple=("tuple", text("storage") + b"Q"),
    storage_of_no_type=("element type", mapping({"w": tensor(storage().replace(FLOATS, NONE))})),
    storage_of_no_key=("key", mapping({"w": tensor(storage().replace(text("0"), NONE))})),
    storage_without_size=("size", mapping({"w": tensor(storage(count=-1))})),
    storage_that_is_missing=("does not hold", mapping({"w": tensor(storage("1"))})),
    storage_outside=("does not hold", mapping({"w": tensor(storage("../version"))})),
    storage_longer_than_told=("need", mapping({"w": tensor(storage(count=7))})),
    storage_of_two_types=(
        "two things",
        mapping({"v": tensor(), "w": tensor(storage(kind="HalfStorage", count=12))}),
    ),
    tensor_of_no_storage=("storage", mapping({"w": tensor(text("0"))})),
    outside_its_storage=("needs numbers", mapping({"w": tensor(offset=1)})),
    far_outside_its_storage=("needs numbers", mapping({"w": tensor(offset=1 << 39)})),
    long_strides=("needs numbers", mapping({"w": tensor(stride=(1 << 39, 1))})),
    negative_offset=("place", mapping({"w": tensor(offset=-1)})),
    negative_size=("none", mapping({"w": tensor(shape=(-2, -3))})),
    negative_stride=("none", mapping({"w": tensor(stride=(-3, 1))})),
    size_of_truth=("none: bool", mapping({"w": tensor(shape=(2, 3)).replace(number(2), b"\x88")})),
    size_of_doubling_tuples=(
        "none: tuple",
        mapping({"w": tensor(shape=(2, 3)).replace(number(2), doubling(60))}),
    ),
    fewer_strides=("place", mapping({"w": tensor(stride=(1,))})),
    overflowing_size=(
        "more numbers",
        mapping({"w": tensor(shape=(1 << 32, 1 << 32), stride=(0, 0))}),
    ),
    many_axes=("at most 8", mapping({"w": tensor(shape=(1,) * 9, stride=(1,) * 9)})),
    parameter_of_none=("parameter", call("torch._utils", "_rebuild_parameter", NONE, NONE, NONE)),
    name_that_is_empty=("name", mapping({"": tensor()})),
    name_with_nul=("cannot be seen", mapping({"a\0b": tensor()})),
    name_right_to_left=("cannot be seen", mapping({"a\u202eb": tensor()})),
    name_of_half_a_character=("UTF-8", mapping({"a\ud800": tensor()})),
)  # fmt: skip
pickles(
    "unknown_format",
    no_dict=("named tensors", LIST),
    tensor_alone=("one tensor", tensor()),
    empty_dict=("no named tensors", DICT),
    no_tensors=("no named tensors", mapping({"a": number(1)})),
    optimiser_alone=(
        "no named tensors",
        mapping({"state": mapping({"w": tensor()}), "param_groups": LIST}),
    ),
    name_that_is_long=("no named tensors", mapping({"x" * 600: tensor()})),
    weights_as_keys_only=("no named tensors", mapping({"a": LIST + tensor() + b"a"})),
)  # fmt: skip
pickles(
    "unusable_tensor",
    sparse=("sparse", call("torch._utils", "_rebuild_sparse_tensor", NONE, NONE)),
    quantised=("quantised", call("torch._utils", "_rebuild_qtensor", NONE)),
    meta=("no device", call("torch._utils", "_rebuild_meta_tensor_no_storage", NONE)),
    meta_storage=("meta", mapping({"w": tensor(storage(device="meta"))})),
    complex_storage=(
        "ComplexFloatStorage",
        mapping({"w": tensor(storage(kind="ComplexFloatStorage"))}),
    ),
    quantised_storage=("QInt8Storage", mapping({"w": tensor(storage(kind="QInt8Storage"))})),
    conjugate=(
        "conjugate",
        mapping({"w": tensor()[:-2] + mapping({"conj": b"\x88"}) + b"tR"}),
    ),
    stride_of_zero=("several places", mapping({"w": tensor(stride=(0, 0))})),
    overlap=("several places", mapping({"w": tensor(stride=(2, 1))})),
    subclass=("not read", call("torch._tensor", "_rebuild_from_type_v2", NONE, NONE, TUPLE, NONE)),
)  # fmt: skip
files(
    "unusable_tensor",
    nan=("weight[1, 2] is nan", lambda: pt(storages={"0": NUMBERS[:20] + NAN})),
    infinity=("weight[0, 0] is inf", lambda: pt(storages={"0": INFINITY + NUMBERS[4:]})),
    nan_of_16_bits=(
        "w[1] is nan",
        lambda: pt(
            mapping({"w": tensor(storage("0", "HalfStorage", 2), 0, (2,), (1,))}),
            {"0": struct.pack("<2H", 0, 0x7E01)},
        ),
    ),
    nan_of_bfloat16=(
        "w[1] is nan",
        lambda: pt(
            mapping({"w": tensor(storage("0", "BFloat16Storage", 2), 0, (2,), (1,))}),
            {"0": struct.pack("<2H", 0, 0x7FC0)},
        ),
    ),
    nan_of_64_bits=(
        "w is -inf",
        lambda: pt(
            mapping({"w": tensor(storage("0", "DoubleStorage", 1), 0, (), ())}),
            {"0": struct.pack("<d", -float("inf"))},
        ),
    ),
    truth_of_2=(
        "truth",
        lambda: pt(
            mapping({"w": tensor(storage("0", "BoolStorage", 2), 0, (2,), (1,))}), {"0": b"\1\2"}
        ),
    ),
)


def tied(count: int, size: int) -> bytes:
    """So many tensors, all of them the same numbers."""
    names = {f"w{i}": tensor(storage(count=size), 0, (size,), (1,)) for i in range(count)}
    return pt(mapping(names), {"0": bytes(4 * size)})


files(
    "too_large_file",
    tied_without_end=("share", lambda: tied(300, 30_000)),
)

# -- old files ---------------------------------------------------------------------------------

files(
    "damaged_file",
    old_file_other_protocol=("protocol", lambda: legacy(protocol=1002)),
    old_file_no_machine=("protocol", lambda: legacy(machine=NONE)),
    old_file_other_keys=("other storages", lambda: legacy(keys=LIST)),
    old_file_keys_twice=("other storages", lambda: legacy(keys=LIST + MARK + text("0") * 2 + b"e")),
    old_file_other_count=("says that it has", lambda: legacy(tail=struct.pack("<q", 5) + NUMBERS)),
    old_file_negative_count=(
        "says that it has",
        lambda: legacy(tail=struct.pack("<q", -6) + NUMBERS),
    ),
    old_file_with_more=("storages end", lambda: legacy() + b"\0"),
    old_file_cut=("cut short", lambda: legacy()[:-1]),
    old_file_view_outside=(
        "view",
        lambda: legacy(
            mapping({"w": tensor(legacy_storage(view=several(text("1"), number(4), number(3))))})
        ),
    ),
    old_file_view_of_nothing=(
        "view",
        lambda: legacy(mapping({"w": tensor(legacy_storage(view=TUPLE))})),
    ),
    old_file_shifted_outside=(
        "needs numbers",
        lambda: legacy(
            mapping({"w": tensor(legacy_storage(view=several(text("1"), number(1), number(5))))})
        ),
    ),
)
files(
    "unusable_tensor",
    old_file_big_endian=(
        "big-endian",
        lambda: legacy(machine=mapping({"little_endian": b"\x89"})),
    ),
    old_file_nan=("is nan", lambda: legacy(tail=struct.pack("<q", 6) + NUMBERS[:20] + NAN)),
)

# -- archives ----------------------------------------------------------------------------------

PKL = pickled(mapping({"weight": tensor()}))
WIDE = struct.pack("<2H2Q", 1, 16, 1 << 62, 1 << 62)


def lying(index: int = 2, **changes) -> bytes:
    """A torch.save file whose entry `index` (2: the storage) was changed."""
    parts = pt_parts()
    for name, value in changes.items():
        setattr(parts[index], name, value)
    return archive(parts)


def with_entry(name: str, data: bytes = b"x", **changes) -> bytes:
    """A torch.save file with one more entry."""
    return archive([*pt_parts(), Part(name, data, **changes)])


def two_for_one() -> bytes:
    """Two entries of the directory for the same bytes."""
    first = pt_parts()
    more = Part("archive/data/1", NUMBERS)
    offset = archive(first[:2]).index(b"PK\x01\x02")
    more.central = {"offset": offset}
    return archive([*first, more])


files(
    "damaged_file",
    bytes_in_front=("", lambda: archive(pt_parts(), before=b"PK\3\4MZ")),
    bytes_behind=("end record", lambda: archive(pt_parts(), after=b"#!/bin/sh")),
    comment=("end record", lambda: archive(pt_parts(), b"", b"hello", comment=5)),
    bytes_between=("belong to no entry", lambda: lying(before=b"hidden")),
    overlap_of_entries=("overlap", two_for_one),
    twice=("twice", lambda: with_entry("archive/data/0", NUMBERS)),
    offset_past_the_end=("", lambda: lying(central={"offset": 0xFFFF_FFF0})),
    size_in_directory=("do not agree", lambda: lying(central={"stored": 20, "size": 20})),
    size_too_large=("overlap", lambda: lying(central={"stored": 1000, "size": 1000})),
    size_in_header=("do not agree", lambda: lying(local={"stored": 20, "size": 20})),
    checksum_in_both=("checksum", lambda: lying(local={"crc": 1}, central={"crc": 1})),
    checksum_left_away=(
        "without a checksum",
        lambda: lying(0, local={"crc": 0}, central={"crc": 0}),
    ),
    checksum_in_header=("do not agree", lambda: lying(local={"crc": 1})),
    checksum_of_the_pickle=("checksum", lambda: lying(0, local={"crc": 1}, central={"crc": 1})),
    other_name_in_header=("do not agree", lambda: lying(local={"name": b"archive/data/9"})),
    other_flags_in_header=("do not agree", lambda: lying(local={"flags": 2})),
    other_method_in_header=("do not agree", lambda: lying(local={"method": 8})),
    stored_and_yet_smaller=("stored as it is", lambda: lying(central={"stored": 20})),
    bzip2=("packed in a way", lambda: lying(central={"method": 12}, local={"method": 12})),
    patched=("packed in a way", lambda: lying(central={"flags": 32}, local={"flags": 32})),
    deflated_storage=("bytes", lambda: lying(deflated=True)),
    descriptor_that_lies=("do not agree", lambda: lying(described=descriptor(b"other bytes"))),
    descriptor_without_signature=("", lambda: lying(described=descriptor(NUMBERS, b"PK\3\4"))),
    descriptor_with_more=("between", lambda: lying(described=descriptor(NUMBERS) + b"more")),
    descriptor_missing=("between", lambda: lying(described=b"")),
    zip64_in_directory=("64 bits", lambda: lying(central={"extra": WIDE})),
    zip64_in_header=(
        "do not agree",
        lambda: lying(local={"extra": WIDE, "size": 0xFFFF_FFFF, "stored": 0xFFFF_FFFF}),
    ),
    zip64_too_short=("64-bit", lambda: lying(local={"extra": struct.pack("<2HQ", 1, 8, 24)})),
    extra_with_another_name=(
        "extra field",
        lambda: lying(central={"extra": struct.pack("<2HBI", 0x7075, 5, 1, 0)}),
    ),
    extra_cut_short=("extra field", lambda: lying(central={"extra": b"FB\x40"})),
    comment_of_an_entry=("something else", lambda: lying(central={"comment_size": 8})),
    entry_on_another_disk=("something else", lambda: lying(central={"disk": 1})),
    several_disks=("several", lambda: archive(pt_parts(), disk=1)),
    fewer_entries_told=("", lambda: archive(pt_parts(), here=3, count=3)),
    more_entries_told=("", lambda: archive(pt_parts(), here=5, count=5)),
    no_entries=("0 entries", b"PK\5\6" + bytes(18)),
    directory_elsewhere=("", lambda: archive(pt_parts(), start=0)),
    directory_past_the_end=("", lambda: archive(pt_parts(), start=0xFFFF_FFFF)),
    directory_of_other_length=("", lambda: archive(pt_parts(), length=3)),
    outside_its_folder=("does not lie", lambda: with_entry("other/file")),
    more_behind_the_pickle=(
        "behind the end",
        lambda: archive([Part("archive/data.pkl", PKL + b"more"), *pt_parts()[1:]]),
    ),
    pickle_cut_short=(
        "before its end",
        lambda: archive([Part("archive/data.pkl", PKL[:-1]), *pt_parts()[1:]]),
    ),
    protocol_9=(
        "protocol",
        lambda: archive([Part("archive/data.pkl", pickled(DICT, 9)), *pt_parts()[1:]]),
    ),
    long_version=("", lambda: archive([*pt_parts()[:3], Part("archive/version", b"")])[:-1]),
)
files(
    "unsafe_file",
    encrypted=("encrypted", lambda: lying(central={"flags": 1}, local={"flags": 1})),
    up_and_out=("..", lambda: with_entry("archive/../../evil.py")),
    absolute=("/etc/passwd", lambda: with_entry("/etc/passwd")),
    drive=("C:/", lambda: with_entry("C:/evil.py")),
    backslash=("\\\\", lambda: with_entry("archive\\..\\evil.py")),
    nul_in_a_name=("\\x00", lambda: with_entry("archive/a\0b")),
    right_to_left=(
        "\\xe2\\x80\\xae",
        lambda: with_entry(
            "archive/\u202egnp.exe", local={"flags": 0x800}, central={"flags": 0x800}
        ),
    ),
    long_name=("name", lambda: with_entry("archive/" + "x" * 400)),
    name_that_is_no_utf8=(
        "name",
        lambda: lying(local={"name": b"\xff"}, central={"name": b"\xff"}),
    ),
    folder=("name", lambda: with_entry("archive/data/", b"")),
    link=(
        "link",
        lambda: with_entry(
            "archive/link", b"/etc", central={"made": 3 << 8, "attributes": 0o120777 << 16}
        ),
    ),
    pipe=(
        "link",
        lambda: with_entry(
            "archive/pipe", b"", central={"made": 3 << 8, "attributes": 0o010644 << 16}
        ),
    ),
)
files(
    "unknown_format",
    archive_of_other_things=("neither", lambda: archive([Part("word/document.xml", b"<a/>")])),
    two_pickles=("neither", lambda: with_entry("other/data.pkl", PKL)),
    version_of_the_future=(
        "version",
        lambda: archive([*pt_parts()[:3], Part("archive/version", b"99\n")]),
    ),
)
files(
    "unusable_tensor",
    big_endian=(
        "byte order",
        lambda: archive([pt_parts()[0], Part("archive/byteorder", b"big"), *pt_parts()[2:]]),
    ),
)
files(
    "too_large_file",
    long_byte_order=(
        "at most 64",
        lambda: archive(
            [pt_parts()[0], Part("archive/byteorder", b"little" * 50), *pt_parts()[2:]]
        ),
    ),
    size_of_4_gb=(
        "would come to",
        lambda: lying(central={"stored": 0xFFFF_FFFF, "size": 0xFFFF_FFFF}),
    ),
    bomb=("would come to", lambda: npz(npy(data=bytes(32 << 20)), deflated=True)),
    texts_without_number=(
        "texts",
        lambda: npz(npy("'<U1'", "(70000,)", bytes(280_000)), deflated=True),
    ),
    bomb_of_a_pickle=(
        "",
        lambda: archive([Part("archive/data.pkl", bytes(32 << 20), True), *pt_parts()[1:]]),
    ),
    entries_without_number=(
        "20000 entries",
        lambda: archive([Part(f"a/{i}", b"") for i in range(20_000)]),
    ),
)

# -- numpy.savez -------------------------------------------------------------------------------


NO_BYTES = {"method": 8, "size": 99}


def inflating(told: int) -> bytes:
    """An array whose entry says another size than it inflates to."""
    sizes = {"size": told}
    return archive([Part("a.npy", npy(data=bytes(4000)), True, dict(sizes), dict(sizes))])


files(
    "unsafe_file",
    objects=("objects", lambda: npz(npy("'|O'", "(1,)", pickled(RUN)))),
    records=("objects or records", lambda: npz(npy("[('a', '<f4')]"))),
    objects_in_records=("objects or records", lambda: npz(npy("[('a', '|O')]"))),
    array_up_and_out=("..", lambda: archive([Part("../a.npy", npy())])),
)
files(
    "damaged_file",
    header_of_code=("not what numpy", lambda: npz(npy(header="__import__('os').system('true')"))),
    header_that_is_deep=("not what", lambda: npz(npy(shape="(" * 500 + ")" * 500))),
    header_of_many_signs=("not what numpy", lambda: npz(npy(shape="-" * 9000 + "1"))),
    header_of_power=("not what numpy", lambda: npz(npy(shape="9**9**9,"))),
    header_of_a_long_number=("", lambda: npz(npy(shape="(" + "9" * 5000 + ",)"))),
    header_without_shape=("not what numpy", lambda: npz(npy(header="{'descr': '<f4'}"))),
    header_with_more=(
        "not what numpy",
        lambda: npz(npy("'<f4', 'more': 1", "(2, 3)")),
    ),
    header_that_is_long=("says it has", lambda: npz(npy(length=60_000))),
    header_longer_than_the_file=("says it has", lambda: npz(npy(version=2, length=0x7FFF_FFFF))),
    order_of_a_number=("not what numpy", lambda: npz(npy(fortran="1"))),
    shape_of_a_number=("not what numpy", lambda: npz(npy(shape="6"))),
    array_negative=("not what numpy", lambda: npz(npy(shape="(-2, -3)"))),
    array_of_truth=("not what numpy", lambda: npz(npy(shape="(True, 6)"))),
    array_larger_than_told=("bytes", lambda: npz(npy(data=NUMBERS + b"more"))),
    array_smaller_than_told=("bytes", lambda: npz(npy(shape="(2, 4)"))),
    array_overflowing=("", lambda: npz(npy(shape="(4294967296, 4294967296)"))),
    array_of_version_9=("not an array", lambda: npz(npy(version=9))),
    array_of_nothing=("not an array", lambda: npz(b"")),
    array_of_a_page=("not an array", lambda: npz(b"<html>")),
    texts_of_half_characters=("no characters", lambda: npz(npy("'<U1'", "(1,)", b"\0\xd8\0\0"))),
    texts_past_unicode=("no characters", lambda: npz(npy("'<U1'", "(1,)", b"\xff\xff\xff\xff"))),
    texts_that_are_cut=("fill", lambda: npz(npy("'<U9'", "(2,)", b"a\0\0\0"))),
    inflates_to_more=("inflate", lambda: inflating(1000)),
    inflates_to_less=("inflate", lambda: inflating(9000)),
    inflates_to_nothing=(
        "does not inflate",
        lambda: archive([Part("a.npy", b"no deflated bytes", False, NO_BYTES, NO_BYTES)]),
    ),
)
files(
    "unusable_tensor",
    array_big_endian=(">f4", lambda: npz(npy("'>f4'"))),
    array_complex=("<c8", lambda: npz(npy("'<c8'", "(3,)"))),
    array_of_dates=("<M8", lambda: npz(npy("'<M8[s]'", "(3,)"))),
    array_of_void=("|V24", lambda: npz(npy("'|V24'", "()"))),
    array_with_nan=("a[1, 2] is nan", lambda: npz(npy(data=NUMBERS[:20] + NAN))),
    deflated_with_nan=("is nan", lambda: npz(npy(data=NUMBERS[:20] + NAN), deflated=True)),
)

# -- safetensors -------------------------------------------------------------------------------

NESTED = '{"a":' + "[" * 5000 + "]" * 5000 + "}"
TWICE = json.dumps({"w": place(), "v": place()}).replace('"v"', '"w"')
files(
    "damaged_file",
    header_past_the_end=("cut short", lambda: safetensors(length=1000)),
    header_shorter=("JSON", lambda: safetensors(length=5)),
    header_no_json=("JSON", lambda: safetensors("{weight}")),
    header_no_utf8=("JSON", lambda: safetensors(b'{"\xff": 1}')),
    header_nested=("JSON", lambda: safetensors(NESTED)),
    header_names_twice=("twice", lambda: safetensors(TWICE)),
    header_key_twice=("twice", lambda: safetensors('{"w": {"dtype": "F32", "dtype": "F16"}}')),
    header_nan=("NaN", lambda: safetensors('{"w": NaN}')),
    header_infinity=("Infinity", lambda: safetensors('{"w": {"dtype": -Infinity}}')),
    header_digits=("JSON", lambda: safetensors('{"w": ' + "9" * 5000 + "}")),
    header_list_inside=("something else", lambda: safetensors({"w": [1, 2]})),
    header_key_missing=("something else", lambda: safetensors({"w": {"dtype": "F32"}})),
    header_key_more=("something else", lambda: safetensors({"w": place() | {"code": "exit()"}})),
    header_about_numbers=("__metadata__", lambda: safetensors({"__metadata__": {"a": 1}})),
    header_about_list=("__metadata__", lambda: safetensors({"__metadata__": []})),
    place_overlapping=(
        "ends at 24",
        lambda: safetensors({"a": place(), "b": place(shape=[3], offsets=[12, 24])}),
    ),
    place_behind_a_gap=(
        "begins at byte 4",
        lambda: safetensors({"a": place(shape=[5], offsets=[4, 24])}),
    ),
    place_leaves_bytes=("the file has", lambda: safetensors(data=NUMBERS + b"more")),
    place_past_the_end=("the file has", lambda: safetensors(data=NUMBERS[:-1])),
    place_reversed=("bytes", lambda: safetensors({"a": place(offsets=[24, 0])})),
    place_negative=("begins at", lambda: safetensors({"a": place(offsets=[-24, 0])})),
    place_of_fractions=("whole numbers", lambda: safetensors({"a": place(offsets=[0.0, 24.0])})),
    place_of_truth=("whole numbers", lambda: safetensors({"a": place(offsets=[False, 24])})),
    place_of_three=("whole numbers", lambda: safetensors({"a": place(offsets=[0, 12, 24])})),
    place_huge=(
        "bytes",
        lambda: safetensors({"a": place(offsets=[0, 1 << 63])}),
    ),
    shape_of_truth=("none", lambda: safetensors({"a": place(shape=[True, 6])})),
    shape_negative=("none", lambda: safetensors({"a": place(shape=[-2, -3])})),
    shape_of_fractions=("none", lambda: safetensors({"a": place(shape=[2.0, 3.0])})),
    shape_of_text=("sizes", lambda: safetensors({"a": place(shape="23")})),
    shape_overflowing=(
        "more numbers",
        lambda: safetensors({"a": place(shape=[1 << 32, 1 << 32], offsets=[0, 0])}),
    ),
    shape_of_other_size=("bytes", lambda: safetensors({"a": place(shape=[2, 2])})),
    shape_of_many_axes=("at most 8", lambda: safetensors({"a": place(shape=[1] * 9)})),
    named_nothing=("name", lambda: safetensors({"": place()})),
    named_with_escape=("cannot be seen", lambda: safetensors({"a\x1b[2J": place()})),
    named_half_a_character=(
        "cannot be seen",
        lambda: safetensors(json.dumps({"a\ud800": place()})),
    ),
)
files(
    "unusable_tensor",
    type_of_8_bits=("F8_E4M3", lambda: safetensors({"a": place("F8_E4M3", [24])})),
    type_unknown=("O", lambda: safetensors({"a": place("O")})),
    type_that_is_a_list=("is [", lambda: safetensors({"a": place(["F32"])})),
    safe_nan=("weight[1, 2] is nan", lambda: safetensors(data=NUMBERS[:20] + NAN)),
    safe_infinity=("weight[0, 0] is inf", lambda: safetensors(data=INFINITY + NUMBERS[4:])),
    safe_truth_of_2=("truth", lambda: safetensors({"a": place("BOOL", [24])}, b"\2" * 24)),
)
files(
    "too_large_file",
    header_told_huge=("header says", lambda: safetensors(length=1 << 62)),
    header_of_2_mb=("header says", lambda: safetensors(b"{" + b" " * (2 << 20) + b"}", b"")),
    header_of_brackets=(
        "lists more",
        lambda: safetensors('{"a":[' + "[]," * 300_000 + "[]]}", b""),
    ),
    header_of_numbers=("lists more", lambda: safetensors('{"a":[' + "1," * 500_000 + "1]}", b"")),
    header_of_4097=(
        "lists more",
        lambda: safetensors({f"w{i}": place(shape=[0], offsets=[0, 0]) for i in range(4097)}, b""),
    ),
)

# -- no weights at all -------------------------------------------------------------------------

files(
    "unknown_format",
    empty=("empty", b""),
    one_byte=("no file of weights", b"P"),
    page=("web page", b"<!DOCTYPE html><title>Sign in</title>"),
    page_behind_spaces=("web page", b"\n\n  <html></html>"),
    pointer=("Git LFS", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
    hdf5=("HDF5", b"\x89HDF\r\n\x1a\n" + bytes(100)),
    gguf=("GGUF", b"GGUF\3\0\0\0" + bytes(100)),
    gzip=("gzip", b"\x1f\x8b\x08" + bytes(100)),
    array_alone=("single array", lambda: npy()),
    text_file=("no file of weights", b"0.1 0.2 0.3\n" * 10),
    json_file=("no file of weights", b'{"weight": [1, 2, 3]}'),
    zeros=("no file of weights", bytes(1000)),
    old_pickle=("no file of weights", b"cbuiltins\nexec\n(Vprint()\ntR."),
)  # fmt: skip
