import re
from collections import Counter
from datetime import date
from random import Random
from string import Formatter

import pytest

from models.training import dates
from models.training.date_forms import FORMS
from models.training.dates import alphabet, day_of, example, pairs, vary

EVERY_DAY = [day for part in dates.days().values() for day in part]
SUNDAY = day_of(date(2026, 11, 22))

# A reader of dates that shares nothing with the writer: its own names, its own stems of number
# words. It sees the text alone, so what it reads right has one reading.

MONTHS = {
    stem: n
    for line in (
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "янв фев мар апр мая июн июл авг сен окт ноя дек",
        "_ _ _ _ май _ _ _ _ _ _ _",
        "_ _ _ _ мае _ _ _ _ _ _ _",
    )
    for n, stem in enumerate(line.split(), 1)
    if stem != "_"
}
ROMAN = {
    word: int(n)
    for n, word in re.findall(
        r"(\d+) (\w+)", "1 i 2 ii 3 iii 4 iv 5 v 6 vi 7 vii 8 viii 9 ix 10 x 11 xi 12 xii"
    )
}
# The longest stem that fits is the one: "seventeen" before "seven", "пятнадц" before "пят".
STEMS = {
    stem: int(n)
    for n, stem in re.findall(
        r"(\d+) (\w+)",
        "0 oh 1 one 1 first 2 two 2 second 3 three 3 third 4 four 5 five 5 fif 6 six 7 seven "
        "8 eigh 9 nin 10 ten 11 eleven 12 twel 13 thirteen 14 fourteen 15 fifteen 16 sixteen "
        "17 seventeen 18 eighteen 19 nineteen 20 twent 30 thirt 40 fort 50 fifty 60 sixty "
        "70 seventy 80 eighty 90 ninet 100 hundred 1000 thousand "
        "1 перв 2 втор 2 две 3 трет 4 четверт 5 пят 6 шест 7 седьм 8 восьм 9 девят 10 десят "
        "11 одиннадц 12 двенадц 13 тринадц 14 четырнадц 15 пятнадц 16 шестнадц 17 семнадц "
        "18 восемнадц 19 девятнадц 20 двадц 30 тридц 40 сорок 50 пятьдес 50 пятидес "
        "60 шестьдес 60 шестидес 70 семьдес 70 семидес 80 восемьдес 80 восьмидес 90 девяност "
        "900 девятьсот 900 девятисот 1000 тысяч 2000 двухтысяч",
    )
}


def number_of(word: str) -> int | None:
    """The number that a word stands for, or None if it is another word."""
    if word in ("вторник", "пятница"):
        return None
    fitting = [stem for stem in STEMS if word.startswith(stem)]
    return STEMS[max(fitting, key=len)] if fitting else None


def spoken_year(numbers: list[int]) -> int:
    """[2, 1000, 20, 6] and [20, 20, 6] are 2026; [1000, 900, 80, 4] and [19, 80, 4] are 1984."""
    if numbers[:2] == [2, 1000]:
        return 2000 + sum(numbers[2:])
    if numbers[0] in (19, 20):
        return numbers[0] * 100 + sum(n for n in numbers[1:] if n != 100)
    return sum(numbers)


def full_year(digits: str) -> int:
    """Years of two digits from 1969 to 2068."""
    return int(digits) if len(digits) == 4 else int(digits) + (1900 if int(digits) > 68 else 2000)


def read_digits(text: str, groups: list[str]) -> tuple[int, int, int]:
    if len(groups) == 1:
        (one,) = groups
        if 1900 <= int(one[:4]) <= 2099 and int(one[4:6]) <= 12:
            return int(one[:4]), int(one[4:6]), int(one[6:])
        return int(one[4:]), int(one[2:4]), int(one[:2])
    if len(groups[0]) == 4:
        return tuple(map(int, groups))
    first, second = int(groups[0]), int(groups[1])
    month, day = (first, second) if "/" in text else (second, first)
    if month > 12:
        month, day = day, month
    return full_year(groups[2]), month, day


