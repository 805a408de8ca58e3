"""The captioner's lab around its figures: what is told, saved, kept in the address and stopped."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.backend.serving import decode
from tests.browser.caption.lab import (
    MOST,
    SECONDS,
    asked,
    described,
    gray,
    lab,
    settled,
    written,
)

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_how_far_to_trust_the_words_is_told_with_the_shares(open_page, server):
    picture = gray()
    page = described(open_page, picture)
    answer = asked(server, picture)
    common, sure = (answer[name]["share"] for name in ("familiarity", "confidence"))
    lines = page.locator(".trust-line")
    for line, share in zip(lines.all(), (common, sure), strict=True):
        numbers = [int(n) for n in re.findall(r"(\d+)%", line.inner_text())]
        kept = [max(1, min(99, round(100 * one))) for one in (share, 1 - share)]
        assert set(kept) & set(numbers), (line.inner_text(), share)


def test_the_address_brings_back_what_was_chosen(open_page):
    page = open_page(lab(query="&photo=cat"))
    settled(page)
    page.evaluate("lab.steering.look(1, 20)")
    expect(page.locator(".edit")).to_have_count(1, timeout=SECONDS)
    settled(page)
    page.evaluate("lab.region.set(8, 24)")
    page.select_option("#light", "raw")
    page.wait_for_url(re.compile("(?=.*force=1-20)(?=.*cell=1-20)(?=.*region=8-24)(?=.*light=raw)"))
    text, told = written(page), page.locator(".region-words").inner_text()
    again = open_page(page.url)
    settled(again)
    assert written(again) == text
    expect(again.locator(".edit")).to_have_count(1)
    expect(again.locator(".region-words")).to_have_text(re.compile(".+"))
    assert again.locator(".region-words").inner_text() == told
    expect(again.locator("[data-photo=cat]")).to_have_attribute("aria-pressed", "true")


def test_without_a_connection_what_is_on_the_page_stays_until_another_try(open_page, faults):
    faults.expect("ERR_INTERNET_DISCONNECTED")
    page = open_page(lab())
    settled(page)
    before = written(page)
    page.context.set_offline(True)
    page.locator("#describe").click()
    expect(page.locator("#problem")).to_contain_text("connection is lost")
    assert written(page) == before
    page.context.set_offline(False)
    page.locator("#problem .button").click()
    settled(page)
    expect(page.locator("#problem")).to_be_hidden()


def saved(page: Page, what: str, kind: str) -> Path:
    with page.expect_download() as waiting:
        page.locator(f"[data-save={what}] button", has_text=kind).click()
    return waiting.value.path()


def test_every_figure_is_saved_with_its_numbers_or_its_picture(open_page, server):
    picture = gray()
    page = described(open_page, picture)
    weights = decode(asked(server, picture)["attention"])
    rows = list(csv.DictReader(saved(page, "film", "CSV").read_text("utf-8").splitlines()))
    shown = np.array([float(row["attention"]) for row in rows]).reshape(weights.shape)
    np.testing.assert_allclose(shown, weights, rtol=1e-6)
    for what in ("stage", "film", "coverage", "text"):
        assert saved(page, what, "PNG").read_bytes().startswith(b"\x89PNG"), what
    drawing = saved(page, "film", "SVG").read_text("utf-8")
    assert drawing.count("<image") == MOST + 1
    assert all(f">{token}<" in drawing for token in written(page))


@pytest.mark.parametrize("checkpoint", ["toy-soft", "toy-hard", "toy-blind"])
def test_a_telephone_shows_the_page_without_scrolling_sideways(open_page, checkpoint):
    page = open_page(lab(checkpoint, language="ru"), **PHONE, color_scheme="dark")
    settled_ru = page.locator("#words .token")
    expect(settled_ru).to_have_count(MOST, timeout=SECONDS)
    expect(page.locator("#camera")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("#describe")).to_contain_text("Описать")


def test_a_word_that_is_stopped_at_says_so_and_keeps_what_there_is(open_page):
    page = open_page(lab().replace("pace=0", "pace=1"))
    expect(page.locator("#words .token")).to_have_count(1, timeout=SECONDS)
    page.keyboard.press("Space")
    expect(page.locator("#text-note")).to_contain_text("Stopped")
    assert 0 < page.locator("#words .token").count() < MOST
