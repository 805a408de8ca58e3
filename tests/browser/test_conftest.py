"""The watch that every browser test relies on notices what it is there to notice."""

import pytest


@pytest.fixture(autouse=True)
def no_icon(faults):
    """Chromium asks for an icon where an answer, being JSON, names none."""
    faults.expect("/favicon.ico")


def test_an_error_on_the_console_is_noticed(page, faults):
    faults.expect("^console error: spoken in a test")
    page.evaluate("console.error('spoken in a test')")
    assert len(faults.found) == 1


def test_an_exception_on_a_page_is_noticed(page, faults):
    faults.expect("^page error: thrown in a test")
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('thrown in a test') })")
    assert len(faults.found) == 1


def test_a_request_to_another_origin_is_noticed_and_goes_nowhere(page, faults):
    faults.expect("http://elsewhere.invalid/")
    answer = page.evaluate("fetch('http://elsewhere.invalid/').catch(() => 'refused')")
    assert answer == "refused"
    assert any(fault.startswith("request to another origin") for fault in faults.found)


def test_a_request_to_the_server_is_no_fault(page, server, faults):
    answer = page.goto("/healthz")
    assert answer.status == 200
    assert answer.url == f"{server}/healthz"
    assert faults.unexpected() == []


def test_pages_of_one_test_share_no_storage(open_page):
    first, second = open_page("/healthz"), open_page("/healthz")
    first.evaluate("localStorage.setItem('theme', 'dark')")
    assert second.evaluate("localStorage.getItem('theme')") is None


def test_a_page_opens_as_it_is_asked_to(open_page):
    page = open_page("/healthz", locale="ru-RU", color_scheme="dark", reduced_motion="reduce")
    assert page.evaluate("navigator.language") == "ru-RU"
    for query in ("prefers-color-scheme: dark", "prefers-reduced-motion: reduce"):
        assert page.evaluate(f"matchMedia('({query})').matches")