def read(text: str) -> str:
    """Text -> ISO."""
    text = text.lower().replace("ё", "е").replace("–", "-").strip()
    tokens = re.findall(r"[^\W\d_]+|\d+", text)
    digits = [token for token in tokens if token.isdigit()]
    named = [at for at, token in enumerate(tokens) if token[:3] in MONTHS]
    named = named or [at for at, token in enumerate(tokens) if token in ROMAN]
    if not named:
        year, month, day = read_digits(text, digits)
        return f"{year:04}-{month:02}-{day:02}"
    at = named[0]
    month = MONTHS.get(tokens[at][:3]) or ROMAN[tokens[at]]
    if len(digits) == 1 and len(digits[0]) == 6:  # March052028
        digits = [digits[0][:2], digits[0][2:]]
    if len(digits) == 2:
        if len(digits[0]) == 4:
            digits.reverse()
        day, year = int(digits[0]), full_year(digits[1])
        return f"{year:04}-{month:02}-{day:02}"
    before, after = ([number_of(t) for t in part] for part in (tokens[:at], tokens[at + 1 :]))
    words = [n for n in before if n is not None]
    rest = [n for n in after if n is not None]
    if not words and not (digits and digits[0] in tokens[:at]):
        # The day follows the month, up to its ordinal: the first word with an ordinal's ending.
        ordinal = re.compile("(first|second|third|th|го)$")
        stop = 1 + next(k for k, token in enumerate(tokens) if k > at and ordinal.search(token))
        words = [n for n in after[: stop - at - 1] if n is not None]
        rest = [n for n in after[stop - at - 1 :] if n is not None]
    day = sum(words) if words else int(digits[0])
    year = spoken_year(rest) if rest else int(digits[-1])
    return f"{year:04}-{month:02}-{day:02}"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_form_reads_back_to_its_day(form):
    rng = Random(form.name)
    for day in filter(form.admits, rng.sample(EVERY_DAY, 300)):
        by_the_book = form.write(day)
        assert read(by_the_book) == day.iso, by_the_book
        varied = vary(by_the_book, rng, form.spelled)
        assert read(varied) == day.iso, varied


@pytest.mark.parametrize("split", dates.SPLITS)
def test_what_is_drawn_reads_back_to_its_iso_form(split):
    assert [(text, read(text)) for text, _ in pairs(5, 1000, split)] == pairs(5, 1000, split)


def test_no_text_has_two_meanings_even_without_case_and_double_spaces():
    meant: dict[str, str] = {}
    for text, iso in pairs("meaning", 200_000):
        assert meant.setdefault(" ".join(text.lower().split()), iso) == iso, text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("en {m}/{d}/{yyyy}", "11/22/2026"),
        ("en {d}/{m}/{yyyy}", "22/11/2026"),
        ("en {wd}, {dd} {mon} {yy}", "Sun, 22 Nov 26"),
        ("en {d} {press} {yyyy}", "22 Nov. 2026"),
        ("en {d}.{roman}.{yyyy}", "22.XI.2026"),
        ("en the {dth} of {month}, {yyyy}", "the 22nd of November, 2026"),
        (
            "en the {day_words} of {month}, {year_words}",
            "the twenty-second of November, twenty twenty-six",
        ),
        (
            "en {month} {day_words} {year_and}",
            "November twenty-second two thousand and twenty-six",
        ),
        ("ru «{dd}» {month} {yyyy} г.", "«22» ноября 2026 г."),
        ("ru {d}-го числа {month} месяца {yyyy} года", "22-го числа ноября месяца 2026 года"),
        ("ru {d} {press} {yyyy} г.", "22 нояб. 2026 г."),
        ("ru {month_is}, {d}, {yyyy}", "ноябрь, 22, 2026"),
        ("ru {on_weekday} {d} {month} {yyyy} года", "в воскресенье 22 ноября 2026 года"),
        ("ru в {month_in} {yyyy} года, {d}-го числа", "в ноябре 2026 года, 22-го числа"),
        (
            "ru {day_is} {month} {year_of} года",
            "двадцать второе ноября две тысячи двадцать шестого года",
        ),
    ],
)
def test_a_known_day_is_written_as_people_write_it(name, text):
    (form,) = [form for form in FORMS if form.name == name]
    assert form.write(SUNDAY) == text


