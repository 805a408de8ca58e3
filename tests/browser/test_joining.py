"""Joining a class in a real browser: the door in a page's place, and back to what was asked for."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import START_SECONDS, STOP_SECONDS, wait_for

CODE = "TREE42"


@pytest.fixture(scope="module")
def started(root: Path, tmp_path_factory) -> Iterator[tuple[str, str]]:
    """A server with a join code and no checkpoints: its address, the teacher's link."""
    log = tmp_path_factory.mktemp("class") / "log.txt"
    command = [sys.executable, "-m", "backend", "serve", "--port", "0", "--device", "cpu"]
    command += ["--checkpoints", str(log.parent)]
    environment = {**os.environ, "UNROLLED_JOIN": CODE}
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=root, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while "class?key=" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        lines = log.read_text().splitlines()
        assert f"Join code: {CODE}" in lines[1]
        address = lines[0].split()[3]
        wait_for(f"{address}/healthz", process, log)
        yield address, lines[2].split()[-1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)


@pytest.fixture(scope="module")
def server(started: tuple[str, str]) -> str:
    return started[0]


@pytest.fixture
def page(open_page, faults) -> Page:
    faults.expect("401")  # the browser tells of the door in its console
    return open_page(None)


def test_the_door_stands_in_the_pages_place_and_leads_back_to_it(page: Page):
    page.goto("/en/lessons?from=x#course")
    field = page.get_by_label("The code that your teacher shows")
    expect(field).to_be_focused()
    field.fill("TREE43")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("alert")).to_contain_text("not the code")
    expect(field).to_have_value("TREE43")
    field.fill("tree 42")
    field.press("Enter")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("Join")
    assert page.url.endswith("/en/lessons?from=x#course")
    (cookie,) = page.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert not cookie["secure"]  # it came by http
    assert time.time() + 23 * 3600 < cookie["expires"] < time.time() + 25 * 3600
    assert page.evaluate("document.cookie") == ""


def test_a_link_with_the_code_behind_its_hash_fills_the_field_and_sends_it_nowhere(page: Page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/join#{CODE}")
    expect(page.get_by_label("The code that your teacher shows")).to_have_value(CODE)
    assert [url for url in asked if CODE in url.partition("#")[0]] == []
    page.get_by_role("button", name="Join").click()
    page.wait_for_url("**/en/")


def test_it_works_without_scripts_on_a_phone(open_page, faults):
    faults.expect("401")
    page = open_page(
        "/ru/lessons",
        java_script_enabled=False,
        locale="ru-RU",
        viewport={"width": 390, "height": 844},
    )
    page.get_by_label("Код, который показывает преподаватель").fill(CODE)
    page.get_by_role("button", name="Войти").click()
    page.wait_for_url("**/ru/lessons")


def test_a_link_from_another_site_finds_who_has_joined(page: Page, server: str, faults):
    page.goto(f"/join#{CODE}")
    page.get_by_role("button", name="Join").click()
    page.wait_for_url("**/en/")
    faults.expect("another origin")
    elsewhere = f"http://localhost:{server.rpartition(':')[2]}"
    page.context.route(
        f"{elsewhere}/platform",
        lambda route: route.fulfill(
            content_type="text/html", body=f'<a href="{server}/en/lessons">Lesson</a>'
        ),
    )
    page.goto(f"{elsewhere}/platform")
    page.get_by_text("Lesson").click()
    page.wait_for_url(f"{server}/en/lessons")
    expect(page.get_by_label("The code that your teacher shows")).to_have_count(0)


def test_the_wall_fits_a_projector_and_counts_who_is_there(
    page: Page, started: tuple[str, str], open_page
):
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(started[1])
    assert "key" not in page.url
    expect(page.get_by_label("T R E E 4 2")).to_be_visible()
    expect(page.get_by_role("img", name="camera of a phone")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") <= 1080
    before = int(page.locator("[data-count=present]").inner_text())
    student = open_page(f"/join#{CODE}")
    student.get_by_role("button", name="Join").click()
    student.wait_for_url("**/en/")
    expect(page.locator("[data-count=present]")).to_have_text(str(before + 1), timeout=10_000)
