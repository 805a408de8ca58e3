"""What the doctor says is among the words of the page, and says the same in every language."""

import ast
import re
from pathlib import Path

import pytest

from backend.i18n import LANGUAGES, translations
from backend.pages import TEMPLATES

DOCTOR = Path(__file__).resolve().parents[2] / "models" / "doctor"
WORDS = dict(
    re.findall(r'^  "(.+?)": _\("(.+)"\),$', (TEMPLATES / "doctor-strings.html").read_text(), re.M)
)


def texts(node: ast.AST) -> list[str]:
    """The texts that an expression may be."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.IfExp):
        return texts(node.body) + texts(node.orelse)
    return []


def said() -> set[str]:
    """Every template of a sentence in the doctor's modules."""
    found = set()
    for path in DOCTOR.glob("*.py"):
        for scope in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(scope, ast.FunctionDef):
                continue
            named: dict[str, list[str]] = {}
            for node in ast.walk(scope):
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    named.setdefault(node.targets[0].id, []).extend(texts(node.value))
            for node in ast.walk(scope):
                called = isinstance(node, ast.Call) and getattr(node.func, "id", "")
                if called in ("Said", "say", "Misfit") and node.args:
                    first = node.args[0]
                    some = named.get(first.id, ()) if isinstance(first, ast.Name) else texts(first)
                    found.update(some)
    return found


def names(template: str) -> set[str]:
    return set(re.findall(r"{(\w+)", template))


def test_every_sentence_of_the_doctor_is_among_the_words_of_the_page():
    sentences = {text for text in said() if re.search(r"[a-z]{3}", re.sub(r"{.*?}", "", text))}
    assert len(sentences) > 80
    repeated = {text for text in sentences if "{answer!r}" in text}  # told beside its question
    assert sentences - repeated - WORDS.keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_translation_has_the_values_of_its_sentence(language):
    catalogue = translations(language)
    assert [t for t in WORDS if names(catalogue.gettext(WORDS[t])) != names(t)] == []
    assert all(template == text for template, text in WORDS.items())
