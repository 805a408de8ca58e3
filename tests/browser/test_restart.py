"""A server that goes away in the middle of a text: what is there stays, and goes on from there."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.test_lab import SHAKESPEARE, lab, text_of, written

pytestmark = pytest.mark.browser
STOPPED = {"error": {"code": "shutting_down", "message": "The server is stopping.", "hint": ""}}
ENDS: dict[str, Callable[[str], str]] = {
    "told": lambda events: f"{events}event: error\ndata: {json.dumps(STOPPED)}\n\n",
    "cut": lambda events: events,
}
WORDS = {
    "en": ("The server is there again.", "Go on from here", "stopping or starting"),
    "ru": ("Сервер снова на связи.", "Продолжить отсюда", "останавливается"),
}


def cut_off(page: Page, steps: int, end: Callable[[str], str]) -> list[dict]:
    """Let the first text end after so many steps; what was asked for, each time."""
    asked = []

    def handle(route: Route) -> None:
        asked.append(route.request.post_data_json)
        if len(asked) > 1:
            return route.continue_()
        answer = route.fetch()
        events = answer.text().split("\n\n")[: 1 + steps]  # `start` and the steps
        body = end("".join(f"{event}\n\n" for event in events))
        return route.fulfill(response=answer, body=body)

    page.route("**/generate", handle)
    return asked


@pytest.mark.parametrize(("end", "language"), [("told", "en"), ("cut", "ru")])
def test_a_text_that_was_cut_off_goes_on_from_there_as_if_nothing_had_been(
    open_page, end, language
):
    back, go_on, stopping = WORDS[language]
    page = open_page(None)
    asked = cut_off(page, 10 + 12, ENDS[end])
    page.goto(lab("?prefix=To+be,+or+&seed=5&n=30&temperature=0.9", language=language))
    problem = page.locator("#problem")
    expect(problem).to_be_visible()
    if end == "told":
        expect(problem.locator("strong")).to_contain_text(stopping)
    part = written(page, 10 + 12)
    expect(problem.get_by_role("button")).to_have_text(go_on)
    expect(problem.locator("p")).to_have_text(back, timeout=10_000)
    problem.get_by_role("button").click()
    whole = written(page, 10 + 30)
    assert whole.startswith(part)
    expect(problem).to_be_hidden()
    first, rest = asked
    assert (rest["prefix"], rest["start"], rest["max_new_tokens"]) == (part, 22, 18)
    assert rest["seed"] == first["seed"]
    answer = page.request.post(
        f"/api/checkpoints/{SHAKESPEARE}/generate", data={**first, "points": [], "start": 0}
    )
    done = json.loads(re.search(r"event: done\ndata: (.*)", answer.text()).group(1))
    assert text_of(page) == whole == done["text"]


def test_a_class_server_that_starts_anew_asks_for_its_code_and_the_page_stays(open_page, faults):
    faults.expect("401")  # Chromium logs the answer
    page = open_page(None)
    refused = {"code": "join_needed", "message": "This server is for a class.", "hint": ""}
    asked = []

    def handle(route: Route) -> None:
        asked.append(route.request.post_data_json)
        if len(asked) > 1:
            return route.continue_()
        return route.fulfill(status=401, json={"error": refused})

    page.route("**/generate", handle)
    page.goto(lab("?prefix=To+be,+or+&seed=5&n=30"))
    door = page.get_by_role("link", name="Give the join code")
    expect(door).to_have_attribute("href", re.compile(r"^/en/join\?next=%2Fen%2Flab%2F.*seed%3D5"))
    expect(door).to_have_attribute("target", "_blank")
    page.locator("#problem").get_by_role("button", name="Try again").click()
    written(page, 10 + 30)


def test_a_notice_of_the_server_is_a_line_under_the_head_of_the_page(open_page):
    page = open_page(None)

    def handle(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "X-Notice": "on_cpu"})

    page.route("**/trace", handle)
    page.goto(lab("?prefix=To+be"))
    line = page.get_by_role("status").filter(has_text="runs on the CPU now")
    expect(line).to_be_visible()
