"""The checkpoints that come with the repository: what holds for each of them, whatever its kind."""

import json
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from backend.settings import Settings
from models.fetch import SOURCES
from models.kinds import open_checkpoint
from models.resting import COUNTS
from models.training.__main__ import commands
from tests.backend.serving import in_process

ROOT = Path(__file__).resolve().parent.parent.parent
FETCHED = {source.id for source in SOURCES.values()}  # by `make model`; they do not come along
FOLDERS = sorted(
    path for path in (ROOT / "checkpoints").iterdir() if path.is_dir() and path.name not in FETCHED
)
EACH = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
MEGABYTE = 10**6


@cache
def opened(folder: Path):
    return open_checkpoint(folder, capacity=2)


def about(folder: Path) -> dict:
    return json.loads((folder / "config.json").read_text("utf-8"))


def card(folder: Path) -> str:
    return (folder / "README.md").read_text("utf-8")


def test_there_is_a_checkpoint():
    assert ROOT / "checkpoints" / "hello-rnn" in FOLDERS


def test_every_checkpoint_comes_from_a_recipe_that_can_be_run_again():
    assert {folder.name for folder in FOLDERS} <= set(commands())


def test_no_file_is_too_large_for_a_repository_and_all_together_are_not():
    sizes = [path.stat().st_size for folder in FOLDERS for path in folder.rglob("*")]
    assert max(sizes) <= 10 * MEGABYTE
    assert sum(sizes) <= 45 * MEGABYTE


def stored(folder: Path) -> dict[str, torch.Tensor]:
    """The weights in a file, in float64: floats as they are, rows of integers times their scale."""
    found = {n: v.double() for n, v in load_file(folder / "model.safetensors").items()}
    scales = {name: found.pop(name) for name in [n for n in found if n.endswith(".scale")]}
    return found | {
        n: found[n] * scales[f"{n}.scale"][:, None] for n in found if f"{n}.scale" in scales
    }


@EACH
def test_a_checkpoint_loads_and_says_what_is_inside(folder):
    runner, told = opened(folder), about(folder)
    config = runner.network.config
    assert config == type(config)(**told["config"])
    assert told["config"].items() <= config.to_dict().items()
    tensors = load_file(folder / "model.safetensors")
    assert told["parameters"] == sum(tensor.numel() for tensor in stored(folder).values())
    packed = {name for name, tensor in tensors.items() if f"{name}.scale" in tensors}
    assert {name for name, tensor in tensors.items() if tensor.dtype == torch.int8} == packed
    counts = {name for name in tensors if name.startswith(COUNTS)}
    assert all(tensors[name].dtype == torch.float16 for name in tensors.keys() - packed - counts)
    assert all(tensors[name].dtype in (torch.uint8, torch.int32) for name in counts)
    assert told["title"]
    assert told["licence"]
    assert f"make train NAME={folder.name}" in card(folder)


def test_all_of_them_load_in_the_server():
    with in_process(Settings(checkpoints=ROOT / "checkpoints", device="cpu")) as client:
        ready = client.get("/readyz")
        assert ready.status_code == 200
        here = [name for name in ready.json()["ready"] if name not in FETCHED]
        assert here == [folder.name for folder in FOLDERS]
        assert ready.json()["failed"] == {}
