"""Nothing of the project unpickles, or runs what a file says: the syntax of every module is read.

The style check bans the imports; this one does not depend on its configuration, and finds calls.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("backend", "models", "scripts", "checkpoints", "frontend")
MODULES = {
    "pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve",
    "jsonpickle", "pandas",
}  # fmt: skip
NAMES = {
    "eval", "exec", "__import__", "torch.load", "torch.jit.load", "torch.export.load",
    "torch.package.PackageImporter", "torch.hub.load", "numpy.load", "runpy.run_path",
    "yaml.unsafe_load", "yaml.full_load", "yaml.Loader", "yaml.CLoader", "yaml.FullLoader",
    "yaml.CFullLoader", "yaml.UnsafeLoader", "yaml.CUnsafeLoader",
}  # fmt: skip


LAST = {name.rpartition(".")[2] for name in NAMES}


def found(tree: ast.AST) -> Iterator[str]:
    """The banned names of a module, whatever it calls them."""
    nodes = list(ast.walk(tree))
    names: dict[str, str] = {}  # as they are called here -> in full
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            source = getattr(node, "module", None)
            for alias in node.names:
                full = f"{source}.{alias.name}" if source else alias.name
                short = full.split(".")[0]
                if short in MODULES:
                    yield full
                whole = source or alias.asname  # `import a.b` binds a, `import a.b as c` a.b
                names[alias.asname or (alias.name if source else short)] = full if whole else short
    for node in nodes:
        if isinstance(node, ast.keyword) and node.arg in KEYWORDS:
            yield node.arg
        if isinstance(node, ast.Name):
            full = names.get(node.id, node.id)
        elif isinstance(node, ast.Attribute) and node.attr in LAST:
            first, _, rest = ast.unparse(node).partition(".")
            full = f"{names.get(first, first)}.{rest}"
        else:
            continue
        if full in NAMES:
            yield full


KEYWORDS = {"allow_pickle", "weights_only"}
WORDS = re.compile(rf"\b(?:{'|'.join(sorted(LAST | MODULES | KEYWORDS))})\b")


def test_no_module_outside_the_tests_unpickles_or_evaluates():
    modules = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(modules) > 100
    for path in modules:
        text = path.read_text("utf-8")
        if WORDS.search(text):  # most have none of the words, and need no look at their syntax
            assert list(found(ast.parse(text))) == [], path.relative_to(ROOT)


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "def f():\n    from pickle import loads",
        "import torch\ntorch.load('x')",
        "import torch as t\nread = t.load",
        "from torch import load as read\nread('x')",
        "from numpy import load\nload('x')",
        "import numpy as np\nnp.lib.format.read_array(f, allow_pickle=True)",
        "import yaml\nyaml.load(text, yaml.Loader)",
        "eval(text)",
        "import builtins\nlist(map(exec, texts))",
        "import joblib.numpy_pickle",
    ],
)
def test_the_look_at_the_syntax_finds(code):
    assert list(found(ast.parse(code)))


def test_the_look_at_the_syntax_leaves_in_peace():
    code = "network.eval()\nimport json\njson.load(f)\nimport yaml\nyaml.safe_load(t)\nself.load()"
    assert list(found(ast.parse(code))) == []


def test_the_reader_of_strangers_files_imports_nothing_but_numpy():
    """Neither torch nor any other library that could be talked into running something."""
    known = {
        "collections", "contextlib", "dataclasses", "errno", "json", "math", "models",
        "numpy", "os", "pathlib", "re", "resource", "stat", "struct", "subprocess", "sys", "zlib",
    }  # fmt: skip
    for path in (ROOT / "models" / "importing").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= known, path.name
            elif isinstance(node, ast.ImportFrom):
                assert node.module.split(".")[0] in known, path.name
                own = not node.module.startswith("models") or node.module.startswith(
                    "models.importing"
                )
                assert own, path.name
