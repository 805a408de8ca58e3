"""What stands between the network and the application, a middleware an idea, all of them pure ASGI.

    connections   (the protocol of uvicorn) how many, how long a head may be and take
    headers       the security headers, on every answer
    hosts         the Host must name this server: a name that was bound anew reaches nothing
    origins       what changes or computes is asked for by our own pages, or by no browser
    bodies        a cap on bodies and the time they may take
    documents     (a dependency of every route) JSON says each thing once

A request goes through them in this order. Whatever they refuse is answered in the one error shape.
"""

from collections.abc import Mapping
from functools import partial

from fastapi import FastAPI

from backend.guards.bodies import BodyLimit
from backend.guards.documents import each_once
from backend.guards.headers import CONTENT_SECURITY_POLICY, HEADERS, SecurityHeaders
from backend.guards.hosts import KnownHosts
from backend.guards.origins import OwnOrigin
from backend.settings import Settings

__all__ = [
    "CONTENT_SECURITY_POLICY",
    "HEADERS",
    "BodyLimit",
    "SecurityHeaders",
    "each_once",
    "install",
]


def install(app: FastAPI, settings: Settings, bodies: Mapping[str, int]) -> None:
    """Put the guards before an application; `bodies`: path as a route writes it -> bytes."""
    inmost_first = (
        partial(
            BodyLimit, limit=settings.max_body_bytes, others=bodies, wait=settings.body_seconds
        ),
        OwnOrigin,
        partial(KnownHosts, bound=settings.host, names=settings.hosts),
        SecurityHeaders,
    )
    for guard in inmost_first:
        app.add_middleware(guard)
