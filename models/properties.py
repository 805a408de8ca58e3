"""What can be said of each character of a text by a few plain rules, to look for in a network.

A property is a number a character, (T,) float64: 0 or 1 where it is yes or no. It tells of the
text up to and with that character, as a state does that has just read it; `to_line_end` alone looks
ahead. NaN is where there is nothing to say, and those characters are left out of every score.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

OPENING, CLOSING = "([", ")]"


@dataclass(frozen=True)
class Property:
    """One of them: its name, how it is found, and whether it is yes or no."""

    name: str
    of: Callable[[str], np.ndarray]
    yes_or_no: bool


def line_position(text: str) -> np.ndarray:
    """Characters since the line's beginning, this one not counted; a tab is one."""
    found, at = np.empty(len(text)), 0
    for t, character in enumerate(text):
        found[t] = at
        at = 0 if character == "\n" else at + 1
    return found


def to_line_end(text: str) -> np.ndarray:
    """Characters still to come before the line ends; NaN in a last line that does not."""
    found, left = np.empty(len(text)), np.nan
    for t in range(len(text) - 1, -1, -1):
        left = 0.0 if text[t] == "\n" else left + 1
        found[t] = left
    return found


def quotes(text: str) -> np.ndarray:
    """Between « and » or “ and ”, or between two straight quotes of one line."""
    found, depth, straight = np.zeros(len(text)), 0, False
    for t, character in enumerate(text):
        if character in "«“":
            depth += 1
        elif character in "»”":
            depth = max(0, depth - 1)
        elif character == '"' and text[t - 1 : t] != "\\":
            straight = not straight
        elif character == "\n":
            straight = False
        found[t] = depth > 0 or straight
    return found


def round_brackets(text: str) -> np.ndarray:
    """How many round and square brackets are open."""
    found, depth = np.zeros(len(text)), 0
    for t, character in enumerate(text):
        depth = max(0, depth + (character in OPENING) - (character in CLOSING))
        found[t] = depth
    return found


def brackets(text: str) -> np.ndarray:
    """Whether a round or square bracket is open."""
    return (round_brackets(text) > 0).astype(float)


def braces(text: str) -> np.ndarray:
    """How many braces are open."""
    found, depth = np.zeros(len(text)), 0
    for t, character in enumerate(text):
        depth = max(0, depth + (character == "{") - (character == "}"))
        found[t] = depth
    return found


def comment(text: str) -> np.ndarray:
    """Between /* and */."""
    found, inside = np.zeros(len(text)), False
    for t in range(len(text)):
        pair = text[t - 1 : t + 1]
        if pair == "/*":
            inside = True
        elif pair == "*/":
            inside = False
        found[t] = inside
    return found


def indent(text: str) -> np.ndarray:
    """Tabs and spaces that the line begins with, as far as they have been read."""
    found, count, leading = np.empty(len(text)), 0, True
    for t, character in enumerate(text):
        if leading and character in "\t ":
            count += 1
        else:
            leading = False
        found[t] = count
        if character == "\n":
            count, leading = 0, True
    return found


def word(text: str) -> np.ndarray:
    """Whether it is a letter."""
    return np.array([float(character.isalpha()) for character in text])


def word_position(text: str) -> np.ndarray:
    """Letters of the word so far; 0 outside of words."""
    found, at = np.zeros(len(text)), 0
    for t, character in enumerate(text):
        at = at + 1 if character.isalpha() else 0
        found[t] = at
    return found


def capitals(text: str) -> np.ndarray:
    """Inside a run of two capitals or more, such as a speaker's name or a macro: NaN at its first
    letter, which nothing tells yet from any other capital."""
    found = np.zeros(len(text))
    for t, character in enumerate(text):
        if character.isupper():
            before = text[t - 1] if t else ""
            found[t] = 1 if before.isupper() else np.nan
    return found


ALL = [
    Property("line_position", line_position, False),
    Property("to_line_end", to_line_end, False),
    Property("quotes", quotes, True),
    Property("brackets", brackets, True),
    Property("round_brackets", round_brackets, False),
    Property("braces", braces, False),
    Property("comment", comment, True),
    Property("indent", indent, False),
    Property("word", word, True),
    Property("word_position", word_position, False),
    Property("capitals", capitals, True),
]
PROPERTIES = {one.name: one for one in ALL}
