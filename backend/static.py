"""Static files under an address that names their version, so that a browser keeps them for ever.

`/static/<version>/js/lab.js`: the version is a hash of every file's name, size and time of
change; relative imports between modules stay inside it. Text is compressed once and kept.
"""

import gzip
import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from backend.errors import NotFound

FOLDER = Path(__file__).resolve().parent.parent / "frontend" / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".woff2": "font/woff2",
    ".ico": "image/x-icon",
}
COMPRESSED = (".css", ".js", ".json", ".svg")
PLOTLY = "plotly.min.js"


@lru_cache(1)
def plotly_file() -> Path:
    """plotly.js as the plotly wheel carries it (found without importing plotly)."""
    return Path(find_spec("plotly").origin).parent / "package_data" / PLOTLY


def version() -> str:
    """Twelve hex digits that change whenever a static file does."""
    digest = hashlib.sha256(str(plotly_file()).encode())
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            stat = path.stat()
            digest.update(f"{path}{stat.st_mtime_ns}{stat.st_size}".encode())
    return digest.hexdigest()[:12]


@lru_cache(256)
def _read(path: Path, changed: int, compressed: bool) -> bytes:
    raw = path.read_bytes()
    return gzip.compress(raw, 6, mtime=0) if compressed else raw


def _find(name: str) -> Path:
    path = plotly_file() if name == PLOTLY else (FOLDER / name).resolve()
    inside = name == PLOTLY or path.is_relative_to(FOLDER)
    if "\0" in name or not inside or path.suffix not in TYPES or not path.is_file():
        raise NotFound("There is no such file.")
    return path


def _accepts_gzip(header: str) -> bool:
    for part in header.lower().replace(" ", "").split(","):
        coding, _, quality = part.partition(";q=")
        if coding == "gzip":
            return not quality or quality.strip("0.") != ""  # q=0 is a refusal
    return False


def serve(request: Request) -> Response:
    """One static file; a plain function, so that reading and compressing stay off the loop."""
    asked, _, name = request.path_params["path"].partition("/")
    try:
        path = _find(name)
    except (ValueError, OSError):  # an embedded NUL, a name too long
        raise NotFound("There is no such file.") from None
    accepts = _accepts_gzip(request.headers.get("accept-encoding", ""))
    compressed = accepts and path.suffix in COMPRESSED
    body = _read(path, path.stat().st_mtime_ns, compressed)
    current = asked == version()
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if current else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if compressed:
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, media_type=TYPES[path.suffix])
