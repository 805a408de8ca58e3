"""Answers of a person, checked: each is either taken, or its question stays, saying what is wrong.

Every function returns what was answered (None: not yet) and the questions that are still open.
"""

from collections.abc import Mapping
from dataclasses import replace

from models.doctor.diagnosis import Case, Guess, Question, Said, say
from models.doctor.vocabulary import LABELS, SYMBOLS, as_list, guesses, heard

SHOWN = 40  # characters of a wrong answer that are repeated


def choice_of(answers: Mapping, question: Question) -> tuple[str | None, list[Question]]:
    """One of the choices of a question."""
    if question.name not in answers:
        return None, [question]
    answer = answers[question.name]
    known = [value for value, _ in question.choices]
    if answer in known:
        return answer, []
    text = Said(
        "“{answer}” is none of the choices ({known}). {text}",
        answer=str(answer)[:SHOWN],
        known=", ".join(known),
        text=question.text,
    )
    return None, [replace(question, text=text)]


def _told(answers: Mapping, question: Question) -> tuple[list[str] | None, list[Question]]:
    """A list of names of the size that a question asks for."""
    if question.name not in answers:
        return None, [question]
    answer = as_list(answers[question.name])
    if answer is None:
        wrong = Said("The answer is no list of distinct names.")
    elif len(answer) != question.size:
        wrong = Said(
            "The answer holds {found} names, {size} are needed.",
            found=len(answer),
            size=question.size,
        )
    else:
        return answer, []
    text = Said("{wrong} {text}", wrong=wrong, text=question.text)
    return None, [replace(question, text=text)]


def list_of(case: Case, question: Question, pattern, others: tuple[Guess, ...]):
    """A list of symbols, heard in the file where one of its lists under such a name fits, else
    asked: (symbols, open questions, what to say)."""
    size = question.size
    found, rest = heard(case.extras, size, pattern)
    if found and question.name not in case.answers:
        says = say(
            "The file itself names the {n} symbols of its {what}, under {where}.",
            n=size,
            what=question.name,
            where=found.where,
        )
        return found.symbols, [], [says]
    text = question.text
    if rest:
        near = min(rest, key=lambda one: abs(len(one.symbols) - size))
        text = Said(
            "{where} of the file holds {found} symbols, the network reads {size}. {text}",
            where=near.where,
            found=len(near.symbols),
            size=size,
            text=text,
        )
    more = guesses(size, rest) if pattern is SYMBOLS else ()
    answer, open_ = _told(case.answers, replace(question, text=text, guesses=(*more, *others)))
    return answer, open_, []


def vocabulary_of(case: Case, size: int):
    """The symbols of a network that reads so many: (symbols, open questions, what to say)."""
    question = Question(
        "vocabulary",
        Said("Which {n} symbols does it read, in the order of their numbers?", n=size),
        "list",
        size,
    )
    return list_of(case, question, SYMBOLS, ())


def labels_of(case: Case, size: int):
    """The names of labels: (names, open questions, what to say)."""
    numbers = tuple(map(str, range(size)))
    question = Question(
        "labels",
        Said("What are its {n} labels called, in the order of its outputs?", n=size),
        "list",
        size,
    )
    only = (Guess(Said("their numbers, as names"), list(numbers)),)
    return list_of(case, question, LABELS, only)


def numbers_of(answers: Mapping, question: Question) -> tuple[list[float] | None, list[Question]]:
    """So many finite numbers."""
    if question.name not in answers:
        return None, [question]
    answer = answers[question.name]
    try:
        found = [float(one) for one in answer] if isinstance(answer, list | tuple) else None
    except (TypeError, ValueError):
        found = None
    if found and len(found) == question.size and all(abs(one) < 1e30 for one in found):
        return found, []
    text = Said("Give {n} numbers. {text}", n=question.size, text=question.text)
    return None, [replace(question, text=text)]
