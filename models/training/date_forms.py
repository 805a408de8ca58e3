"""The ways to write a date: about a hundred in English, about as many in Russian.

What a written date means, so that no text has two readings:

- 4 digits are a year. Digits alone are read year-month-day if the year is first, else
  day-month-year ("5.11.2026", "05-11-26", "5 11 2026"), but with slashes month/day/year
  ("11/5/2026"). Where that would make a month above 12, the two change places: "22/11/2026" and
  "11-22-2026" are the same day. 8 digits without separators are ymd or dmy; only one can be.
- A year of two digits is always last, and means 1969..2068 ('69 is 1969, '68 is 2068).

About one form in ten is held out of training, to see whether the rest teaches it. A held-out form
is a new combination: each of its fields, and each text between them, occurs in forms that are
trained on.
"""

from dataclasses import dataclass
from functools import cached_property, partial
from string import Formatter

from models.training.date_words import FIELDS, TWO_DIGIT_YEARS, YEAR, YEARS, Day

LATE = range(13, 32)  # days that cannot be months


@dataclass(frozen=True)
class Form:
    """One way to write a date: fields of `date_words.FIELDS` with text between them."""

    language: str
    pattern: str
    held_out: bool = False
    days: range = range(1, 32)  # days of the month that may be written so

    @property
    def name(self) -> str:
        return f"{self.language} {self.pattern}"

    @cached_property
    def years(self) -> range:
        """Years that may be written so."""
        return TWO_DIGIT_YEARS if "{yy}" in self.pattern else YEARS

    @cached_property
    def spelled(self) -> bool:
        """Whether a number is written in English words, where hyphens may be left out."""
        return self.language == "en" and "_words}" in self.pattern

    @cached_property
    def parts(self) -> list[tuple[int, dict]]:
        """The number asked for and the table it is looked up in. Plain text has a table that
        says the same in every year."""
        found = []
        for text, field, _, _ in Formatter().parse(self.pattern):
            if text:
                found.append((YEAR, dict.fromkeys(YEARS, text)))
            if field is not None:
                found.append(FIELDS[self.language][field])
        return found

    def admits(self, day: Day) -> bool:
        """Whether this day can be written so."""
        return day.year in self.years and day.day in self.days

    def write(self, day: Day) -> str:
        """The day by the book. Raises `KeyError` for a year that the form does not admit."""
        return "".join([table[day[number]] for number, table in self.parts])


