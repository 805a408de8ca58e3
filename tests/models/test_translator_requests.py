"""What a translator does with a request: prefixes, limits, copied words, refusals, and opening."""

from dataclasses import replace

import pytest
import torch

from models.beam import Beam
from models.checkpoint import CheckpointError, read_checkpoint
from models.subwords import BEGIN, END, UNKNOWN
from models.text import UnknownCharacters
from models.translator import Translator, open_checkpoint
from models.writing import Step
from tests.models.test_translator import TOYS, read, runner, same, steps_of
from tests.toys.translators import ENGLISH, vocabularies, write_translator

STRANGE = "A Zorblax runs on the Q."


def test_a_prefix_that_ends_with_the_end_mark_is_only_read():
    run = runner("toy-additive")
    for width in (1, 4):
        items = list(run.translate(read(run), beam_size=width, prefix=[5, 7, END]))
        assert [item.token_id for item in items[:-1]] == [5, 7, END]
        assert all(item.given for item in items[:-1])
        assert (items[-1].token_ids, items[-1].ended) == ([5, 7, END], True)


def test_a_search_goes_on_behind_a_prefix():
    run = runner("toy-general")
    items = list(run.translate(read(run), beam_size=2, prefix=[5, 7], max_new_tokens=3))
    assert [item.index for item in items if isinstance(item, Beam)] == [2, 3, 4]
    assert all(one.token_ids[:2] == [5, 7] for one in items[-1].hypotheses)
    assert [item.given for item in items if isinstance(item, Step)] == [True, True] + [False] * 3


def test_a_text_is_cut_at_the_limit_which_counts_from_the_end_of_a_prefix():
    run = runner("toy-plain")
    steps, end = steps_of(run, read(run), max_new_tokens=3)
    assert (len(steps), end.ended) == (3, False)
    steps, end = steps_of(run, read(run), prefix=[4, 5, 6, 7], max_new_tokens=3)
    assert (len(steps), end.token_ids[:4], end.ended) == (7, [4, 5, 6, 7], False)
    steps, end = steps_of(run, read(run), prefix=[4, 5], max_new_tokens=0)
    assert (end.token_ids, end.ended) == ([4, 5], False)


def test_a_text_of_hardly_any_probability_keeps_its_logarithm():
    run = runner("toy-additive")
    run.network.output_bias[7] = -300.0
    steps, end = steps_of(run, read(run), prefix=[7], max_new_tokens=0)
    assert steps[0].probability == 0.0
    assert -400 < end.log_probability < -200


def test_a_text_that_ends_ends_with_the_end_mark_which_is_not_in_the_text():
    run = runner("toy-additive")
    run.network.output_bias[END] = 60.0
    steps, end = steps_of(run, read(run))
    assert ([step.token_id for step in steps], end.text, end.ended) == ([END], "", True)


def test_an_unknown_token_becomes_the_copied_word_that_it_looked_at():
    run = runner("toy-additive")
    source = run.read(STRANGE)
    first, second = source.copied[0], source.tokens.index("Q")
    written = [UNKNOWN, UNKNOWN, END]
    _, end = steps_of(run, source, prefix=written, force={0: second, 1: first})
    assert end.text == "QZorblax"
    _, end = steps_of(run, source, prefix=written, force={0: 0, 1: 0})
    assert end.text == "".join(source.tokens[k] for k in source.copied[:2])  # not looked at: next


def test_without_attention_copied_words_come_in_their_order():
    run = runner("toy-plain")
    source = run.read(STRANGE)
    _, end = steps_of(run, source, prefix=[UNKNOWN] * 5 + [END])
    words = [source.tokens[k] for k in source.copied]
    assert end.text == "".join((words + words[-1:] * 5)[:5])
    _, end = steps_of(run, run.read(ENGLISH[0]), prefix=[UNKNOWN, END])
    assert end.text == "<unk>"  # there is nothing to copy


@pytest.mark.parametrize(
    ("text", "found"),
    [("3 МАЙ", [(2, "М"), (3, "А"), (4, "Й")]), ("½\U0001d7db <", [(0, "½"), (3, "<")])],
)
def test_characters_that_cannot_be_read_are_told_with_their_places(text, found):
    with pytest.raises(UnknownCharacters) as refused:
        runner("toy-characters").read(text)
    assert refused.value.found == found


@pytest.mark.parametrize(
    ("prefix", "force", "message"),
    [
        ([5, 70], {}, r"prefix\[1\] is 70, tokens are 0\.\.69"),
        ([-1], {}, r"prefix\[0\] is -1, tokens are"),
        ([5, BEGIN], {}, r"prefix\[1\] is <s>, which cannot stand inside"),
        ([END, 5], {}, r"prefix\[0\] is </s>, which cannot stand inside"),
        ([], {0: 9}, r"step 0 cannot look at 9: steps count from 0, positions are 0\.\.8"),
        ([], {2: -1}, "step 2 cannot look at -1"),
        ([], {-1: 0}, "step -1 cannot look at 0"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(prefix, force, message):
    run = runner("toy-additive")
    with pytest.raises(ValueError, match=message):
        run.translate(read(run), prefix=prefix, force=force)


def test_a_network_without_attention_cannot_be_made_to_look():
    run = runner("toy-plain")
    assert not run.attends
    with pytest.raises(ValueError, match="no attention to force"):
        run.translate(read(run), force={0: 0})


@TOYS
def test_a_checkpoint_opens_to_the_network_it_was_written_from(name, tmp_path):
    built = write_translator(tmp_path / name, name)
    opened = open_checkpoint(read_checkpoint(tmp_path / name))
    expected = Translator(built, *vocabularies(name))
    assert opened.points == expected.points
    one, _ = steps_of(opened, read(opened), max_new_tokens=6)
    source = opened.read(read(opened).text)
    other = list(expected.translate(source, max_new_tokens=6))[:-1]
    assert all(same(*pair) for pair in zip(one, other, strict=True))


def test_a_checkpoint_that_does_not_fit_together_is_refused_with_what_is_wrong(tmp_path):
    write_translator(tmp_path / "toy", "toy-additive")
    files = read_checkpoint(tmp_path / "toy")
    config = files.about["config"]
    for change, message in (
        ({"about": {"config": config | {"colour": 1}}}, r"config\.json: .*colour"),
        ({"about": {"config": {}}}, r"config\.json: .*missing"),
        ({"about": {"config": config | {"cell": "rnn"}}}, "cell is 'rnn'"),
        (
            {"about": {"config": config | {"target_size": 71}}},
            r"target\.tokenizer\.json holds 70 tokens, config\.json says target_size 71",
        ),
        ({"tokenizers": {}}, r"source\.tokenizer\.json is missing"),
        ({"tokenizers": dict.fromkeys(files.tokenizers, "{}")}, "cannot be read"),
        ({"weights": files.weights | {"bridge.bias": torch.zeros(8)}}, r"bridge\.bias has shape"),
    ):
        with pytest.raises(CheckpointError, match=message):
            open_checkpoint(replace(files, **change))
