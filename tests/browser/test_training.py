"""A training watched: it runs, is stopped, and any moment of it can be gone to without a mouse."""

import json
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SECONDS = 60_000  # ms that a run may take on a busy machine
FIGURE = "training-2"  # of the page of all views: a forecaster
VIEW = f"lesson.figures.get('{FIGURE}').view"
SHORT = {"epochs": 30, "window": 6}


def opened(open_page, language="en", motion="reduce", **state) -> Page:
    """The page of all views with the figure in a state and made."""
    address = f"/{language}/views?{FIGURE}={quote(json.dumps(state))}"
    page = open_page(address, reduced_motion=motion)
    page.wait_for_function("() => globalThis.lesson", timeout=SECONDS)
    page.evaluate(f"lesson.figures.get('{FIGURE}').open()")
    return page


def ended(page: Page, epoch: int) -> None:
    page.wait_for_function(
        f"([epoch]) => {VIEW}.run.state === 'done' && {VIEW}.values().epoch === epoch",
        arg=[epoch],
        timeout=SECONDS,
    )


def values(page: Page) -> dict:
    return page.evaluate(f"{VIEW}.values()")


def test_before_it_is_trained_the_network_is_shown_as_it_begins(open_page):
    page = opened(open_page, auto=False, parameters=SHORT)
    page.wait_for_function(f"() => {VIEW}.values().epoch === 0", timeout=SECONDS)
    status = page.locator(f"#{FIGURE} .training-status")
    expect(status).to_contain_text("not trained yet")
    before = values(page)["loss"]
    page.locator(f"#{FIGURE} input[type=number]").first.fill("7")
    page.keyboard.press("Tab")
    page.wait_for_function(f"() => {VIEW}.values().loss !== {before}", timeout=SECONDS)
    assert values(page)["window"] == 7


def test_the_slider_goes_to_any_moment_by_keyboard_and_the_address_keeps_it(open_page):
    page = opened(open_page, auto=True, parameters=SHORT)
    ended(page, 30)
    last = values(page)
    slider = page.locator(f"#{FIGURE} input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => {VIEW}.values().epoch === 2")
    assert values(page)["train_rmse"] > last["train_rmse"]
    assert values(page)["naive_rmse"] == last["naive_rmse"]
    assert slider.get_attribute("aria-valuetext").startswith("epoch 2,")
    page.wait_for_function("() => location.search.includes('at')")
    page.reload()
    page.wait_for_function("() => globalThis.lesson", timeout=SECONDS)
    page.evaluate(f"lesson.figures.get('{FIGURE}').open()")
    ended(page, 2)


def test_earlier_runs_stay_as_lines_with_what_they_differ_in(open_page):
    page = opened(open_page, auto=True, parameters=SHORT)
    ended(page, 30)
    seed = page.get_by_label("seed").and_(page.locator(f"#{FIGURE} input"))
    for number in ("1", "2"):
        seed.fill(number)
        page.keyboard.press("Tab")
        page.locator(f"#{FIGURE} .training-controls button").click()
        page.wait_for_function(f"() => {VIEW}.run.parameters.seed === {number}")
        ended(page, 30)
    rows = page.locator(f"#{FIGURE} .training-runs tr")
    expect(rows).to_have_count(4)
    assert [row.inner_text().split()[0] for row in rows.all()[1:]] == ["2", "1", "0"]


def test_a_run_can_be_stopped_and_what_has_come_stays(open_page):
    page = opened(open_page, auto=True, parameters={"epochs": 3000, "window": 36})
    page.wait_for_function(f"() => {VIEW}.run.frames.length > 3", timeout=SECONDS)
    button = page.locator(f"#{FIGURE} .training-controls button")
    expect(button).to_have_text("Stop")
    button.click()
    expect(button).to_have_text("Train again")
    expect(page.locator(f"#{FIGURE} .training-status")).to_contain_text("stopped after epoch")
    assert values(page)["epoch"] > 1


def test_a_refusal_is_told_in_the_readers_language_with_a_way_to_try_again(open_page, faults):
    faults.expect("429")
    page = opened(open_page, language="ru", auto=False, parameters=SHORT)
    busy = {"error": {"code": "busy", "message": "All places are taken.", "hint": ""}}
    page.route(
        "**/api/training/*",
        lambda route: route.fulfill(status=429, json=busy, headers={"Retry-After": "1"}),
    )
    page.locator(f"#{FIGURE} .training-controls button").click()
    problem = page.locator(f"#{FIGURE} .training-problem")
    expect(problem).to_contain_text("места")
    page.unroute("**/api/training/*")
    again = problem.locator("button")
    expect(again).to_be_enabled(timeout=SECONDS)
    again.click()
    ended(page, 30)
    expect(problem).to_be_hidden()
