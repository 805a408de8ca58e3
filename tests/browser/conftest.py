"""A real server, a real Chromium, and pages that may not go wrong in silence.

    server      the address of a server with the repository's checkpoints, one for all tests
    open_page   open_page(path, **options) -> Page, in a context of its own; options are those of a
                Playwright context: locale, viewport, color_scheme, reduced_motion, ...
    page        a watched page that has gone nowhere yet: 1280 x 800, English
    faults      what went wrong on the pages of this test; `faults.expect(pattern)` lets one through

A test fails where a page wrote an error to the console, threw, or asked for anything from
another origin.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

START_SECONDS = 120  # a cold start compiles the kernels
STOP_SECONDS = 20
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
    # Nothing but this machine has an address.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def find_chromium() -> str:
    """The Chromium to drive: $CHROMIUM, else the first on the PATH. Fails the test without one."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if not found and Path(MACOS).exists():
        found = MACOS
    if not found:
        pytest.fail("no Chromium: install the package chromium, or set CHROMIUM", pytrace=False)
    return found


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    """Return once `url` answers 200. Fails with the server's log where it ended or never did."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except HTTPError as answer:  # 503 while it loads
            answer.close()
        except (URLError, TimeoutError, ConnectionError):
            pass
        time.sleep(0.1)
    pytest.fail(f"{url} never answered 200:\n{log.read_text()[-4000:]}", pytrace=False)


@contextmanager
def serve(root: Path, checkpoints: Path, log: Path) -> Iterator[str]:
    """A server that has loaded every checkpoint of a folder; its address, which ends with it."""
    port = free_port()
    command = [sys.executable, "-m", "backend", "serve", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--checkpoints", str(checkpoints), "--device", "cpu"]
    command += ["--imports", str(log.parent / "imports")]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=root, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    assert "Traceback" not in log.read_text(), log.read_text()[-4000:]


@pytest.fixture(scope="session")
def server(root: Path, checkpoints: Path, tmp_path_factory) -> Iterator[str]:
    """The address of a server that has loaded every checkpoint, e.g. `http://127.0.0.1:40123`."""
    with serve(root, checkpoints, tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests, headless."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0  # where its sandbox refuses to start
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=find_chromium(), args=FLAGS + ["--no-sandbox"] * as_root
        )
        yield chromium
        chromium.close()


class Faults:
    """What went wrong on the pages of one test, in words."""

    def __init__(self, origin: str):
        self.origin = origin
        self.found: list[str] = []
        self.expected: list[str] = []

    def expect(self, pattern: str) -> None:
        """Let faults that match a regular expression through."""
        self.expected.append(pattern)

    def unexpected(self) -> list[str]:
        """The faults that no expectation covers."""
        return [f for f in self.found if not any(re.search(e, f) for e in self.expected)]

    def watch(self, page: Page) -> None:
        """Collect what goes wrong on a page from now on."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.found.append(f"page error: {error}"))
        page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.found.append(f"console error: {message.text} at {message.location.get('url')}")

    def _on_request(self, request: Request) -> None:
        inside = (f"{self.origin}/", "data:", f"blob:{self.origin}/", "about:")
        if not request.url.startswith(inside):
            self.found.append(f"request to another origin: {request.url}")


@pytest.fixture
def faults(server: str) -> Iterator[Faults]:
    """Fails the test at its end where a page of it went wrong."""
    collected = Faults(server)
    yield collected
    assert not collected.unexpected(), "\n".join(collected.unexpected())


@pytest.fixture
def open_page(browser: Browser, server: str, faults: Faults) -> Iterator[Callable[..., Page]]:
    """open_page(path, **options): a watched page in a fresh context, at `path` unless None."""
    contexts = []

    def open_page(path: str | None = "/", **options) -> Page:
        options = {"locale": "en-US", "viewport": {"width": 1280, "height": 800}} | options
        context = browser.new_context(base_url=server, **options)
        contexts.append(context)
        context.on("page", faults.watch)  # pop-ups too
        page = context.new_page()
        if path is not None:
            page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A page that has gone nowhere yet."""
    return open_page(None)
