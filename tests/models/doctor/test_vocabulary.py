"""Which symbols a network reads: found in its file, told, or guessed and labelled so."""

import pytest

from models.doctor import convert, diagnose
from models.doctor.doctor import opened
from models.doctor.vocabulary import KNOWN, as_list, guesses, how_read
from tests.models.doctor.practice import SYMBOLS, V, Written, held, seeded

TENSORS = held(seeded(Written))


@pytest.mark.parametrize(
    "form",
    [
        SYMBOLS,
        "".join(SYMBOLS),
        {symbol: k for k, symbol in enumerate(SYMBOLS)},
        {str(k): symbol for k, symbol in enumerate(SYMBOLS)},
        dict(enumerate(reversed(SYMBOLS))),
    ],
)
def test_every_usual_form_of_a_vocabulary_is_read_in_the_order_of_its_numbers(form):
    found = as_list(form)
    expected = [form[k] for k in range(V)] if isinstance(form, dict) and 0 in form else SYMBOLS
    assert found == expected


@pytest.mark.parametrize(
    "form",
    [7, [1, 2], ["a", "a"], {"a": 0, "b": 2}, {"a": 0}, {"a": None}, [], "", None, {"x": "y"}],
)
def test_what_is_no_vocabulary_is_none(form):
    assert as_list(form) is None


def test_a_vocabulary_in_the_file_is_found_by_its_size_and_named():
    extras = {
        "epoch": 3,
        "classes": [f"class {k}" for k in range(V)],
        "data": {"stoi": {symbol: k for k, symbol in enumerate(SYMBOLS)}},
    }
    diagnosis = diagnose(TENSORS, extras)
    assert diagnosis.usable
    assert any("data.stoi" in sentence.text for sentence in diagnosis.says)
    assert opened(convert(TENSORS, extras)).reads.symbols == SYMBOLS
    told = {"vocabulary": list("ABCDEFGHIJK")}  # what a person says comes first
    assert opened(convert(TENSORS, extras, told)).reads.symbols == told["vocabulary"]


def test_a_vocabulary_of_the_wrong_size_is_named_and_completed_as_a_guess():
    (question,) = diagnose(TENSORS, {"itos": SYMBOLS[:-1]}).questions
    assert f"itos of the file holds {V - 1} symbols, the network reads {V}" in question.text
    assert ["<pad>", *SYMBOLS[:-1]] in [guess.value for guess in question.guesses]


def test_an_answer_of_the_wrong_size_keeps_its_question_and_says_why():
    (question,) = diagnose(TENSORS, {}, {"vocabulary": list("ab")}).questions
    assert f"holds 2 names, {V} are needed" in question.text
    (question,) = diagnose(TENSORS, {}, {"vocabulary": list("aabbccddeef")}).questions
    assert "no list of distinct names" in question.text


def test_guesses_have_the_size_that_was_asked_for():
    for says, symbols in KNOWN:
        found = [guess.value for guess in guesses(len(symbols))]
        assert list(symbols) in found, says
        assert all(len(value) == len(symbols) == len(set(value)) for value in found)
    assert any("Shakespeare" in guess.says for guess in guesses(65))
    assert any("shakespeare-lstm" in guess.says or "cells" in guess.says for guess in guesses(84))


@pytest.mark.parametrize(
    ("symbols", "reads"),
    [
        (SYMBOLS, "characters"),
        (["<pad>", *SYMBOLS[1:]], "characters_and_signs"),
        (["", *SYMBOLS[1:]], "characters_and_signs"),
        (["the", *SYMBOLS[1:]], "tokens"),
    ],
)
def test_symbols_tell_what_a_text_is_cut_into_and_the_network_runs_on_it(symbols, reads):
    assert how_read(symbols) == reads
    runner = opened(convert(TENSORS, {}, {"vocabulary": symbols}))
    assert runner.network.config.reads == reads
    text = runner.reads.decode([1, 0, 2])
    assert runner.reads.encode(text) == [1, 0, 2]


def test_labels_are_not_taken_for_symbols():
    from tests.models.doctor.test_recurrent import Labelled

    tensors = held(seeded(Labelled, "gru", 3, False, "last"))
    extras = {"vocab": SYMBOLS, "idx_to_label": {"0": "low", "1": "middle", "2": "high"}}
    diagnosis = diagnose(tensors, extras, {"task": "classify", "pooling": "last"})
    assert diagnosis.usable
    assert diagnosis.config["labels"] == ["low", "middle", "high"]
