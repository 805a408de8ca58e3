"""The parts of a written date: numbers, names and number words, in English and in Russian.

`FIELDS[language][name]` is `(part, table)`: `part` says which of `Day`'s numbers is written,
`table[number]` is its text. Month and weekday names are Unicode's (CLDR, through Babel), which
has the nominative and the genitive of Russian months; the other cases are made here.
"""

from typing import NamedTuple

from babel.dates import get_day_names, get_month_names

YEARS = range(1900, 2100)
TWO_DIGIT_YEARS = range(1969, 2069)  # '69 is 1969 and '68 is 2068, as POSIX strptime reads %y
YEAR, MONTH, DAY, WEEKDAY = range(4)


class Day(NamedTuple):
    """A date as tables are asked for it. Weekdays count from Monday, which is 0."""

    year: int
    month: int
    day: int
    weekday: int
    iso: str


Table = dict[int, str]
Field = tuple[int, Table]
DAYS = range(1, 32)


def words(text: str, between: str | None = None) -> list[str]:
    """A table that is written as one line."""
    return text.split(between)


ROMAN = words("I II III IV V VI VII VIII IX X XI XII")
ENGLISH_UNITS = words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
ENGLISH_TENS = words("zero ten twenty thirty forty fifty sixty seventy eighty ninety")
ENGLISH_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
# Russian ordinals without their endings; the third one is soft (третье, третьего).
RUSSIAN_ORDINALS = words(
    "нулев перв втор треть четвёрт пят шест седьм восьм девят десят одиннадцат двенадцат "
    "тринадцат четырнадцат пятнадцат шестнадцат семнадцат восемнадцат девятнадцат"
)
RUSSIAN_TENS = words(
    "_ десять двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто"
)
RUSSIAN_TENTHS = words(
    "_ десят двадцат тридцат сороков пятидесят шестидесят семидесят восьмидесят девяност"
)
RUSSIAN_ON_WEEKDAYS = words(
    "в понедельник,во вторник,в среду,в четверг,в пятницу,в субботу,в воскресенье", ","
)


def english_ordinal(n: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if n // 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def english_cardinal(n: int) -> str:
    """0..99 in words: seven, twenty, twenty-two."""
    if n < 20:
        return ENGLISH_UNITS[n]
    return ENGLISH_TENS[n // 10] + (f"-{ENGLISH_UNITS[n % 10]}" if n % 10 else "")


def english_ordinal_words(n: int) -> str:
    """1..99 in words: third, twelfth, twentieth, twenty-second."""
    head, hyphen, last = english_cardinal(n).rpartition("-")
    last = ENGLISH_ORDINALS.get(last) or (last[:-1] + "ieth" if last[-1] == "y" else last + "th")
    return head + hyphen + last


def english_year(n: int) -> str:
    """As it is mostly said: nineteen eighty-four, nineteen oh five, twenty ten, two thousand."""
    century, rest = divmod(n, 100)
    if rest == 0:
        return english_year_in_full(n)
    return f"{english_cardinal(century)} {'oh ' if rest < 10 else ''}{english_cardinal(rest)}"


def english_year_in_full(n: int, joint: str = " ") -> str:
    """nineteen hundred five, two thousand twenty-six; `joint` may be " and "."""
    century, rest = divmod(n, 100)
    head = "two thousand" if century == 20 else f"{english_cardinal(century)} hundred"
    return head + (joint + english_cardinal(rest) if rest else "")


def russian_ordinal_words(n: int, neuter: bool = False) -> str:
    """1..99 in the genitive (двадцать второго) or the neuter nominative (двадцать второе)."""
    tens, unit = divmod(n, 10)
    if n < 20 or unit:
        head = f"{RUSSIAN_TENS[tens]} " if n > 20 else ""
        stem = RUSSIAN_ORDINALS[n if n < 20 else unit]
    else:
        head, stem = "", RUSSIAN_TENTHS[tens]
    soft = stem == "треть"
    return head + stem + (("е" if soft else "ое") if neuter else ("его" if soft else "ого"))


def russian_year_words(n: int) -> str:
    """In the genitive: тысяча девятьсот восемьдесят четвёртого, двухтысячного."""
    century, rest = divmod(n, 100)
    if rest == 0:
        return {19: "тысяча девятисотого", 20: "двухтысячного"}[century]
    head = {19: "тысяча девятьсот", 20: "две тысячи"}[century]
    return f"{head} {russian_ordinal_words(rest)}"


def russian_prepositional(month: str) -> str:
    """январь, март, май -> январе, марте, мае."""
    return month.rstrip("ьй") + "е"


def _table(numbers, write) -> Table:
    return {n: write(n) for n in numbers}


COMMON: dict[str, Field] = {
    "yyyy": (YEAR, _table(YEARS, str)),
    "yy": (YEAR, _table(TWO_DIGIT_YEARS, lambda n: f"{n % 100:02}")),
    "m": (MONTH, _table(range(1, 13), str)),
    "mm": (MONTH, _table(range(1, 13), "{:02}".format)),
    "roman": (MONTH, dict(enumerate(ROMAN, 1))),
    "d": (DAY, _table(DAYS, str)),
    "dd": (DAY, _table(DAYS, "{:02}".format)),
}
# American newspapers shorten only the long names, to September's four letters (AP style).
_EN_MONTHS = dict(get_month_names("wide", locale="en"))
_EN_PRESS = {n: name if len(name) < 6 else f"{name[:3]}." for n, name in _EN_MONTHS.items()}
_RU_MONTHS = dict(get_month_names("wide", "stand-alone", "ru"))
_RU_MONTHS_OF = dict(get_month_names("wide", "format", "ru"))
FIELDS: dict[str, dict[str, Field]] = {
    "en": COMMON
    | {
        "month": (MONTH, _EN_MONTHS),
        "mon": (MONTH, dict(get_month_names("abbreviated", locale="en"))),
        "press": (MONTH, _EN_PRESS | {9: "Sept."}),
        "weekday": (WEEKDAY, dict(get_day_names("wide", locale="en"))),
        "wd": (WEEKDAY, dict(get_day_names("abbreviated", locale="en"))),
        "dth": (DAY, _table(DAYS, english_ordinal)),
        "day_words": (DAY, _table(DAYS, english_ordinal_words)),
        "year_words": (YEAR, _table(YEARS, english_year)),
        "year_full": (YEAR, _table(YEARS, english_year_in_full)),
        "year_and": (YEAR, _table(YEARS, lambda n: english_year_in_full(n, " and "))),
    },
    "ru": COMMON
    | {
        "month_is": (MONTH, _RU_MONTHS),
        "month": (MONTH, _RU_MONTHS_OF),
        "month_in": (MONTH, {n: russian_prepositional(m) for n, m in _RU_MONTHS.items()}),
        "mon": (MONTH, {n: name[:3] for n, name in _RU_MONTHS_OF.items()}),
        "press": (MONTH, dict(get_month_names("abbreviated", "format", "ru"))),
        "weekday": (WEEKDAY, dict(get_day_names("wide", locale="ru"))),
        "on_weekday": (WEEKDAY, dict(enumerate(RUSSIAN_ON_WEEKDAYS))),
        "wd": (WEEKDAY, dict(get_day_names("abbreviated", locale="ru"))),
        "day_is": (DAY, _table(DAYS, lambda n: russian_ordinal_words(n, neuter=True))),
        "day_of": (DAY, _table(DAYS, russian_ordinal_words)),
        "year_of": (YEAR, _table(YEARS, russian_year_words)),
    },
}
