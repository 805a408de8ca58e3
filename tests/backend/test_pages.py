"""Every page in every language: what it holds, where it leads, and nothing that runs."""

import re

import pytest
from starlette.testclient import TestClient

from backend import static
from backend.i18n import LANGUAGES
from backend.pages import TEMPLATES
from tests.backend.html import BROWSER, Page, read, written
from tests.backend.serving import SECURITY, assert_error

PAGES = {
    "": "home.html",
    "checkpoints": "checkpoints.html",
    "checkpoints/toy-lstm": "card.html",
    "lab/toy-lstm": "lab.html",
    "lab/toy-additive": "translate.html",
    "lab/toy-soft": "caption-lab.html",
    "caption": "caption-lab.html",
    "lab/toy-shapes": "question-lab.html",
    "lab/toy-gpt": "transformer.html",
    "lab/toy-encoder": "transformer.html",
    "lab/toy-transformer": "transformer.html",
    "compare": "compare.html",
    "steps": "steps.html",
    "steps/toy-encoder": "steps.html",
    "lessons": "lessons.html",
    "lessons/recurrent-cell": "lesson.html",
    "views": "views.html",
    "docs": "docs.html",
}
BOTH = pytest.mark.parametrize("language", LANGUAGES)
EACH = pytest.mark.parametrize("page", PAGES)


@pytest.fixture(scope="module")
def client(kinds: TestClient) -> TestClient:
    """Asks an application that has loaded toys of every kind."""
    return kinds


@BOTH
@EACH
def test_every_page_is_there_in_every_language_and_says_which(client, language, page):
    found = read(client, f"/{language}/{page}")
    assert found.all("html")[0]["lang"] == language
    assert len(found.all("title")) >= 1
    assert len(found.all("main")) == 1
    assert len(found.all("h1")) == 1


@BOTH
@EACH
def test_every_page_leads_to_itself_in_the_other_language(client, language, page):
    other = next(name for name in LANGUAGES if name != language)
    links = read(client, f"/{language}/{page}").all("a")
    (link,) = [a for a in links if a.get("hreflang") == other]
    assert link["href"] == f"/{other}/{page}"
    assert link["lang"] == other
    read(client, link["href"])


@pytest.mark.parametrize(
    "address", ["nothing", "lessons/nothing", "lab/nothing", "steps/toy-soft", "class"]
)
def test_what_cannot_be_shown_is_told_in_the_language_of_the_page(client, address):
    shown = client.get(f"/ru/{address}", headers=BROWSER)
    assert shown.status_code == 404
    told = written(shown.text.partition("<h1")[2])
    assert re.findall("[A-Za-z]+", told.replace("--join", "")) == []


@BOTH
@EACH
def test_no_page_has_a_script_a_style_or_a_handler_in_it(client, language, page):
    found = read(client, f"/{language}/{page}")
    assert found.inline == []
    for tag, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        address = attributes.get("href") or attributes.get("src") or ""
        assert not address.lstrip().lower().startswith("javascript:")


@BOTH
@EACH
def test_everything_a_page_loads_comes_from_this_server_and_is_there(client, language, page):
    found = read(client, f"/{language}/{page}")
    loaded = [a["href"] for a in found.all("link")] + [
        a["src"] for tag in ("script", "img") for a in found.all(tag) if "src" in a
    ]
    assert loaded
    for address in loaded:
        assert address.startswith(f"/static/{static.version()}/"), address
        assert client.get(address).status_code == 200, address


@BOTH
@EACH
def test_every_link_inside_the_site_leads_somewhere(client, language, page):
    for link in read(client, f"/{language}/{page}").all("a"):
        address = link["href"].partition("#")[0].partition("?")[0]
        if address.startswith("/"):
            assert client.get(address).status_code == 200, link["href"]


@BOTH
def test_every_name_on_a_page_that_another_element_refers_to_is_there_once(client, language):
    for page in PAGES:
        found = read(client, f"/{language}/{page}")
        ids = [attributes["id"] for _, attributes in found.tags if attributes.get("id")]
        assert len(ids) == len(set(ids)), page
        for _, attributes in found.tags:
            for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
                for target in (attributes.get(name) or "").split():
                    assert target in ids, (page, name, target)


