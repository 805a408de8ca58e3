"""Every file of the attack corpus is refused by name, runs nothing, and costs little."""

import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from models.importing.foreign_file import read_foreign
from models.importing.refused import CODES, Refused
from tests.hostile_weights import HOSTILE
from tests.hostile_weights.code import LIVE, SENTINEL
from tests.hostile_weights.pickles import tied
from tests.weight_files import legacy, npy, npz, pickled, pt, safetensors

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 0.05  # of processor time, the best of five
ALLOWANCE = 2 << 20  # bytes of memory beside twice the file: buffers, the objects of a small pickle


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One place for all files: making one for each would take longer than reading."""
    return tmp_path_factory.mktemp("hostile")


def cost(file: Path) -> tuple[Refused, float, int]:
    """The refusal, the processor seconds it took, and the bytes of memory at its peak."""
    seconds = []
    while not seconds or (min(seconds) > SECONDS and len(seconds) < 5):
        start = time.thread_time()
        with pytest.raises(Refused):
            read_foreign(file)
        seconds.append(time.thread_time() - start)
    tracemalloc.start()
    with pytest.raises(Refused) as refusal:
        read_foreign(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return refusal.value, min(seconds), peak


def test_there_are_attacks_of_every_kind():
    assert len(HOSTILE) > 300
    assert {code for code, _, _ in HOSTILE.values()} == set(CODES)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_by_name_at_once_and_runs_nothing(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    code, word, make = HOSTILE[name]
    file = folder / "file"
    file.write_bytes(make())
    refusal, seconds, peak = cost(file)
    assert (refusal.code, word in refusal.message) == (code, True), refusal
    assert refusal.message.isprintable()
    assert len(refusal.message) < 700
    assert refusal.hint
    assert seconds < SECONDS
    assert peak < 2 * file.stat().st_size + ALLOWANCE
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_good_tensors_without_number_are_counted_and_refused(folder):
    """Each costs what a good tensor costs: this is not at once."""
    file = folder / "file"
    file.write_bytes(tied(4097, 1))
    with pytest.raises(Refused, match="at most 4096") as refusal:
        read_foreign(file)
    assert refusal.value.code == "too_large_file"


def test_the_attacks_are_live(tmp_path):
    """Python's pickle runs each of LIVE; else their refusal would show nothing."""
    program = """if True:
        import os, pickle, sys
        from pathlib import Path
        for place in sorted(Path(sys.argv[1]).iterdir()):
            os.chdir(place)
            try:
                pickle.loads(Path("value").read_bytes())
            except Exception:
                pass  # what follows the script may fail
    """
    for name, value in LIVE.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "value").write_bytes(pickled(value))
    subprocess.run([sys.executable, "-I", "-c", program, tmp_path], check=True)
    assert {path.parent.name for path in tmp_path.glob(f"*/{SENTINEL}")} == set(LIVE)


GOOD = {
    "pt": pt(),
    "old pt": legacy(),
    "npz": npz(npy()),
    "deflated npz": npz(npy(), deflated=True),
    "safetensors": safetensors(),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_file_is_read_whole_and_refused_wherever_it_is_cut(name, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(GOOD[name])
    (tensor,) = read_foreign(file).tensors.values()
    assert tensor.tolist() == [[0.5, -1.0, 2.0], [3.25, -4.5, 6.0]]
    for length in range(0, len(GOOD[name]), 2):
        file.write_bytes(GOOD[name][:length])
        with pytest.raises(Refused):
            read_foreign(file)


def test_what_is_no_plain_file_is_refused_without_waiting(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(safetensors())
    places = [tmp_path, tmp_path / "missing", tmp_path / "nul\0", Path("/dev/zero")]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "link").symlink_to(file)
        places += [tmp_path / "pipe", tmp_path / "link"]
    for place in places:
        with pytest.raises(Refused) as refusal:
            read_foreign(place)
        assert refusal.value.code == "unknown_format", place


def test_a_file_of_many_gigabytes_is_refused_unread(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(safetensors())
    os.truncate(file, 5 << 30)  # takes no room on the disk
    with pytest.raises(Refused) as refusal:
        read_foreign(file)
    assert refusal.value.code == "too_large_file"


def test_the_corpus_is_refused_without_assertions_and_without_torch(tmp_path):
    """`python -O` leaves assertions out; the reader does without torch and without pickle."""
    for name, (_, _, make) in HOSTILE.items():
        (tmp_path / name).write_bytes(make())
    (tmp_path / "good.ok").write_bytes(pt())
    program = """if True:
        import sys
        sys.path.insert(0, sys.argv[2])
        from pathlib import Path
        from models.importing.foreign_file import read_foreign
        from models.importing.refused import Refused
        for path in sorted(Path(sys.argv[1]).iterdir()):
            try:
                read_foreign(path)
                print("read", path.name)
            except Refused:
                pass
        assert False, "assertions are left out"
        print(*sorted({"torch", "safetensors"} & sys.modules.keys()))
    """
    done = subprocess.run(
        [sys.executable, "-I", "-O", "-c", program, tmp_path, ROOT],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["read", "good.ok"]
