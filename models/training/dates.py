"""Dates as people write them, each with its ISO form, drawn from a seed without end.

`test` has days that no other split has; `test_forms` has those days in forms that are never
trained on, and only such texts as no trained form would give. The forms, and what each of them
means, are in `date_forms`.
"""

from datetime import date, timedelta
from functools import cache
from hashlib import blake2b
from random import Random

from models.training.date_forms import FORMS
from models.training.date_words import YEARS, Day

LONGEST = 64  # characters; what would be longer is drawn again
SPLITS = ("train", "validation", "test", "test_forms")
TEST_SHARE, VALIDATION_SHARE = 5, 2  # percent of all days
# How often a text is written other than by the book.
LOWER, UPPER = 0.25, 0.1
TIGHT, WIDE, PADDED, DOTLESS = 0.05, 0.05, 0.03, 0.06
LONG_DASH, FINAL_STOP = 0.03, 0.03
NO_DOTS_ON_YO, CURLED, NO_HYPHENS = 0.5, 0.5, 0.3  # of the texts that have them


def day_of(when: date) -> Day:
    """A date as the forms want it."""
    return Day(when.year, when.month, when.day, when.weekday(), when.isoformat())


def part_of(iso: str) -> str:
    """`train`, `validation` or `test`: a hash of the day decides."""
    number = int.from_bytes(blake2b(iso.encode(), digest_size=4).digest(), "big") % 100
    if number < TEST_SHARE:
        return "test"
    return "validation" if number < TEST_SHARE + VALIDATION_SHARE else "train"


@cache
def days() -> dict[str, list[Day]]:
    """Every day from 1900-01-01 to 2099-12-31, by the part that it is in."""
    first, stop = date(YEARS.start, 1, 1), date(YEARS.stop, 1, 1)
    found: dict[str, list[Day]] = {"train": [], "validation": [], "test": []}
    for n in range((stop - first).days):
        day = day_of(first + timedelta(n))
        found[part_of(day.iso)].append(day)
    return found


TRAINED = [form for form in FORMS if not form.held_out]
HELD_OUT = [form for form in FORMS if form.held_out]


def vary(text: str, rng: Random, spelled: bool = False) -> str:
    """The same text as it may come from a hurried hand: case, spaces, dots, dashes.

    `spelled` allows to leave out hyphens, which is right only where they join words.
    """
    if "ё" in text and rng.random() < NO_DOTS_ON_YO:
        text = text.replace("ё", "е")
    if "'" in text and rng.random() < CURLED:
        text = text.replace("'", "’")
    if spelled and rng.random() < NO_HYPHENS:
        text = text.replace("-", " ")
    chance = rng.random()
    if chance < LOWER:
        text = text.lower()
    elif chance < LOWER + UPPER:
        text = text.upper()
    chance = rng.random()
    if chance < LONG_DASH:
        text = text.replace("-", "–")
    elif chance < LONG_DASH + FINAL_STOP and text[-1] != ".":
        text += "."
    chance = rng.random()
    if chance < TIGHT:
        text = text.replace(", ", ",").replace(". ", ".")
    elif chance < TIGHT + WIDE:
        text = text.replace(" ", "  ")
    elif chance < TIGHT + WIDE + PADDED:
        text = f" {text} "
    elif chance < TIGHT + WIDE + PADDED + DOTLESS:
        text = text.replace(". ", " ").removesuffix(".")
    return text


def is_trained(text: str, day: Day) -> bool:
    """Whether a trained form writes the day so: "May 5th 2031" has a full name and a short one."""
    return any(form.admits(day) and form.write(day) == text for form in TRAINED)


def example(rng: Random, split: str = "train") -> tuple[str, str, str]:
    """A written date, its ISO form, and the name of the form it is written in."""
    new = split == "test_forms"
    among = HELD_OUT if new else TRAINED
    pool = days()["test" if new else split]
    while True:
        form = among[int(rng.random() * len(among))]
        day = pool[int(rng.random() * len(pool))]
        if not form.admits(day):
            continue
        text = form.write(day)
        if new and is_trained(text, day):
            continue
        text = vary(text, rng, form.spelled)
        if len(text) <= LONGEST:
            return text, day.iso, form.name


def pairs(seed: int | str, count: int, split: str = "train") -> list[tuple[str, str]]:
    """Written dates and their ISO forms. Raises `ValueError` for a split that is not there."""
    if split not in SPLITS:
        raise ValueError(f"{split!r} is not one of {', '.join(SPLITS)}")
    rng = Random(f"{seed} {split}")
    return [example(rng, split)[:2] for _ in range(count)]


def alphabet() -> list[str]:
    """Every symbol that a written date can have."""
    found = set(" .’–")
    for form in FORMS:
        for _, table in form.parts:
            found.update(*table.values())
    return sorted(found | set("".join(found).upper()) | set("".join(found).lower()))
