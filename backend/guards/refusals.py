"""How a guard says no: the one error shape, as ASGI messages or as the bytes of an answer."""

import json
from http import HTTPStatus

from starlette.types import Scope, Send

from backend.errors import Busy, Error
from backend.guards.headers import HEADERS
from backend.observing import outcome

Headers = list[tuple[bytes, bytes]]


def told(error: Error, *more: tuple[bytes, bytes]) -> tuple[Headers, bytes]:
    """Headers and body of the answer that tells an error."""
    body = json.dumps(error.body(), ensure_ascii=False).encode("utf-8", "replace")
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *more,
    ]
    if isinstance(error, Busy):
        headers.append((b"retry-after", str(max(1, round(error.retry_after))).encode()))
    return headers, body


def raw(error: Error) -> bytes:
    """The whole answer, where there is no request that an application could answer."""
    headers, body = told(error, (b"connection", b"close"), *HEADERS)
    phrase = HTTPStatus(error.status).phrase
    lines = [f"HTTP/1.1 {error.status} {phrase}".encode(), *(b": ".join(one) for one in headers)]
    return b"\r\n".join([*lines, b"", body])


async def refuse(scope: Scope, send: Send, error: Error, *more: tuple[bytes, bytes]) -> None:
    """Answer a request with an error and more headers, or end the handshake of a WebSocket."""
    if scope["type"] == "websocket":
        return await send({"type": "websocket.close", "code": 1008})
    outcome(scope, error.code)
    headers, body = told(error, *more)
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