en, ru = partial(Form, "en"), partial(Form, "ru")
FORMS: tuple[Form, ...] = (
    # Digits. Where the languages agree the form stands once, with English.
    en("{yyyy}-{mm}-{dd}"),
    en("{yyyy}/{mm}/{dd}"),
    en("{yyyy}/{m}/{d}"),
    en("{yyyy}.{mm}.{dd}", held_out=True),
    en("{yyyy} {mm} {dd}"),
    en("{yyyy}_{mm}_{dd}"),
    en("{yyyy}{mm}{dd}"),
    en("{m}/{d}/{yyyy}"),
    en("{mm}/{dd}/{yyyy}"),
    en("{m}/{d}/{yy}"),
    en("{mm}/{dd}/{yy}"),
    en("{m} / {d} / {yy}"),
    en("{m} / {d} / {yyyy}", held_out=True),
    en("{d}/{m}/{yyyy}", days=LATE),
    en("{m}-{d}-{yyyy}", days=LATE),
    en("{wd} {m}/{d}/{yyyy}"),
    en("{weekday}, {mm}/{dd}/{yyyy}"),
    en("{weekday} {yyyy}-{mm}-{dd}"),
    en("{yyyy}-{mm}-{dd} ({wd})"),
    en("{dd}-{mm}-{yyyy}"),
    en("{d}-{m}-{yyyy}"),
    en("{d} {m} {yyyy}"),
    en("{dd}-{mm}-{yy}"),
    ru("{dd}.{mm}.{yyyy}"),
    ru("{d}.{m}.{yyyy}"),
    ru("{dd}.{mm}.{yy}"),
    ru("{d}.{m}.{yy}"),
    ru("{dd}. {mm}. {yyyy}"),
    ru("{dd} - {mm} - {yyyy}"),
    ru("{dd} {mm} {yyyy}", held_out=True),
    ru("{dd} {mm} {yy}"),
    ru("{dd}{mm}{yyyy}"),
    ru("{dd}.{mm}.{yyyy} г."),
    ru("{d}.{mm}.{yyyy} года"),
    ru("{dd}.{mm}.{yyyy}г.", held_out=True),
    ru("{dd}.{mm}.{yy}г."),
    ru("{dd}-{mm}-{yyyy} г."),
    ru("{wd} {dd}.{mm}.{yyyy}"),
    ru("{weekday}, {dd}.{mm}.{yyyy}"),
    ru("{dd}.{mm}.{yyyy} ({wd})"),
    # Roman months
    en("{d}.{roman}.{yyyy}"),
    en("{d} {roman} {yyyy}"),
    en("{d}-{roman}-{yyyy}"),
    en("{d}/{roman}/{yyyy}", held_out=True),
    ru("{dd}.{roman}.{yyyy} г."),
    ru("{d} {roman} {yyyy} года"),
    ru("{d}.{roman}.{yy}"),
    # English: the day before the month
    en("{d} {month} {yyyy}"),
    en("{d} {month}, {yyyy}"),
    en("{d} {mon} {yyyy}"),
    en("{d} {press} {yyyy}"),
    en("{dd} {mon} {yy}"),
    en("{d} {mon} '{yy}"),
    en("{d}-{mon}-{yyyy}"),
    en("{dd}-{mon}-{yy}"),
    en("{dd}/{mon}/{yyyy}"),
    en("{dd}.{mon}.{yyyy}", held_out=True),
    en("{d}{month}{yyyy}"),
    en("{dd}{mon}{yyyy}"),
    en("{d}{mon}{yy}"),
    en("{dth} {month} {yyyy}"),
    en("{dth} {month}, {yyyy}"),
    en("{dth} {mon} {yyyy}"),
    en("{dth} of {month} {yyyy}"),
    en("{dth} of {month}, {yyyy}"),
    en("{dth} of {mon} {yyyy}"),
    en("{dth} of {month} '{yy}"),
    en("{d} of {month} {yyyy}"),
    en("the {dth} of {month}, {yyyy}"),
    en("the {dth} of {month} {yyyy}"),
    en("the {dth} of {mon} {yyyy}", held_out=True),
    en("the {dth} day of {month}, {yyyy}"),
    en("on the {dth} of {month} {yyyy}"),
    en("{weekday}, {d} {month} {yyyy}"),
    en("{weekday} {d} {month} {yyyy}"),
    en("{weekday}, {dth} {month}, {yyyy}"),
    en("{weekday} the {dth} of {month} {yyyy}"),
    en("{weekday}, {d} {mon} {yyyy}", held_out=True),
    en("{wd}, {dd} {mon} {yyyy}"),
    en("{wd} {d} {mon} {yyyy}"),
    en("{wd}, {dd} {mon} {yy}"),
    # English: the month before the day
    en("{month} {d}, {yyyy}"),
    en("{month} {d} {yyyy}"),
    en("{mon} {d}, {yyyy}"),
    en("{mon} {d} {yyyy}"),
    en("{press} {d}, {yyyy}"),
    en("{press} {d} {yyyy}", held_out=True),
    en("{mon} {d} '{yy}"),
    en("{month} {d}, '{yy}"),
    en("{mon}-{dd}-{yyyy}"),
    en("{month}/{d}/{yyyy}"),
    en("{mon}{d},{yyyy}"),
    en("{month}{dd}{yyyy}"),
    en("{month} {dth}, {yyyy}"),
    en("{month} {dth} {yyyy}"),
    en("{mon} {dth}, {yyyy}"),
    en("{mon} {dth} {yyyy}", held_out=True),
    en("{month} the {dth}, {yyyy}"),
    en("{month} the {dth} {yyyy}"),
    en("on {month} {dth}, {yyyy}"),
    en("{weekday}, {month} {d}, {yyyy}"),
    en("{weekday}, {month} {dth}, {yyyy}"),
    en("{weekday} {month} {dth} {yyyy}"),
    en("{wd} {mon} {dd} {yyyy}"),
    en("{wd}, {mon} {d}, {yyyy}"),
    en("{month} {d}, {yyyy} ({weekday})"),
    # English: the year first
    en("{yyyy} {month} {d}"),
    en("{yyyy} {mon} {dd}"),
    en("{yyyy}-{mon}-{dd}"),
    en("{yyyy}, {month} {d}"),
    en("{yyyy}, {month} the {dth}"),
    en("{yyyy}, {d} {month}"),
    en("{yyyy}, {mon} {d}", held_out=True),
    # English in words
    en("the {day_words} of {month}, {year_words}"),
    en("the {day_words} of {month} {year_and}"),
    en("the {day_words} of {month}, {yyyy}"),
    en("the {day_words} of {month}, {year_and}", held_out=True),
    en("{day_words} of {month} {year_full}"),
    en("{day_words} of {month} {year_words}"),
    en("{month} {day_words}, {year_words}"),
    en("{month} {day_words} {year_words}"),
    en("{month} {day_words}, {year_full}"),
    en("{month} {day_words} {year_and}"),
    en("{month} the {day_words}, {year_words}"),
    en("{month} the {day_words}, {yyyy}"),
    en("{weekday}, {month} {day_words}, {year_words}"),
    # Russian: the day before the month
    ru("{d} {month} {yyyy}"),
    ru("{dd} {month} {yyyy}"),
    ru("{d} {month} {yyyy} г."),
    ru("{d} {month} {yyyy}г."),
    ru("{d} {month} {yyyy} года"),
    ru("{d} {month}, {yyyy}"),
    ru("{d} {month} {yy} г."),
    ru("{d} {month} '{yy}"),
    ru("{d} {mon} {yyyy}"),
    ru("{d} {mon} {yyyy} г.", held_out=True),
    ru("{d} {press} {yyyy}"),
    ru("{d} {press} {yyyy} г."),
    ru("{dd} {mon} {yy}"),
    ru("{d} {month_is} {yyyy}"),
    ru("{d}{month}{yyyy}"),
    ru("{dd}{mon}{yyyy}"),
    ru("{d}-{mon}-{yyyy}"),
    ru("{dd}.{mon}.{yyyy}"),
    ru("«{dd}» {month} {yyyy} г."),
    ru("«{d}» {month} {yyyy} года"),
    ru('"{dd}" {month} {yyyy} г.'),
    ru('"{dd}" {month} {yyyy} года', held_out=True),
    ru("{d}-е {month} {yyyy}"),
    ru("{d}-е {month} {yyyy} года"),
    ru("{d}-е {month} {yyyy} г.", held_out=True),
    ru("{d}-ое {month} {yyyy}"),
    ru("{d}-го {month} {yyyy}"),
    ru("{d}-го {month} {yyyy} года"),
    ru("{d}-го {month} {yyyy} г."),
    ru("{d}-ого {month} {yyyy} года"),
    ru("{d}го {month} {yyyy}"),
    ru("{d}-е число {month} {yyyy} года"),
    ru("{d}-го числа {month} месяца {yyyy} года"),
    ru("{weekday}, {d} {month} {yyyy} г."),
    ru("{weekday}, {d} {month} {yyyy} года"),
    ru("{weekday} {d} {month} {yyyy}"),
    ru("{weekday}, {d}-е {month} {yyyy} года"),
    ru("{wd}, {d} {month} {yyyy} г."),
    ru("{wd}, {d} {mon} {yyyy}"),
    ru("{wd} {d} {month} {yyyy}", held_out=True),
    ru("{on_weekday} {d} {month} {yyyy} года"),
    ru("{on_weekday}, {d} {month} {yyyy}"),
    ru("{on_weekday}, {d}-го {month} {yyyy} года", held_out=True),
    ru("{d} {month} {yyyy} года, {weekday}"),
    ru("{d} {month} {yyyy} г. ({wd})"),
    # Russian: the month or the year before the day
    ru("{month} {d}-го числа {yyyy} года"),
    ru("{month} {d}-го, {yyyy} года"),
    ru("{month} {d} дня {yyyy} года"),
    ru("{month_is}, {d}, {yyyy}"),
    ru("{month_is} {d}, {yyyy}"),
    ru("в {month_in} {yyyy} года, {d}-го числа"),
    ru("{yyyy} год, {d} {month}"),
    ru("{yyyy} год, {d}-е {month}", held_out=True),
    ru("{yyyy} г., {d} {month}"),
    ru("{yyyy} г., {d}-е {month}"),
    ru("{yyyy}, {month_is}, {d}"),
    ru("{yyyy}, {d} {month}"),
    ru("{yyyy}-{mon}-{dd}"),
    # Russian in words
    ru("{day_is} {month} {year_of} года"),
    ru("{day_is} {month} {year_of}"),
    ru("{day_of} {month} {year_of} года"),
    ru("{day_of} {month} {year_of}", held_out=True),
    ru("{day_is} {month} {yyyy} года"),
    ru("{day_is} {month} {yyyy}"),
    ru("{day_of} {month} {yyyy} г."),
    ru("{day_of} {month} {yyyy} года"),
    ru("{d} {month} {year_of} года"),
    ru("{d} {month} {year_of}"),
    ru("{d}-е {month} {year_of} года"),
    ru("{month} {day_of}, {yyyy} года"),
    ru("{weekday}, {day_is} {month} {yyyy} года"),
)
