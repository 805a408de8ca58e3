"""The door: who gets in, who does not, and what strangers reach of the server."""

import re

import pytest
from starlette.requests import Request
from starlette.routing import Mount
from starlette.testclient import TestClient

from backend import joining
from backend.app import create_app
from backend.joining import ALPHABET, COOKIE, LIKE_LATIN, SECONDS, Door, address_of
from backend.settings import Settings
from tests.backend.html import BROWSER
from tests.backend.serving import assert_error, in_process

CODE = "TREE42"


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def door(code=CODE):
    clock = Clock()
    return Door(code, clock, clock), clock


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """Asks a server with a join code, and keeps no cookie."""
    settings = Settings(checkpoints=tmp_path_factory.mktemp("none"), device="cpu", join=CODE)
    with in_process(settings) as client:
        yield client


@pytest.fixture
def student(stranger):
    """The same, with a student's cookie."""
    cookie = stranger.app.state.door.ticket()
    return TestClient(stranger.app, str(stranger.base_url), cookies={COOKIE: cookie})


# The code


def test_a_code_that_is_made_can_be_read_off_a_wall_and_is_another_each_time():
    codes = {Door("auto").code for _ in range(50)}
    assert len(codes) == 50
    assert all(re.fullmatch(f"[{ALPHABET}]{{6}}", code) for code in codes)
    assert not set("0O1ILUV") & set(ALPHABET)


@pytest.mark.parametrize("code", ["1234", "a b c", "-----", " "])
def test_a_code_that_is_soon_guessed_is_refused_at_the_start(code):
    with pytest.raises(ValueError, match="too short"):
        Door(code)


@pytest.mark.parametrize("typed", ["TREE42", "tree42", " tree 42 ", "TREE-42", "ТRЕЕ42"])
def test_a_code_may_be_typed_in_any_case_with_spaces_and_in_letters_that_look_the_same(typed):
    assert door()[0].right(typed, "a")


@pytest.mark.parametrize("typed", ["TREE4", "TREE422", "", "TREE\x0042", "\ud800", "Ü" * 200])
def test_another_code_is_not_the_code(typed):
    assert not door()[0].right(typed, "a")


def test_letters_that_look_the_same_are_those_of_the_alphabet():
    assert all(ord(letter) > 0x400 for letter in map(chr, LIKE_LATIN))
    assert len(set(LIKE_LATIN.values())) == len(LIKE_LATIN)


# Cookies


def test_a_ticket_holds_for_a_day_and_tells_the_student():
    one, clock = door()
    ticket = one.ticket()
    student = one.student_of(ticket)
    assert len(student) >= 12
    assert student != one.student_of(one.ticket())
    clock.now += SECONDS - 2
    assert one.student_of(ticket) == student
    clock.now += 3
    assert one.student_of(ticket) == ""


def test_what_is_changed_about_a_ticket_makes_it_none():
    one, _ = door()
    ticket = one.ticket("teacher")
    for at in range(len(ticket)):
        other = "A" if ticket[at] != "A" else "B"
        assert one.student_of(ticket[:at] + other + ticket[at + 1 :]) == ""
    for forged in (
        "",
        ".",
        "..",
        "teacher",
        "teacher.9999999999.",
        "a.b.c",
        "é",
        "\ud800",
        ticket * 2,
    ):
        assert one.student_of(forged) == ""


def test_a_ticket_of_another_start_is_none():
    assert door()[0].student_of(door()[0].ticket()) == ""


# Guessing


def guess(one, address, times, clock, seconds=0.0):
    """Codes looked at among so many wrong ones, one every so many seconds."""
    looked = 0
    for _ in range(times):
        if not one.wait(address):
            one.right("WRONG1", address)
            looked += 1
        clock.now += seconds
    return looked


def test_a_class_behind_one_address_mistypes_without_a_wait():
    one, clock = door()
    assert guess(one, "class", 40, clock) == 40
    assert one.wait("class") == 0


def test_who_goes_on_guessing_waits_longer_and_never_long():
    one, clock = door()
    waits = []
    for _ in range(60):
        one.right("WRONG1", "guesser")
        waits.append(one.wait("guesser"))
        clock.now += waits[-1]
    grown = [wait for wait in waits if wait]
    assert grown == sorted(grown)
    assert grown[0] <= 1
    assert max(grown) == pytest.approx(8)


def test_guessing_for_a_day_finds_no_code():
    one, clock = door("auto")
    looked = guess(one, "guesser", 24 * 3600, clock, seconds=1.0)
    assert looked / len(ALPHABET) ** 6 < 1e-3


def test_guesses_from_many_addresses_are_counted_together():
    one, clock = door()
    looked = sum(guess(one, str(k), 3, clock) for k in range(1000))
    assert looked < 400
    assert 0 < one.wait("somebody new") <= 4


def test_a_class_that_has_joined_does_not_wait_for_what_others_guess():
    one, clock = door()
    assert one.right(CODE, "class")
    guess(one, "guesser", 500, clock)
    for k in range(1000):
        guess(one, str(k), 1, clock)
    assert one.wait("somebody new") > 0
    assert one.wait("class") == 0


