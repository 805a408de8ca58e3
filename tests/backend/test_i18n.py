import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.i18n import LANGUAGES, LOCALE, preferred, stated, translations
from models.fetch import SOURCES

SHIPPED = Path(__file__).resolve().parents[2] / "checkpoints"
FOREIGN = {"en": re.compile("[а-яё]"), "ru": re.compile("[a-z]{3}")}  # no letters of its words
NAMES = re.compile("Linux|EasyOCR|MiniLM|SmolLM2-135M-Instruct")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ru", "ru"),
        ("RU", "ru"),
        ("ru-RU", "ru"),
        ("en-GB,en;q=0.9,ru;q=0.8", "en"),
        ("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", "ru"),
        ("en;q=0.3,ru;q=0.7", "ru"),
        ("de,fr;q=0.9", "en"),
        ("de,ru;q=0.1", "ru"),
        ("*", "en"),
        ("ru;q=0", "en"),
        ("en;q=0,ru;q=0.1", "ru"),
        ("ru; q=0.9, en; q=0.5", "ru"),
        ("ru;q=high,en", "en"),
        ("ru;q=nan,en;q=0.5", "en"),
        (",,;q=1,", "en"),
        ("ru,en", "ru"),
    ],
)
def test_the_best_weighted_language_that_is_spoken_here_is_chosen(header, language):
    assert preferred(header) == language


@given(st.text(max_size=200))
def test_any_header_at_all_gives_a_language_that_is_spoken_here(header):
    assert preferred(header) in LANGUAGES


def test_english_is_the_language_of_the_sources():
    assert translations("en").gettext("Light or dark") == "Light or dark"


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_every_text_of_the_templates_is_translated(language):
    catalogue = translations(language)
    templates = LOCALE.parent / "templates"
    missing = [
        (path.name, text)
        for path in templates.rglob("*.html")
        for text in re.findall(r'\b_\("((?:[^"\\]|\\.)+)"\)', path.read_text("utf-8"))
        if catalogue.gettext(text.replace('\\"', '"')) == text and not untranslatable(text)
    ]
    assert missing == []


def untranslatable(text: str) -> bool:
    """Names and signs that are the same in every language."""
    formula = not re.search(r"[a-z]{2}", text)  # "n = 2d", "∂J/∂e", "LSTM"
    return len(text) < 4 or formula or text in ("top-k", "top-p", "seed", "Unrolled")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_checkpoint_that_comes_along_has_its_title_in_every_language(language):
    told = {json.loads(path.read_text("utf-8"))["title"] for path in SHIPPED.glob("*/config.json")}
    told |= {source.title for source in SOURCES.values()}  # those that can be fetched
    shown = {text: stated("title", text, language) for text in told}
    assert "Анна Каренина, LSTM" in shown
    assert len(set(shown.values())) == len(told)
    foreign = [text for text in shown.values() if FOREIGN[language].search(NAMES.sub("", text))]
    assert foreign == []


def test_every_licence_of_a_checkpoint_that_comes_along_is_a_name_or_is_translated():
    told = {
        json.loads(path.read_text("utf-8"))["licence"] for path in SHIPPED.glob("*/config.json")
    }
    told |= {source.licence for source in SOURCES.values()}
    sentences = {text for text in told if re.search("[a-z]{3}", text.replace("Apache", ""))}
    assert "public domain" in sentences
    shown = [stated("licence", text, "ru") for text in sentences]
    assert [text for text in shown if FOREIGN["ru"].search(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", [None, "", "My own network", "Light or dark"])
def test_the_title_of_a_checkpoint_that_was_brought_stays_as_it_is(text, language):
    assert stated("title", text, language) == text


def test_a_language_without_a_catalogue_falls_back_to_the_sources(tmp_path, monkeypatch):
    monkeypatch.setattr("backend.i18n.LOCALE", Path(tmp_path))
    assert translations.__wrapped__("ru").gettext("Light or dark") == "Light or dark"


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 минута"), (3, "3 минуты"), (12, "12 минут"), (21, "21 минута")]
)
def test_a_number_takes_the_plural_of_its_language(count, words):
    text = translations("ru").ngettext("%(num)s minute", "%(num)s minutes", count)
    assert text % {"num": count} == words