def written(language: str, field: str, when: date) -> str:
    """One field as some form has it."""
    pattern = "{" + field + "}"
    form = next(f for f in FORMS if f.language == language and pattern in f.pattern)
    number, table = next(
        part
        for part, (_, name, _, _) in zip(form.parts, pieces(form.pattern), strict=True)
        if name == field
    )
    return table[day_of(when)[number]]


def pieces(pattern: str) -> list[tuple]:
    """Texts and fields of a pattern, each on its own."""
    found = []
    for text, field, *_ in Formatter().parse(pattern):
        found += [(text, None, None, None)] * bool(text) + [("", field, None, None)] * bool(field)
    return found


def test_english_ordinals_end_as_they_are_spoken():
    ordinals = {n: written("en", "dth", date(2026, 1, n)) for n in range(1, 32)}
    by_ending = {"st": {1, 21, 31}, "nd": {2, 22}, "rd": {3, 23}}
    for n, ordinal in ordinals.items():
        ending = next((e for e, numbers in by_ending.items() if n in numbers), "th")
        assert ordinal == f"{n}{ending}"
    words = [written("en", "day_words", date(2026, 1, n)) for n in (1, 3, 5, 8, 9, 12, 13, 20, 31)]
    assert (
        " ".join(words)
        == "first third fifth eighth ninth twelfth thirteenth twentieth thirty-first"
    )


@pytest.mark.parametrize(
    ("year", "said", "in_full"),
    [
        (1900, "nineteen hundred", "nineteen hundred"),
        (1905, "nineteen oh five", "nineteen hundred and five"),
        (1984, "nineteen eighty-four", "nineteen hundred and eighty-four"),
        (2000, "two thousand", "two thousand"),
        (2010, "twenty ten", "two thousand and ten"),
    ],
)
def test_english_years_in_words(year, said, in_full):
    when = date(year, 5, 5)
    assert written("en", "year_words", when) == said
    assert written("en", "year_and", when) == in_full


@pytest.mark.parametrize(
    ("n", "neuter", "genitive"),
    [
        (1, "первое", "первого"),
        (3, "третье", "третьего"),
        (4, "четвёртое", "четвёртого"),
        (10, "десятое", "десятого"),
        (11, "одиннадцатое", "одиннадцатого"),
        (20, "двадцатое", "двадцатого"),
        (23, "двадцать третье", "двадцать третьего"),
        (30, "тридцатое", "тридцатого"),
        (31, "тридцать первое", "тридцать первого"),
    ],
)
def test_russian_days_in_words_have_both_cases(n, neuter, genitive):
    assert written("ru", "day_is", date(2026, 1, n)) == neuter
    assert written("ru", "day_of", date(2026, 1, n)) == genitive


@pytest.mark.parametrize(
    ("year", "words"),
    [
        (1900, "тысяча девятисотого"),
        (1913, "тысяча девятьсот тринадцатого"),
        (1940, "тысяча девятьсот сорокового"),
        (1984, "тысяча девятьсот восемьдесят четвёртого"),
        (1990, "тысяча девятьсот девяностого"),
        (2000, "двухтысячного"),
        (2003, "две тысячи третьего"),
        (2050, "две тысячи пятидесятого"),
    ],
)
def test_russian_years_in_words_are_in_the_genitive(year, words):
    assert written("ru", "year_of", date(year, 5, 5)) == words