@pytest.mark.parametrize(
    ("accept", "language"),
    [("", "en"), ("ru", "ru"), ("ru-RU,ru;q=0.9,en;q=0.8", "ru"), ("de,en;q=0.5", "en")],
)
@pytest.mark.parametrize(("address", "page"), [("/", ""), ("/docs", "docs")])
def test_an_address_without_a_language_leads_to_the_readers(
    client, accept, language, address, page
):
    answer = client.get(address, headers={"Accept-Language": accept}, follow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["location"] == f"/{language}/{page}"
    assert answer.headers["vary"] == "Accept-Language"


@BOTH
@pytest.mark.parametrize("page", ["nothing", "lab/none", "lab/", "lab/toy-lstm/more", "lab/%00"])
def test_a_page_that_is_not_there_is_told_on_a_page_of_the_readers_language(client, language, page):
    found = read(client, f"/{language}/{page}", 404)
    assert found.all("html")[0]["lang"] == language


@pytest.mark.parametrize("address", ["/de/", "/nothing", "/english/lab/toy-lstm", "/en/lab/none"])
def test_a_program_gets_json_where_a_browser_gets_a_page(client, address):
    assert_error(client.get(address, headers={"Accept": "application/json"}), 404)
    read(client, address, 404)


def test_an_error_outside_the_languages_is_told_in_the_one_the_browser_asks_for(client):
    found = read(client, "/nothing/at/all", 404, **{"Accept-Language": "ru"})
    assert found.all("html")[0]["lang"] == "ru"
    asked = {"Accept": "text/html", "Accept-Language": "ru"}
    told = written(client.get("/nothing/at/all", headers=asked).text)
    assert "Такой страницы нет." in told
    assert "/docs" not in told  # that is for programs


def test_every_example_photo_is_small_and_says_whose_it_is():
    folder = static.FOLDER / "photos"
    credits = (folder / "CREDITS.txt").read_text("utf-8")
    template = (TEMPLATES / "photos.html").read_text("utf-8")
    photos = sorted(folder.glob("*.jpg"))
    assert {p.stem for p in photos} == set(re.findall(r'"name": "([\w-]+)"', template))
    for photo in photos:
        (line,) = re.findall(rf"^{photo.name}.*(?:\n +.*)*", credits, re.MULTILINE)
        assert re.search(r"\b(CC0|Public domain)\b", line), photo.name
        assert photo.stat().st_size <= 60_000


HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"


def test_names_from_a_checkpoint_are_shown_as_text_and_nothing_else(client, monkeypatch):
    entry = client.app.state.catalog.entries["toy-lstm"]
    for name in ("title", "licence", "kind", "prompt"):
        monkeypatch.setitem(entry.about, name, HOSTILE)
    monkeypatch.setattr(entry, "card", f"# {HOSTILE}\n\n[x](javascript:alert(1)) {HOSTILE}\n")
    for page in ("", "checkpoints", "checkpoints/toy-lstm", "lab/toy-lstm"):
        answer = client.get(f"/en/{page}")
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "49" not in re.findall(r"&amp;(\{\{7\*7\}\}|49)", answer.text)
        assert Page(answer.text).inline == []
        assert 'href="javascript' not in answer.text


def test_a_card_is_shown_as_text_whatever_it_holds(client, monkeypatch):
    card = "<img src=x onerror=alert(1)>\n\n[here](javascript:alert(1))\n\n| a |\n|---|\n| 1 |\n"
    monkeypatch.setattr(client.app.state.catalog.entries["toy-lstm"], "card", card)
    page = read(client, "/en/checkpoints/toy-lstm")
    assert page.all("td")
    assert not any(attributes.get("src") == "x" for attributes in page.all("img"))
    links = [attributes.get("href", "") for attributes in page.all("a")]
    assert not any(link.startswith("javascript:") for link in links)


def test_an_address_is_told_back_as_text_and_nothing_else(client):
    for address in ("/en/%3Cscript%3Ealert(1)%3C/script%3E", "/en/lab/%3Cscript%3Ealert(1)"):
        answer = client.get(address, headers=BROWSER)
        assert answer.status_code == 404
        assert "<script>alert" not in answer.text


def test_a_defect_of_a_page_is_told_on_a_page(client, monkeypatch):
    monkeypatch.setattr(client.app.state.catalog, "describe", lambda id: 1 / 0)
    answer = client.get("/en/lab/toy-lstm", headers=BROWSER)
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert "ZeroDivision" not in answer.text
    assert set(answer.headers) >= SECURITY


def test_every_template_with_a_page_of_its_own_is_tested_here():
    parts = {"base.html", "error.html", "lab-frame.html", "strings.html"}
    whole = {p.name for p in TEMPLATES.glob("*.html") if "extends" in p.read_text("utf-8")}
    door = {"join.html", "class.html"}  # see test_class_pages.py
    assert whole - parts == {*PAGES.values(), "figure-lab.html"} | door
