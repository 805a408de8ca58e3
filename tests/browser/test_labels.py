"""The figures of networks that give labels: what is typed or clicked, and what follows."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
SECONDS = 60_000  # ms that a figure may take on a busy machine


def test_a_click_on_a_letter_shows_what_it_would_say_if_the_name_ended_there(open_page):
    page = open_page("/en/lab/surnames")
    field, answer = page.locator(".reading-desk input"), page.locator(".label-answer")
    expect(answer).to_contain_text("German", timeout=SECONDS)
    field.fill("Smithov")
    expect(answer).to_contain_text("Russian", timeout=SECONDS)
    letter = page.get_by_role("button", name="if it ended at “Smith”")
    letter.click()
    expect(answer).to_contain_text("if it ended at “Smith”: English")
    expect(page.locator(".likeliest th")).to_have_text("English")
    page.keyboard.press("ArrowRight")  # the focus has stayed on the letter
    expect(answer).to_contain_text("if it ended at “Smitho”")
    page.wait_for_function("() => location.search.includes('Smithov')", timeout=SECONDS)


def test_what_cannot_be_read_is_said_and_does_not_stay(open_page, faults):
    faults.expect("422")
    page = open_page("/ru/lab/surnames", viewport={"width": 360, "height": 740})
    field, answer = page.locator(".reading-desk input"), page.locator(".label-answer")
    expect(answer).to_contain_text("немецкий", timeout=SECONDS)
    field.fill("Ж")
    problem = page.locator(".desk-problem")
    expect(problem).to_contain_text("«Ж»", timeout=SECONDS)
    expect(field).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Rossi").click()
    expect(answer).to_contain_text("итальянский", timeout=SECONDS)
    expect(problem).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_what_the_words_add_comes_to_the_probability_that_is_told(open_page):
    page = open_page("/en/lab/sentiment")
    expect(page.locator(".weighted-words li")).to_have_count(16, timeout=SECONDS)
    numbers = lambda texts: [float(text.replace("−", "-").rstrip("%")) for text in texts]
    adds = numbers(page.locator(".weighted-words .add").all_inner_texts())
    weights = numbers(page.locator(".weighted-words .weight").all_inner_texts())
    assert sum(weights) == pytest.approx(100, abs=4)  # each is rounded
    told = page.locator(".weighted-sum").inner_text().replace("−", "-")
    together, bias, margin, share = map(float, re.findall(r"[+-]?\d+(?:\.\d+)?", told))
    assert sum(adds) == pytest.approx(together, abs=0.1)
    assert together + bias == pytest.approx(margin, abs=0.011)
    assert share == pytest.approx(100 / (1 + 2.718281828 ** (-2 * margin)), abs=1)


def test_the_arrows_go_from_word_to_word_and_its_tags_follow(open_page):
    page = open_page("/en/lab/tagger-en")
    words = page.locator(".tagged")
    expect(words).to_have_count(13, timeout=SECONDS)
    expect(page.locator(".tag-side h3")).to_have_text("They")
    words.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tag-side h3")).to_have_text("fish")
    expect(page.locator(".tag-side .label-answer")).to_contain_text("VERB verb")
    page.locator(".reading-desk input").fill("The blickingly wug")
    expect(words).to_have_count(3, timeout=SECONDS)
    expect(page.locator(".tagged.unknown")).to_have_count(2)
    expect(page.locator(".tag-side .note")).to_be_visible()
