"""Write the table of settings into README.md, from backend/settings.py. Usage: scripts/document"""

import sys
from dataclasses import fields
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- settings: made by `make document` -->\n", "<!-- end of settings -->\n"


def table() -> str:
    """One row a setting: its flag, its default, its help."""
    sys.path.insert(0, str(ROOT))
    from backend.settings import Settings

    rows = ["| flag of `serve` | default | what it sets |", "| --- | --- | --- |"]
    for entry in fields(Settings):
        default = entry.default
        if isinstance(default, Path):
            default = default.relative_to(ROOT)
        words = entry.metadata["help"]
        if entry.metadata.get("choices"):
            words += ": " + ", ".join(f"`{choice}`" for choice in entry.metadata["choices"])
        rows.append(f"| `--{entry.name.replace('_', '-')}` | `{default}` | {words} |")
    return "\n".join(rows) + "\n"


def documented(text: str) -> str:
    """A README with its table of settings made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(documented(path.read_text("utf-8")), "utf-8")
