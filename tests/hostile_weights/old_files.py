"""Files as torch.save wrote them before it made archives."""

import struct

from tests.hostile_weights.entries import NAN, files
from tests.weight_files import (
    LIST,
    MARK,
    NONE,
    NUMBERS,
    TUPLE,
    legacy,
    legacy_storage,
    mapping,
    number,
    several,
    tensor,
    text,
)

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
