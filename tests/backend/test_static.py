import gzip
import os
import re

import pytest

from backend import static
from tests.backend.serving import SECURITY, assert_error

TEXTS = sorted(
    str(path.relative_to(static.FOLDER)).replace(os.sep, "/")
    for path in static.FOLDER.rglob("*")
    if path.suffix in static.TYPES
)


def get(client, name: str, version: str | None = None, encoding: str = "identity"):
    address = f"/static/{version or static.version()}/{name}"
    return client.get(address, headers={"Accept-Encoding": encoding})


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_is_served_as_it_is_with_its_type_and_the_security_headers(client, name):
    answer = get(client, name)
    assert answer.status_code == 200
    assert answer.content == (static.FOLDER / name).read_bytes()
    assert answer.headers["content-type"] == static.TYPES[(static.FOLDER / name).suffix]
    assert set(answer.headers) >= SECURITY
    assert "content-encoding" not in answer.headers


def test_an_address_with_the_right_version_may_be_kept_for_ever(client):
    assert get(client, "mark.svg").headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("version", ["000000000000", "x", "latest"])
def test_an_address_with_another_version_is_served_and_not_kept(client, version):
    answer = get(client, "mark.svg", version)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["mark.svg", "js/page.js", "css/base.css", static.PLOTLY])
def test_the_compressed_variant_is_the_file(client, name):
    with client.stream(
        "GET", f"/static/{static.version()}/{name}", headers={"Accept-Encoding": "br, gzip"}
    ) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(raw)
    assert gzip.decompress(raw) == get(client, name).content


@pytest.mark.parametrize("encoding", ["identity", "br", "gzip;q=0", "gzip; q=0.0, br", ""])
def test_who_does_not_take_gzip_gets_none(client, encoding):
    assert "content-encoding" not in get(client, "mark.svg", encoding=encoding).headers


def test_fonts_are_not_compressed_twice(client):
    (name, *_) = [name for name in TEXTS if name.endswith(".woff2")]
    assert "content-encoding" not in get(client, name, encoding="gzip").headers


def test_plotly_comes_from_its_wheel(client):
    answer = get(client, static.PLOTLY)
    assert answer.content == static.plotly_file().read_bytes()
    assert answer.headers["content-type"].startswith("text/javascript")


OUTSIDE = [
    "../../backend/app.py",
    "..%2f..%2fbackend%2fapp.py",
    "%2e%2e/%2e%2e/pyproject.toml",
    "js/../../templates/base.html",
    "js/../../../checkpoints/hello-rnn/config.json",
    "....//....//pyproject.toml",
    "..\\..\\pyproject.toml",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "/etc/hosts.json",
    "mark.svg%00",
    "%00",
    "js",
    "js/",
    "",
    ".",
    "nothing.js",
    "mark.svg/x.js",
    "a" * 300 + ".js",
    "a/" * 2000 + "x.js",
    "%ff%fe.js",
    "%2e%2e%2f%2e%2e%2fbackend%2fapp.py",
    "%252e%252e%252fapp.py",
    "..%5c..%5cpyproject.toml",
    "%c0%ae%c0%ae/app.py",
    "js/%00.js",
    "C:%5cwindows%5cwin.ini",
    "file:///etc/hosts.json",
    "mark.svg%20",
    "mark.svg::$DATA",
    "MARK.SVG%2f..",
    "CON.js",
]


@pytest.mark.parametrize("name", OUTSIDE, ids=range(len(OUTSIDE)))
def test_nothing_but_the_static_files_can_be_reached(client, name):
    assert_error(client.get(f"/static/{static.version()}/{name}"), 404, "not_found")


def test_paths_are_refused_by_the_finder_itself_and_not_by_a_client_that_tidies_them():
    for name in ("../templates/base.html", "js/../../templates/base.html", "/etc/hosts.json"):
        with pytest.raises(static.NotFound):
            static._find(name)


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path, monkeypatch):
    inside, outside = tmp_path / "static", tmp_path / "secret.json"
    inside.mkdir()
    outside.write_text("{}")
    (inside / "link.json").symlink_to(outside)
    monkeypatch.setattr(static, "FOLDER", inside)
    with pytest.raises(static.NotFound):
        static._find("link.json")


def test_a_file_of_a_type_that_is_not_listed_is_not_served(tmp_path, monkeypatch):
    (tmp_path / "page.html").write_text("<p>")
    (tmp_path / "fine.css").write_text("p{}")
    monkeypatch.setattr(static, "FOLDER", tmp_path)
    assert static._find("fine.css") == tmp_path / "fine.css"
    with pytest.raises(static.NotFound):
        static._find("page.html")


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "LINK"]
)
def test_files_can_be_read_and_nothing_else(client, method):
    answer = client.request(method, f"/static/{static.version()}/mark.svg")
    assert_error(answer, 405, "method_not_allowed")


def test_the_head_of_a_file_is_its_headers(client):
    answer = client.head(f"/static/{static.version()}/mark.svg")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"


RANGES = {
    "one": "bytes=0-10",
    "a thousand": "bytes=" + ",".join("0-10" for _ in range(1000)),
    "backwards": "bytes=10-5",
    "beyond": "bytes=999999999999999999999-",
    "nonsense": "bytes=a-b, \xff",
    "another unit": "lines=1-2",
}


@pytest.mark.parametrize("header", RANGES.values(), ids=RANGES)
@pytest.mark.parametrize("condition", [{}, {"If-Range": '"nonsense'}, {"If-None-Match": "*"}])
def test_a_request_for_ranges_costs_one_file(client, header, condition):
    headers = {"Range": header.encode("latin-1")} | condition
    answer = client.get(f"/static/{static.version()}/mark.svg", headers=headers)
    assert answer.status_code == 200
    assert answer.content == (static.FOLDER / "mark.svg").read_bytes()


def test_the_version_changes_with_any_file_and_not_otherwise(tmp_path, monkeypatch):
    monkeypatch.setattr(static, "FOLDER", tmp_path)
    (tmp_path / "a.js").write_text("1")
    first = static.version()
    assert re.fullmatch("[0-9a-f]{12}", first)
    assert static.version() == first
    (tmp_path / "a.js").write_text("12")
    second = static.version()
    (tmp_path / "b.js").write_text("")
    assert len({first, second, static.version()}) == 3


def test_a_file_that_was_changed_is_served_as_it_is_now(client, tmp_path, monkeypatch):
    monkeypatch.setattr(static, "FOLDER", tmp_path)
    file = tmp_path / "a.js"
    for text in ("one", "another"):
        file.write_text(text)
        os.utime(file, ns=(len(text), len(text)))
        assert get(client, "a.js").text == text
        assert get(client, "a.js", encoding="gzip").text == text
