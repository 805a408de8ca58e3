import io
import struct
import time
import zipfile

import pytest

from backend.errors import Invalid, TooLarge
from backend.folder_zip import MAX_ENTRIES, found_in, read_about, unpack

FILES = {"config.json": b"{}", "model.safetensors": b"weights", "vocabulary.json": b"[]"}


def archive(tmp_path, files: dict, how=zipfile.ZIP_DEFLATED, edit=lambda info: None):
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w") as target:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = how
            edit(info)
            target.writestr(info, content)
    return path


@pytest.mark.parametrize("inside", ["", "toy/", "наша сеть/"])
@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_known_files_are_unpacked_and_no_others(tmp_path, inside, how):
    files = {inside + name: raw for name, raw in FILES.items()}
    more = {inside + "run.py": b"1", "../../config": b"2", inside + "deep/config": b"3"}
    path = archive(tmp_path, files | more, how)
    assert set(found_in(path)) == set(FILES)
    unpack(path, tmp_path / "out", 1000)
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == FILES
    assert read_about(tmp_path / "out") == {}


@pytest.mark.parametrize(
    "files",
    [
        {"archive/data.pkl": b"", "archive/version": b"3"},  # what torch saves
        {"a/b/config.json": b"{}", "a/b/model.safetensors": b""},
        {"a/config.json": b"{}", "b/config.json": b"{}", "model.safetensors": b""},
        {f"{k}": b"" for k in range(MAX_ENTRIES + 1)} | FILES,
        {"x" * 60000: b""} | {"y" * 60000: b""} | FILES,
    ],
    ids=["of torch", "too deep", "two", "many entries", "long names"],
)
def test_what_is_no_folder_of_a_checkpoint_is_left_to_others(tmp_path, files):
    assert found_in(archive(tmp_path, files)) == {}


@pytest.mark.parametrize(
    "raw", [b"", b"PK\x03\x04", b"PK\x03\x04" + bytes(70000), b"PK\x05\x06" * 9]
)
def test_bytes_that_are_no_zip_are_left_to_others(tmp_path, raw):
    (tmp_path / "a.zip").write_bytes(raw)
    assert found_in(tmp_path / "a.zip") == {}


def test_a_directory_that_says_it_is_huge_is_not_read(tmp_path):
    path = archive(tmp_path, FILES)
    raw = bytearray(path.read_bytes())
    at = raw.rfind(b"PK\x05\x06")
    for offset, form, value in ((10, "<H", 0xFFFF), (12, "<I", 1 << 30)):
        forged = bytearray(raw)
        struct.pack_into(form, forged, at + offset, value)
        path.write_bytes(forged)
        assert found_in(path) == {}


def link(info):
    info.external_attr = 0o120777 << 16


REFUSED = {
    "no weights": (lambda p: archive(p, {"config.json": b"{}"}), "no model.safetensors"),
    "a link": (lambda p: archive(p, FILES, edit=link), "plain file"),
    "bzip2": (lambda p: archive(p, FILES, zipfile.ZIP_BZIP2), "stored or deflated"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_unpacked_is_named(tmp_path, what):
    make, says = REFUSED[what]
    with pytest.raises(Invalid, match=says) as caught:
        unpack(make(tmp_path), tmp_path / "out", 1000)
    assert caught.value.code == "damaged_file"


def test_a_wrong_checksum_is_named_with_its_file(tmp_path):
    path = archive(tmp_path, FILES, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"weights", b"weighty"))
    with pytest.raises(Invalid, match=r"model\.safetensors"):
        unpack(path, tmp_path / "out", 1000)


def test_a_bomb_is_refused_before_it_unfolds(tmp_path):
    path = archive(tmp_path, {"config.json": b"{}", "model.safetensors": bytes(64 << 20)})
    assert path.stat().st_size < 1 << 17
    begun = time.monotonic()
    with pytest.raises(TooLarge):
        unpack(path, tmp_path / "out", 1 << 30)
    assert time.monotonic() - begun < 5
    assert sum(p.stat().st_size for p in (tmp_path / "out").iterdir()) < 1 << 20


@pytest.mark.parametrize(
    ("name", "size"), [("model.safetensors", 2000), ("README.md", (256 << 10) + 1)]
)
def test_a_file_past_its_size_is_refused(tmp_path, name, size):
    path = archive(tmp_path, FILES | {name: b"x" * size}, zipfile.ZIP_STORED)
    with pytest.raises(TooLarge, match=name):
        unpack(path, tmp_path / "out", 1000)


def test_an_entry_longer_than_it_says_is_refused(tmp_path):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("config.json", b"{}")
        target.writestr("model.safetensors", bytes(5000))
    forged = raw.getvalue().replace(struct.pack("<I", 5000), struct.pack("<I", 50))
    (tmp_path / "a.zip").write_bytes(forged)
    with pytest.raises(Invalid, match=r"model\.safetensors"):
        unpack(tmp_path / "a.zip", tmp_path / "out", 1000)


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"[" * 100000])
def test_a_config_that_is_no_object_is_named(tmp_path, text):
    (tmp_path / "config.json").write_bytes(text)
    with pytest.raises(Invalid, match=r"config\.json"):
        read_about(tmp_path)
