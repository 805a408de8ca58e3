"""Who may ask for what changes or computes: pages of this server, and whatever is no browser.

A page of another site can make its reader's browser send requests here. That the browser says where
they come from, such a page cannot prevent: `Sec-Fetch-Site` (where the connection is secure or
stays on the machine) and `Origin`. What sends neither is no browser. Answers are for nobody else
either: no header of this server ever lets another origin read one.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from backend.errors import Error, Forbidden
from backend.guards.refusals import refuse

READING = ("GET", "HEAD")
OURS = (b"same-origin", b"none")  # none: the reader typed the address, or opened a bookmark
PORTS = {b"http": b":80", b"https": b":443"}


def same_host(origin: bytes, host: bytes) -> bool:
    """Whether an origin names a host and its port. The scheme is that of the reader's side: a
    proxy that speaks TLS for this server speaks plain HTTP to it."""
    scheme, mark, place = origin.lower().partition(b"://")
    usual = PORTS.get(scheme)
    if not mark or usual is None:
        return False
    named = place.removesuffix(usual)
    return named != b"" and named == host.lower().removesuffix(usual)


class OwnOrigin:
    """Refuse what a page of another origin asks for, but for reading."""

    def __init__(self, app: ASGIApp):
        self.app = app

    def refusal(self, scope: Scope) -> Error | None:
        """Why a request is not answered, or None."""
        sites, origins, host = [], [], b""
        for name, value in scope["headers"]:
            if name == b"sec-fetch-site":
                sites.append(value)
            elif name == b"origin":
                origins.append(value)
            elif name == b"host":
                host = value
        if not sites and not origins:
            return None
        if len(sites) > 1 or len(origins) > 1 or origins == [b"null"]:
            right = False
        elif sites:
            right = sites[0] in OURS
        else:
            right = same_host(origins[0], host)
        if right:
            return None
        return Forbidden(
            "A page of another site asked for this.",
            "Ask from a page of this server, or from a program that is no browser.",
            "cross_origin",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asks = scope["type"] == "websocket" or (
            scope["type"] == "http" and scope["method"] not in READING
        )
        if asks and (error := self.refusal(scope)):
            return await refuse(scope, send, error)
        await self.app(scope, receive, send)
