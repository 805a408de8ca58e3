import asyncio

import pytest

from backend.guards import CONTENT_SECURITY_POLICY, BodyLimit, SecurityHeaders
from tests.backend.serving import SECURITY

LIMIT = 1000


@pytest.mark.parametrize("guard", [lambda app: BodyLimit(app, LIMIT), SecurityHeaders])
def test_what_is_not_http_passes_untouched(guard):
    passed = []

    async def app(scope, receive, send):
        passed.append((scope, receive, send))

    receive, send = object(), object()
    asyncio.run(guard(app)({"type": "lifespan"}, receive, send))
    assert passed == [({"type": "lifespan"}, receive, send)]


def test_the_policy_lets_nothing_in_from_elsewhere_and_runs_no_inline_script():
    policy = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY
    assert "unsafe-eval" not in CONTENT_SECURITY_POLICY
    assert "unsafe-inline" not in policy["style-src-elem"]


PATHS = ["/healthz", "/readyz", "/api/checkpoints", "/nothing", "/openapi.json", "/static/x/none"]


@pytest.mark.parametrize("path", [*PATHS, "/api/checkpoints/none", "/"])
def test_every_answer_of_the_server_has_the_security_headers(client, path):
    answer = client.get(path, follow_redirects=False)
    assert set(answer.headers) >= SECURITY
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_stream_has_the_security_headers(client):
    body = {"prefix": "ab", "max_new_tokens": 1, "points": []}
    answer = client.post("/api/checkpoints/toy-gru/generate", json=body)
    assert answer.status_code == 200
    assert set(answer.headers) >= SECURITY


def test_a_defect_of_the_server_has_the_security_headers(client, monkeypatch):
    runner = client.app.state.catalog.entries["toy-rnn"].runner
    monkeypatch.setattr(runner, "trace", lambda *arguments: 1 / 0)
    answer = client.post("/api/checkpoints/toy-rnn/trace", json={"text": "ab"})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert set(answer.headers) >= SECURITY
