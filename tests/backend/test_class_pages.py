"""The pages of a class: joining, coming back to what was asked for, and the teacher's wall."""

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from backend import class_pages
from backend.class_pages import address_for_students, local, told_at_start
from backend.i18n import LANGUAGES
from backend.joining import COOKIE, SECONDS, TEACHER, Door, Joining
from backend.settings import Settings
from tests.backend.html import BROWSER
from tests.backend.serving import assert_error, in_process

CODE = "TREE42"
BOTH = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with a join code."""
    settings = Settings(checkpoints=tmp_path_factory.mktemp("none"), device="cpu", join=CODE)
    with in_process(settings) as client:
        yield client


@pytest.fixture
def client(server):
    """A client with cookies of its own, before a door at which nobody has guessed yet."""
    server.app.state.door = door = Door(CODE)
    for middleware in middlewares(server.app):
        if isinstance(middleware, Joining):
            middleware.door = door
    return TestClient(server.app, str(server.base_url), follow_redirects=False)


def middlewares(app):
    layer = app.middleware_stack
    while layer is not None:
        yield layer
        layer = getattr(layer, "app", None)


def join(client, code=CODE, language="en", headers=BROWSER, **form):
    return client.post(f"/{language}/join", data={"code": code, **form}, headers=headers)


def flags(answer) -> dict[str, str]:
    pairs = [part.strip().partition("=") for part in answer.headers["set-cookie"].split(";")]
    return {name.lower(): value for name, _, value in pairs}


@BOTH
def test_the_right_code_lets_in_and_leads_on(client, language):
    answer = join(client, language=language, next=f"/{language}/lessons?a=%20b#place")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/{language}/lessons?a=%20b#place"
    assert client.get("/api/checkpoints").status_code == 200
    assert join(client, language=language).headers["location"] == f"/{language}/"


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_lasts_a_day(client):
    found = flags(join(client))
    assert "httponly" in found
    assert found["samesite"] == "lax"
    assert found["path"] == "/"
    assert found["max-age"] == str(SECONDS)
    assert "secure" not in found
    assert "domain" not in found


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-Proto": "https"}, {"Origin": "https://127.0.0.1:8000"}]
)
def test_where_the_reader_has_https_the_cookie_does_not_go_without(client, headers):
    client.base_url = "http://127.0.0.1:8000"
    assert "secure" in flags(join(client, headers=BROWSER | headers))


@BOTH
def test_a_wrong_code_is_told_and_kept_for_another_look(client, language):
    answer = join(client, "TREE43", language, next="/en/lessons")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-language"] == language
    assert 'value="TREE43"' in answer.text
    assert 'value="/en/lessons"' in answer.text
    assert 'role="alert"' in answer.text
    assert CODE not in answer.text


def test_a_program_gets_the_one_error_shape(client):
    assert_error(join(client, "TREE43", headers={}), 401, "wrong_code")
    assert_error(join(client, "", headers={}), 422, "no_code")
    assert_error(join(client, "x" * 300, headers={}), 422)
    assert join(client, headers={}).status_code == 303


def test_who_guesses_on_is_told_when_to_come_again_and_a_right_code_waits_too(client):
    for _ in range(41):
        assert join(client, "TREE43", headers={}).status_code == 401
    answer = join(client, "TREE43")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 9
    assert answer.headers["retry-after"] in answer.text
    error = assert_error(join(client, headers={}), 429, "busy")
    assert error["retry_after"] >= 1


def test_a_missing_code_counts_as_no_guess(client):
    for _ in range(50):
        assert join(client, "  ", headers={}).status_code == 422
    assert join(client).status_code == 303


@pytest.mark.parametrize("path", ["/", "/en/lessons/x?y=z", "/en/lab/a?text=%2F%2Fb#c", "/a//b"])
def test_a_path_of_this_server_is_come_back_to(path):
    assert local(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "en/lessons",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " /en/",
        "https://evil.example/",
        "javascript:alert(1)",
        "/en/join?next=/en/join",
        "/join",
        "/en/class",
        "/api/checkpoints",
        "/" + "a" * 3000,
        "/\x00",
    ],
)
def test_nothing_else_is_come_back_to(client, path):
    assert local(path) == ""
    assert join(client, next=path).headers["location"] == "/en/"


@BOTH
def test_a_link_may_hold_the_code(client, language):
    answer = client.get("/join?code=TREE42&next=/en/caption", headers={"Accept-Language": language})
    assert answer.status_code == 307
    assert answer.headers["location"] == f"/{language}/join?code=TREE42&next=/en/caption"
    page = client.get(answer.headers["location"])
    assert page.status_code == 200
    assert 'value="TREE42"' in page.text
    assert 'value="/en/caption"' in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"


def test_what_a_link_holds_is_text_and_nothing_else(client):
    page = client.get("/en/join", params={"code": '"><script>x', "next": '/"><script>x'}).text
    assert "<script>x" not in page


def test_there_is_no_other_language(client):
    assert client.get("/xx/join").status_code == 404
    assert client.post("/xx/join", data={"code": CODE}).status_code == 404


# The teacher's


def teach(client) -> str:
    """Come by the link that the server prints; the address of the page."""
    key = client.app.state.door.teachers_key
    answer = client.get(f"/class?key={key}", headers={"Accept-Language": "en"})
    answer = client.get(answer.headers["location"])
    assert answer.status_code == 303
    return answer.headers["location"]


@BOTH
def test_the_wall_shows_address_code_and_picture_to_the_teacher(client, language):
    address = teach(client)
    assert address == "/en/class"  # the key is in no address that is projected
    page = client.get(f"/{language}/class")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "".join(f"<span>{letter}</span>" for letter in CODE) in page.text
    assert '<svg viewBox="0 0 ' in page.text
    assert client.app.state.door.teachers_key not in page.text
    counts = client.get(f"/{language}/class/now").json()
    assert counts == {"present": 0, "running": 0, "waiting": 0}


def test_students_are_counted_on_the_wall(client):
    students = [TestClient(client.app, str(client.base_url)) for _ in range(3)]
    for student in students:
        join(student)
        student.get("/api/checkpoints")
    teach(client)
    assert client.get("/en/class/now").json()["present"] == 3


@pytest.mark.parametrize(
    "path", ["/en/class", "/ru/class", "/en/class?key=no", "/ru/class?key=%ff"]
)
def test_nobody_else_sees_the_code(client, path):
    assert_error(client.get(path), 403, "teacher_only")
    join(client)
    assert_error(client.get(path), 403, "teacher_only")
    assert_error(client.get("/en/class/now"), 403, "teacher_only")
    assert CODE not in client.get(path, headers=BROWSER).text


def test_a_student_cannot_become_the_teacher(client):
    join(client)
    value = client.cookies[COOKIE]
    _, until, signature = value.rsplit(".", 2)
    client.cookies.clear()
    client.cookies[COOKIE] = f"{TEACHER}.{until}.{signature}"
    assert client.get("/en/class").status_code == 403
    assert client.get("/en/class/now").status_code == 401


# Without a code


def test_a_server_without_a_code_has_no_door(tmp_path):
    with in_process(Settings(checkpoints=tmp_path, device="cpu")) as client:
        assert client.get("/en/join", follow_redirects=False).headers["location"] == "/en/"
        assert_error(client.post("/en/join", data={"code": "x"}), 404)
        assert_error(client.get("/en/class"), 404)


# What is told at the start


@pytest.mark.parametrize(
    ("host", "own", "told"),
    [
        ("0.0.0.0", "192.168.1.7", "http://192.168.1.7:8000/join"),
        ("192.168.1.7", "10.0.0.1", "http://192.168.1.7:8000/join"),
        ("0.0.0.0", "", ""),
        ("127.0.0.1", "192.168.1.7", ""),
    ],
)
def test_the_command_line_tells_code_address_and_the_teachers_link(monkeypatch, host, own, told):
    monkeypatch.setattr(class_pages, "own_address", lambda: own)
    door = Door(CODE)
    lines = told_at_start(door, host, (host, 8000))
    assert CODE in lines[0]
    assert ("http" in lines[0]) == bool(told)
    assert told in lines[0]
    assert lines[1].endswith(f":8000/class?key={door.teachers_key}")


@pytest.mark.parametrize(("host", "lines"), [("127.0.0.1", 0), ("::1", 0), ("0.0.0.0", 1)])
def test_an_open_server_without_a_code_says_so(host, lines):
    assert len(told_at_start(None, host, (host, 8000))) == lines


@pytest.mark.parametrize(
    ("asked", "host", "own", "found"),
    [
        ("192.168.1.7:8000", "0.0.0.0", "10.0.0.1", ("http://192.168.1.7:8000", True)),
        ("rnn.example.org", "127.0.0.1", "10.0.0.1", ("http://rnn.example.org", True)),
        ("127.0.0.1:8000", "0.0.0.0", "10.0.0.1", ("http://10.0.0.1:8000", True)),
        ("localhost:8000", "0.0.0.0", "", ("http://localhost:8000", False)),
        ("localhost:8000", "127.0.0.1", "10.0.0.1", ("http://localhost:8000", False)),
    ],
)
def test_the_wall_shows_the_address_by_which_others_come(monkeypatch, asked, host, own, found):
    monkeypatch.setattr(class_pages, "own_address", lambda: own)
    scope = {"type": "http", "scheme": "http", "path": "/", "query_string": b""}
    scope |= {"headers": [(b"host", asked.encode())], "server": ("127.0.0.1", 8000)}
    assert address_for_students(Request(scope), host) == found
