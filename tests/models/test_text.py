import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text import Characters, UnknownCharacters

ALPHABET = "abc \n😀é\u2028"
texts = st.text(st.sampled_from(ALPHABET))


@given(texts)
def test_decoding_what_was_encoded_gives_the_text_back(text):
    characters = Characters(ALPHABET)
    numbers = characters.encode(text)
    assert characters.decode(numbers) == text
    assert len(numbers) == len(text)


@given(st.lists(st.integers(0, len(ALPHABET) - 1)))
def test_encoding_what_was_decoded_gives_the_numbers_back(numbers):
    characters = Characters(ALPHABET)
    assert characters.encode(characters.decode(numbers)) == numbers


@given(st.text())
def test_the_unknown_characters_are_told_with_every_position_and_no_other(text):
    strangers = [(at, c) for at, c in enumerate(text) if c not in ALPHABET]
    characters = Characters(ALPHABET)
    if not strangers:
        assert len(characters.encode(text)) == len(text)
        return
    with pytest.raises(UnknownCharacters, match=str(len(strangers))) as caught:
        characters.encode(text)
    assert caught.value.found == strangers


def test_a_character_beyond_the_basic_plane_counts_as_one_position():
    with pytest.raises(UnknownCharacters) as caught:
        Characters("a😀").encode("a😀😀z")
    assert caught.value.found == [(3, "z")]


def test_a_letter_and_its_combining_accent_are_two_characters():
    assert Characters(["e", "\u0301"]).encode("e\u0301") == [0, 1]


@pytest.mark.parametrize("symbols", [["a", ""], ["ab"], ["e\u0301"]])
def test_a_symbol_that_is_not_one_character_is_refused(symbols):
    with pytest.raises(ValueError, match="one character"):
        Characters(symbols)


def test_the_length_of_an_alphabet_is_its_number_of_symbols():
    assert len(Characters("abc")) == 3


def test_the_alphabet_keeps_its_own_copy_of_the_symbols():
    symbols = ["a", "b"]
    characters = Characters(symbols)
    symbols.append("c")
    assert len(characters) == 2
