"""The pages of a class: where a student gives the join code, and what a teacher projects.

The teacher's page shows the code, so it opens with the link that the server prints when it starts
and with nothing else. That a request comes from this machine proves nothing: behind a proxy or a
tunnel on it, everybody's does.
"""

import hmac
import ipaddress
import socket
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import segno
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from backend.errors import Busy, Error, Forbidden, Invalid, NotFound, Outside
from backend.i18n import LANGUAGES
from backend.joining import COOKIE, SECONDS, TEACHER, Door, address_of
from backend.pages import error_page, reader_language, render, require_language

router = APIRouter(include_in_schema=False)
ANY = ("0.0.0.0", "::", "")  # to listen on every address of the machine
LONGEST = 2000  # characters of an address that is come back to


def local(path: str) -> str:
    """A path on this server to go on to; empty where it would lead elsewhere, or to the door."""
    strange = any(ord(c) <= 32 or c in "\\\x7f" for c in path)
    if strange or not path.startswith("/") or path.startswith("//") or len(path) > LONGEST:
        return ""
    parts = urlsplit(path)
    door = parts.path.rsplit("/", 1)[-1] in ("join", "class") or parts.path.startswith("/api/")
    return "" if parts.scheme or parts.netloc or door else path


def outside(request: Request, error: Error) -> Response:
    """An error for a person: for who stands outside, the door, which then leads on to here."""
    if not isinstance(error, Outside):
        return error_page(request, error)
    query = f"?{request.url.query}" if request.url.query else ""
    here = local(request.url.path + query) if request.method in ("GET", "HEAD") else ""
    first = request.url.path.split("/")[1]
    language = first if first in LANGUAGES else reader_language(request)
    return _door(request, language, 401, next=here)


def _door(request: Request, language: str, status: int = 200, **shown) -> Response:
    """The page with the field: `code` it holds, `next` it leads on to, `problem` (an `Error`)."""
    answer = render(request, language, "join.html", status, **shown)
    answer.headers.update({"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"})
    return answer


def _open_door(request: Request) -> Door:
    door = request.app.state.door
    if door is None:
        raise NotFound(
            "This server asks for no join code.", "Start it with --join to keep strangers out."
        )
    return door


@router.get("/join")
@router.get("/class")
def in_a_language(request: Request) -> Response:
    """The same in the reader's language; what follows a # in the address stays."""
    query = f"?{request.url.query}" if request.url.query else ""
    to = f"/{reader_language(request)}{request.url.path}{query}"
    return RedirectResponse(to, 307, {"Vary": "Accept-Language"})


@router.get("/{language}/join")
def join(request: Request, language: str, code: str = "", next: str = "") -> Response:
    """The field, filled in where the link holds the code."""
    require_language(language)
    if request.app.state.door is None:
        return RedirectResponse(f"/{language}/", 303)
    return _door(request, language, code=code[:64], next=local(next))


@router.post("/{language}/join")
def enter(
    request: Request,
    language: str,
    code: Annotated[str, Form(max_length=200)] = "",
    next: Annotated[str, Form(max_length=10 * LONGEST)] = "",
) -> Response:
    """Take the code: a cookie and on to where they came from, or the field again."""
    require_language(language)
    door = _open_door(request)
    problem = _problem(door, code, address_of(request.scope))
    if problem is None:
        onwards = local(next) or f"/{language}/"
        return _let_in(request, RedirectResponse(onwards, 303), door.ticket())
    if "text/html" not in request.headers.get("accept", ""):
        raise problem
    status = 401 if problem.status == 422 else problem.status
    shown = _door(request, language, status, code=code[:64], next=local(next), problem=problem)
    if isinstance(problem, Busy):
        shown.headers["Retry-After"] = str(problem.retry_after)
    return shown


def _problem(door: Door, code: str, address: str) -> Error | None:
    if not code.strip():
        return Invalid("The code is missing.", "Your teacher has it.", "no_code")
    if seconds := door.wait(address):
        return Busy(
            "Too many wrong codes have come from this network.",
            int(seconds) + 1,
            "Try again after the seconds told.",
        )
    if door.right(code, address):
        return None
    return Outside("This is not the join code.", "Look at it once more.", "wrong_code")


