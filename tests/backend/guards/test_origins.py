import pytest
from starlette.routing import WebSocketRoute

from backend.guards.origins import same_host
from tests.backend.serving import assert_error
from tests.backend.walk import routes

TOY = "/api/checkpoints/toy-gru"
HOSTS = ["127.0.0.1:8000", "localhost", "[::1]:8000"]
SITES = {None: None, "same-origin": True, "none": True, "same-site": False, "cross-site": False,
         "": False, "same-origin, cross-site": False, "SAME-ORIGIN": False}  # fmt: skip
ORIGINS = {
    None: None,
    "http://{host}": True,
    "https://{host}": True,  # a proxy that speaks TLS
    "HTTP://{HOST}": True,
    "null": False,
    "": False,
    "http://evil.example": False,
    "http://{host}.evil.example": False,
    "http://evil.example/{host}": False,
    "http://{host}@evil.example": False,
    "http://{host}/": False,
    "http://{host}:1": False,
    "file://": False,
    "chrome-extension://{host}": False,
    "{host}": False,
    "http://": False,
}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def allowed(site: str | None, origin: str | None) -> bool:
    """The rule, from the two columns of the table."""
    if origin == "null":
        return False
    if SITES[site] is not None:
        return SITES[site]
    return ORIGINS[origin] is not False


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("method", METHODS)
def test_only_a_page_of_ours_or_what_is_no_browser_may_ask_for_more_than_reading(
    client, method, site, host
):
    for origin in ORIGINS:
        headers = {"Host": host}
        if site is not None:
            headers["Sec-Fetch-Site"] = site
        if origin is not None:
            headers["Origin"] = origin.format(host=host, HOST=host.upper())
        answer = client.request(method, f"{TOY}/trace", headers=headers)
        if method in ("GET", "HEAD") or allowed(site, origin):
            assert answer.status_code in (405, 422), (origin, answer.text)
        else:
            error = assert_error(answer, 403, "cross_origin")
            assert error["hint"]
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_header_that_comes_twice_is_no_proof(client):
    for name, value in (("Sec-Fetch-Site", "same-origin"), ("Origin", "http://127.0.0.1")):
        headers = [(name, value), (name, value)]
        assert_error(client.post(f"{TOY}/trace", headers=headers), 403, "cross_origin")


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        (b"https://rnn.example.org", b"rnn.example.org:443", True),
        (b"https://rnn.example.org:443", b"rnn.example.org", True),
        (b"http://rnn.example.org", b"rnn.example.org:80", True),
        (b"http://rnn.example.org", b"rnn.example.org:443", False),
        (b"https://rnn.example.org:8443", b"rnn.example.org:8443", True),
        (b"https://rnn.example.org:8443", b"rnn.example.org", False),
        (b"http://", b"", False),
        (b"http://:80", b"", False),
        (b"http://[::1]:8000", b"[::1]:8000", True),
    ],
)
def test_an_origin_is_compared_with_the_host_and_its_port(origin, host, same):
    assert same_host(origin, host) is same


def test_another_site_that_sends_a_form_or_plain_text_starts_nothing(server):
    """What a page can send without asking first, with the headers that browsers give it."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = {"Origin": "http://evil.example", "Content-Type": kind}
        body = b'{"prefix": "ab", "max_new_tokens": 5}'
        answer = server.client.post(f"{TOY}/generate", content=body, headers=headers)
        assert_error(answer, 403, "cross_origin")
    assert server.engine.stats().active == 0


def test_no_route_is_a_websocket_and_none_that_is_read_streams(client):
    found = routes(client.app)
    assert len(found) > 20
    assert not [route for route in found if isinstance(route, WebSocketRoute)]
    for path, methods in client.app.openapi()["paths"].items():
        for content in methods.get("get", {"responses": {}})["responses"].values():
            assert "text/event-stream" not in content.get("content", {}), path
