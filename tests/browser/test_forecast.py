"""The figure of a forecaster: a window that moves, and numbers that follow it."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
SECONDS = 60_000  # ms that a figure may take on a busy machine


def test_keys_move_the_window_a_month_each_and_the_numbers_follow(open_page):
    page = open_page("/en/lessons/time-series")
    chart = page.locator("#passengers .series-chart")
    expect(chart).to_have_attribute("aria-valuenow", "120", timeout=SECONDS)
    chart.focus()
    for _ in range(18):
        page.keyboard.press("ArrowRight")
    expect(chart).to_have_attribute("aria-valuenow", "138", timeout=SECONDS)
    expect(page.locator("#passengers output")).to_have_text("July 1960")
    told = page.evaluate("() => lesson.figures.get('passengers').values()")
    assert told["truth"] == 622
    assert told["error"] < -100
    page.wait_for_function("() => location.search.includes('1960-07')", timeout=SECONDS)


def test_the_sum_on_the_side_comes_to_the_forecast(open_page):
    page = open_page("/en/lab/airline-lstm")
    chart = page.locator(".series-chart")
    expect(chart).to_have_attribute("aria-valuenow", "120", timeout=SECONDS)
    cells = page.locator(".lens-sums tr td:last-child").all_inner_texts()
    *terms, scaled, value, truth, error = [float(cell.replace("−", "-")) for cell in cells]
    assert len(terms) == 5  # four units and the bias
    assert sum(terms) == pytest.approx(scaled, abs=0.004)  # each is rounded to 0.001
    assert 104 + scaled * 309 == pytest.approx(value, abs=0.3)
    assert (truth, value - truth) == (360, pytest.approx(error, abs=0.11))


def test_the_window_is_dragged_along_the_series(open_page):
    page = open_page("/en/lab/airline-rnn", viewport={"width": 390, "height": 844})
    chart = page.locator(".series-chart")
    expect(chart).to_have_attribute("aria-valuenow", "120", timeout=SECONDS)
    chart.scroll_into_view_if_needed()
    box, band = chart.bounding_box(), page.locator(".series-window").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(band["x"] + band["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(band["x"] + band["width"] / 2 - 100, y, steps=6)
    page.mouse.up()
    moved = re.compile(r"^[678]\d$")  # a month is 2 px here
    expect(chart).to_have_attribute("aria-valuenow", moved, timeout=SECONDS)
