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


@EACH
def test_a_checkpoint_loads_and_says_what_is_inside(folder):
    runner, told = opened(folder), about(folder)
    assert runner.network.config.to_dict() == told["config"]
    tensors = load_file(folder / "model.safetensors")
    assert told["parameters"] == sum(tensor.numel() for tensor in tensors.values())
    assert all(tensor.dtype == torch.float16 for tensor in tensors.values())
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
