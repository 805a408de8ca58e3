"""The door of a class: a join code that keeps strangers out, and a cookie for those who are in.

Who gives the code gets a cookie with a number drawn at random, signed with a key that is made when
the server starts: nothing is asked for, nothing is stored, and a server that starts anew asks
again. It is HttpOnly, lasts a day, is Secure where the page came by https, and SameSite=Lax: with
Strict a link from a school's learning platform would meet the door again, and what changes
anything here is a POST, which Lax does not carry across sites.

A class is often behind one address, so a wrong code does not close the door to that address: the
first ones cost nothing, the ones after that a wait that grows and stays short, for a code has some
600 million others to hide among. Those who are in notice nothing of it.
"""

import hmac
import ipaddress
import re
import secrets
from collections.abc import Callable
from threading import Lock
from time import monotonic, time

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.errors import Error, Outside, answer_of
from backend.observing import outcome

ALPHABET = "ABCDEFGHJKMNPQRSTWXYZ23456789"  # none that is taken for another
LENGTH = 6
SHORTEST = 6  # characters of a code that is given; a shorter one is soon guessed
LIKE_LATIN = str.maketrans("АВЕКМНРСТХУ", "ABEKMHPCTXY")  # Cyrillic letters that look the same
COOKIE = "unrolled_join"
TEACHER = "teacher"  # the student who may see the code
SECONDS = 24 * 3600
PRESENT = 300.0  # seconds after which somebody who asks for nothing is no longer counted as there
REMEMBERED = 10_000  # students, and addresses, that are remembered at most
OPEN = re.compile(
    r"/(healthz|readyz|metrics|favicon\.ico|static/.*|join|\w\w/join|class|\w\w/class)"
)


def make_code() -> str:
    """A code to be read off a wall."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def plain(code: str) -> str:
    """A code as it is compared: without spaces and dashes, in capitals of one alphabet."""
    return re.sub(r"[\s-]+", "", code).upper().translate(LIKE_LATIN)


def check_code(code: str) -> None:
    """Raises `ValueError` for a code that would be guessed."""
    if code and code != "auto" and len(plain(code)) < SHORTEST:
        raise ValueError(
            f"the join code {code!r} is too short: {SHORTEST} letters or digits at least, "
            "or `auto`, which makes one"
        )


class Tries:
    """Wrong codes of one address, or of all: so many cost nothing, then each makes a wait.

    `free` come without one, and that many again every `free * each` seconds; the wait doubles with
    every further one, up to `longest` seconds.
    """

    def __init__(self, free: int, each: float, longest: float):
        self.free, self.each, self.longest = free, each, longest
        self.count, self.seen, self.until = 0.0, 0.0, 0.0

    def wait(self, now: float) -> float:
        """Seconds until the next code is looked at."""
        return max(0.0, self.until - now)

    def wrong(self, now: float) -> None:
        """Note a wrong code."""
        self.count = max(0.0, self.count - (now - self.seen) / self.each) + 1
        self.seen = now
        over = self.count - self.free
        if over > 0:
            self.until = now + min(self.longest, 0.5 * 2 ** min(over, 20.0))


class Door:
    """The join code, who is in, and how often it was guessed at. Called from any thread.

    Raises `ValueError` for a code that is too short.
    """

    def __init__(
        self,
        code: str,
        clock: Callable[[], float] = monotonic,
        calendar: Callable[[], float] = time,
    ):
        check_code(code)
        self.code = make_code() if code == "auto" else code
        self.teachers_key = secrets.token_urlsafe(16)
        self._clock, self._calendar = clock, calendar
        self._secret = secrets.token_bytes(32)
        self._lock = Lock()
        self._seen: dict[str, float] = {}  # student -> moment of the last request
        self._tries: dict[str, Tries] = {}  # by address
        self._all = Tries(free=300, each=1.0, longest=4.0)
        self._joined_from: dict[str, None] = {}  # addresses

    # -- cookies -----------------------------------------------------------------------------

    def ticket(self, student: str = "") -> str:
        """The value of a new cookie; `student` empty: a number that nobody has."""
        student = student or secrets.token_urlsafe(9)
        said = f"{student}.{int(self._calendar()) + SECONDS}"
        return f"{said}.{self._sign(said)}"

    def student_of(self, cookie: str) -> str:
        """Who holds a cookie; empty where it is not one of ours, or too old."""
        said, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(self._sign(said).encode(), signature.encode("utf-8", "replace")):
            return ""
        student, _, until = said.rpartition(".")
        return student if int(until) > self._calendar() else ""

    def _sign(self, said: str) -> str:
        return hmac.new(self._secret, said.encode("utf-8", "replace"), "sha256").hexdigest()

    # -- the code ----------------------------------------------------------------------------

    def wait(self, address: str) -> float:
        """Seconds until a code from there is looked at."""
        now = self._clock()
        with self._lock:
            mine = self._tries.get(address)
            waits = [mine.wait(now) if mine else 0.0]
            if address not in self._joined_from:  # a class is not kept out by what others try
                waits.append(self._all.wait(now))
        return max(waits)

    def right(self, code: str, address: str) -> bool:
        """Whether this is the code; notes where it is not. Ask `wait` first."""
        right = hmac.compare_digest(plain(code).encode("utf-8", "replace"), self._plain)
        now = self._clock()
        with self._lock:
            if right:
                _remember(self._joined_from, address, None)
            else:
                mine = self._tries.get(address) or Tries(free=40, each=10.0, longest=8.0)
                mine.wrong(now)
                _remember(self._tries, address, mine)
                self._all.wrong(now)
        return right

    @property
    def _plain(self) -> bytes:
        return plain(self.code).encode()

    # -- who is there ------------------------------------------------------------------------

    def note(self, student: str) -> None:
        """Somebody has asked for something."""
        with self._lock:
            _remember(self._seen, student, self._clock())

    def present(self) -> int:
        """Students who have asked for something of late."""
        since = self._clock() - PRESENT
        with self._lock:
            return sum(moment > since for who, moment in self._seen.items() if who != TEACHER)


def _remember(known: dict, key: str, value) -> None:
    """Put an entry last; the first ones go where there are too many."""
    known.pop(key, None)
    known[key] = value
    if len(known) > REMEMBERED:
        del known[next(iter(known))]


def address_of(scope: Scope) -> str:
    """Where a request comes from: of an IPv6 address the network, all of which one person has."""
    host = (scope.get("client") or ("", 0))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False).network_address)


class Joining:
    """Lets nobody in who has not given the code, but to the door itself.

    Who stands outside gets `page`, or the one error shape. The student's number is
    `request.state.student` from here on. Without a `door` all are let in.
    """

    def __init__(self, app: ASGIApp, door: Door | None, page: Callable[[Request, Error], Response]):
        self.app, self.door, self.page = app, door, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.door is None or scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        student = self.door.student_of(cookie_of(scope))
        if student:
            self.door.note(student)
            scope.setdefault("state", {})["student"] = student
        elif not OPEN.fullmatch(scope.get("path", "")):
            return await self._refuse(scope, receive, send)
        await self.app(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        refusal = Outside(
            "This server is for a class: it asks for a join code.",
            "Open /join in a browser. A program sends the code as the form field `code` to "
            "POST /en/join and keeps the cookie that comes back.",
        )
        outcome(scope, refusal.code)
        request = Request(scope, receive)
        answer = await run_in_threadpool(answer_of, request, refusal, self.page)
        await answer(scope, receive, send)


def cookie_of(scope: Scope) -> str:
    """The value of our cookie; empty where there is none."""
    return HTTPConnection(scope).cookies.get(COOKIE, "")
