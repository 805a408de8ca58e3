"""What pickles of other times and programs hold, written opcode by opcode."""

import struct
from pathlib import Path

import pytest

from models.importing import opcodes
from models.importing.foreign_file import ForeignFile, read_foreign
from models.importing.refused import Refused
from tests.weight_files import (
    BUILD,
    DICT,
    FALSE,
    LIST,
    MARK,
    NEWOBJ,
    NONE,
    REDUCE,
    TUPLE,
    Part,
    archive,
    call,
    legacy,
    legacy_storage,
    mapping,
    named,
    number,
    pickled,
    pt,
    pt_parts,
    several,
    storage,
    tensor,
    text,
)

WEIGHT = [[0.5, -1.0, 2.0], [3.25, -4.5, 6.0]]


@pytest.fixture
def read(tmp_path):
    """Reads bytes as a file."""

    def read(raw: bytes) -> ForeignFile:
        file: Path = tmp_path / "file"
        file.write_bytes(raw)
        return read_foreign(file)

    return read


def old_text(value: str) -> bytes:
    """SHORT_BINSTRING, a text of Python 2."""
    return b"U" + bytes([len(value)]) + value.encode()


def weight(more: bytes = NONE) -> bytes:
    return mapping({"state_dict": mapping({"weight": tensor()}), "more": more})


def test_a_file_of_python_2_is_read(read):
    """Its texts are bytes, and what it remembers is counted from 1."""
    value = DICT + b"q\1" + old_text("weight") + b"q\2" + tensor() + b"q\3s"
    assert read(pt(value)).tensors["weight"].tolist() == WEIGHT


def test_an_ordered_dict_made_of_pairs_is_a_dict(read):
    pairs = LIST + MARK + LIST + MARK + text("weight") + tensor() + b"e" + b"e"
    value = named("collections", "OrderedDict") + several(pairs) + REDUCE
    assert read(pt(value)).tensors["weight"].tolist() == WEIGHT


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_protocols_2_to_5_are_read(read, protocol):
    value = pickled(mapping({"weight": tensor()}), protocol)
    parts = [Part("archive/data.pkl", value), *pt_parts()[1:]]
    assert read(archive(parts)).tensors["weight"].tolist() == WEIGHT


def test_tensors_of_the_first_versions_and_of_gpus_are_read(read):
    plain = call(
        "torch._utils", "_rebuild_tensor", storage(), number(0),
        several(number(2), number(3)), several(number(3), number(1)),
    )  # fmt: skip
    on_gpu = tensor(storage(device="cuda:0").replace(b"ctorch\n", b"ctorch.cuda\n"))
    parameter = call("torch._utils", "_rebuild_parameter", plain, FALSE, NONE)
    parts = several(*map(number, (2, 3))), several(*map(number, (3, 1)))
    typed = call(
        "torch._tensor", "_rebuild_from_type_v2",
        named("torch._utils", "_rebuild_tensor_v2"), named("torch.nn.parameter", "Parameter"),
        several(storage(), number(0), *parts, FALSE, NONE), mapping({"note": text("x")}),
    )  # fmt: skip
    file = read(pt(mapping({"a": plain, "b": on_gpu, "c": parameter, "d": typed})))
    assert [array.tolist() for array in file.tensors.values()] == [WEIGHT] * 4


def test_an_old_file_may_hold_storages_that_are_views(read):
    view = legacy_storage(view=several(text("1"), number(2), number(3)))
    value = mapping({"weight": tensor(view, 1, (2,), (1,))})
    assert read(legacy(value)).tensors["weight"].tolist() == [3.25, -4.5]


def test_settings_of_known_packages_are_left_out_by_name(read):
    config = named("omegaconf.dictconfig", "DictConfig") + TUPLE + NEWOBJ
    config += mapping({"_content": mapping({"rate": number(1)}), "_parent": NONE}) + BUILD
    enum = call("pytorch_lightning.trainer.states", "TrainerFn", text("fit"))
    file = read(pt(weight(mapping({"config": config, "state": enum, "size": number(3)}))))
    assert file.extras == {"more": {"size": 3}}
    assert file.left_out == ("more.config", "more.state")


def test_hyperparameters_of_lightning_are_a_dict(read):
    hyper = named("pytorch_lightning.utilities.parsing", "AttributeDict") + TUPLE + NEWOBJ
    hyper += MARK + text("hidden_size") + number(3) + b"u"
    assert read(pt(weight(hyper))).extras == {"more": {"hidden_size": 3}}


def test_a_value_that_hangs_in_two_places_is_in_both(read):
    shared = LIST + b"\x94" + text("a") + b"a"
    file = read(pt(weight(mapping({"one": shared, "two": b"h\0"}))))
    assert file.extras == {"more": {"one": ["a"], "two": ["a"]}}


def test_a_vocabulary_of_fifty_thousand_words_is_read(read):
    count = 50_000
    words = b"".join(text(f"word{i}") + b"\x94" + number(i) for i in range(count))
    file = read(pt(weight(DICT + MARK + words + b"u")))
    assert len(file.extras["more"]) == count


def test_every_opcode_is_read_or_refused_by_name(read):
    """None falls through: a pickle that begins with it is refused, or it is one of those read."""
    known = {code for name, code in vars(opcodes).items() if name.isupper() and type(code) is int}
    for code in range(256):
        parts = [Part("archive/data.pkl", b"\x80\2" + bytes([code]) + b"."), *pt_parts()[1:]]
        with pytest.raises(Refused) as refusal:
            read(archive(parts))
        named_here = "opcode" in refusal.value.message
        assert named_here == (code not in known), hex(code)


def test_numbers_without_a_name_are_not_guessed(read):
    raw = struct.pack("<6f", *range(6))
    file = read(pt(mapping({"a": tensor(), "list": LIST + tensor() + b"a"}), {"0": raw}))
    assert list(file.tensors) == ["a"]
