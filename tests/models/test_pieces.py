import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.checkpoint import CheckpointError
from models.pieces import Pieces
from tests import foreign


@cache
def made(name: str) -> Pieces:
    return Pieces.read(getattr(foreign, name)().to_str())


STYLES = ("byte_pieces", "word_pieces", "space_pieces")
any_text = st.text(max_size=30) | st.sampled_from([*foreign.TEXTS, " 猫  😀\n\tcat", "e\u0301 ﬁ İ"])


@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=60)
@given(any_text)
def test_every_token_has_a_span_that_is_in_the_text_and_in_order(style, text):
    pieces = made(style)
    ids, spans = pieces.encode(text), pieces.spans(text)
    assert len(ids) == len(spans)
    assert all(0 <= start <= stop <= len(text) for start, stop in spans)
    assert [start for start, _ in spans] == sorted(start for start, _ in spans)
    assert all(0 <= number < len(pieces) for number in ids)


@settings(max_examples=100)
@given(any_text)
def test_pieces_of_bytes_cover_the_text_and_join_to_it(text):
    pieces = made("byte_pieces")
    ids, spans = pieces.encode(text), pieces.spans(text)
    assert pieces.decode(ids) == text
    assert "".join(pieces.decode_each(ids)) == text
    covered = {at for start, stop in spans for at in range(start, stop)}
    assert covered == set(range(len(text)))


def test_the_space_before_a_word_is_in_its_symbol_and_in_its_span():
    for trim in (True, False):
        pieces = Pieces.read(foreign.byte_pieces(trim=trim).to_str())
        text = "The cat sat"
        at = pieces.spans(text)
        assert [text[start:stop] for start, stop in at] == ["The", " cat", " sat"]
        assert [pieces.symbols[k] for k in pieces.encode(text)] == ["The", " cat", " sat"]


def test_a_piece_of_a_character_is_shown_as_bytes_and_has_the_span_of_the_character():
    pieces = made("byte_pieces")
    text = "a🜁b"
    ids = pieces.encode(text)
    assert [pieces.symbols[k] for k in ids] == ["a", "⟨F0 9F⟩", "⟨9C⟩", "⟨81⟩", "b"]
    assert pieces.spans(text) == [(0, 1), (1, 2), (1, 2), (1, 2), (2, 3)]
    assert list(pieces.decode_each(ids)) == ["a", "", "", "🜁", "b", ""]
    assert pieces.decode(ids[:3]) == "a\ufffd"  # what is not whole at the end
    assert list(pieces.decode_each([ids[1], ids[-1]])) == ["", "\ufffdb", ""]


def test_bytes_of_a_vocabulary_with_spaces_are_read_the_same_way():
    pieces = made("space_pieces")
    text = "cat é"
    ids = pieces.encode(text)
    assert [pieces.symbols[k] for k in ids] == [" cat", " ", "⟨C3⟩", "⟨A9⟩"]
    assert pieces.decode(ids) == " cat é"


def test_pieces_of_words_are_shown_with_their_marks_and_joined_without():
    pieces = made("word_pieces")
    text = "The cats [MASK]\u00a0sat, 猫!"
    ids = pieces.encode(text)
    shown = [pieces.symbols[k] for k in ids]
    assert shown == ["[CLS]", "the", "cats", "[MASK]", "sat", ",", "[UNK]", "[UNK]", "[SEP]"]
    told = [text[start:stop] for start, stop in pieces.spans(text)]
    assert told == ["", "The", "cats", "[MASK]", "sat", ",", "猫", "!", ""]
    assert pieces.spans(text)[-1] == (len(text), len(text))
    assert ids[3] == pieces.mask
    assert pieces.decode(pieces.encode("catsat")[1:-1]) == "catsat"


def test_a_name_of_a_special_token_in_a_text_is_that_token():
    pieces = made("byte_pieces")
    ids = pieces.encode(f"a{foreign.END}b")
    assert [pieces.symbols[k] for k in ids] == ["a", foreign.END, "b"]
    assert pieces.decode(ids) == f"a{foreign.END}b"
    assert pieces.special == {ids[1]}
    assert pieces.mask is None


def test_an_added_token_of_letters_that_stand_for_bytes_is_those_letters():
    tokenizer = foreign.byte_pieces()
    tokenizer.add_tokens(["Ġé"])
    pieces = Pieces.read(tokenizer.to_str())
    assert pieces.symbols[-1] == "Ġé"
    assert pieces.decode(pieces.encode("xĠé")) == "xĠé"


def test_numbers_that_no_token_has_are_shown_as_numbers():
    about = json.loads(foreign.word_pieces().to_str())
    about["model"]["vocab"]["zebra"] = 99
    pieces = Pieces.read(json.dumps(about))
    assert len(pieces) == 100
    assert pieces.symbols[98:] == ["⟨98⟩", "zebra"]


def test_a_file_that_cuts_or_pads_or_drops_is_read_as_one_that_does_not():
    tokenizer = foreign.byte_pieces()
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=50)
    tokenizer.model.dropout = 1.0
    text = foreign.TEXTS[0]
    assert Pieces.read(tokenizer.to_str()).encode(text) == made("byte_pieces").encode(text)


FILE = json.loads(foreign.word_pieces().to_str())
PANIC = FILE | {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}}
HUGE = FILE | {"model": FILE["model"] | {"vocab": {"[UNK]": 0, "a": 4_000_000_000}}}
EMPTY = FILE | {"model": FILE["model"] | {"vocab": {}}, "added_tokens": []}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        (json.dumps(PANIC), "cannot be read"),  # the library panics
        (json.dumps(HUGE), "found 4000000000"),
        (json.dumps(EMPTY | {"post_processor": None}), "found none"),
    ],
    ids=["nothing", "list", "deep", "panic", "huge", "empty"],
)
def test_a_hostile_tokenizer_file_is_refused(raw, message, capfd):
    with pytest.raises(CheckpointError, match=message):
        Pieces.read(raw)
    capfd.readouterr()  # a panic prints where it was
