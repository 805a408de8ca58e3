"""How the server ends: told once, it lets what runs come to its last event; told twice, at once.

With the first SIGTERM or Ctrl-C it is no longer ready and takes nothing new; generations get
`drain_seconds` in all, the last of it for readers to take what was written; the exit status is 0.
The second one ends the process as if nobody listened to signals.
"""

import logging
import os
import signal
import socket
import sys
import threading
from time import monotonic
from types import FrameType

import uvicorn

from backend.start import close_engine

log = logging.getLogger("unrolled")
GRACE = 2.0  # seconds past the drain after which the process ends, whatever still holds it


def leave() -> None:
    """End the process with status 0, now: to take torch apart object by object takes seconds."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


class Server(uvicorn.Server):
    """Lets generations end with their last event before their connections are closed."""

    def __init__(self, config: uvicorn.Config, drain_seconds: float):
        super().__init__(config)
        self.drain_seconds = drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to stop: the first is answered in peace, any other ends the process."""
        if self.should_exit:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        self.config.app.state.stopping = True  # at once: whoever balances load looks elsewhere
        self.should_exit = True
        last = threading.Timer(self.drain_seconds + GRACE, self._cut)
        last.daemon = True
        last.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End generations, then connections, within `drain_seconds` in all."""
        until = monotonic() + self.drain_seconds
        await close_engine(self.config.app)
        self.config.timeout_graceful_shutdown = max(0.1, until - monotonic())
        await super().shutdown(sockets)

    def _cut(self) -> None:
        log.warning("something did not end in time; the server ends without it")
        leave()
