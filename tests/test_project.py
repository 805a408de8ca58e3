"""The documents say what is there, requirements are locked, files hold nothing they must not."""

import importlib.util
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import fields
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from backend.__main__ import parser
from backend.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"(?:^    .*\n|^\n(?=    ))+", README, re.MULTILINE)
TEXTS = {".css", ".html", ".in", ".js", ".json", ".md", ".po", ".py", ".toml", ".txt", ".yml", ""}
# What needs a GPU build only; torch pins these itself.
CUDA = ("nvidia-", "cuda-", "triton")


def texts() -> Iterator[tuple[str, str]]:
    """(path, text) of every text file that is in the repository or about to be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.suffix in TEXTS and path.is_file() and path.stat().st_size < 1 << 20:
            yield name, path.read_text("utf-8")


def pins(name: str) -> dict[str, Requirement]:
    """Canonical name -> requirement of one lock file, without those for other platforms."""
    lines = (line.partition("#")[0].strip() for line in read(f"requirements/{name}").splitlines())
    found = (Requirement(line) for line in lines if line and not line.startswith("-r"))
    return {canonicalize_name(r.name): r for r in found if not r.marker or r.marker.evaluate()}


def read(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


# The README, and what is promised


def commands() -> list[str]:
    """Every command line that the README shows, in its blocks and in its text."""
    lines = [line.strip() for block in BLOCKS for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", README.replace("\n", " "))
    return [line for line in lines if re.match(r"(make|(\S*/)?python3?) ", line)]


def test_every_make_command_of_the_readme_is_a_target_with_known_variables():
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    variables = set(re.findall(r"^([A-Z]+) =", read("Makefile"), re.MULTILINE))
    made = [shlex.split(line)[1:] for line in commands() if line.startswith("make ")]
    assert {words[0] for words in made} >= {"run", "test", "lint", "bench", "train"}
    for target, *settings in made:
        assert target in targets
        assert {setting.partition("=")[0] for setting in settings} <= variables


def test_every_make_target_is_in_the_readme_and_has_its_script():
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE)) - {"help"}
    assert [t for t in sorted(targets) if f"`make {t}" not in README] == []
    assert [t for t in sorted(targets) if not (ROOT / "scripts" / t).is_file()] == []


def test_every_module_that_the_readme_runs_exists():
    modules = [m for line in commands() for m in re.findall(r"-m ([\w.]+)", line)]
    assert "backend" in modules
    assert [m for m in modules if importlib.util.find_spec(m) is None] == []


def test_the_server_that_the_readme_starts_takes_its_arguments():
    started = [line.partition("-m backend ")[2] for line in commands() if "-m backend " in line]
    assert started
    for line in started:
        assert parser().parse_args(shlex.split(line)).command in {"serve", "inspect"}


def test_every_file_that_the_readme_links_to_or_names_exists():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("#")]
    named = re.findall(r"`((?:[\w-]+/)+[\w.*-]+\.\w+)`", README)
    missing = [name for name in links + named if not list(ROOT.glob(name))]
    assert [name for name in missing if "your-network" not in name] == []


def test_every_file_and_target_that_security_md_names_exists():
    promised = read("SECURITY.md")
    folder, missing = "", []
    for name in re.findall(r"`([\w./-]+\.py|[\w./-]+/|tests/\w+)`", promised):
        folder = name.rpartition("/")[0] + "/" if "/" in name else folder
        path = name if "/" in name else folder + name  # in the folder of the one before
        missing += [] if (ROOT / path).exists() else [path]
    assert missing == []
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"`make (\w+)", promised)) <= targets
    flags = {f"--{entry.name.replace('_', '-')}" for entry in fields(Settings)}
    assert set(re.findall(r"`(--[\w-]+)", promised)) <= flags


def test_every_path_of_the_annotated_tree_exists():
    tree = next(block for block in BLOCKS if "backend/  " in block)
    parents: dict[int, str] = {}
    listed = []
    for line in filter(str.strip, tree.splitlines()):
        indent, name = len(line) - len(line.lstrip()), line.split()[0]
        parents[indent] = name
        listed.append("".join(parents[i] for i in range(4, indent + 1, 4)))
    assert len(listed) > 15
    assert [path for path in listed if not (ROOT / path).exists()] == []


def test_the_table_of_settings_is_that_of_the_code():
    specification = importlib.util.spec_from_file_location("document", ROOT / "scripts/document.py")
    document = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(document)
    assert document.documented(README) == README, "run: make document"


def test_every_setting_is_a_flag_with_its_default():
    parsed = parser().parse_args(["serve"])
    for entry in fields(Settings):
        assert getattr(parsed, entry.name) == entry.default
        assert f"| `--{entry.name.replace('_', '-')}` |" in README


# The requirements


@pytest.mark.parametrize("name", ["runtime", "development"])
def test_every_requirement_is_locked_to_one_version(name):
    for line in read(f"requirements/{name}.txt").splitlines():
        if line and not line.startswith(("#", "-r ")):
            assert re.fullmatch(r"[a-z0-9-]+==[\w.]+(; [^#]+)?  # [\w.-]+", line), line
    asked = [
        line.partition("#")[0].strip() for line in read(f"requirements/{name}.in").splitlines()
    ]
    wanted = {canonicalize_name(Requirement(line).name) for line in asked if line}
    assert wanted <= pins("runtime.txt").keys() | pins("development.txt").keys()


def test_the_lock_holds_all_that_its_packages_need():
    locked = pins("runtime.txt") | pins("development.txt")
    for name in locked:
        for line in distribution(name).requires or []:
            need = Requirement(line)
            key = canonicalize_name(need.name)
            here = need.marker is None or need.marker.evaluate({"extra": ""})
            if here and not key.startswith(CUDA):
                assert key in locked, f"{name} needs {key}: run make lock"


def test_what_is_installed_is_what_is_locked():
    locked = pins("runtime.txt") | pins("development.txt")
    wrong = {
        n: distribution(n).version
        for n, r in locked.items()
        if distribution(n).version not in r.specifier
    }
    assert wrong == {}


def test_every_package_that_the_code_imports_is_required():
    """The server and the networks import nothing that only the tests install; training may ask
    for one more list."""
    runtime, captions = pins("runtime.txt").keys(), pins("captions.txt").keys()
    own = {"backend", "models", "tests"}
    for name, text in texts():
        if name.endswith(".py") and name.startswith(("backend/", "models/")):
            known = runtime | captions if name.startswith("models/training/") else runtime
            for module in re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE):
                if module not in sys.stdlib_module_names and module not in own:
                    names = {"markdown_it": "markdown-it-py", "PIL": "pillow", "yaml": "pyyaml"}
                    package = names.get(module, module)
                    assert canonicalize_name(package) in known, f"{name} imports {module}"


# Every file


def test_nothing_that_installs_or_serves_names_a_host():
    """Packages come from wherever the machine's own settings say."""
    loopback = re.compile(r"https?://(127\.0\.0\.1|localhost)[:/]")
    for name, text in texts():
        if name.startswith(("requirements/", "scripts/", ".ci/")) or "/" not in name:
            if name in {"LICENSE", "CHANGELOG.md"}:
                continue
            for address in re.findall(r"https?://\S+", text):
                assert loopback.match(address + "/"), f"{name} names {address}"
            assert not re.search(r"index-url[= ]+[\"']?\w+[.:]", text), name


