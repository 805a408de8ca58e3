import re
from html.parser import HTMLParser

import pytest

from backend import static
from backend.guards import CONTENT_SECURITY_POLICY
from backend.i18n import LANGUAGES
from backend.pages import TEMPLATES
from tests.backend.serving import SECURITY, assert_error

PAGES = {
    "": "home.html",
    "checkpoints": "checkpoints.html",
    "checkpoints/toy-lstm": "card.html",
    "lab/toy-lstm": "lab.html",
    "docs": "docs.html",
}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
BOTH = pytest.mark.parametrize("language", LANGUAGES)
EACH = pytest.mark.parametrize("page", PAGES)


class Page(HTMLParser):
    """What a test asks of a page."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.inline: list[str] = []
        self._script = False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        data = dict(attributes).get("type") == "application/json"  # is read and not run
        self._script = tag in ("script", "style") and not data

    def handle_endtag(self, tag):
        self._script = False

    def handle_data(self, data):
        if self._script and data.strip():
            self.inline.append(data)

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def read(client, address: str, status: int = 200, **headers) -> Page:
    answer = client.get(address, headers=BROWSER | headers)
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["cache-control"] == "no-cache"
    assert set(answer.headers) >= SECURITY
    return Page(answer.text)


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
    parts = {"base.html", "error.html", "strings.html"}
    whole = {p.name for p in TEMPLATES.glob("*.html") if "extends" in p.read_text("utf-8")}
    assert whole - parts == set(PAGES.values())
