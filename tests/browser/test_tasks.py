"""Unrolled graphs of tasks: they grow with what is read, and can be walked without a mouse."""

import json
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SECONDS = 60_000  # ms that a network may take on a busy machine
FIGURE = "tasks-1"  # of the page of all views: it lets the reader choose a task


def opened(open_page, **state) -> tuple[Page, str]:
    """The page of all views with the figure in a state, and how a script names its view."""
    page = open_page(f"/en/views?{FIGURE}={quote(json.dumps(state))}")
    page.wait_for_function("() => globalThis.lesson", timeout=SECONDS)
    figure = f"lesson.figures.get('{FIGURE}')"
    page.evaluate(f"{figure}.open()")
    page.wait_for_function(f"() => {figure}.values().steps > 0", timeout=SECONDS)
    return page, figure


def test_a_longer_text_makes_more_columns_of_the_same_cell(open_page):
    state = {"task": "aligned", "aligned": {"checkpoint": "shakespeare-lstm", "text": "To be"}}
    page, figure = opened(open_page, **state)
    cells = page.locator(f"#{FIGURE} .task-cell")
    expect(cells).to_have_count(5)
    page.locator(f"#{FIGURE} input.text").fill("To be, or")
    expect(cells).to_have_count(9, timeout=SECONDS)
    assert page.evaluate(f"{figure}.values()")["steps_out"] == 9


def test_what_a_decoder_writes_is_read_at_its_next_step(open_page):
    page, figure = opened(open_page, task="unaligned")
    told = page.evaluate(f"{figure}.view.panels.get('unaligned').drawing.columns")
    writing = [column for column in told if column.get("writes")]
    assert writing[0]["x"] == "<s>"
    assert [column["x"] for column in writing[1:]] == [column["y"] for column in writing[:-1]]
    tips = page.locator(f"#{FIGURE} .task-fed.tip")
    expect(tips).to_have_count(len(writing) - 1)


def test_arrow_keys_choose_a_column_and_its_likeliest_outputs_are_told(open_page):
    page, _ = opened(open_page, task="aligned")
    drawing = page.locator(f"#{FIGURE} svg[role=application]")
    drawing.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    told = page.locator(f"#{FIGURE} .task-told")
    expect(told).to_contain_text("step 2")
    expect(told.locator(".task-candidate")).to_have_count(5)


def test_the_answer_to_a_text_is_told_as_it_would_be_at_every_step(open_page):
    state = {"task": "many-one", "many-one": {"checkpoint": "surnames", "text": "Smithov"}}
    page, figure = opened(open_page, **state)
    assert page.evaluate(f"{figure}.values()")["is Russian"] > 0.9
    page.locator(f"#{FIGURE} .task-touch").nth(4).click()
    expect(page.locator(f"#{FIGURE} .task-told")).to_contain_text("if the text ended here: English")
