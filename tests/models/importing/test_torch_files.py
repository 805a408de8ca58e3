"""Files that torch, numpy and safetensors write are read bit for bit."""

import argparse
import collections
import io
import pathlib
import types
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from models.importing.foreign_file import ForeignFile, read_foreign
from models.importing.refused import Refused

NEW, OLD = {}, {"_use_new_zipfile_serialization": False}
FORMS = {"zip": NEW, "old": OLD, "zip, protocol 4": {"pickle_protocol": 4}}


@pytest.fixture(params=FORMS)
def saved(request, tmp_path):
    """Saves a value with torch in one of its forms, and reads it here."""

    def save(value) -> ForeignFile:
        torch.save(value, tmp_path / "file", **FORMS[request.param])
        return read_foreign(tmp_path / "file")

    return save


def check_same(found: dict[str, np.ndarray], expected: dict[str, torch.Tensor]) -> None:
    """The same names in the same order, and of each the same type, shape and bits."""
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        tensor = tensor.detach()
        if tensor.dtype == torch.bfloat16:
            tensor = tensor.float()  # exact: the upper half of a float32
        array = tensor.numpy()
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
        assert found[name].flags.c_contiguous
        assert found[name].tobytes() == np.ascontiguousarray(array).tobytes(), name


def tensors() -> dict[str, torch.Tensor]:
    """One of each kind that is read."""
    torch.manual_seed(0)
    tied, wide = nn.Parameter(torch.randn(5, 3)), torch.randn(4, 9)
    return {
        "float16": torch.randn(3, 4).half(),
        "bfloat16": torch.randn(7).bfloat16(),
        "float32": torch.randn(2, 3, 4),
        "float64": torch.randn(3).double(),
        "tied": tied,
        "tied again": tied,
        "parameter": nn.Parameter(torch.randn(3), requires_grad=False),
        "transposed": torch.randn(4, 6).t(),
        "transposed bfloat16": torch.randn(4, 6).bfloat16().t(),
        "turned": torch.randn(2, 3, 4).permute(2, 0, 1),
        "row of a matrix": wide[2],
        "columns of a matrix": wide[:, 2:5],
        "every second": torch.arange(10.0)[1::2],
        "one number": torch.tensor(3),
        "none": torch.zeros(0, 3),
        "truth": torch.tensor([True, False]),
        **{f"int{n}": torch.arange(-3, 3, dtype=getattr(torch, f"int{n}")) for n in (8, 16, 32)},
        "uint8": torch.arange(256).byte(),
        "edges": torch.tensor([0.0, -0.0, 1e-45, -3.4e38]),
        "имя": torch.ones(1),
    }


def test_each_kind_of_tensor_is_read_bit_for_bit(saved):
    check_same(saved(tensors()).tensors, tensors())


