"""GGUF files written by hand: what is in them, and those that lie."""

import resource
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import gguf
from models.checkpoint import CheckpointError
from models.gguf import Gguf, open_gguf
from tests.gguf_files import (
    F32,
    I32,
    LIST,
    TEXT,
    TYPES,
    U32,
    field,
    file,
    line,
    pack,
    unpack,
    whole,
)

RANDOM = np.random.default_rng(0).standard_normal((3, 64)).astype(np.float32)
STEP = {"F32": 0, "F16": 2e-3, "Q4_0": 0.3, "Q4_1": 0.25, "Q8_0": 0.02}  # half a step of rounding


@pytest.mark.parametrize("kind", TYPES)
def test_each_way_of_storing_weights_is_read_as_its_formula_says(kind):
    found = Gguf(file([], {"w": (RANDOM, kind)})).tensor("w").numpy()
    assert found.dtype == np.float32
    slow = np.array(unpack(pack(RANDOM, kind), kind)).reshape(RANDOM.shape)
    assert found == pytest.approx(slow, abs=1e-6)
    assert found == pytest.approx(RANDOM, abs=STEP[kind])


@settings(max_examples=50)
@given(st.binary(min_size=136, max_size=136))
def test_any_bytes_are_read_as_the_formulas_say(raw):
    for kind, size in (("Q4_0", 18), ("Q4_1", 20), ("Q8_0", 34)):
        blocks = raw[: len(raw) // size * size]
        line_ = line("w", (len(blocks) // size, 32), TYPES[kind], 0)
        found = Gguf(whole([], [line_], blocks)).tensor("w").numpy().ravel()
        slow = np.array(unpack(blocks, kind), np.float32)
        finite = np.isfinite(slow)
        assert found[finite] == pytest.approx(slow[finite], rel=1e-6, abs=1e-3)


@pytest.mark.parametrize("version", [2, 3])
def test_fields_and_tensors_come_back_as_they_were_written(version):
    fields = [
        field("general.alignment", U32, 64),
        field("a.text", TEXT, "naïve 猫"),
        field("a.number", F32, 0.5),
        field("texts", LIST, (TEXT, ["", "b"])),
        field("numbers", LIST, (I32, [-1, 3])),
    ]
    tensors = {"one": (RANDOM, "Q8_0"), "two": (RANDOM[0], "F32"), "three": (RANDOM.T, "F16")}
    read = Gguf(file(fields, tensors, align=64, version=version))
    assert read.fields["a.text"] == "naïve 猫"
    assert read.fields["a.number"] == 0.5
    assert read.fields["texts"] == ["", "b"]
    assert read.fields["numbers"].tolist() == [-1, 3]
    assert {name: entry.shape for name, entry in read.entries.items()} == {
        "one": (3, 64), "two": (64,), "three": (64, 3)
    }  # fmt: skip
    assert read.tensor("two").tolist() == RANDOM[0].tolist()
    assert read.tensor("three").numpy() == pytest.approx(RANDOM.T, abs=2e-3)


# Files that lie

ONE = line("w", (2, 32), 0, 0)
DATA = bytes(256)
GOOD = whole([field("a", U32, 1)], [ONE], DATA)
LONG = struct.pack("<Q", 1 << 62)
HOSTILE = {
    "nothing": (b"", "ends inside its first bytes"),
    "no gguf": (b"PK\3\4" + GOOD[4:], "no GGUF file"),
    "old": (whole([], [], b"", version=1), "the version is 1; supported are 2 and 3"),
    "big-endian": (b"GGUF" + struct.pack(">I", 3) + bytes(64), "the version is 50331648"),
    "many tensors": (whole([], [], b"", counts=(1 << 60, 0)), "the number of tensors is 115292"),
    "many fields": (whole([], [], b"", counts=(0, 1 << 60)), "the number of fields is 115292"),
    "fewer fields": (whole([], [], b"", counts=(0, 9)), "ends inside the field"),
    "fewer tensors": (whole([], [], b"", counts=(9, 0)), "ends inside the tensor"),
    "long name": (whole([LONG + b"a"], [], b""), "the length of the name of a field is 46116"),
    "long text": (
        whole([b"\1" + bytes(7) + b"a" + struct.pack("<I", TEXT) + LONG], [], b""),
        "the length of the field 'a' is 4611",
    ),
    "text past the end": (
        whole([b"\1" + bytes(7) + b"a" + struct.pack("<IQ", TEXT, 99_999)], [], b""),
        "the file ends inside the field 'a'",
    ),
    "long list": (
        whole([b"\1" + bytes(7) + b"a" + struct.pack("<II", LIST, TEXT) + LONG], [], b""),
        "the length of the field 'a' is 4611",
    ),
    "list of texts past the end": (
        whole([b"\1" + bytes(7) + b"a" + struct.pack("<IIQ", LIST, TEXT, 1 << 20)], [], b""),
        "the file ends inside the field 'a'",
    ),
    "list of numbers past the end": (
        whole([b"\1" + bytes(7) + b"a" + struct.pack("<IIQ", LIST, U32, 1 << 20)], [], b""),
        "the file ends inside the field 'a'",
    ),
    "list of lists": (
        whole([b"\1" + bytes(7) + b"a" + struct.pack("<IIQ", LIST, LIST, 1)], [], b""),
        "a list of the type 9, which is not supported",
    ),
    "unknown field": (
        whole([b"\1" + bytes(7) + b"a" + struct.pack("<I", 77)], [], b""),
        "the field 'a' has the type 77",
    ),
    "no utf-8": (whole([field("a", TEXT, b"\xff")], [], b""), "the field 'a' is not UTF-8"),
    "a field twice": (whole([field("a", U32, 1)] * 2, [], b""), "the field 'a' is there twice"),
    "alignment": (
        whole([field("general.alignment", U32, 0)], [ONE], DATA), "general.alignment is 0"
    ),
    "unknown weights": (whole([], [line("w", (2,), 99, 0)], DATA), "the type 99; supported"),
    "weights not read": (whole([], [line("w", (256,), 12, 0)], DATA), "the type Q4_K; supported"),
    "no axes": (whole([], [line("w", (), 0, 0)], DATA), "has 0 axes, expected 1 to 4"),
    "many axes": (whole([], [line("w", (1,) * 9, 0, 0)], DATA), "has 9 axes, expected 1 to 4"),
    "no rows": (whole([], [line("w", (0, 4), 0, 0)], DATA), "has the sizes"),
    "absurd sizes": (whole([], [line("w", (1 << 40, 1 << 40), 0, 0)], DATA), "more than any file"),
    "sizes that overflow": (whole([], [line("w", (1 << 63, 2), 0, 0)], DATA), "more than any file"),
    "broken block": (whole([], [line("w", (2, 33), 2, 0)], DATA), "rows of 33, no multiple of 32"),
    "offset between": (whole([], [line("w", (2,), 0, 7)], DATA), "begins at 7, no multiple of 32"),
    "offset outside": (whole([], [line("w", (2,), 0, 1 << 50)], DATA), "and the file at"),
    "past the end": (whole([], [line("w", (65,), 0, 0)], DATA), "ends at byte 3"),
    "overlapping": (
        whole([], [line("w", (16,), 0, 0), line("x", (8,), 0, 32)], DATA),
        "the tensors 'w' and 'x' overlap",
    ),
    "a tensor twice": (
        whole([], [line("w", (2,), 0, 0), line("w", (2,), 0, 32)], DATA),
        "the tensor 'w' is there twice",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_lies_is_refused_for_what_it_lies_about(tmp_path, name):
    raw, message = HOSTILE[name]
    path = tmp_path / "x.gguf"
    path.write_bytes(raw)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CheckpointError, match=message if raw else "holds 0 bytes"):
        open_gguf(path)
    with pytest.raises(CheckpointError, match=message):
        Gguf(raw)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 << 10  # KiB


def test_a_file_that_was_cut_anywhere_is_refused():
    for stop in range(len(GOOD)):
        with pytest.raises(CheckpointError, match="ends"):
            Gguf(GOOD[:stop])


@settings(max_examples=200)
@given(st.integers(0, len(GOOD) - len(DATA) - 1), st.integers(0, 255))
def test_a_byte_that_was_changed_is_no_worse_than_a_refusal(at, byte):
    raw = bytearray(GOOD)
    raw[at] = byte
    try:
        read = Gguf(bytes(raw))
        for name in read.entries:
            read.tensor(name)
    except CheckpointError:
        pass


def test_what_comes_before_the_data_is_bounded(monkeypatch):
    monkeypatch.setattr(gguf, "MAX_HEAD", 40)
    with pytest.raises(CheckpointError, match="before the data is more than 40 bytes"):
        Gguf(GOOD)


def test_a_file_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(CheckpointError, match=r"x\.gguf is missing"):
        open_gguf(tmp_path / "x.gguf")