def test_russian_months_have_their_cases():
    every = [date(2026, n, 1) for n in (1, 3, 5, 8, 9)]
    cases = {
        "month_is": "январь март май август сентябрь",
        "month": "января марта мая августа сентября",
        "month_in": "январе марте мае августе сентябре",
        "mon": "янв мар мая авг сен",
    }
    for field, words in cases.items():
        assert " ".join(written("ru", field, when) for when in every) == words


def test_years_of_two_digits_turn_at_69():
    (form,) = [form for form in FORMS if form.name == "en {d} {mon} '{yy}"]
    assert form.write(day_of(date(1969, 5, 5))) == "5 May '69"
    assert form.write(day_of(date(2068, 5, 5))) == "5 May '68"
    assert not form.admits(day_of(date(1968, 5, 5)))
    assert not form.admits(day_of(date(2069, 5, 5)))


def test_there_are_forms_enough_and_each_stands_once():
    for language in ("en", "ru"):
        names = [form.name for form in FORMS if form.language == language]
        held_out = sum(form.held_out for form in FORMS if form.language == language)
        assert len(set(names)) == len(names) >= 40
        assert 0.08 < held_out / len(names) < 0.12


def test_a_held_out_form_is_made_of_parts_that_are_trained_on():
    texts, fields = set(), set()
    for form in dates.TRAINED:
        for text, field, *_ in pieces(form.pattern):
            texts.add(text)
            fields.add((form.language, field))
    for form in dates.HELD_OUT:
        for text, field, *_ in pieces(form.pattern):
            assert text in texts, form.name
            assert (form.language, field) in fields, form.name


def test_no_day_is_in_two_splits_and_all_are_in_one():
    parts = {name: {day.iso for day in part} for name, part in dates.days().items()}
    assert sum(map(len, parts.values())) == len(set.union(*parts.values())) == 73049
    for split in dates.SPLITS:
        part = parts["test" if split == "test_forms" else split]
        assert {iso for _, iso in pairs(1, 1000, split)} <= part
    assert 0.045 < len(parts["test"]) / 73049 < 0.055


def test_held_out_forms_are_drawn_for_their_own_split_only():
    held_out = {form.name for form in dates.HELD_OUT}
    rng = Random(0)
    for split in dates.SPLITS:
        names = {example(rng, split)[2] for _ in range(1000)}
        if split == "test_forms":
            assert names == held_out
        else:
            assert not names & held_out


def test_a_text_that_a_trained_form_gives_too_is_no_new_form():
    day = day_of(date(2031, 5, 5))
    (form,) = [form for form in FORMS if form.name == "en {mon} {dth} {yyyy}"]
    assert dates.is_trained(form.write(day), day)  # "May" is short already
    assert not dates.is_trained(form.write(SUNDAY), SUNDAY)


def test_one_seed_gives_one_list_and_another_seed_another():
    assert pairs(7, 50) == pairs(7, 50)
    assert pairs(7, 50) == pairs(7, 100)[:50]
    assert pairs(7, 50) != pairs(8, 50)
    assert pairs(7, 50, "test") != pairs(7, 50)


def test_a_split_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="'dev' is not one of train"):
        pairs(1, 1, "dev")


def test_every_form_is_drawn_and_no_text_is_longer_than_the_limit():
    rng = Random(0)
    drawn = [example(rng) for _ in range(30_000)]
    assert len(Counter(name for _, _, name in drawn)) == len(dates.TRAINED)
    assert max(len(text) for text, _, _ in drawn) <= dates.LONGEST == 64


def test_the_alphabet_is_what_occurs():
    symbols = alphabet()
    assert symbols == sorted(set(symbols))
    assert set("".join(text for text, _ in pairs(0, 100_000))) == set(symbols)
    assert set("".join(text for text, _ in pairs(0, 1000, "test_forms"))) <= set(symbols)
