"""The Docker files parse, and each of their steps works on what the repository holds.

Nothing is built here: the steps are walked one by one, with the argument parser, the port and the
files of the repository held against them; what is copied is served read-only as another user.
`make image` goes further: it installs, compiles, writes a text and takes a checkpoint in.
"""

import ast
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import fields
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx2
import pytest
import yaml
from packaging.utils import canonicalize_name

from backend.__main__ import parser
from backend.app import create_app
from backend.settings import Settings, from_arguments
from tests.toys import CONFIGS, write_toy

ROOT = Path(__file__).resolve().parent.parent
INSTRUCTIONS = {
    *("ARG", "CMD", "COPY", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "RUN", "STOPSIGNAL", "USER"),
    "WORKDIR",
}


specification = importlib.util.spec_from_file_location("image", ROOT / "scripts/image.py")
image = importlib.util.module_from_spec(specification)
specification.loader.exec_module(image)
steps, only = image.steps, image.only


def served(command: list[str]):
    """The server's arguments in a command of a container."""
    assert command[:3] == ["python", "-m", "backend"]
    return parser().parse_args(command[3:])


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path from the builder: the last pattern that matches wins."""
    out = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip().lstrip("!")
        parts = [path, *map(str, Path(path).parents)]
        if pattern and not line.startswith("#") and any(fnmatch(p, pattern) for p in parts):
            out = not line.startswith("!")
    return out


@pytest.fixture(scope="module")
def services() -> dict:
    """The services of docker-compose.yml."""
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def test_every_step_is_an_instruction_and_the_first_chooses_a_supported_python():
    assert {name for name, _ in steps()} <= INSTRUCTIONS
    name, image = steps()[0]
    assert name == "FROM"
    version = re.fullmatch(r"python:3\.(\d+)-slim", image)
    assert 11 <= int(version[1]) <= 14


def test_every_copied_path_exists_and_reaches_the_builder():
    copied = [rest.split()[0] for name, rest in steps() if name == "COPY"]
    assert {"backend", "models", "frontend", "checkpoints"} <= set(copied)
    for path in copied:
        assert (ROOT / path).exists(), path
        assert not ignored(path), path
    assert [path for path in (".git", ".venv", "runs", "tests") if not ignored(path)] == []


def test_what_the_image_installs_was_copied_before():
    names = [name for name, _ in steps()]
    installed = names.index("RUN")
    before = {rest.split()[1] for name, rest in steps()[:installed] if name == "COPY"}
    assert set(re.findall(r"requirements/\w+\.txt", steps()[installed][1])) <= before


def test_the_torch_of_the_image_is_the_one_that_is_pinned():
    (_, install) = next(step for step in steps() if step[0] == "RUN")
    pattern = (
        re.search(r"sed -n 's/(.+?)/\\1/p'", install)[1].replace(r"\(", "(").replace(r"\)", ")")
    )
    found = re.findall(pattern, (ROOT / "requirements/runtime.txt").read_text(), re.MULTILINE)
    assert len(found) == 1
    assert re.fullmatch(r"torch==\d+\.\d+\.\d+", found[0])
    assert ("ARG", 'TORCH_INDEX=""') in steps()


def test_the_image_does_not_run_as_root():
    names = [name for name, _ in steps()]
    assert only("USER") not in {"root", "0"}
    assert names.index("USER") < names.index("CMD")
    assert "COPY" not in names[names.index("USER") :]
    made = [rest for name, rest in steps() if name == "RUN" and "useradd" in rest]
    assert shlex.split(made[0])[-1] == only("USER")


def test_the_command_of_the_image_starts_the_server_on_the_port_it_exposes():
    arguments = served(json.loads(only("CMD")))
    assert arguments.command == "serve"
    assert arguments.host == "0.0.0.0"
    assert arguments.port == int(only("EXPOSE"))
    assert arguments.device == "cpu"
    assert arguments.checkpoints == Path(only("WORKDIR")) / "checkpoints"


def test_the_health_check_asks_an_address_that_the_server_has():
    flags, _, command = only("HEALTHCHECK").partition("CMD ")
    assert {flag.split("=")[0] for flag in flags.split()} <= {
        *("--interval", "--timeout", "--start-period", "--retries")
    }
    python, dash_c, code = json.loads(command)
    assert (python, dash_c) == ("python", "-c")
    ast.parse(code)
    port, path = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)'", code).groups()
    assert port == only("EXPOSE")
    assert path in create_app(Settings(checkpoints=ROOT / "checkpoints")).openapi()["paths"]


def test_compose_serves_on_the_cpu_unless_the_gpu_is_named(services):
    plain = [name for name, service in services.items() if "profiles" not in service]
    assert plain == ["unrolled"]
    assert "command" not in services["unrolled"]  # that of the image: the CPU
    assert "deploy" not in services["unrolled"]


def test_the_gpu_profile_reserves_a_device_and_uses_it(services):
    (gpu,) = [service for service in services.values() if service.get("profiles") == ["gpu"]]
    (device,) = gpu["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    on_gpu, on_cpu = served(gpu["command"]), served(json.loads(only("CMD")))
    assert on_gpu.device == "cuda"
    assert vars(on_gpu) | {"device": "cpu"} == vars(on_cpu)


def test_every_service_is_built_here_and_published_to_this_machine_only(services):
    for service in services.values():
        assert (ROOT / service["build"]["context"] / "Dockerfile").is_file()
        for argument in service["build"]["args"]:
            assert any(n == "ARG" and r.startswith(argument + "=") for n, r in steps())
        (port,) = service["ports"]
        assert port == "${UNROLLED_BIND:-127.0.0.1}:${PORT:-8000}:" + only("EXPOSE")


def test_every_service_reads_its_checkpoints_and_writes_only_to_tmp_and_its_imports(services):
    for service in services.values():
        checkpoints, imports = service["volumes"]
        source, target, mode = checkpoints.split(":")
        assert imports == f"imports:{Path(only('WORKDIR')) / 'imports'}"
        assert (ROOT / source).is_dir()
        assert mode == "ro"
        assert Path(target) == served(json.loads(only("CMD"))).checkpoints
        assert service["read_only"] is True
        assert service["tmpfs"] == ["/tmp"]
        assert service["cap_drop"] == ["ALL"]


def test_every_docker_command_of_the_readme_names_a_service(services):
    readme = (ROOT / "README.md").read_text("utf-8")
    named = re.findall(r"^    docker compose up ?(\S*)$", readme, re.MULTILINE)
    assert len(named) >= 2
    assert set(filter(None, named)) <= services.keys()


def test_the_volume_of_imports_is_declared_and_belongs_to_the_user_of_the_image():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert compose["volumes"] == {"imports": None}
    (made,) = [rest for name, rest in steps() if name == "RUN" and "install --dir" in rest]
    (user,) = [rest for name, rest in steps() if name == "RUN" and "useradd" in rest]
    assert re.search(r"--owner=(\d+) imports$", made)[1] == re.search(r"--uid (\d+)", user)[1]
    assert Settings().imports == Settings().checkpoints.parent / "imports"


def test_the_variables_of_the_services_are_those_of_settings_and_empty_means_the_default(
    services, monkeypatch
):
    known = {entry.metadata["variable"] for entry in fields(Settings)} - {None}
    for service in services.values():
        assert set(service["environment"]) == known
        for name, value in service["environment"].items():
            assert value == f"${{{name}:-}}"
    for name in known:
        monkeypatch.setenv(name, "")
    assert from_arguments(parser().parse_args(["serve"])) == Settings()


def test_what_the_server_imports_is_what_the_image_installs():
    pins = {
        canonicalize_name(line.partition("==")[0])
        for line in (ROOT / "requirements/runtime.txt").read_text().splitlines()
        if "==" in line
    }
    owners = packages_distributions()
    missing = {}
    for path in [*ROOT.glob("backend/**/*.py"), *ROOT.glob("models/**/*.py")]:
        for name in imported(path) - sys.stdlib_module_names - ELSEWHERE:
            if not {canonicalize_name(owner) for owner in owners.get(name, ())} & pins:
                missing[name] = str(path.relative_to(ROOT))
    assert missing == {}


ELSEWHERE = {"backend", "models", "pycocoevalcap"}  # the last: figures of captions in training


def imported(path: Path) -> set[str]:
    """The packages that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.skipif(os.name == "nt", reason="the image is one of Linux")
