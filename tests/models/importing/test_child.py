"""A stranger's file is read in a process of its own, which cannot take more than it is given."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from models.importing import child
from models.importing.child import ChildLimits, read_in_child
from models.importing.foreign_file import read_foreign
from models.importing.refused import Refused
from models.importing.written import EXTRAS, TENSORS, write_extras, write_tensors
from tests import weight_files
from tests.hostile_weights.code import RUN, SENTINEL
from tests.weight_files import mapping, number, place, pt, tensor, text

ROOT = Path(__file__).resolve().parents[3]
LINUX = sys.platform == "linux"


@pytest.fixture
def out(tmp_path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "file"


def test_tensors_and_plain_data_come_over_bit_for_bit(file, out):
    file.write_bytes(pt(mapping({"weight": tensor(), "words": text("\u044f"), "epoch": number(3)})))
    found = read_in_child(file, out)
    assert found == {"format": "pt", "tensors": 1, "bytes": (out / TENSORS).stat().st_size}
    expected = read_foreign(file)
    assert {n: a.tolist() for n, a in safetensors.numpy.load_file(out / TENSORS).items()} == {
        name: array.tolist() for name, array in expected.tensors.items()
    }
    assert json.loads((out / EXTRAS).read_text()) == {
        "extras": {"words": "я", "epoch": 3},
        "left_out": [],
    }
    assert sorted(path.name for path in out.iterdir()) == [EXTRAS, TENSORS]


def test_a_refusal_comes_over_whole_and_nothing_stays(file, out):
    file.write_bytes(pt(RUN))
    with pytest.raises(Refused, match=r"builtins\.exec") as refusal:
        read_in_child(file, out)
    with pytest.raises(Refused) as expected:
        read_foreign(file)
    assert vars(refusal.value) == vars(expected.value)
    assert list(out.iterdir()) == []
    assert not (file.parent / SENTINEL).exists()


def write_zeros(file: Path, size: int) -> None:
    """A good file of so many bytes of zeros, which take no room on the disk."""
    head = weight_files.safetensors({"w": place(shape=[size // 4], offsets=[0, size])}, b"")
    file.write_bytes(head)
    os.truncate(file, len(head) + size)


LIMITS = {  # and the bytes of the file
    "time": (ChildLimits(wall_seconds=0.01), 1 << 20),
    "memory": (ChildLimits(memory_bytes=16 << 20), 1 << 20),
    "memory for numbers": (ChildLimits(memory_bytes=600 << 20), 1 << 30),
    "processor time": (ChildLimits(cpu_seconds=0), 1 << 20),
    "output": (ChildLimits(output_bytes=1 << 20), 2 << 20),
}


@pytest.mark.parametrize("name", LIMITS if LINUX else ["time"])
def test_a_child_that_runs_out_of_a_limit_is_a_refusal_and_leaves_nothing(name, file, out):
    limits, size = LIMITS[name]
    write_zeros(file, size)
    with pytest.raises(Refused) as refusal:
        read_in_child(file, out, limits)
    assert refusal.value.code == "too_large_file"
    assert list(out.iterdir()) == []


def pretend(monkeypatch, tmp_path, program: str) -> None:
    """Put a program in the place of the reader."""
    main = tmp_path / "main.py"
    main.write_text(
        "import json, os, sys\nfrom pathlib import Path\nout = Path(sys.argv[2])\n" + program
    )
    monkeypatch.setattr(child, "MAIN", main)


SAID = "(out / 'result.json').write_text(json.dumps({}))\n"
GONE_WRONG = {
    "it dies": "os.kill(os.getpid(), 9)",
    "it says nothing": "",
    "it says no JSON": "(out / 'result.json').write_text('{')",
    "it says a list": SAID.format([]),
    "it nests": "(out / 'result.json').write_text('[' * 50_000)",
    "it says too much": "(out / 'result.json').write_text(' ' * 70_000 + '{}')",
    "it links": "os.symlink('/etc/hostname', out / 'result.json')",
    "an unknown format": SAID.format({"format": "exe", "tensors": 1, "bytes": 1}),
    "numbers as texts": SAID.format({"format": "pt", "tensors": "1", "bytes": 1}),
    "no file for its numbers": SAID.format({"format": "pt", "tensors": 1, "bytes": 100}),
    "an unknown code": SAID.format({"refused": ["fine", "", ""]}),
    "half a refusal": SAID.format({"refused": ["unsafe_file"]}),
}  # fmt: skip


@pytest.mark.parametrize("name", GONE_WRONG)
def test_a_child_gone_wrong_is_not_believed(name, file, out, monkeypatch, tmp_path):
    file.write_bytes(pt())
    pretend(monkeypatch, tmp_path, GONE_WRONG[name])
    with pytest.raises(Refused) as refusal:
        read_in_child(file, out)
    assert refusal.value.code == "too_large_file"
    assert list(out.iterdir()) == []


def test_a_full_disk_is_told_as_such(file, out, monkeypatch, tmp_path):
    file.write_bytes(pt())
    pretend(monkeypatch, tmp_path, SAID.format({"disk_full": True}))
    with pytest.raises(OSError) as error:
        read_in_child(file, out)
    assert error.value.errno == errno.ENOSPC


def test_the_child_sees_nothing_of_the_environment_and_of_open_files(
    file, out, monkeypatch, tmp_path
):
    file.write_bytes(pt())
    monkeypatch.setenv("UNROLLED_SECRET", "word")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    seen = tmp_path / "seen.json"
    pretend(
        monkeypatch,
        tmp_path,
        "seen = [dict(os.environ), sys.path, sys.stdin.read()]\n"
        f"Path({str(seen)!r}).write_text(json.dumps(seen))",
    )
    with pytest.raises(Refused):
        read_in_child(file, out)
    environment, path, read = json.loads(seen.read_text())
    assert "UNROLLED_SECRET" not in environment
    assert str(tmp_path) not in path
    assert read == ""


def test_the_reader_runs_as_a_module_too(file, out):
    file.write_bytes(pt())
    subprocess.run([sys.executable, "-m", "models.importing", file, out], cwd=ROOT, check=True)
    assert read_foreign(out / TENSORS).tensors["weight"].shape == (2, 3)


def test_what_is_written_is_what_safetensors_reads(tmp_path):
    random = np.random.default_rng(0)
    arrays = {
        "truth": np.array([True, False, True]),
        "half": random.standard_normal(3).astype(np.float16),
        "double": random.standard_normal((2, 2)),
        "none": np.zeros((0, 3), np.float32),
        "number": np.array(3),
        "имя": np.ones(1, np.float32),
    }
    size = write_tensors(tmp_path / "file", arrays)
    assert size == (tmp_path / "file").stat().st_size
    found = safetensors.numpy.load_file(tmp_path / "file")
    assert {n: (a.dtype, a.shape, a.tobytes()) for n, a in found.items()} == {
        n: (a.dtype, a.shape, a.tobytes()) for n, a in arrays.items()
    }


def test_half_a_character_survives_in_the_extras(tmp_path):
    write_extras(tmp_path / "file", {"text": "\ud800"}, ("a",))
    assert json.loads((tmp_path / "file").read_text("ascii"))["extras"] == {"text": "\ud800"}
