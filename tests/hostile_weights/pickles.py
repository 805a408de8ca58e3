"""Pickles that grow, nest and lie."""

import struct

from tests.hostile_weights.code import FLOATS, ORDERED
from tests.hostile_weights.entries import INFINITY, NAN, beside, files, pickles
from tests.weight_files import (
    DICT,
    LIST,
    MARK,
    NONE,
    NUMBERS,
    TUPLE,
    call,
    mapping,
    number,
    pt,
    several,
    storage,
    tensor,
    text,
)


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