def test_what_the_image_copies_serves_read_only_as_a_user_who_owns_nothing(tmp_path):
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root needs setpriv to be another user")
    tmp_path.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    tmp_path.parent.parent.chmod(0o755)
    app, scratch = tmp_path / "app", tmp_path / "tmp"
    scratch.mkdir()
    image.copy(app, left_out=("checkpoints",))
    write_toy(app / "checkpoints" / "toy", CONFIGS["toy-lstm"])
    (app / "imports").mkdir()
    image.close(app)
    before = sorted(app.rglob("*"))
    with image.served(app, sys.executable, scratch, "--drain-seconds", "0.1") as server:
        address, process = server
        image.wait_for(lambda: image.well(address, sys.executable))
        assert "toy" in httpx2.get(f"{address}/en/checkpoints", timeout=60).text
        assert httpx2.get(f"{address}/metrics", timeout=60).status_code == 200
        process.send_signal(signal.SIGTERM)  # while it compiles: nothing is cached there
        assert process.wait(20) == 0
        assert "Traceback" not in process.stdout.read()
    assert sorted(app.rglob("*")) == before
    assert (app / "backend" / "app.py").stat().st_mode & 0o222 == 0
    for folder in [app, *(path for path in app.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)  # so that pytest can remove them


@pytest.mark.skipif(os.name == "nt", reason="the image is one of Linux")
@pytest.mark.parametrize("index", ["", "https://index.invalid/cpu"])
def test_the_step_that_installs_asks_for_what_is_pinned_and_torch_first_from_its_own_index(
    tmp_path, index
):
    asked = tmp_path / "asked"
    pip = tmp_path / "pip"  # stands for pip and notes what it is asked for
    pip.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n')
    pip.chmod(0o755)
    (install,) = [rest for name, rest in steps() if name == "RUN" and "pip install" in rest]
    variables = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", install], cwd=ROOT, env=variables | {"TORCH_INDEX": index})
    assert done.returncode == 0
    *torch, everything = asked.read_text().splitlines()
    assert everything == "install --no-cache-dir --requirement requirements/runtime.txt"
    expected = rf"install --no-cache-dir --index-url {index} torch==\d+\.\d+\.\d+"
    assert [bool(re.fullmatch(expected, line)) for line in torch] == [True] * bool(index)
