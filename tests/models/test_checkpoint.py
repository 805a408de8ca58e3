import json
import os
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save
from torch import nn

from models.checkpoint import (
    MAX_JSON_BYTES,
    MAX_TENSORS,
    CheckpointError,
    fill,
    read_checkpoint,
    read_weights,
    write_checkpoint,
    write_file,
)
from models.resting import packed, unpacked

ABOUT = {"kind": "char_rnn", "config": {"hidden_size": 2}}


@pytest.fixture
def folder(tmp_path):
    """A checkpoint folder in order, one tensor in it."""
    weights = {"weight": torch.arange(6.0).reshape(2, 3)}
    write_checkpoint(tmp_path / "toy", ABOUT, ["a", "b"], weights, "# Toy\n")
    return tmp_path / "toy"


def test_a_folder_reads_back_as_it_was_written(folder):
    files = read_checkpoint(folder)
    assert files.id == "toy"
    assert files.about == ABOUT | {"parameters": 6}
    assert files.vocabulary == ["a", "b"]
    assert files.card == "# Toy\n"
    assert files.weights["weight"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_weights_rest_in_float16_and_are_read_as_float32(tmp_path):
    exact = torch.tensor([1 / 3, 65504.0, -1e-7, 2.0**-24])
    write_checkpoint(tmp_path, ABOUT, ["a"], {"w": exact}, "")
    assert b'"F16"' in (tmp_path / "model.safetensors").read_bytes()
    read = read_checkpoint(tmp_path).weights["w"]
    assert read.dtype == torch.float32
    assert torch.equal(read, exact.half().float())


def test_parameters_are_counted_when_a_checkpoint_is_written(tmp_path):
    write_checkpoint(tmp_path, ABOUT, ["a"], {"w": torch.ones(3, 5), "b": torch.ones(7)}, "")
    assert read_checkpoint(tmp_path).about["parameters"] == 22


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 70000.0])
def test_a_weight_that_float16_cannot_hold_is_refused_before_anything_is_written(tmp_path, value):
    weights = {"fine": torch.ones(2), "wild": torch.tensor([1.0, value])}
    with pytest.raises(CheckpointError, match="wild does not fit in float16"):
        write_checkpoint(tmp_path / "new", ABOUT, ["a"], weights, "")
    assert not (tmp_path / "new").exists()


SIDES = {"source.tokenizer.json": '{"a": "é"}\n', "target.tokenizer.json": "[]\n"}


def test_tokenizer_files_take_the_place_of_a_list_of_symbols(tmp_path):
    write_checkpoint(tmp_path, ABOUT, SIDES, {"w": torch.ones(1)}, "")
    assert not (tmp_path / "vocabulary.json").exists()
    files = read_checkpoint(tmp_path)
    assert files.tokenizers == SIDES
    assert files.vocabulary is None


def test_one_tokenizer_file_of_two_is_left_to_the_kind_to_judge(tmp_path):
    write_checkpoint(tmp_path, ABOUT, SIDES, {"w": torch.ones(1)}, "")
    (tmp_path / "target.tokenizer.json").unlink()
    assert list(read_checkpoint(tmp_path).tokenizers) == ["source.tokenizer.json"]


@pytest.mark.parametrize("name", SIDES)
def test_a_tokenizer_file_that_is_too_large_or_no_text_is_refused_by_name(tmp_path, name):
    write_checkpoint(tmp_path, ABOUT, SIDES, {"w": torch.ones(1)}, "")
    (tmp_path / name).write_bytes(b"\xff\xfe")
    with pytest.raises(CheckpointError, match=f"{name} is not UTF-8"):
        read_checkpoint(tmp_path)
    (tmp_path / name).write_bytes(b" " * (MAX_JSON_BYTES + 1))
    with pytest.raises(CheckpointError, match=f"{name} is larger than {MAX_JSON_BYTES} bytes"):
        read_checkpoint(tmp_path)


def test_letters_of_any_alphabet_are_written_as_themselves(tmp_path):
    write_checkpoint(tmp_path, ABOUT, ["ж", "😀", "\n"], {"w": torch.ones(1)}, "Карточка\n")
    assert "ж" in (tmp_path / "vocabulary.json").read_text("utf-8")
    assert read_checkpoint(tmp_path).vocabulary == ["ж", "😀", "\n"]
    assert read_checkpoint(tmp_path).card == "Карточка\n"


