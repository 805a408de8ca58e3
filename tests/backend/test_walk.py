"""Every page in every language, those that are new among them, keeps to what its policy says."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from backend.guards import CONTENT_SECURITY_POLICY, HEADERS
from backend.i18n import LANGUAGES
from tests.backend import everything, walk
from tests.backend.html import BROWSER, Page
from tests.backend.serving import in_process

MATHML = ("math", "mrow", "mtable", "mtr", "mtd", "mo", "mi", "mn", "mspace", "mstyle", "mpadded")
LEADING = ("href", "src", "action", "formaction", "data", "poster", "xlink:href")


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Iterator[TestClient]:
    """Asks an application with one network of each kind."""
    with in_process(everything.served(tmp_path_factory.mktemp("walked"))) as client:
        yield client


def assert_kept(answer, address: str) -> None:
    """The headers are there, and nothing in the page would need a wider policy."""
    for name, value in HEADERS:
        assert answer.headers[name.decode()] == value.decode(), (address, name)
    page = Page(answer.text)
    assert page.inline == [], address
    for tag, attributes in page.tags:
        assert tag not in ("base", "object", "embed", "applet", "frame"), address
        for name, value in attributes.items():
            assert not name.startswith("on"), (address, tag, name)
            assert name != "style" or tag in MATHML, (address, tag, value)
            if name in LEADING:
                lowered = (value or "").strip().lower()
                assert not lowered.startswith(("javascript:", "data:", "vbscript:", "//")), address


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_keeps_to_its_policy(client, language):
    names = sorted(client.app.state.catalog.entries)
    found = walk.pages(client.app, names, [language])
    assert len(found) > 60
    for address in found:
        answer = client.get(address, headers=BROWSER)
        assert answer.status_code in (200, 404), address
        if "text/html" in answer.headers["content-type"]:
            assert_kept(answer, address)
            assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


def test_every_page_of_an_error_keeps_to_it_too(client):
    for address in ("/nothing", "/en/nothing", "/ru/lab/none", "/en/lessons/none", "/static/x/y"):
        answer = client.get(address, headers=BROWSER)
        assert answer.status_code == 404
        assert_kept(answer, address)


def test_a_page_of_a_parameter_that_nobody_told_the_walk_of_is_noticed():
    with pytest.raises(AssertionError, match="say what colour may be"):
        walk.fill("/{language}/rooms/{colour}", language=["en"])
