"""The outermost layer: every request has an id, is counted, and is told to the log in one line.

What is told of a request is what the server knows of it, and nothing that somebody wrote: the route
as it is declared and not the address, the checkpoint where there is one of that name, the status,
the code of a refusal, times and sizes, and the client as a hash whose salt ends with the process.
"""

import hashlib
import logging
import re
import secrets
from time import perf_counter

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("unrolled.requests")
HEADER = b"x-request-id"
NOTICE = b"x-notice"
GIVEN = re.compile(rb"[A-Za-z0-9._-]{1,64}")  # an id that a proxy gave is kept if it looks so
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
NOWHERE = "none"  # the route of an address that there is not
SALT = secrets.token_bytes(16)


def outcome(scope: Scope, code: str) -> None:
    """Note the code that a request was refused with or a stream ended with."""
    scope["outcome"] = code


def notice(scope: Scope, name: str) -> None:
    """Tell the page of something that it did not ask for, in a header of the answer."""
    scope["notice"] = name


def route_of(scope: Scope) -> str:
    """The route as it is declared, `/api/checkpoints/{id}`: a name nobody can make up."""
    path = getattr(scope.get("route"), "path_format", None)
    if path is None and scope.get("endpoint") is not None:
        found = (r for r in scope["app"].routes if _serves(r, scope["endpoint"]))
        path = getattr(next(found, None), "path_format", None)
    return path or NOWHERE


def _serves(route, endpoint) -> bool:
    return getattr(route, "endpoint", None) is endpoint


def pseudonym(client: str) -> str:
    """Tells the requests of one client from those of others, while this process runs."""
    return hashlib.blake2b(client.encode(), key=SALT, digest_size=4).hexdigest()


class Observed:
    """Give each request an id, and say what became of it once its answer has ended."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        given = next((value for name, value in scope["headers"] if name == HEADER), b"")
        kept = given if GIVEN.fullmatch(given) else secrets.token_hex(8).encode()
        scope["request_id"] = kept.decode()
        status, sent, whole, failed = 0, 0, False, False
        began = answered = perf_counter()

        async def send_seen(message: Message) -> None:
            nonlocal status, sent, whole, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], perf_counter()
                more = [(HEADER, kept)]
                if told := scope.get("notice"):
                    more.append((NOTICE, told.encode()))
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
                whole = not message.get("more_body", False)
            await send(message)

        try:
            await self.app(scope, receive, send_seen)
        except Exception:
            failed = True
            raise
        finally:
            if failed and not status:
                # The layer outside of this one answers.
                status, answered, whole = 500, perf_counter(), True
                outcome(scope, "internal")
            self._tell(scope, status, answered - began, perf_counter() - began, sent, whole)

    def _tell(
        self, scope: Scope, status: int, wait: float, whole_time: float, sent: int, whole: bool
    ) -> None:
        state = scope["app"].state
        route = route_of(scope)
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        code = scope.get("outcome") or (f"http_{status}" if status >= 400 else "")
        if not whole and not code:
            code = "client_gone"
        state.metrics.answered(route, method, status, wait, code)
        if not log.isEnabledFor(logging.INFO):
            return
        from backend.api.streams import client_of

        facts = {
            "request": scope["request_id"],
            "method": method,
            "route": route,
            "status": status,
            "wait_ms": round(1000 * wait, 1),
            "ms": round(1000 * whole_time, 1),
            "bytes": sent,
            "client": pseudonym(client_of(Request(scope))),
        }
        params = scope.get("path_params", {})
        checkpoint = params.get("id") or params.get("checkpoint")
        if checkpoint in state.catalog.entries:
            facts["checkpoint"] = checkpoint
        if code:
            facts["code"] = code
        log.info("request", extra={"facts": facts})
