import errno
import json
import os

import pytest

from backend.errors import Full
from backend.shelf import ARRIVING, Shelf, room_on_disk, shown_name, title_of, write_json


def put(shelf: Shelf, id: str = "import-0123456789ab", **files: str):
    """An import with these files."""
    with shelf.arriving() as folder:
        write_json(folder / "import.json", {"name": "a.pt"})
        for name, text in files.items():
            (folder / name.replace("_", ".")).write_text(text)
        shelf.keep(folder, id)
    return shelf.folder / id


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("model.pt", "model.pt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\модель.pt", "модель.pt"),
        ("a\u202egpj.pt", "agpj.pt"),
        ("a\x00b\x1b[31m\n.pt", "ab[31m.pt"),
        ("/", "unnamed"),
        ("..", ".."),
        ("", "unnamed"),
        ("\ud800", "unnamed"),
        ("😀" * 300, "😀" * 120),
        ("👩\u200d🔬.pt", "👩\u200d🔬.pt"),
        ("<img src=x onerror=alert(1)>.pt", "<img src=x onerror=alert(1)>.pt"),
        ("  .pt  ", ".pt"),
    ],
)
def test_a_name_is_shown_without_its_path_and_what_cannot_be_seen(name, shown):
    assert shown_name(name) == shown


@pytest.mark.parametrize(
    ("name", "title"), [("model.pt", "model"), (".pt", ".pt"), ("v1.2", "v1.2"), ("a.b.npz", "a.b")]
)
def test_a_title_is_the_name_without_its_ending(name, title):
    assert title_of(name) == title


def test_an_import_is_listed_once_it_is_whole(tmp_path):
    shelf = Shelf(tmp_path / "imports", 1 << 20)
    assert shelf.ids() == []
    with shelf.arriving() as folder:
        write_json(folder / "import.json", {})
        assert shelf.ids() == []
        assert folder.name.startswith(ARRIVING)
        shelf.keep(folder, "import-0123456789ab")
    assert shelf.ids() == ["import-0123456789ab"]
    assert not shelf.complete("import-0123456789ab")
    put(shelf, "import-aaaaaaaaaaaa", config_json="{}")
    assert shelf.complete("import-aaaaaaaaaaaa")
    assert shelf.used() == sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file())


def test_what_a_crash_has_left_is_not_listed_and_is_swept(tmp_path):
    (tmp_path / f"{ARRIVING}abc").mkdir()
    (tmp_path / f"{ARRIVING}abc" / "original").write_bytes(bytes(100))
    (tmp_path / ".leaving-abc").mkdir()
    (tmp_path / "import-0123456789ab").mkdir()  # without what says that it is whole
    (tmp_path / "notes").mkdir()
    shelf = Shelf(tmp_path, 1 << 20)
    shelf.sweep()
    assert shelf.ids() == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["import-0123456789ab", "notes"]


def test_links_are_not_followed(tmp_path):
    away = put(Shelf(tmp_path / "away", 1 << 20))
    shelf = Shelf(tmp_path / "imports", 1 << 20)
    put(shelf)
    os.symlink(away, shelf.folder / "import-aaaaaaaaaaaa")
    os.symlink(away, shelf.folder / f"{ARRIVING}link")
    inside = put(shelf, "import-bbbbbbbbbbbb")
    os.symlink("/etc/hostname", inside / "config.json")
    shelf.sweep()
    assert shelf.ids() == ["import-0123456789ab"]
    assert (away / "import.json").is_file()
    assert shelf.used() < 1000


@pytest.mark.parametrize(
    "id", ["..", "import-", "../away/import-0123456789ab", "import-0123456789AB"]
)
def test_what_is_no_name_of_an_import_is_not_held(tmp_path, id):
    put(Shelf(tmp_path / "away", 1 << 20))
    assert not Shelf(tmp_path / "imports", 1 << 20).holds(id)


def test_an_import_that_is_renewed_without_a_network_is_complete_no_more(tmp_path):
    shelf = Shelf(tmp_path, 1 << 20)
    id = put(shelf, config_json="{}").name
    with shelf.arriving() as folder:
        write_json(folder / "import.json", {"name": "b.pt"})
        shelf.renew(folder, id)
    assert not shelf.complete(id)
    assert shelf.read(id, "import.json") == {"name": "b.pt"}
    with shelf.arriving() as folder:
        write_json(folder / "config.json", {})
        shelf.renew(folder, id)
    assert shelf.complete(id)


def test_room_is_refused_by_the_limit_and_by_the_disk(tmp_path, monkeypatch):
    shelf = Shelf(tmp_path, 1000)
    put(shelf, notes="a" * 500)
    shelf.check_room(400)
    with pytest.raises(Full) as caught:
        shelf.check_room(600)
    assert caught.value.code == "imports_full"
    assert caught.value.details["limit"] == 1000
    monkeypatch.setattr(
        "backend.shelf.shutil.disk_usage", lambda path: type("Disk", (), {"free": 99})
    )
    with pytest.raises(Full) as caught:
        shelf.check_room(100)
    assert (caught.value.code, caught.value.details["free"]) == ("disk_full", 99)


def test_a_full_disk_is_an_error_of_its_own_and_other_failures_stay_what_they_are():
    with pytest.raises(Full, match="nothing of this file was kept"), room_on_disk():
        raise OSError(errno.ENOSPC, "full")
    with pytest.raises(PermissionError), room_on_disk():
        raise PermissionError(errno.EACCES, "denied")


def test_json_that_is_broken_reads_as_nothing(tmp_path):
    shelf = Shelf(tmp_path, 1 << 20)
    folder = put(shelf)
    for text in ("", "[1]", "{", "[" * 100000):
        (folder / "import.json").write_text(text)
        assert shelf.read(folder.name, "import.json") == {}
    assert json.loads("{}") == shelf.read(folder.name, "none.json")
