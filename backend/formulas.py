"""Formulas: TeX to MathML, each quantity in its own colour.

`\\q{f}{f_t}` sets f_t in the hue that the forget gate has in every figure. The library colours by
name and writes inline styles; so each quantity borrows a name on its way through, and comes out
with a class of the style sheet, which follows the theme.
"""

import re
from functools import cache

from math_core import LatexError, LatexToMathML

# Quantity -> the colour whose name it borrows. The quantities are those of css/base.css.
BORROWED = {
    "h": "blue", "c": "violet", "x": "gray", "y": "green", "i": "teal", "f": "orange",
    "g": "brown", "o": "purple", "r": "pink", "z": "cyan", "n": "olive", "a": "darkgray",
    "attention": "magenta", "query": "lime", "key": "yellow", "value": "red",
}  # fmt: skip
QUANTITY = re.compile(r"\\q\{(\w+)\}")
STYLE = re.compile(r'style="(color:#[0-9A-F]{6};)"')
TERMINAL = re.compile(r"\x1b\[[0-9;]*m")


class BadFormula(ValueError):
    """A formula that cannot be set, and where."""


@cache
def _converter() -> LatexToMathML:
    return LatexToMathML()


@cache
def _classes() -> dict[str, str]:
    """What the library writes for a borrowed colour -> the class of its quantity."""
    convert = _converter().convert_with_local_state
    return {
        STYLE.search(convert(rf"\textcolor{{{name}}}{{x}}", displaystyle=False))[1]: f"q q-{letter}"
        for letter, name in BORROWED.items()
    }


def mathml(tex: str, display: bool = False) -> str:
    """A `<math>` element. Raises `BadFormula` with the library's words."""

    def borrow(found: re.Match) -> str:
        if found[1] not in BORROWED:
            raise BadFormula(f"{tex}: \\q{{{found[1]}}} is no quantity; {', '.join(BORROWED)} are")
        return rf"\textcolor{{{BORROWED[found[1]]}}}"

    try:
        made = _converter().convert_with_local_state(
            QUANTITY.sub(borrow, tex), displaystyle=display
        )
    except LatexError as error:
        raise BadFormula(f"{tex}: {TERMINAL.sub('', str(error)).strip()}") from error
    return STYLE.sub(lambda found: f'class="{_classes().get(found[1], "")}"', made)
