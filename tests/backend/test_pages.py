import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from backend import pages, static
from backend.guards import CONTENT_SECURITY_POLICY
from backend.i18n import LANGUAGES
from backend.pages import TEMPLATES
from backend.settings import Settings
from tests.backend.serving import SECURITY, assert_error, in_process
from tests.toys import write_toys
from tests.toys.pictures import write_answerer, write_captioner
from tests.toys.transformers import write_transformers
from tests.toys.translators import write_translator

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
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
BOTH = pytest.mark.parametrize("language", LANGUAGES)
EACH = pytest.mark.parametrize("page", PAGES)


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Iterator[TestClient]:
    """Asks an application that has loaded toys of every kind."""
    folder = tmp_path_factory.mktemp("kinds")
    write_toys(folder)
    for name in ("toy-additive", "toy-plain"):
        write_translator(folder / name, name)
    for name in ("toy-soft", "toy-hard", "toy-blind"):
        write_captioner(folder / name, name)
    write_answerer(folder / "toy-shapes")
    write_transformers(folder)
    with in_process(Settings(checkpoints=folder, device="cpu")) as client:
        yield client


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
def test_titles_of_checkpoints_are_in_the_language_of_the_page(client, language, monkeypatch):
    told, shown = (
        "Linux kernel C, LSTM",
        {"en": "Linux kernel C, LSTM", "ru": "Код ядра Linux, LSTM"},
    )
    entry = client.app.state.catalog.entry("toy-lstm")
    monkeypatch.setitem(entry.about, "title", told)
    for page in ("", "checkpoints", "lab/toy-lstm", "lab/toy-gru", "compare"):
        html = client.get(f"/{language}/{page}").text
        data = json.loads(re.search(r'id="page-data">(.*?)</script>', html)[1])
        assert data["titles"].get(told, told) == shown[language]
        assert page == "compare" or shown[language] in html
    assert client.get("/api/checkpoints/toy-lstm").json()["title"] == told


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


def written(html: str) -> str:
    """What a page says, without its marks, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def become(client, monkeypatch, name: str, **about) -> None:
    """Let a toy say other things of itself, as if it were of another kind."""
    for key, value in about.items():
        monkeypatch.setitem(client.app.state.catalog.entries[name].about, key, value)


@pytest.mark.parametrize(("language", "word"), [("en", "haracter"), ("ru", "имвол")])
def test_the_lab_of_a_network_that_reads_tokens_does_not_speak_of_characters(
    client, monkeypatch, language, word
):
    def told() -> list[str]:
        page, data = client.get(f"/{language}/lab/toy-lstm").text.split('id="page-data">')
        words = " ".join(json.loads(data.partition("</script>")[0])["strings"].values())
        return re.findall(f".{{0,40}}{word}.{{0,20}}", written(page) + re.sub(r"{\w+}", "", words))

    assert len(told()) > 10
    config = client.get("/api/checkpoints/toy-lstm").json()["config"]
    become(client, monkeypatch, "toy-lstm", config=config | {"reads": "tokens"}, figures={})
    assert told() == []


def doors(client) -> list[str]:
    """The networks that the home page's doors open on."""
    buttons = [a for a in read(client, "/en/").all("a") if "large" in a.get("class", "")]
    return [a["href"].rpartition("/")[2] for a in buttons]


def test_the_home_page_has_a_door_for_each_kind_of_network_that_is_there(client, monkeypatch):
    assert doors(client) == ["toy-gru", "toy-additive", "toy-blind", "toy-gpt"]
    for name in ("toy-additive", "toy-plain"):
        become(client, monkeypatch, name, kind="char_rnn")
    assert doors(client) == ["toy-additive", "toy-blind", "toy-gpt"]
    for name in ("toy-gpt", "toy-llama"):
        become(client, monkeypatch, name, kind="unheard_of")
    assert doors(client) == ["toy-additive", "toy-blind", "toy-transformer"]
    for name in client.app.state.catalog.entries:
        become(client, monkeypatch, name, kind="unheard_of")
    assert doors(client) == []


def test_each_door_opens_on_the_network_that_shows_most_where_it_is_there(client, monkeypatch):
    names = {
        "toy-rnn": "shakespeare-lstm",
        "toy-plain": "translate-en-fr",
        "toy-soft": "caption-soft",
        "toy-llama": "shakespeare-gpt",
    }
    rename(client, monkeypatch, names)
    assert doors(client) == [*names.values()]


def rename(client, monkeypatch, names: dict[str, str]) -> None:
    """Let some toys have other ids."""
    entries = client.app.state.catalog.entries
    renamed = {names.get(id, id): entry for id, entry in entries.items()}
    for id, entry in renamed.items():
        monkeypatch.setattr(entry, "id", id)
    monkeypatch.setattr(client.app.state.catalog, "entries", renamed)


def opened(client, address: str) -> str:
    """The network that a lab is of."""
    (chosen,) = [a for a in read(client, address).all("option") if "selected" in a]
    return chosen["value"].rpartition("/")[2]


def test_the_caption_page_opens_with_soft_attention_or_with_what_is_asked_for(client, monkeypatch):
    assert opened(client, "/en/caption") == "toy-blind"  # the first that is there
    assert opened(client, "/en/caption?with=toy-hard") == "toy-hard"
    rename(client, monkeypatch, {"toy-soft": "caption-soft"})
    assert opened(client, "/en/caption") == "caption-soft"
    read(client, "/en/caption?with=nothing", 404)


