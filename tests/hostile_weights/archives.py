"""Zip archives that contradict themselves, hide something or swell."""

import struct

from tests.hostile_weights.entries import files
from tests.weight_files import (
    DICT,
    NUMBERS,
    Part,
    archive,
    descriptor,
    mapping,
    npy,
    npz,
    pickled,
    pt_parts,
    tensor,
)

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