def test_what_is_remembered_of_addresses_and_students_is_bounded(monkeypatch):
    monkeypatch.setattr(joining, "REMEMBERED", 10)
    one, _ = door()
    for k in range(100):
        one.note(str(k))
        one.right("WRONG1", str(k))
        one.right(CODE, str(k))
    assert max(len(one._seen), len(one._tries), len(one._joined_from)) <= 10


def test_those_are_counted_who_have_asked_for_something_of_late():
    one, clock = door()
    for who in ("a", "b", joining.TEACHER):
        one.note(who)
    clock.now += 200
    one.note("a")
    assert one.present() == 2
    clock.now += 200
    assert one.present() == 1


# Addresses


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8::1", "2001:db8::"),
        ("2001:db8::ffff:2", "2001:db8::"),
        ("2001:db8:0:1::1", "2001:db8:0:1::"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_is_counted_as_what_one_person_has(host, counted):
    assert address_of({"client": (host, 1)}) == counted


def test_a_request_from_nowhere_has_no_address():
    assert address_of({}) == address_of({"client": None}) == ""


# What strangers reach

REACHED = {
    "/healthz",
    "/readyz",
    "/metrics",  # has a rule of its own
    "/favicon.ico",
    "/static/{path:path}",
    "/join",
    "/{language}/join",
    "/class",
    "/{language}/class",  # asks for the teacher's key
}


def routes(app):
    for route in app.routes:
        assert not isinstance(route, Mount)
        path = getattr(route, "path", None)
        if path is None:  # a router that was included whole
            yield from routes(route.original_router)
            continue
        for method in route.methods or {"GET"}:
            yield method, path


def filled(path: str) -> str:
    return re.sub(r"\{language\}", "en", re.sub(r"\{(?!language)[^}]*\}", "x", path))


def test_every_route_but_the_door_is_closed_to_strangers(stranger):
    seen = set(routes(create_app(Settings(join=CODE))))
    assert len(seen) > 40
    assert {path for _, path in seen} >= REACHED
    for method, path in sorted(seen):
        answer = stranger.request(method, filled(path), follow_redirects=False)
        if path in REACHED:
            assert "join_needed" not in answer.text, path
        else:
            assert answer.status_code == 401, (method, path)
            assert method == "HEAD" or answer.json()["error"]["code"] == "join_needed"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/en/",
        "/nothing/there",
        "/openapi.json",
        "/api/checkpoints",
        "//join",
        "/join/",
        "/en/join/x",
        "/join/../api/checkpoints",
        "/en/join%2f..%2f..%2fapi",
        "/api/join",
        "/eng/join",
        "/healthz/x",
        "/static",
        "/en/class/now",
        "/join%0a/x",
    ],
)
def test_no_spelling_of_an_address_goes_around_the_door(stranger, path):
    scope_path = path.replace("%2f", "/").replace("%0a", "\n")
    assert not joining.OPEN.fullmatch(scope_path) or ".." in scope_path
    assert_error(stranger.get(path), 401, "join_needed")


def test_a_path_that_only_begins_as_static_is_answered_by_the_static_files(stranger):
    for path in ("/static/../api/checkpoints", "/static/%2e%2e/api/checkpoints", "/static//api"):
        assert stranger.get(path).status_code in (401, 404)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_no_method_goes_around_the_door(stranger, method):
    assert stranger.request(method, "/api/checkpoints").status_code == 401


def test_a_browser_gets_the_page_of_the_door_in_its_place_and_language(stranger):
    answer = stranger.get("/ru/lessons?from=x", headers=BROWSER)
    assert answer.status_code == 401
    assert answer.headers["content-language"] == "ru"
    assert answer.headers["cache-control"] == "no-store"
    assert 'name="next" value="/ru/lessons?from=x"' in answer.text
    english = stranger.get("/", headers=BROWSER | {"Accept-Language": "en"})
    assert english.status_code == 401
    assert english.headers["content-language"] == "en"


def test_a_socket_is_closed_to_strangers(stranger):
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), stranger.websocket_connect("/anything"):
        pass


def test_who_is_in_reaches_everything(student):
    assert student.get("/api/checkpoints").status_code == 200
    assert student.get("/en/", headers=BROWSER).status_code == 200
    assert student.get("/nothing").status_code == 404


def test_a_server_without_a_code_asks_nobody(client):
    assert client.get("/api/checkpoints").status_code == 200
    assert client.app.state.door is None


# Whom a request is counted against


def test_a_request_is_counted_against_the_student_and_else_against_the_address():
    from backend.api.streams import client_of

    scope = {"type": "http", "headers": [], "client": ("10.0.0.7", 1)}
    assert client_of(Request(scope)) == "10.0.0.7"
    assert client_of(Request({**scope, "state": {"student": "s"}})) == "s"


def test_students_have_quotas_of_their_own():
    assert Settings().quota("streams") == Settings().streams_per_client
    joined = Settings(join=CODE)
    for of in ("streams", "readings", "trainings"):
        assert joined.quota(of) == getattr(joined, f"{of}_per_student")
        assert joined.quota(of) < Settings().quota(of)