def test_a_checkpoint_without_a_card_has_an_empty_one(folder):
    (folder / "README.md").unlink()
    assert read_checkpoint(folder).card == ""


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "config.json"
    write_file(path, "old")

    def fail(*arguments):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        write_file(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.json"]


BROKEN_JSON = {
    "cut off": b'{"kind": "char_rnn", ',
    "not UTF-8": b'{"kind": "\xff"}',
    "nested too deep": b"[" * 100_000,
    "a number of 5000 digits": b'{"kind": ' + b"7" * 5000 + b"}",
    "empty": b"",
}


@pytest.mark.parametrize("file", ["config.json", "vocabulary.json"])
@pytest.mark.parametrize("raw", BROKEN_JSON.values(), ids=BROKEN_JSON)
def test_a_file_that_is_not_json_is_refused_by_name(folder, file, raw):
    (folder / file).write_bytes(raw)
    with pytest.raises(CheckpointError, match=rf"{file} is not (valid JSON|UTF-8)"):
        read_checkpoint(folder)


def test_a_folder_without_a_vocabulary_is_read_and_has_none(folder):
    (folder / "vocabulary.json").unlink()
    assert read_checkpoint(folder).vocabulary is None


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_a_file_that_is_not_there_is_refused_by_name(folder, file):
    (folder / file).unlink()
    with pytest.raises(CheckpointError, match=f"{file} is missing"):
        read_checkpoint(folder)


def test_a_json_file_past_its_cap_is_refused_unread(folder):
    (folder / "vocabulary.json").write_bytes(b" " * ((8 << 20) + 1))
    with pytest.raises(CheckpointError, match=r"vocabulary\.json is larger than 8388608 bytes"):
        read_checkpoint(folder)


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ([], 'must be an object with an object "config"'),
        ({"kind": "char_rnn"}, 'must be an object with an object "config"'),
        ({"kind": "char_rnn", "config": [1]}, 'must be an object with an object "config"'),
        ({"config": {}}, 'must name its "kind"'),
        ({"config": {}, "kind": 5}, 'must name its "kind"'),
    ],
)
def test_a_config_that_lacks_what_is_needed_is_refused_with_what_is_needed(folder, about, message):
    (folder / "config.json").write_text(json.dumps(about))
    with pytest.raises(CheckpointError, match=rf"config\.json {message}"):
        read_checkpoint(folder)


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ({"a": 0}, "must be a list of strings"),
        (["a", 1], "must be a list of strings"),
        ([], "must hold distinct symbols, at least one"),
        (["a", "b", "a"], "must hold distinct symbols, at least one"),
        (["a", "\ud800"], "must hold characters, found a lone surrogate"),
    ],
)
def test_a_vocabulary_that_is_no_alphabet_is_refused(folder, vocabulary, message):
    (folder / "vocabulary.json").write_text(json.dumps(vocabulary))
    with pytest.raises(CheckpointError, match=rf"vocabulary\.json {message}"):
        read_checkpoint(folder)


def raw_safetensors(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


HOSTILE = {
    "empty": b"",
    "seven bytes": b"\0" * 7,
    "a header longer than the file": struct.pack("<Q", 1 << 40) + b"{}",
    "a header that is not JSON": raw_safetensors(b"{{{{"),
    "a header past its cap": raw_safetensors(b" " * ((1 << 20) + 1)),
    "a tensor outside the file": raw_safetensors(
        b'{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}', b"\0" * 8
    ),
    "bytes that do not match the shape": raw_safetensors(
        b'{"w":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}', b"\0" * 4
    ),
    "an overflowing shape": raw_safetensors(
        b'{"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}'
    ),
    "a dtype nobody knows": raw_safetensors(
        b'{"w":{"dtype":"Q7","shape":[4],"data_offsets":[0,4]}}', b"\0" * 4
    ),
    "a zip": b"PK\x03\x04" + b"\0" * 100,
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_weights_file_is_refused_by_its_name(tmp_path, raw):
    path = tmp_path / "model.safetensors"
    path.write_bytes(raw)
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        read_weights(path)


def test_a_weights_file_cut_off_anywhere_is_refused(folder):
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"model\.safetensors"):
            read_weights(path)


@given(st.binary(max_size=200))
def test_any_bytes_at_all_end_in_a_checkpoint_error(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("bytes") / "model.safetensors"
    path.write_bytes(raw)
    with pytest.raises(CheckpointError):
        read_weights(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_weight_that_is_not_finite_is_refused_by_the_name_of_its_tensor(tmp_path, value):
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({"good": torch.ones(3), "bad": torch.tensor([0.0, value])}))
    with pytest.raises(CheckpointError, match="bad holds NaN or infinity"):
        read_weights(path)


def test_a_weight_too_large_for_float32_is_refused_by_the_name_of_its_tensor(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({"huge": torch.tensor([1e300], dtype=torch.float64)}))
    with pytest.raises(CheckpointError, match="huge holds NaN or infinity"):
        read_weights(path)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn])
