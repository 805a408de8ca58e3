"""The page knows every sentence of the doctor, so that it can tell it in another language."""

import ast
from pathlib import Path

from backend.pages import ENVIRONMENTS

DOCTOR = Path(__file__).parents[2] / "models" / "doctor"


def texts(node: ast.expr, names: dict[str, list[ast.expr]]) -> set[str]:
    """The texts that an expression may be: itself, or whatever a name was given in its module."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return texts(node.body, names) | texts(node.orelse, names)
    if isinstance(node, ast.Name):
        return {text for value in names.get(node.id, ()) for text in texts(value, {})}
    return set()


def templates(source: str) -> set[str]:
    """Every template of a sentence in a module."""
    tree = ast.parse(source)
    names: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names.setdefault(node.targets[0].id, []).append(node.value)
    return {
        text
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("Said", "say")
        and node.args
        for text in texts(node.args[0], names)
    }


def test_every_sentence_of_the_doctor_is_known_to_the_page():
    said = set().union(*(templates(path.read_text()) for path in sorted(DOCTOR.glob("*.py"))))
    said -= {"{what}", "tanh", "relu"}  # hand on what others say, or are names
    known = ENVIRONMENTS["ru"].get_template("doctor-strings.html").module.doctor_strings
    assert len(said) > 80
    assert not said - known.keys()
    assert [text for text in said if known[text] == text and "{wrong}" not in text] == []