def _let_in(request: Request, answer: Response, ticket: str) -> Response:
    answer.set_cookie(
        COOKIE,
        ticket,
        max_age=SECONDS,
        path="/",
        secure=_by_https(request),
        httponly=True,
        samesite="lax",
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _by_https(request: Request) -> bool:
    """Whether the reader's side is https; what a proxy made of it tells the origin of a form."""
    headers = request.headers
    told = (request.url.scheme, headers.get("x-forwarded-proto"), headers.get("origin", "")[:5])
    return "https" in told


# -- the teacher's -------------------------------------------------------------------------------


@router.get("/{language}/class")
def classroom(
    request: Request, language: str, key: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """Address and code for the projector. The teacher's link leaves its key in no address."""
    require_language(language)
    door = _open_door(request)
    if key:
        if not hmac.compare_digest(key.encode("utf-8", "replace"), door.teachers_key.encode()):
            raise _not_the_teacher()
        here = RedirectResponse(f"/{language}/class", 303)
        return _let_in(request, here, door.ticket(TEACHER))
    _require_teacher(request)
    settings = request.app.state.settings
    address, reached = address_for_students(request, settings.host)
    picture = segno.make(f"{address}/join#{door.code}", error="m", micro=False)
    code = Markup(picture.svg_inline(border=3, light="#fff", dark="#000", omitsize=True))
    answer = render(
        request,
        language,
        "class.html",
        address=address,
        shown=address.partition("://")[2],
        reached=reached,
        code=door.code,
        picture=code,
        now=_now(request, door),
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.get("/{language}/class/now")
def now(request: Request, language: str) -> dict:
    """How many are there, and what the server has to do."""
    require_language(language)
    door = _open_door(request)
    _require_teacher(request)
    return _now(request, door)


def _now(request: Request, door: Door) -> dict:
    engine = request.app.state.engine
    stats = engine.stats() if engine else None
    return {
        "present": door.present(),
        "running": stats.active if stats else 0,
        "waiting": stats.queued if stats else 0,
    }


def _require_teacher(request: Request) -> None:
    if getattr(request.state, "student", "") != TEACHER:
        raise _not_the_teacher()


def _not_the_teacher() -> Error:
    return Forbidden(
        "This page is the teacher's.",
        "It opens with the link that the server printed when it started.",
        "teacher_only",
    )


# -- where students find the server --------------------------------------------------------------


def address_for_students(request: Request, host: str) -> tuple[str, bool]:
    """The address that this page came from, else one of this machine in its network; and whether
    others reach it, as far as can be told."""
    url = request.url
    if not _loopback(url.hostname or ""):
        return f"{url.scheme}://{url.netloc}", True
    found = own_address() if host in ANY else "" if _loopback(host) else host
    if not found:
        return f"{url.scheme}://{url.netloc}", False
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{found}{port}", True


def own_address() -> str:
    """The address of this machine in its network, empty where it cannot be told.

    No packet is sent: the system is asked from where one would go out. Inside a container that is
    an address which nobody outside has.
    """
    if Path("/.dockerenv").exists():
        return ""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation
        except OSError:
            return ""
        found = probe.getsockname()[0]
    return "" if _loopback(found) else found


def _loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
        return address.is_loopback or address.is_unspecified
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def told_at_start(door: Door | None, host: str, bound: tuple) -> list[str]:
    """What the command line tells of the door; `bound` is where the server listens: (host, port,
    ...)."""
    shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
    if door is None:
        if _loopback(host) and host not in ANY:
            return []
        return ["Whoever reaches this address may use it; --join asks for a code first."]
    found = own_address() if host in ANY else shown
    here = "127.0.0.1" if host in ANY else shown
    lines = [f"Join code: {door.code}"]
    if found and not (_loopback(host) and host not in ANY):
        lines[0] += f"   Students open http://{found}:{bound[1]}/join"
    lines.append(
        f"For the projector (the teacher's link): "
        f"http://{here}:{bound[1]}/class?key={door.teachers_key}"
    )
    return lines