def test_a_tensor_of_a_type_weights_do_not_have_is_refused_by_name(tmp_path, dtype):
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({"odd": torch.zeros(2).to(dtype)}))
    with pytest.raises(CheckpointError, match=r"odd is torch.*expected"):
        read_weights(path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_floating_type_in_use_is_read_as_float32(tmp_path, dtype):
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({"w": torch.tensor([0.5, -2.0], dtype=dtype)}))
    read = read_weights(path)["w"]
    assert read.dtype == torch.float32
    assert read.tolist() == [0.5, -2.0]


def test_more_tensors_than_any_network_has_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({f"w{k}": torch.ones(1) for k in range(MAX_TENSORS + 1)}))
    with pytest.raises(CheckpointError, match=f"{MAX_TENSORS + 1} tensors"):
        read_weights(path)


def on_meta() -> nn.Module:
    with torch.device("meta"):
        return nn.Linear(3, 2)


def test_a_network_built_without_memory_is_filled_and_cannot_be_trained_by_accident():
    weights = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
    network = fill(on_meta(), weights)
    assert network(torch.ones(3)).tolist() == [3, 3]
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"weight": (2, 3)}, r"bias \(2,\) is missing from model\.safetensors"),
        (
            {"weight": (3, 2), "bias": (2,)},
            r"weight has shape \(3, 2\), expected \(2, 3\)",
        ),
        ({"weight": (2, 3), "bias": (2,), "extra": (1,)}, "extra is not part of this network"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named_with_what_was_expected(weights, message):
    with pytest.raises(CheckpointError, match=message):
        fill(on_meta(), {name: torch.zeros(shape) for name, shape in weights.items()})


def test_a_packed_checkpoint_reads_back_as_its_weights_with_half_the_bytes(tmp_path):
    weights = {"weight": torch.randn(64, 256), "bias": torch.randn(64)}
    write_checkpoint(tmp_path / "half", ABOUT, ["a"], weights, "")
    write_checkpoint(tmp_path / "toy", ABOUT, ["a"], weights, "", pack=True)
    sizes = [(tmp_path / n / "model.safetensors").stat().st_size for n in ("half", "toy")]
    assert sizes[1] < 0.53 * sizes[0]
    files = read_checkpoint(tmp_path / "toy")
    assert files.about["parameters"] == 64 * 256 + 64
    assert set(files.weights) == {"bias", "weight"}
    assert torch.equal(files.weights["bias"], weights["bias"].half().float())
    again = unpacked(packed(weights))["weight"]
    assert torch.equal(files.weights["weight"], again)


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        (None, r"weight is torch.int8, expected 16 to 64-bit floats, or weight.scale beside it"),
        (torch.ones(3).half(), r"weight.scale has shape \(3,\), expected one number for each row"),
        (torch.full((2,), float("nan")).half(), "weight holds NaN or infinity"),
    ],
)
def test_packed_rows_without_their_scale_are_refused_by_name(tmp_path, scale, message):
    tensors = {"weight": torch.ones(2, 3, dtype=torch.int8)}
    path = tmp_path / "model.safetensors"
    path.write_bytes(save(tensors if scale is None else tensors | {"weight.scale": scale}))
    with pytest.raises(CheckpointError, match=message):
        read_weights(path)