def test_without_a_network_that_describes_pictures_the_page_says_so(client, monkeypatch):
    for name in ("toy-soft", "toy-hard", "toy-blind"):
        become(client, monkeypatch, name, kind="unheard_of")
    answer = client.get("/en/caption", headers=BROWSER)
    assert answer.status_code == 404
    assert "No network here describes pictures." in answer.text


def test_the_steps_begin_with_the_language_model_that_shows_most_where_it_is_there(
    client, monkeypatch
):
    assert opened(client, "/en/steps") == "toy-gpt"  # the first that is there
    assert opened(client, "/en/steps/toy-encoder") == "toy-encoder"
    rename(client, monkeypatch, {"toy-llama": "shakespeare-gpt"})
    assert opened(client, "/en/steps") == "shakespeare-gpt"


def test_a_network_without_steps_is_told_of_with_the_kinds_that_have_them(client, monkeypatch):
    answer = client.get("/en/steps/toy-transformer", headers=BROWSER)
    assert answer.status_code == 404
    assert "This network cannot be gone through step by step." in answer.text
    assert "Transformers that write or read can." in answer.text
    read(client, "/en/steps/nothing", 404)
    for name in ("toy-gpt", "toy-llama"):
        become(client, monkeypatch, name, kind="unheard_of")
    answer = client.get("/en/steps", headers=BROWSER)
    assert answer.status_code == 404
    assert "No network here can be gone through step by step." in answer.text


def test_questions_about_pictures_are_asked_only_where_a_network_answers(client, monkeypatch):
    assert "Ask about a picture" in client.get("/en/caption").text
    become(client, monkeypatch, "toy-shapes", kind="unheard_of")
    assert "Ask about a picture" not in client.get("/en/caption").text


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


@pytest.mark.parametrize("page", ["", "checkpoints"])
@pytest.mark.parametrize(
    ("figures", "told"),
    [
        ({"test_nats": 1.38884}, "1.389 nats a character"),
        ({"bleu": 50.12, "bleu_greedy": 49.0}, "50.1 BLEU"),
        ({"exact": 0.9951}, "99.5% exactly right"),
        ({"exact": 0}, "0.0% exactly right"),
        ({"beam": {"bleu": [66.04, 48.2, 33.3, 22.45]}}, "22.4 BLEU-4"),
        ({"right": {"all": 0.9876, "count": 1}}, "98.8% answered right"),
    ],
)
def test_a_figure_is_told_with_what_it_measures(client, monkeypatch, page, figures, told):
    assert told not in written(client.get(f"/en/{page}").text)
    become(client, monkeypatch, "toy-plain", figures=figures)
    assert told in written(client.get(f"/en/{page}").text)


ODD = [
    None,
    {},
    {"bleu": "50"},
    {"exact": None},
    {"seconds": 3},
    {"beam": 3},
    {"beam": {"bleu": [1]}},
]


@pytest.mark.parametrize("figures", ODD)
def test_a_figure_that_is_missing_or_no_number_is_left_out(client, monkeypatch, figures):
    become(client, monkeypatch, "toy-gru", figures=figures)
    for page in ("", "checkpoints", "checkpoints/toy-gru"):
        text = written(client.get(f"/en/{page}").text)
        assert "BLEU" not in text
        assert "exactly right" not in text
        others = 0 if page.endswith("toy-gru") else 5  # the other toys that read characters
        assert text.count("1.500 nats a character") == others


def test_the_catalogue_names_the_kind_of_every_network(client):
    page = client.get("/en/checkpoints").text
    text = written(page.partition("<tbody")[2].partition("</tbody>")[0])
    assert text.count("recurrent network that writes") == 4
    assert text.count("encoder and decoder") == 2
    assert "encoder and decoder" in written(client.get("/en/checkpoints/toy-plain").text)


def test_a_card_leads_to_the_network_trained_alike(client, monkeypatch):
    def links() -> list[str]:
        page = read(client, "/en/checkpoints/toy-plain")
        return [a["href"] for a in page.all("a") if "/checkpoints/" in a["href"]]

    other_language = "/ru/checkpoints/toy-plain"
    assert links() == [other_language, "/en/checkpoints/toy-additive"]
    for pair in (None, "nothing"):
        become(client, monkeypatch, "toy-plain", pair=pair)
        assert links() == [other_language]


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


def test_a_kind_that_one_figure_shows_whole_has_that_figure_for_a_lab(client, monkeypatch):
    monkeypatch.setitem(pages.FIGURES, "char_rnn", "shapes")
    page = read(client, "/ru/lab/toy-lstm")
    [figure] = [one for one in page.all("figure") if one["class"] == "live"]
    assert figure["data-view"] == "shapes"
    assert json.loads(figure["data-options"]) == {"checkpoint": "toy-lstm"}
    assert any(one.get("href", "").endswith("css/figures/shapes.css") for one in page.all("link"))


def test_every_template_with_a_page_of_its_own_is_tested_here():
    parts = {"base.html", "error.html", "lab-frame.html", "strings.html"}
    whole = {p.name for p in TEMPLATES.glob("*.html") if "extends" in p.read_text("utf-8")}
    door = {"join.html", "class.html"}  # see test_class_pages.py
    assert whole - parts == {*PAGES.values(), "figure-lab.html"} | door