NETWORKS = {
    "lstm": lambda: nn.LSTM(3, 4, 2, bidirectional=True),
    "projected lstm": lambda: nn.LSTM(3, 6, proj_size=2),
    "gru": lambda: nn.GRU(3, 4, bias=False),
    "rnn of several gpus": lambda: nn.DataParallel(nn.RNN(3, 4)),
    "convolutions": lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(2, 3)),
    "transformer": lambda: nn.Sequential(nn.Embedding(5, 3), nn.TransformerEncoderLayer(4, 2)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_state_dict_of_a_network_is_read_bit_for_bit(saved, name):
    expected = NETWORKS[name]().state_dict()
    check_same(saved(expected).tensors, expected)


def test_tied_weights_share_their_memory(saved):
    found = saved(tensors()).tensors
    assert np.shares_memory(found["tied"], found["tied again"])


def trained() -> tuple[nn.Module, dict]:
    """A network, and the state of Adam after its first step."""
    network = nn.LSTM(2, 3)
    average = {
        i: {"step": torch.tensor(1.0), "exp_avg": torch.zeros_like(value)}
        for i, value in enumerate(network.parameters())
    }
    groups = [{"lr": 1e-3, "betas": (0.9, 0.999), "params": list(average)}]
    return network, {"state": average, "param_groups": groups}


def test_of_a_checkpoint_of_lightning_the_weights_and_the_plain_data_are_taken(saved):
    network, optimiser = trained()
    file = saved(
        {
            "epoch": 3,
            "global_step": 120,
            "pytorch-lightning_version": "2.2.0",
            "state_dict": collections.OrderedDict(
                (f"model.{name}", value) for name, value in network.state_dict().items()
            ),
            "loops": {"fit_loop": {"state_dict": {}}},
            "callbacks": {"ModelCheckpoint{'monitor': 'loss'}": {"best": torch.tensor(0.5)}},
            "optimizer_states": [optimiser],
            "lr_schedulers": [],
            "hparams_name": "kwargs",
            "hyper_parameters": {"hidden_size": 3, "vocabulary": ["a", "b"], "rate": 1e-3},
        }
    )
    assert list(file.tensors) == [f"model.{name}" for name in network.state_dict()]
    assert file.extras == {
        "epoch": 3,
        "global_step": 120,
        "pytorch-lightning_version": "2.2.0",
        "hparams_name": "kwargs",
        "hyper_parameters": {"hidden_size": 3, "vocabulary": ["a", "b"], "rate": 1e-3},
    }
    assert file.left_out == ("loops", "callbacks", "optimizer_states", "lr_schedulers")


def test_of_an_average_beside_the_model_the_model_is_taken(saved):
    network, optimiser = trained()
    file = saved({"ema": tensors(), "model": network.state_dict(), "opt": optimiser})
    check_same(file.tensors, network.state_dict())
    assert set(file.left_out) == {"ema", "opt"}


def test_the_parts_of_a_network_keep_the_names_of_their_parts(saved):
    encoder, optimiser = trained()
    file = saved(
        {
            "iteration": 4000,
            "en": encoder.state_dict(),
            "de": nn.Linear(2, 1).state_dict(),
            "en_opt": optimiser,
            "voc_dict": {"word2index": {"a": 3}, "index2word": {3: "a"}},
        }
    )
    assert list(file.tensors) == [f"en.{name}" for name in encoder.state_dict()] + [
        "de.weight",
        "de.bias",
    ]
    assert file.extras["voc_dict"] == {"word2index": {"a": 3}, "index2word": {"3": "a"}}


def test_plain_data_beside_the_weights_comes_as_json_would_have_it(saved):
    more = {
        "args": argparse.Namespace(hidden=3, path=pathlib.PurePosixPath("/data/x")),
        "space": types.SimpleNamespace(depth=2),
        "counts": collections.Counter("aab"),
        "default": collections.defaultdict(list, {"x": [1]}),
        "set": {1},
        "frozen": frozenset({"b"}),
        "tuple": (1, (2, 3)),
        "number of numpy": np.float64(3.5),
        "size": torch.Size([3, 4]),
        "device": torch.device("cpu"),
        "dtype": torch.float32,
        "infinite": float("inf"),
        "none": None,
        "truth": True,
    }
    less = {"array": np.ones(3), "bytes": b"x", "big": 1 << 70, "holes": ["a", b"b"]}
    less |= {"tensors": [torch.ones(1)]}
    file = saved({"w": torch.ones(1), "optimizer": "adam", **more, **less})
    assert file.extras == {
        "optimizer": "adam",
        "args": {"hidden": 3, "path": "/data/x"},
        "space": {"depth": 2},
        "counts": {"a": 2, "b": 1},
        "default": {"x": [1]},
        "set": [1],
        "frozen": ["b"],
        "tuple": [1, [2, 3]],
        "number of numpy": 3.5,
        "size": [3, 4],
        "device": "cpu",
        "dtype": "torch.float32",
        "infinite": "inf",
        "none": None,
        "truth": True,
    }
    assert file.left_out == tuple(less)


def unusable() -> dict[str, object]:
    torch.manual_seed(0)
    return {
        "a whole model": nn.Linear(1, 1),
        "a tensor alone": torch.ones(3),
        "sparse": {"w": torch.ones(3).to_sparse()},
        "expanded": {"w": torch.ones(1).expand(4)},
        "meta": {"w": torch.ones(3, device="meta")},
        "complex": {"w": torch.ones(3, dtype=torch.complex64)},
        "8 bits": {"w": torch.ones(3, dtype=torch.float8_e4m3fn)},
        "nan": {"w": torch.tensor([1.0, float("nan")])},
    }


@pytest.mark.parametrize("name", unusable())
def test_what_is_no_dense_tensor_by_name_is_refused_with_a_way_out(name, tmp_path):
    torch.save(unusable()[name], tmp_path / "file")
    with pytest.raises(Refused) as refusal:
        read_foreign(tmp_path / "file")
    assert refusal.value.code in ("unusable_tensor", "unsafe_file", "unknown_format")
    assert refusal.value.hint


def test_an_archive_packed_again_by_another_program_is_read(tmp_path):
    """Python's zipfile writes other headers than torch: no descriptors, no wide end record."""
    torch.save(tensors(), tmp_path / "file")
    with (
        zipfile.ZipFile(tmp_path / "file") as old,
        zipfile.ZipFile(tmp_path / "again", "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    check_same(read_foreign(tmp_path / "again").tensors, tensors())


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_of_numpy_are_read_bit_for_bit(save, tmp_path):
    random = np.random.default_rng(0)
    arrays = {
        "encoder/kernel:0": random.standard_normal((3, 4), np.float32),
        "columns": np.asfortranarray(random.standard_normal((3, 4))),
        "half": random.standard_normal(5).astype(np.float16),
        "whole": np.arange(3),
        "truth": np.array([True, False]),
        "number": np.float32(2.5),
        "none": np.zeros((0, 2), np.float32),
    }
    save(tmp_path / "file.npz", **arrays, words=np.array(["<s>", "да"]))
    file = read_foreign(tmp_path / "file.npz")
    assert file.format == "npz"
    assert file.extras == {"words": ["<s>", "да"]}
    check_same(file.tensors, {name: torch.from_numpy(np.array(a)) for name, a in arrays.items()})


def test_numpy_itself_agrees_on_what_it_wrote(tmp_path):
    file = io.BytesIO()
    np.savez_compressed(file, w=np.arange(6.0).reshape(2, 3))
    (tmp_path / "file").write_bytes(file.getvalue())
    with np.load(tmp_path / "file") as loaded:
        assert (loaded["w"] == read_foreign(tmp_path / "file").tensors["w"]).all()


def test_safetensors_are_read_bit_for_bit(tmp_path):
    contiguous = {n: t.detach().contiguous() for n, t in tensors().items() if n != "tied again"}
    safetensors.torch.save_file(contiguous, tmp_path / "file", {"vocabulary": "ab"})
    file = read_foreign(tmp_path / "file")
    assert file.extras == {"vocabulary": "ab"}
    check_same({name: file.tensors[name] for name in contiguous}, contiguous)
