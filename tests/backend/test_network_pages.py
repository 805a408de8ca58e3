"""What pages tell of the networks that are there: doors, labs, figures, kinds."""

import json
import re

import pytest
from starlette.testclient import TestClient

from backend import pages
from backend.i18n import LANGUAGES
from tests.backend.html import BROWSER, become, read, rename, written

BOTH = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(scope="module")
def client(kinds: TestClient) -> TestClient:
    """Asks an application that has loaded toys of every kind."""
    return kinds


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


def test_a_translator_of_characters_does_not_speak_of_words(client, monkeypatch):
    def told() -> str:
        page, data = client.get("/en/lab/toy-additive").text.split('id="page-data">')
        strings = json.loads(data.partition("</script>")[0])["strings"]
        return written(page.partition("<main")[2]) + strings["target words"] + strings["place read"]

    assert told().count("word") > 5
    become(client, monkeypatch, "toy-additive", figures={"length_unit": "characters"})
    assert re.findall(r".{20}\bword.{20}", told()) == []


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


def test_a_kind_that_one_figure_shows_whole_has_that_figure_for_a_lab(client, monkeypatch):
    monkeypatch.setitem(pages.FIGURES, "char_rnn", "shapes")
    page = read(client, "/ru/lab/toy-lstm")
    [figure] = [one for one in page.all("figure") if one["class"] == "live"]
    assert figure["data-view"] == "shapes"
    assert json.loads(figure["data-options"]) == {"checkpoint": "toy-lstm"}
    assert any(one.get("href", "").endswith("css/figures/shapes.css") for one in page.all("link"))
