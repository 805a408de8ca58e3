import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.checkpoint import CheckpointError
from models.subwords import (
    END,
    SPECIAL,
    UNKNOWN,
    Vocabulary,
    characters,
    source_pieces,
    target_pieces,
)
from models.text import UnknownCharacters
from tests.toys.translators import ENGLISH, vocabularies

SOURCE, TARGET = vocabularies("toy-additive")
LETTERS, DIGITS = vocabularies("toy-characters")
QUOTED = target_pieces(["l'ami dit \"x - y\", n'est-ce pas?"] * 3, 60)

# Any text, and texts with what normalisation changes: ligatures, accents apart, odd spaces.
ODD = "aAdog the.,'\u2019ﬁ½①e\u0301и\u0306İẞ\u00a0\u3000\u200d▁#😀\ue000¨가\u1100\u1161"
odd = st.sampled_from([*ODD, "</s>", "<s>", "<unk>"])
any_text = st.text(max_size=30) | st.lists(odd, max_size=20).map("".join)


@settings(max_examples=100)
@given(any_text)
def test_the_spans_of_a_source_are_where_its_tokens_stand_in_the_text(text):
    source = SOURCE.read_text(text)
    assert source.text == text
    assert len(source.ids) == len(source.tokens) == len(source.spans)
    covered, last = set(), (0, 0)
    for token, (start, stop) in zip(source.tokens[:-1], source.spans[:-1], strict=True):
        assert 0 <= start < stop <= len(text)
        assert token == text[start:stop]
        # One character may become several tokens, which then share its span.
        assert start >= last[1] or (start, stop) == last or start >= last[0]
        covered.update(range(start, stop))
        last = (start, stop)
    assert (source.ids[-1], source.tokens[-1]) == (END, "</s>")
    assert source.spans[-1] == (len(text), len(text))
    assert END not in source.ids[:-1]
    lost = [text[k] for k in range(len(text)) if k not in covered]
    assert all(c.isspace() for c in lost if source.ids[:-1])


@settings(max_examples=100)
@given(any_text)
def test_the_tokens_to_be_copied_are_the_unknown_ones(text):
    source = SOURCE.read_text(text)
    assert source.copied == [k for k, number in enumerate(source.ids) if number == UNKNOWN]


def test_a_word_with_an_unknown_character_is_one_token_that_is_copied_whole():
    source = SOURCE.read_text("A dog sees Zorblax, the man.")
    assert [source.tokens[k] for k in source.copied] == ["Zorblax", ","]
    assert source.tokens[:4] == ["A", "dog", "sees", "Zorblax"]
    assert "".join(source.tokens[5:-1]) == "theman."


def test_a_letter_typed_with_its_accent_apart_keeps_the_accent_in_its_span():
    text = "cafe\u0301 a"
    source = source_pieces(["le café a"] * 9, 60).read_text(text)
    assert source.copied == []
    assert source.spans[-3][1] == 5
    assert "".join(source.tokens[:-1]) == "cafe\u0301a"


@pytest.mark.parametrize("text", ENGLISH)
def test_a_source_is_read_without_regard_to_case_and_to_spaces_before_punctuation(text):
    plain = SOURCE.read_text(text)
    for other in (text.upper(), text.lower(), text.replace(".", " ."), f"  {text} "):
        assert SOURCE.read_text(other).ids == plain.ids
    assert plain.copied == []


@pytest.mark.parametrize("mark", SPECIAL)
def test_the_name_of_a_special_token_in_a_text_is_ordinary_characters(mark):
    source = SOURCE.read_text(f"a {mark} dog")
    assert mark not in source.tokens[:-1]
    numbers = set(SOURCE.encode_many([mark])[0][:-1])
    assert numbers.isdisjoint({1, END})


@settings(max_examples=100)
@given(st.text(sorted(set("".join(QUOTED.tokens[3:]) + " ")), max_size=40))
def test_joined_target_tokens_are_the_text(text):
    [numbers] = QUOTED.encode_many([text])
    assert numbers[-1] == END
    assert QUOTED.join(numbers) == text.strip(" ")


def test_a_target_is_written_with_one_kind_of_quotation_mark_apostrophe_and_dash():
    [numbers] = QUOTED.encode_many(
        ["l\u2019ami dit \u00abx \u2013 y\u00bb, n\u00b4est\u2010ce pas?"]
    )
    assert QUOTED.join(numbers) == "l'ami dit \"x - y\", n'est-ce pas?"


def test_a_token_that_starts_a_word_starts_with_a_space():
    [numbers] = TARGET.encode_many(["Un chien court."])
    text = [TARGET.tokens[k] for k in numbers[:-1]]
    assert "".join(text) == " Un chien court."
    assert not any("▁" in token for token in TARGET.tokens)


def test_copies_take_the_places_of_the_unknown_tokens_in_their_order():
    [numbers] = TARGET.encode_many(["Un \ue000 court \ue000."])
    assert numbers.count(UNKNOWN) == 2
    assert TARGET.join(numbers, ["Zorblax", "Q"]) == "Un Zorblax court Q."
    assert TARGET.join(numbers, ["Zorblax"]) == "Un Zorblax court <unk>."
    assert TARGET.join(numbers) == "Un <unk> court <unk>."


