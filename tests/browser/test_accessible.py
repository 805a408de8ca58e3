"""Pages as axe-core reads them, once they are filled, in the light and in the dark theme. (All
figures of the lessons: `test_lessons`.)"""

import pytest
from playwright.sync_api import expect

from tests.browser.senses import violations
from tests.browser.test_lessons import SECONDS, open_figures, ready

pytestmark = pytest.mark.browser
PAPER = "getComputedStyle(document.body).backgroundColor"
PAGES = {  # its address, and what is there once it is filled
    "/en/": ".networks .measure",
    "/ru/checkpoints": "tbody tr",
    "/en/checkpoints/shakespeare-lstm": "h1",
    "/en/lessons": ".path .title",
    "/en/compare": ".sbs td.num",
    "/en/caption": ".word",
    "/en/lab/shakespeare-lstm?prefix=O": "#reading [data-t]",
    "/en/lab/shakespeare-gpt": ".scope .agree",
    "/en/lab/translate-en-fr": ".formula-row",
    "/en/nowhere": "h1",
}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_read_by_other_senses(open_page, faults, path):
    if path == "/en/nowhere":
        faults.expect("404")
    page = open_page(path, color_scheme="light", reduced_motion="reduce")
    expect(page.locator(PAGES[path]).first).to_be_visible(timeout=SECONDS)
    light = page.evaluate(PAPER)
    assert violations(page) == ""
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => {PAPER} !== light", arg=light)
    assert violations(page) == "", "in the dark theme"


def test_a_lesson_with_formulas_code_and_exercises_can_be_read_by_other_senses(open_page):
    page = ready(open_page("/ru/lessons/seq2seq", reduced_motion="reduce"))
    open_figures(page)
    assert violations(page) == ""
