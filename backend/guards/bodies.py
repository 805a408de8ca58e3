"""A cap on bodies, counted as they stream, and the time that they may take."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import Error, Late, TooLarge
from backend.guards.refusals import told
from backend.observing import outcome

# What is still taken of a body that was refused, so that who sends it gets to read the answer: a
# connection that is closed with bytes unread is reset, and the answer may be lost with it.
DRAIN_BYTES = 16 << 20
DRAIN_SECONDS = 2.0
BODILESS, CHUNKS = ("GET", "HEAD"), b"transfer-encoding"


class BodyLimit:
    """Refuse a body past its limit: at once by its declared length, else as it streams in.

    `limit` in bytes holds for every path but those of `others`: path as a route writes it -> bytes.
    A body has `wait` seconds to arrive; one of `others` has them for each part, its route knows
    how long the whole may take.
    """

    def __init__(
        self,
        app: ASGIApp,
        limit: int,
        others: Mapping[str, int] | None = None,
        wait: float = 30.0,
    ):
        self.app, self.limit, self.wait = app, limit, wait
        self.others = [(compile_path(path)[0], most) for path, most in (others or {}).items()]

    def _limit(self, path: str) -> tuple[int, bool]:
        """Bytes of a path, and whether the path is one of `others`."""
        own = next((most for known, most in self.others if known.match(path)), None)
        return (self.limit, False) if own is None else (own, True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"0")
        if scope.get("method") in BODILESS and declared == b"0" and not headers.get(CHUNKS):
            return await self.app(scope, receive, send)
        limit, parts = self._limit(scope.get("path", ""))
        if declared.isdigit() and int(declared[:20]) > limit:
            return await _refuse(scope, receive, send, _too_large(limit))
        seen, until, whole, started = 0, None, False, False
        broken: Error | None = None

        async def receive_counted() -> Message:
            nonlocal seen, until, whole, broken
            if whole:  # what is waited for now is the end of the connection
                return await receive()
            if until is None or parts:
                until = asyncio.get_running_loop().time() + self.wait
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                broken, whole = _too_slow(self.wait), True  # the rest is not waited for either
                raise broken from None
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                whole = not message.get("more_body", False)
                if seen > limit:
                    broken = _too_large(limit)
                    raise broken
            return message

        async def send_noted(message: Message) -> None:
            nonlocal started
            if broken is None or started:
                started = True
                await send(message)

        # The application may turn the error into an answer of its own: that one is not sent.
        try:
            await self.app(scope, receive_counted, send_noted)
        except (Late, TooLarge) as error:
            if error is not broken:
                raise
        if broken is not None and not started:
            await _refuse(scope, receive, send, broken, whole)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"The body is larger than {limit} bytes.",
        "Send a shorter text or a smaller file.",
        limit=limit,
    )


def _too_slow(seconds: float) -> Late:
    return Late(f"The body did not arrive in {seconds:g} seconds.", "Send it again, all at once.")


async def _refuse(
    scope: Scope, receive: Receive, send: Send, error: Error, whole: bool = False
) -> None:
    """Answer, then take what is still on its way, within bounds, then close the connection.

    The answer is complete by its declared length before the last, empty part of it is sent.
    """
    outcome(scope, error.code)
    headers, body = told(error, (b"connection", b"close"))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    if not whole:
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await _drain(receive)
    await send({"type": "http.response.body", "body": b""})


async def _drain(receive: Receive) -> None:
    left = DRAIN_BYTES
    while left > 0:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
        left -= len(message.get("body", b""))
