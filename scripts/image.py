"""Go through the steps of the Dockerfile on this machine, with no engine for containers.

Usage: scripts/image [--keep FOLDER] [--python PYTHON]

An environment is made and what the image installs is installed into it, or the environment of
PYTHON is taken; what the image copies is copied beside it, made read-only, and served by the
image's own command as a user who owns none of it, until its health check is content, a network has
written, a checkpoint was brought and deleted, and the server has stopped in peace.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
USER = "10001"
# Reads whatever there is and owns none of it: what a container's user may, where the caller is
# root; another caller has but to lose the right to write.
AS_USER = (
    "setpriv",
    f"--reuid={USER}",
    f"--regid={USER}",
    "--clear-groups",
    "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=-all,+dac_read_search",
    "--bounding-set=-all,+dac_read_search",
)
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")


def steps() -> list[tuple[str, str]]:
    """(instruction, rest) of each step of the Dockerfile, continued lines joined."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line[:1] != "#"]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def only(instruction: str) -> str:
    """What follows the one step of this kind."""
    (rest,) = [rest for name, rest in steps() if name == instruction]
    return rest


def copy(app: Path, left_out: tuple[str, ...] = ()) -> None:
    """Do what the COPY steps say, into a folder that stands for WORKDIR."""
    for name, rest in steps():
        source, target = rest.split() if name == "COPY" else ("", "")
        if not source or source in left_out:
            continue
        (app / target).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, app / target, ignore=LEFT_OUT)
        else:
            shutil.copy(ROOT / source, app / target)


def install(environment: Path, app: Path) -> None:
    """Make an environment and run the step that installs into it."""
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    (install,) = [rest for name, rest in steps() if name == "RUN" and "pip install" in rest]
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    index = os.environ.get("TORCH_INDEX", "")
    variables = {**os.environ, "PATH": path, "TORCH_INDEX": index}
    subprocess.run(["sh", "-c", install], check=True, cwd=app, env=variables)


def close(app: Path) -> None:
    """Take the right to write from everything but the folder of imports."""
    for path in [app, *app.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    imports = app / "imports"
    if imports.is_dir():
        imports.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(imports, int(USER), int(USER))


@contextmanager
def served(app: Path, python: str, scratch: Path, *more: str) -> Iterator[tuple]:
    """The image's command at work on a free port: its address and its process.

    `scratch` stands for /tmp, the only other place that may be written to. The environment is that
    of the image and nothing else: no HOME, no user's settings.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    image = {"8000": port, "0.0.0.0": "127.0.0.1", "python": python}
    command = [image.get(word, word) for word in json.loads(only("CMD"))]
    command = [word.replace(only("WORKDIR"), str(app)) for word in command] + list(more)
    variables = dict(part.split("=", 1) for part in only("ENV").split())
    variables = {name: value.replace("/tmp", str(scratch)) for name, value in variables.items()}
    as_user: tuple[str, ...] = ()
    if os.geteuid() == 0:
        shutil.chown(scratch, int(USER), int(USER))
        as_user = AS_USER
    process = subprocess.Popen(
        [*as_user, *command],
        cwd=app,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(scratch), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.communicate()


def well(address: str, python: str) -> bool:
    """Whether the health check of the image is content."""
    check = json.loads(only("HEALTHCHECK").partition("CMD ")[2])
    code = check[2].replace("http://127.0.0.1:8000", address)
    return subprocess.run([python, check[1], code], capture_output=True).returncode == 0


def wait_for(condition, seconds: float = 120.0) -> None:
    """Return once a condition holds. Raises `TimeoutError`."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("the server does not become well")
        time.sleep(0.1)


def main() -> None:
    """All steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="where to work, and to leave what was made")
    parser.add_argument("--python", help="an interpreter that has what the image installs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = options.keep or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o755)
        app, scratch, environment = place / "app", place / "tmp", place / "environment"
        for folder in (app, scratch):
            folder.mkdir()
        copy(app)
        (app / "imports").mkdir()
        if not options.python:
            print("copied; installing, which takes minutes", flush=True)
            install(environment, app)
        close(app)
        python = options.python or str(environment / "bin" / "python")
        with served(app, python, scratch, "--importing", "on") as (address, process):
            wait_for(lambda: well(address, python))
            print("the health check is content; compiling", flush=True)
            wait_for(lambda: _answers(f"{address}/readyz"), 900)  # on a busy machine
            body = json.dumps({"prefix": "good", "max_new_tokens": 5, "points": []}).encode()
            written = _ask("POST", f"{address}/api/checkpoints/hello-rnn/generate", body)
            if b"event: done" not in written:
                raise SystemExit("image: the network did not write")
            weights = (app / "checkpoints/hello-rnn/model.safetensors").read_bytes()
            brought = _ask("POST", f"{address}/api/checkpoints?name=own.safetensors", weights)
            _ask("DELETE", f"{address}/api/checkpoints/{json.loads(brought)['id']}")
            process.send_signal(signal.SIGTERM)
            if process.wait(20) != 0:
                raise SystemExit(f"image: it ended with status {process.returncode}")
        for path in [app, *app.rglob("*")]:  # so that what was made can be removed
            if path.is_dir():
                path.chmod(0o755)
        print("image: every step works")


def _ask(method: str, address: str, body: bytes | None = None) -> bytes:
    asked = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    asked.method = method
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return answer.read()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


if __name__ == "__main__":
    main()
