import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.api.texts import SHOWN, read_points, read_text, strangers, texts_of
from backend.errors import Invalid, TooLarge
from backend.settings import Settings
from models.char_rnn import CharRunner
from models.text import Characters
from tests.toys import CONFIGS, SYMBOLS, network

RUNNER = CharRunner(network(CONFIGS["toy-lstm"]), Characters(SYMBOLS), 1)
SETTINGS = Settings(max_text_characters=100, max_context_tokens=3)
NAMES = [point.name for point in RUNNER.points]


@given(st.text(st.sampled_from(SYMBOLS), min_size=1, max_size=100))
def test_a_text_of_known_characters_becomes_their_numbers(text):
    assert [SYMBOLS[k] for k in read_text(RUNNER, text, "text", SETTINGS)] == list(text)


def test_an_empty_text_is_refused_by_the_name_of_its_field():
    with pytest.raises(Invalid, match="prefix is empty") as caught:
        read_text(RUNNER, "", "prefix", SETTINGS)
    assert caught.value.code == "empty_text"


def test_a_text_too_long_is_refused_before_its_characters_are_looked_at():
    with pytest.raises(TooLarge, match="101 characters, at most 100") as caught:
        read_text(RUNNER, "?" * 101, "text", SETTINGS)
    assert caught.value.details == {"limit": 100}


@given(st.text(min_size=1, max_size=60))
def test_every_stranger_is_told_with_its_place_and_its_code_point(text):
    strangers = [at for at, character in enumerate(text) if character not in SYMBOLS]
    if not strangers:
        assert len(read_text(RUNNER, text, "text", SETTINGS)) == len(text)
        return
    with pytest.raises(Invalid) as caught:
        read_text(RUNNER, text, "text", SETTINGS)
    assert caught.value.code == "unknown_characters"
    told = caught.value.details
    assert told["count"] == len(strangers)
    assert [found["position"] for found in told["characters"]] == strangers[:SHOWN]
    for found in told["characters"]:
        assert found["character"] == text[found["position"]]
        assert found["code_point"] == f"U+{ord(found['character']):04X}"


def test_the_message_says_how_many_and_shows_the_first_and_the_hint_what_is_known():
    with pytest.raises(Invalid) as caught:
        read_text(RUNNER, "aXbYcZdW", "prefix", SETTINGS)
    assert "4 characters of prefix: U+0058 at 1, U+0059 at 3, U+005A at 5 ..." in str(caught.value)
    assert "abcdefgh" in caught.value.hint
    with pytest.raises(Invalid, match=r"1 character of text: U\+0000 at 0\.$"):
        read_text(RUNNER, "\0a", "text", SETTINGS)


def test_where_any_character_is_read_the_hint_names_none():
    error = strangers([(3, "\ud800")], "text", "")
    assert str(error) == "This model does not know 1 character of text: U+D800 at 3."
    assert error.hint == "Remove or replace them."


def test_what_a_network_of_tokens_does_not_know_is_called_a_token():
    error = strangers([(4, "zebra"), (10, "a")], "text", ["the "])
    assert str(error) == "This model does not know 2 tokens of text: zebra at 4, U+0061 at 10."


@given(st.lists(st.sampled_from(NAMES)))
def test_points_come_in_the_order_of_the_network_each_once(names):
    assert [p.name for p in read_points(RUNNER, names)] == [n for n in NAMES if n in names]


def test_no_list_of_points_means_all_of_them():
    assert [point.name for point in read_points(RUNNER, None)] == NAMES


@pytest.mark.parametrize("name", ["rnn.2.h", "", "RNN.0.H", "rnn.0.reverse.h", "__class__"])
def test_a_point_that_is_not_there_is_refused_with_those_that_are(name):
    with pytest.raises(Invalid) as caught:
        read_points(RUNNER, ["rnn.0.h", name])
    assert caught.value.code == "unknown_point"
    assert repr(name) in caught.value.message
    assert "rnn.1.o" in caught.value.hint


def test_a_name_that_cannot_be_shown_is_not():
    with pytest.raises(Invalid) as caught:
        read_points(RUNNER, ["a\x1b[2J"])
    assert "\x1b" not in caught.value.message


class Spaceless:
    """Reads words, and nothing of the spaces between them."""

    unit, symbols = "tokens", ()

    def __init__(self, context: int = 3):
        self.reads, self.context = self, context

    def encode(self, text: str) -> list[int]:
        return [0 for _ in text.split()]


def test_a_text_longer_than_the_context_is_refused_in_what_it_is_read_by():
    assert read_text(Spaceless(), "a b c", "text", SETTINGS) == [0, 0, 0]
    with pytest.raises(TooLarge, match="text has 3 tokens, at most 2"):
        read_text(Spaceless(context=2), "a b c", "text", SETTINGS)
    with pytest.raises(TooLarge, match="prefix has 4 tokens, at most 3") as caught:
        read_text(Spaceless(context=9), "a b c d", "prefix", SETTINGS)
    assert caught.value.code == "text_too_long"
    assert caught.value.details == {"limit": 3}


def test_a_text_of_which_nothing_is_read_is_refused():
    with pytest.raises(Invalid, match="text holds nothing to read") as caught:
        read_text(Spaceless(), " \n ", "text", SETTINGS)
    assert caught.value.code == "empty_text"


def test_half_a_character_never_reaches_a_tokenizer():
    with pytest.raises(Invalid, match=r"U\+D83D at 2") as caught:
        read_text(Spaceless(), "a \ud83d", "text", SETTINGS)
    assert caught.value.code == "unknown_characters"


def test_numbers_become_texts_in_lists_of_any_depth():
    assert texts_of([[0, [2]], [9]], ["a", "b", "c"]) == [["a", ["c"]], [""]]
    assert texts_of(1, ["a", "b"]) == "b"
