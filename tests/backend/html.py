"""Pages as tests read them, and toys that say other things of themselves."""

import re
from html.parser import HTMLParser

from backend.guards import CONTENT_SECURITY_POLICY
from tests.backend.serving import SECURITY

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Page(HTMLParser):
    """What a test asks of a page."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.inline: list[str] = []
        self._script = False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        data = dict(attributes).get("type") == "application/json"  # is read and not run
        self._script = tag in ("script", "style") and not data

    def handle_endtag(self, tag):
        self._script = False

    def handle_data(self, data):
        if self._script and data.strip():
            self.inline.append(data)

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def read(client, address: str, status: int = 200, **headers) -> Page:
    answer = client.get(address, headers=BROWSER | headers)
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["cache-control"] == "no-cache"
    assert set(answer.headers) >= SECURITY
    return Page(answer.text)


def written(html: str) -> str:
    """What a page says, without its marks, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def become(client, monkeypatch, name: str, **about) -> None:
    """Let a toy say other things of itself, as if it were of another kind."""
    for key, value in about.items():
        monkeypatch.setitem(client.app.state.catalog.entries[name].about, key, value)


def rename(client, monkeypatch, names: dict[str, str]) -> None:
    """Let some toys have other ids."""
    entries = client.app.state.catalog.entries
    renamed = {names.get(id, id): entry for id, entry in entries.items()}
    for id, entry in renamed.items():
        monkeypatch.setattr(entry, "id", id)
    monkeypatch.setattr(client.app.state.catalog, "entries", renamed)
