"""Which names this server answers to.

A page of anybody can have its own name resolved to 127.0.0.1, and is then of one origin with what
listens there: it may read all that it asks for. Its requests still carry its own name as their
Host. So a name is answered only where it is known to mean this server. An address cannot be made
to mean another machine, so addresses are never a danger; where the server listens on one address
only, it knows which those can be all the same.
"""

import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from backend.errors import Error, Malformed, Misdirected
from backend.guards.refusals import refuse

Address = IPv4Address | IPv6Address


def read_host(text: str) -> tuple[str, str] | None:
    """Name or address in lower case, and port ("" where none is told); None: that is no host."""
    host, bracket, rest = text.lower().partition("]")
    if bracket:
        host, colon, port = host.removeprefix("["), rest[:1], rest[1:]
        if not text.startswith("[") or "%" in host or not isinstance(_address(host), IPv6Address):
            return None
    else:
        host, colon, port = text.lower().partition(":")
    plain = host.replace("-", "").replace(".", "").replace("_", "").isalnum() or bracket
    whole = not colon or (port.isascii() and port.isdigit() and len(port) <= 5)
    return (host, port) if host.isascii() and plain and whole and (colon or not rest) else None


def _address(host: str) -> Address | None:
    try:
        found = ip_address(host)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def read_names(setting: str) -> set[str]:
    """The names of a setting, which stand between commas. Raises `ValueError`."""
    names = set()
    for name in filter(None, (part.strip() for part in setting.split(","))):
        found = read_host(name)
        if found is None:
            raise ValueError(f"--hosts: {name!r} is no name of a host such as rnn.example.org")
        names.add(found[0])
    return names


class KnownHosts:
    """Refuse a request whose Host names something else than this server.

    `bound` is the address or name to listen on, `names` are others, between commas, that lead here.
    The port may be any: a port that is forwarded has another number outside.
    """

    def __init__(self, app: ASGIApp, bound: str = "127.0.0.1", names: str = ""):
        self.app = app
        address = _address(bound)
        self.everywhere = (address is not None and address.is_unspecified) or not bound
        alone = bound == "localhost" or (address is not None and address.is_loopback)
        self.names = {"localhost"} | ({bound.lower()} if address is None else set())
        if not alone:  # other machines may use the name of this one
            own = socket.gethostname().lower()
            self.names |= {own, f"{own.partition('.')[0]}.local"}
        self.names |= read_names(names)
        self._known = lru_cache(256)(self._find)

    def _find(self, host: bytes, local: str) -> bool:
        """Whether a Host, as it was sent, leads to the address that was reached."""
        found = read_host(host.decode("latin-1"))
        if found is None:
            return False
        if found[0] in self.names:
            return True
        address = _address(found[0])
        if address is None:
            return False
        return self.everywhere or address.is_loopback or address == _address(local)

    def refusal(self, scope: Scope) -> Error | None:
        """Why a request is not answered, or None."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and self._known(hosts[0], str((scope.get("server") or ("",))[0])):
            return None
        right = f"Ask for one of these: {', '.join(sorted(self.names))}, or the server's address."
        if len(hosts) != 1:
            count = len(hosts) or "no"
            return Malformed(f"The request has {count} Host headers.", "Send one.")
        shown = hosts[0][:100].decode("latin-1").encode("unicode_escape").decode()
        return Misdirected(
            f"This server does not answer to the name {shown}.",
            f"{right} If it is to answer to this name, start it with --hosts NAME.",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and (error := self.refusal(scope)):
            return await refuse(scope, send, error)
        await self.app(scope, receive, send)