def test_single_characters_are_read_one_a_token_and_written_back():
    source = LETTERS.read_text("3 May")
    assert source.tokens == ["3", " ", "M", "a", "y", "</s>"]
    assert source.spans == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 5)]
    assert source.ids == LETTERS.read_text("3 mAY").ids
    [numbers] = DIGITS.encode_many(["2026-11-22"])
    assert DIGITS.join(numbers) == "2026-11-22"
    assert len(numbers) == 11


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3 ma\u0439", [(4, "й")]),
        ("<3>", [(0, "<"), (2, ">")]),
        ("3½ МАЙ", [(1, "½"), (3, "М"), (4, "А"), (5, "Й")]),  # ½ would be 1⁄2
        ("e\u0301t", [(1, "\u0301")]),
        ("a\nb", [(1, "\n")]),
        ("</s>", [(0, "<"), (1, "/"), (3, ">")]),
    ],
)
def test_characters_that_are_not_known_are_told_with_their_places_as_they_were_typed(text, found):
    with pytest.raises(UnknownCharacters) as refused:
        LETTERS.read_text(text)
    assert refused.value.found == found


@pytest.mark.parametrize(("typed", "same"), [("３ ＭＡＹ", "3 may"), ("①", "1"), ("ﬁn", "fin")])
def test_a_variant_of_a_known_character_is_read_as_that_character(typed, same):
    source = LETTERS.read_text(typed)
    assert source.ids == LETTERS.read_text(same).ids
    assert source.tokens[-2] == typed[-1]


@pytest.mark.parametrize("vocabulary", [SOURCE, TARGET, LETTERS, DIGITS])
def test_a_vocabulary_reads_back_as_it_was_saved(vocabulary):
    again = Vocabulary.read(vocabulary.save())
    assert again.tokens == vocabulary.tokens
    assert len(again) == len(vocabulary)
    assert again.save() == vocabulary.save()
    texts = ["a dog 3.", "2026-11-22", "Le chien </s>"]
    assert again.encode_many(texts) == vocabulary.encode_many(texts)


def test_a_file_that_drops_merges_cuts_or_pads_is_read_as_one_that_does_not():
    about = json.loads(SOURCE.save())
    about["model"]["dropout"] = 1.0
    about["truncation"] = {
        "direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0
    }  # fmt: skip
    about["padding"] = {
        "strategy": {"Fixed": 50}, "direction": "Right", "pad_to_multiple_of": None,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "x",
    }  # fmt: skip
    again = Vocabulary.read(json.dumps(about))
    assert again.encode_many(ENGLISH) == SOURCE.encode_many(ENGLISH)


def changed(vocabulary: Vocabulary, **model) -> str:
    about = json.loads(vocabulary.save())
    about["model"] |= model
    return json.dumps(about)


VOCAB = json.loads(SOURCE.save())["model"]["vocab"]
WITHOUT = {token: k for k, token in enumerate(["a", "b", "c", "<unk>"])}
WORDS = {"type": "WordLevel", "vocab": dict(zip(SPECIAL, range(3), strict=True)), "unk_token": "?"}
PANIC = json.loads(SOURCE.save()) | {
    "normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}
}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("", "cannot be read"),
        ("null", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        (SOURCE.save()[:700], "cannot be read"),
        (json.dumps(PANIC), "cannot be read"),  # the library panics
        (changed(SOURCE, continuing_subword_prefix="é" * 9), "cannot be read"),
        (changed(SOURCE, merges=[["zz", "qq"]]), "cannot be read"),
        (changed(SOURCE, vocab=VOCAB | {"dog": 4_000_000_000}), "without gaps"),
        (changed(SOURCE, vocab=VOCAB | {"dog": VOCAB["the"]}), "without gaps"),
        (changed(DIGITS, vocab=WITHOUT), "must begin with <unk>, <s>, </s>"),
        (changed(SOURCE, unk_token=None), "what it does not know as <unk>"),
        (changed(SOURCE, unk_token="dog"), "what it does not know as <unk>"),
        (json.dumps(json.loads(DIGITS.save()) | {"model": WORDS}), "does not know as <unk>"),
    ],
)
def test_a_hostile_tokenizer_file_is_refused(raw, message, capfd):
    with pytest.raises(CheckpointError, match=message):
        Vocabulary.read(raw)
    capfd.readouterr()  # a panic prints where it was


def test_an_interrupt_while_a_tokenizer_is_read_is_no_fault_of_the_file(monkeypatch):
    from models import subwords

    class Interrupted:
        @staticmethod
        def from_str(raw):
            raise KeyboardInterrupt

    monkeypatch.setattr(subwords, "Tokenizer", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        Vocabulary.read("{}")


def test_an_alphabet_is_numbered_behind_the_special_tokens_in_its_own_order():
    assert characters("cab").tokens == [*SPECIAL, "a", "b", "c"]


def test_the_same_texts_give_the_same_numbers_in_any_process():
    code = (
        "from models.subwords import source_pieces, target_pieces\n"
        "texts = ['the cat sat on the mat', 'a dog ran to the other cat', 'other dogs sat'] * 9\n"
        "print(source_pieces(texts, 60).tokens, target_pieces(texts, 60).tokens)"
    )
    runs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        for _ in range(3)
    }
    assert len(runs) == 1
