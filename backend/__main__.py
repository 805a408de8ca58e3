"""The command line: `python -m backend serve`, `python -m backend inspect FILE`."""

import argparse
import gc
import socket
import sys
from collections.abc import Sequence

from backend import inspect
from backend.guards.hosts import read_names
from backend.joining import check_code
from backend.settings import Settings, add_arguments, from_arguments


def parser() -> argparse.ArgumentParser:
    """Every command with its flags."""
    top = argparse.ArgumentParser(prog="python -m backend", description="Unrolled: the server.")
    commands = top.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve the pages and the API")
    add_arguments(serve)
    look = commands.add_parser("inspect", help="say what a file of weights is")
    inspect.add_arguments(look)
    return top


def listen(settings: Settings) -> socket.socket:
    """The socket to serve on; one clear line and exit status 1 where it is not to be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        sys.exit(
            f"unrolled: cannot listen on {settings.host} port {settings.port}: "
            f"{str(error).rstrip('.')}. "
            "Choose another with PORT=8001 (make) or --port 8001."
        )
    return listener


def keep_for_good() -> None:
    """Take what is loaded out of the collector's sight. To look through all modules and networks
    again and again would hold the event loop, and everybody's stream, for 0.2 s each time."""
    gc.collect()
    gc.freeze()


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve until told to stop."""
    import uvicorn

    from backend import class_pages, logs
    from backend.app import create_app
    from backend.guards.connections import allow_files, protocol
    from backend.stopping import Server, leave

    logs.set_up(settings.log_format)
    allow_files(settings.max_connections)
    app = create_app(settings)
    app.state.catalog.when_loaded = keep_for_good
    for line in class_pages.told_at_start(app.state.door, settings.host, listener.getsockname()):
        print(line, flush=True)
    config = uvicorn.Config(
        app,
        http=protocol(settings),
        ws="none",
        log_config=None,  # `logs` has all of it
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
    )
    Server(config, settings.drain_seconds).run(sockets=[listener])
    leave()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command."""
    parsed = parser().parse_args(arguments)
    if parsed.command == "inspect":
        sys.exit(inspect.run(parsed))
    try:
        settings = from_arguments(parsed)
        check_code(settings.join)
        read_names(settings.hosts)
    except ValueError as error:
        sys.exit(f"unrolled: {error}")
    listener = listen(settings)

    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    print(f"Unrolled is on http://{shown}:{port}  (Ctrl-C stops it)", flush=True)
    serve(settings, listener)  # imports after the socket is bound: a busy port is told at once


if __name__ == "__main__":
    main()
