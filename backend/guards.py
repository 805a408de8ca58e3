"""What stands between the network and the application: a cap on bodies, and security headers."""

import json
from collections.abc import Mapping
from contextlib import suppress

from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import error_body

# Hash: the empty <style> element that plotly.js adds and then fills through the CSSOM.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src-elem 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]


class SecurityHeaders:
    """Add the security headers to every answer."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
            await send(message)

        await self.app(scope, receive, send_guarded)


class BodyTooLarge(Exception):
    """A body passed its cap while it was being read."""


class BodyLimit:
    """Refuse a body past its limit: at once by its declared length, else as it streams in.

    `limit` in bytes holds for every path but those of `others`: path as a route writes it -> bytes.
    """

    def __init__(self, app: ASGIApp, limit: int, others: Mapping[str, int] | None = None):
        self.app, self.limit = app, limit
        self.others = [(compile_path(path)[0], most) for path, most in (others or {}).items()]

    def _limit(self, path: str) -> int:
        return next((most for known, most in self.others if known.match(path)), self.limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        limit = self._limit(scope.get("path", ""))
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared[:20]) > limit:
            return await self._refuse(send, limit)
        seen, started = 0, False

        async def receive_counted() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > limit:
                    raise BodyTooLarge
            return message

        async def send_noted(message: Message) -> None:
            nonlocal started
            if seen <= limit or started:
                started = True
                await send(message)

        # The application may turn BodyTooLarge into an answer of its own: that one is not sent.
        with suppress(BodyTooLarge):
            await self.app(scope, receive_counted, send_noted)
        if seen > limit and not started:
            await self._refuse(send, limit)

    async def _refuse(self, send: Send, limit: int) -> None:
        body = json.dumps(
            error_body(
                "too_large",
                f"The body is larger than {limit} bytes.",
                "Send a shorter text or a smaller picture.",
                limit=limit,
            )
        ).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})
