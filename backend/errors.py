"""One exception tree, one error shape.

    Error                       500 internal
    +-- Malformed               400 what is no request
    +-- Forbidden               403 what this server is told not to do
    +-- Outside                 401 who has not given the join code
    +-- NotFound                404
    +-- Conflict                409 what is there already
    +-- Invalid                 422 a field or a text that cannot be used
    +-- TooLarge                413
    +-- Unsupported             415 a type of file that is not read
    +-- Late                    408 a body that did not arrive in time
    +-- Misdirected             421 a name that is not this server's
    +-- Unavailable             503 a checkpoint that failed to load, a server that stops
    +-- Busy                    429 with Retry-After
    +-- Full                    507 no room on the disk, or all that imports may take is taken

Every answer that is not a success is `{"error": {"code", "message", "hint"}}`.
"""

import json
import logging
from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from backend.observing import outcome, route_of

log = logging.getLogger("unrolled")
SHOWN = 20  # wrong fields of a body that are told


class Error(Exception):
    """What went wrong (`message`), and what to do about it (`hint`)."""

    status = 500
    code = "internal"

    def __init__(self, message: str, hint: str = "", code: str | None = None, **details):
        super().__init__(message)
        self.message, self.hint, self.details = message, hint, details
        self.code = code or type(self).code

    def body(self) -> dict:
        """The one error shape; `details` (positions, limits) stand beside the three fields."""
        return error_body(self.code, self.message, self.hint, **self.details)


class Malformed(Error):
    status, code = 400, "bad_request"


class Misdirected(Error):
    status, code = 421, "wrong_host"


class Forbidden(Error):
    status, code = 403, "forbidden"


class Outside(Error):
    status, code = 401, "join_needed"


class NotFound(Error):
    status, code = 404, "not_found"


class Conflict(Error):
    status, code = 409, "conflict"


class Invalid(Error):
    status, code = 422, "invalid"


class TooLarge(Error):
    status, code = 413, "too_large"


class Unsupported(Error):
    status, code = 415, "unsupported_type"


class Late(Error):
    status, code = 408, "too_slow"


class Unavailable(Error):
    status, code = 503, "unavailable"


class Full(Error):
    status, code = 507, "disk_full"


class Busy(Error):
    status, code = 429, "busy"

    def __init__(self, message: str, retry_after: float, hint: str = ""):
        super().__init__(message, hint, retry_after=retry_after)
        self.retry_after = retry_after


def error_body(code: str, message: str, hint: str = "", **details) -> dict:
    """The one error shape."""
    return {"error": {"code": code, "message": message, "hint": hint, **details}}


def _field(location: tuple) -> str:
    return ".".join(str(part) for part in location if part not in ("body", "query", "path"))


def _from_validation(error: RequestValidationError) -> Error:
    """Pydantic's findings without the input: echoing NaN or a lone surrogate breaks the answer."""
    problems = error.errors()
    if any(p["type"] == "json_invalid" for p in problems):
        return Invalid("The body is not valid JSON.", "Send a JSON object.", "invalid_json")
    fields = [{"field": _field(p["loc"]), "problem": p["msg"]} for p in problems[:SHOWN]]
    first = fields[0]
    message = f"{first['field']}: {first['problem']}" if first["field"] else first["problem"]
    hint = "See /docs for the fields of this request and their bounds."
    return Invalid(message, hint, fields=fields)


_TOLD = {name: {"type": "string"} for name in ("code", "message", "hint")}
_SHAPE = {
    "type": "object",
    "properties": {"error": {"type": "object", "properties": _TOLD, "required": list(_TOLD)}},
    "required": ["error"],
}
# How the description of the API tells, once for all operations, what is no success.
RESPONSES = {
    status: {"description": description, "content": {"application/json": {"schema": _SHAPE}}}
    for status, description in (
        ("4XX", "What is wrong with the request, and what would be right."),
        ("5XX", "What the server cannot do, or not now."),
    )
}

HINTS = {
    400: "Send a JSON object; numbers of thousands of digits and deep nesting are refused.",
    404: "The addresses of the API are listed at /docs.",
    405: "The methods of each address are listed at /docs.",
}


def _from_http(error: HTTPException) -> Error:
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    found = Error(str(error.detail), HINTS.get(error.status_code, ""), code)
    found.status = error.status_code
    return found


def answer_of(
    request: Request,
    error: Error,
    page: Callable[[Request, Error], Response],
    headers: dict | None = None,
) -> Response:
    """An error as the one error shape, or as a `page` for a person who browses."""
    headers = dict(headers or {})
    if isinstance(error, Busy):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    browses = "text/html" in request.headers.get("accept", "")
    if browses and not request.url.path.startswith("/api/"):
        shown = page(request, error)
        shown.headers.update(headers)
        return shown
    # A lone surrogate of the request, told back, becomes a question mark.
    body = json.dumps(error.body(), ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, error.status, headers, "application/json")


def install(
    app: FastAPI, page: Callable[[Request, Error], Response], always: list[tuple[bytes, bytes]]
) -> None:
    """Give an application the one error shape: JSON, or `page` for a person who browses.

    `always` are headers of every answer: that of a failure is made outside all middleware.
    """

    def answer(request: Request, error: Error, headers: dict | None = None) -> Response:
        outcome(request.scope, error.code)
        return answer_of(request, error, page, headers)

    async def on_error(request: Request, error: Error) -> Response:
        return answer(request, error)

    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        return answer(request, _from_validation(error))

    async def on_http(request: Request, error: HTTPException) -> Response:
        return answer(request, _from_http(error), error.headers)

    async def on_failure(request: Request, error: Exception) -> Response:
        # A defect of ours: where it was raised is logged, that it was is told in one line.
        log.error("%s %s failed", request.method, route_of(request.scope), exc_info=error)
        told = answer(request, Error("The server failed on this request.", "It has been logged."))
        told.raw_headers.extend(always)
        told.headers["X-Request-ID"] = request.scope.get("request_id", "")
        return told

    app.add_exception_handler(Error, on_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_failure)