def test_no_page_script_or_style_loads_from_elsewhere():
    loads = re.compile(
        r"""(?:src|href|action)=["']?(?:https?:)?//|url\(["']?(?:https?:)?//|from ["']http"""
    )
    for name, text in texts():
        if name.startswith("frontend/") and name.endswith((".html", ".css", ".js")):
            found = [line for line in text.splitlines() if loads.search(line)]
            assert [line for line in found if "<a " not in line] == [], name


def test_no_file_names_a_folder_of_the_machine_it_was_written_on():
    everybodys = {Path("/"), Path("/app"), Path(tempfile.gettempdir())}
    folders = [f"{folder}/" for folder in {ROOT, ROOT.parent, Path.home()} - everybodys]
    for name, text in texts():
        assert [folder for folder in folders if folder in text] == [], name


def test_nothing_is_left_to_be_done():
    marks = re.compile(r"\b(TODO|FIXME|XXX|lorem ipsum)\b|^(<{7}|>{7}) ", re.MULTILINE)
    for name, text in texts():
        if not name.startswith(("checkpoints/", "tests/")):
            assert not marks.search(text), f"{name}: {marks.search(text)}"


@pytest.mark.parametrize(
    "script", sorted(p.name for p in (ROOT / "scripts").iterdir() if p.is_file() and not p.suffix)
)
def test_every_script_is_shell_that_parses_and_says_how_it_is_used(script):
    path = ROOT / "scripts" / script
    assert f"Usage: scripts/{script}" in path.read_text()
    subprocess.run(["sh", "-n", path], check=True)
