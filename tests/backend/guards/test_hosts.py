import asyncio

import pytest

from backend.guards.hosts import KnownHosts, read_host
from tests.backend.serving import HERE, assert_error

HOME, CLASSROOM = {}, {"bound": "0.0.0.0"}
ONE = {"bound": "192.168.1.7"}
PROXY = {"bound": "0.0.0.0", "names": "rnn.example.org, Lab.Example.org:8443"}


def answered(host: bytes | None, local: str = "127.0.0.1", kind: str = "http", **settings) -> list:
    """What is answered to a request for a host that reached a local address; []: let through."""
    passed, sent = [], []

    async def app(scope, receive, send):
        passed.append(scope)

    async def send(message):
        sent.append(message)

    headers = [] if host is None else [(b"host", one) for one in host.split(b"&")]
    scope = {"type": kind, "headers": headers, "server": (local, 8000)}
    asyncio.run(KnownHosts(app, **settings)(scope, None, send))
    assert bool(passed) != bool(sent)
    return sent


GOOD = [
    (HOME, b"localhost", "127.0.0.1"),
    (HOME, b"localhost:8000", "127.0.0.1"),
    (HOME, b"LocalHost:8000", "127.0.0.1"),
    (HOME, b"127.0.0.1:8000", "127.0.0.1"),
    (HOME, b"127.0.0.1:9000", "127.0.0.1"),  # a port that is forwarded
    (HOME, b"[::1]:8000", "::1"),
    (HOME, b"[::1]", "::1"),
    ({"bound": "localhost"}, b"localhost:8000", "127.0.0.1"),
    ({"bound": "mybox"}, b"mybox:8000", "10.0.0.9"),
    (ONE, b"192.168.1.7:8000", "192.168.1.7"),
    (ONE, b"127.0.0.1", "192.168.1.7"),
    # What a teacher tells a class, straight and through the ports of a container.
    (CLASSROOM, b"192.168.1.7:8000", "192.168.1.7"),
    (CLASSROOM, b"192.168.1.7:8000", "172.17.0.2"),
    (CLASSROOM, b"127.0.0.1:8000", "172.17.0.2"),
    (CLASSROOM, b"0.0.0.0:8000", "127.0.0.1"),
    ({"bound": "::"}, b"[2001:db8::7]:8000", "2001:db8::7"),
    ({"bound": "::"}, b"192.168.1.7:8000", "::ffff:192.168.1.7"),
    (PROXY, b"rnn.example.org", "172.17.0.2"),
    (PROXY, b"RNN.example.org:443", "172.17.0.2"),
    (PROXY, b"lab.example.org:8443", "172.17.0.2"),
]
BAD = [
    (HOME, b"evil.example", "127.0.0.1"),
    (HOME, b"evil.example:8000", "127.0.0.1"),
    (HOME, b"localhost.evil.example:8000", "127.0.0.1"),
    (HOME, b"127.0.0.1.evil.example", "127.0.0.1"),
    (HOME, b"xlocalhost", "127.0.0.1"),
    (HOME, b"192.168.1.7:8000", "127.0.0.1"),
    (HOME, b"0.0.0.0:8000", "127.0.0.1"),
    (HOME, b"2130706433", "127.0.0.1"),
    (HOME, b"localhost:8000:8000", "127.0.0.1"),
    (HOME, b"localhost:", "127.0.0.1"),
    (HOME, b"localhost:http", "127.0.0.1"),
    (HOME, b"localhost@evil.example", "127.0.0.1"),
    (HOME, b"evil.example, localhost", "127.0.0.1"),
    (HOME, b"local\xffhost", "127.0.0.1"),
    (HOME, b"[::1", "::1"),
    (HOME, b"[::1]x", "::1"),
    (HOME, b"::1", "::1"),
    (HOME, b"[fe80::1%lo]", "::1"),
    (HOME, b"[127.0.0.1]", "127.0.0.1"),
    (HOME, b"", "127.0.0.1"),
    (ONE, b"192.168.1.8", "192.168.1.7"),
    (CLASSROOM, b"evil.example:8000", "192.168.1.7"),
    (PROXY, b"evil.example", "172.17.0.2"),
    (PROXY, b"example.org", "172.17.0.2"),
    (PROXY, b"x.rnn.example.org", "172.17.0.2"),
]


@pytest.mark.parametrize(("settings", "host", "local"), GOOD)
def test_a_name_that_means_this_server_is_answered(settings, host, local):
    assert answered(host, local, **settings) == []


@pytest.mark.parametrize(("settings", "host", "local"), BAD)
def test_a_name_that_need_not_mean_this_server_is_refused(settings, host, local):
    assert answered(host, local, **settings)[0]["status"] == 421
    assert answered(host, local, **settings)[0]["status"] == 421  # remembered, and still


def test_a_machine_that_is_open_to_others_answers_to_its_own_name(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "Desk.school.example")
    for name in (b"desk.school.example:8000", b"desk.local:8000"):
        assert answered(name, "192.168.1.7", **CLASSROOM) == []
        assert answered(name, "192.168.1.7", **ONE) == []
        assert answered(name, "127.0.0.1", **HOME)[0]["status"] == 421


@pytest.mark.parametrize("host", [None, b"localhost&localhost", b"localhost&evil.example"])
def test_a_request_has_one_host_and_not_another_number_of_them(host):
    assert answered(host)[0]["status"] == 400


def test_a_websocket_is_held_to_the_same_names():
    assert answered(b"evil.example", kind="websocket") == [
        {"type": "websocket.close", "code": 1008}
    ]
    assert answered(b"localhost", kind="websocket") == []


@pytest.mark.parametrize(
    "names", ["http://rnn.example.org", "a b", "*", "x/y", "rnn.example.org;b"]
)
def test_a_setting_that_is_no_name_is_told_when_the_server_starts(names):
    with pytest.raises(ValueError, match="--hosts"):
        KnownHosts(None, names=names)


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/checkpoints", "/static/x/mark.svg"])
def test_a_page_whose_name_was_bound_anew_gets_nothing_and_is_told_what_would_be_right(
    client, path
):
    answer = client.get(path, headers={"Host": "evil.example:8000"})
    error = assert_error(answer, 421, "wrong_host")
    assert "evil.example" in error["message"]
    assert "localhost" in error["hint"]
    assert "--hosts" in error["hint"]


def test_a_name_is_told_back_in_plain_letters(client):
    answer = client.get("/", headers={"Host": b"<b>\xff\x80" + b"a" * 500})
    assert len(assert_error(answer, 421)["message"]) < 200
    assert answer.content.isascii()


def test_a_health_check_at_a_loopback_address_is_answered(client):
    for host in ("127.0.0.1:8000", "localhost:8000"):
        assert client.get(f"{HERE}/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A-b.c_d:80", ("a-b.c_d", "80")),
        ("[::1]:5", ("::1", "5")),
        ("a:123456", None),
        ("a:８０", None),
        ("é", None),
        (":80", None),
    ],
)
def test_a_host_is_read_as_name_and_port(text, found):
    assert read_host(text) == found
