"""The course as a reader walks it: every lesson opened in both languages, exercises answered."""

import json

import pytest
from playwright.sync_api import Page, expect

from backend.i18n import LANGUAGES
from backend.lessons import lesson, slugs
from tests.browser.senses import violations

pytestmark = pytest.mark.browser
SECONDS = 60_000  # ms that a figure may take on a busy machine
PHONE = {"width": 390, "height": 844}
PROJECTOR = {"width": 1920, "height": 1080}
CELL = "recurrent-cell"

# What is wrong with how a page lies: wider than the screen, text that is cut, parts one over the
# other, figures with nothing in them.
FLAWS = """() => {
  const seen = (e) => e.checkVisibility() && e.getBoundingClientRect().width > 2;
  const name = (e) => `${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 40)}`;
  const flaws = [];
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) flaws.push(`the page is ${wide} px too wide`);
  for (const e of document.querySelectorAll("main *")) {
    if (!seen(e) || e.closest("svg, math, .out-of-sight")) continue;
    const hides = ["hidden", "clip"].includes(getComputedStyle(e).overflowX) && e.innerText.trim();
    if (hides && e.scrollWidth > e.clientWidth + 1) flaws.push(`cut: ${name(e)}`);
  }
  const parts = [...document.querySelectorAll(".article > *")].filter(seen);
  for (let k = 1; k < parts.length; k++) {
    const above = parts[k - 1].getBoundingClientRect().bottom;
    const over = above > parts[k].getBoundingClientRect().top + 1;
    if (over) flaws.push(`over the next part: ${name(parts[k - 1])}`);
  }
  for (const e of document.querySelectorAll(".live.ready .live-stage")) {
    if (seen(e) && e.clientHeight < 40) flaws.push(`empty: ${e.parentElement.id}`);
  }
  for (const e of document.querySelectorAll(".broken")) {
    if (seen(e) && e.textContent.trim()) flaws.push(`broken: ${e.textContent}`);
  }
  return flaws;
}"""


def open_figures(page: Page) -> None:
    """Wait until every figure of the page is made and its work is done."""
    page.evaluate("() => Promise.all([...lesson.figures.values()].map((one) => one.open()))")
    expect(page.locator("figure.live:not(.ready)")).to_have_count(0, timeout=SECONDS)
    page.wait_for_load_state("networkidle")


def ready(page: Page) -> Page:
    page.wait_for_function("() => globalThis.lesson", timeout=SECONDS)
    return page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slug", slugs())
def test_a_lesson_opens_without_a_flaw_on_a_phone_and_on_a_projector(open_page, slug, language):
    page = ready(open_page(f"/{language}/lessons/{slug}", viewport=PHONE))
    open_figures(page)
    assert page.locator("html").get_attribute("lang") == language
    assert page.evaluate(FLAWS) == []
    page.set_viewport_size(PROJECTOR)
    page.keyboard.press("p")
    count = page.evaluate("lesson.present.figures.length")
    for number in range(count):
        expect(page.locator(".on-stage")).to_have_count(1)
        assert page.evaluate(FLAWS) == [], f"part {number}"
        page.keyboard.press("PageDown")
    expect(page.locator(".turner output")).to_have_text(f"1 / {count}")  # once round


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_views_are_drawn_on_their_page_and_can_be_read_by_other_senses(open_page, language):
    page = ready(open_page(f"/{language}/views", reduced_motion="reduce"))
    open_figures(page)
    assert page.evaluate(FLAWS) == []
    if language == "en":
        assert violations(page) == ""


def answer(page: Page, id: str, value) -> None:
    section = page.locator(f"#{id}")
    if section.locator("input[type=radio]").count():
        section.locator("input[type=radio]").nth(value).check()
    else:
        section.locator("input").fill(str(value))
    section.get_by_role("button", name="Check").click()


def test_exercises_are_checked_and_what_was_done_is_remembered(open_page):
    page = ready(open_page(f"/en/lessons/{CELL}"))
    exercises = [one for one in lesson(CELL, "en").exercises if one.kind != "setting"]
    for number, exercise in enumerate(exercises, 1):
        verdict = page.locator(f"#{exercise.id} .verdict")
        for wrong in exercise.about["wrong"]:
            answer(page, exercise.id, wrong)
            expect(verdict).to_contain_text("✗")
        answer(page, exercise.id, exercise.about["answer"])
        expect(verdict).to_contain_text(exercise.about["said"].split(".")[0])
        expect(page.locator("#progress")).to_contain_text(f"{number} of ")
    page.goto("/ru/")
    expect(page.locator(f"[data-slug={CELL}] .done-count")).to_contain_text(str(len(exercises)))


def test_a_setting_is_found_in_its_figure(open_page):
    page = ready(open_page(f"/en/lessons/{CELL}"))
    [exercise] = [one for one in lesson(CELL, "en").exercises if one.kind == "setting"]
    section = page.locator(f"#{exercise.id}")
    figure = "lesson.figures.get('arithmetic')"
    page.evaluate(f"{figure}.open()")
    page.wait_for_function(f"() => Number.isFinite({figure}.values().h)", timeout=SECONDS)
    for at, sign in ((0, "✗"), (3, "✓")):  # the unit after g, and after d
        page.evaluate(f"{figure}.view.go({at})")
        page.wait_for_function(f"() => {figure}.view.axis.at === {at}")
        section.get_by_role("button", name="Check").click()
        expect(section.locator(".verdict")).to_contain_text(sign)


def test_an_address_brings_every_figure_back_as_it_was(open_page):
    page = ready(open_page(f"/en/lessons/{CELL}"))
    open_figures(page)
    page.locator("#reading input.text").fill("i am good")
    page.locator("#guesses input.text").fill("you")
    page.wait_for_url("**you**")
    page.wait_for_url("**reading=**")
    again = ready(open_page(page.url.removeprefix(page.url.split("/en/")[0])))
    open_figures(again)
    expect(again.locator("#reading input.text")).to_have_value("i am good")
    expect(again.locator("#guesses input.text")).to_have_value("you")
    expect(again.locator("#arithmetic input.text")).to_have_value("good")


def test_the_other_language_opens_at_the_same_place(open_page):
    page = ready(open_page(f"/en/lessons/{CELL}"))
    open_figures(page)
    page.locator("#guesses").scroll_into_view_if_needed()
    page.evaluate("document.getElementById('guesses').scrollIntoView()")
    page.click("#other-language")
    page.wait_for_url(f"**/ru/lessons/{CELL}#guesses")
    expect(page.locator("#guesses")).to_be_in_viewport()


def test_options_of_a_figure_that_make_no_sense_are_told_inside_it_and_nowhere_else(
    open_page, faults
):
    faults.expect("404")
    options = json.dumps({"checkpoint": "nobody"})
    page = ready(open_page(f"/en/lessons/{CELL}?reading={options}"))
    page.evaluate("lesson.figures.get('reading').open()")
    expect(page.locator("#reading [role=alert]")).to_contain_text("cannot be shown")
    page.evaluate("lesson.figures.get('guesses').open()")
    expect(page.locator("#guesses.ready")).to_have_count(1, timeout=SECONDS)
