"""safetensors files whose header and bytes do not fit."""

import json

from tests.hostile_weights.entries import INFINITY, NAN, files
from tests.weight_files import NUMBERS, place, safetensors

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
