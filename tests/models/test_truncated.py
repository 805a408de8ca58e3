"""Short contexts in one pass, against reading every short text by itself."""

import pytest
import torch

from models.char_conv import CharConvRunner
from models.char_rnn import CharRunner
from models.language_reader import LanguageReader
from models.ngram import NGramRunner
from models.text import Characters
from models.truncated import by_context, expected, windows_of
from tests.toys import CONFIGS, SYMBOLS, TEXT, network
from tests.toys.characters import CONVOLUTIONS, convolution, ngram
from tests.toys.transformers import LANGUAGE_MODELS, language_model

READS = Characters(SYMBOLS)
RUNNERS = {
    "rnn": lambda: CharRunner(network(CONFIGS["toy-lstm"]), READS, 1),
    "conv": lambda: CharConvRunner(convolution(CONVOLUTIONS["toy-conv"]), READS, 1),
    "gpt": lambda: LanguageReader(language_model(LANGUAGE_MODELS["toy-gpt"]), READS),
    "ngram": lambda: NGramRunner(ngram(), READS, 1),
}
TOKENS = READS.encode(TEXT)
LENGTHS = [1, 2, 3, 7, len(TOKENS) - 1]


def measured(runner, tokens, lengths):
    longest = max(lengths)
    parts = windows_of(len(tokens), longest)
    return by_context(tokens, lengths, [expected(runner, tokens, longest, one) for one in parts])


def alone(runner, tokens: list[int], token: int) -> float:
    """Of a token after a text that is all there is."""
    return runner.following(torch.tensor([tokens]))[0, -1, token].item()


@pytest.mark.parametrize("name", RUNNERS)
def test_every_length_is_that_of_the_short_text_read_alone(name, monkeypatch):
    monkeypatch.setattr("models.truncated.STEPS", 100)  # several parts
    runner = RUNNERS[name]()
    found = measured(runner, TOKENS, LENGTHS)
    assert found[:, 0].isnan().all()
    for row, length in enumerate(LENGTHS):
        for t in range(1, len(TOKENS)):
            expected = alone(runner, TOKENS[max(0, t - length) : t], TOKENS[t])
            assert found[row, t].item() == pytest.approx(expected, abs=1e-5), (length, t)


@pytest.mark.parametrize("name", ["rnn", "conv", "ngram"])
def test_with_all_of_the_text_it_is_the_trace(name):
    runner = RUNNERS[name]()
    found = measured(runner, TOKENS, [len(TOKENS) - 1])[0]
    _, _, given = runner.trace(TOKENS, [], 0, len(TOKENS))
    torch.testing.assert_close(found[1:], given[1:], atol=1e-5, rtol=0)


def test_counts_gain_nothing_from_more_than_their_order_and_convolutions_from_more_than_they_see():
    for name, sees in (("ngram", 3), ("conv", CONVOLUTIONS["toy-conv"].receptive_field)):
        found = measured(RUNNERS[name](), TOKENS, [1, sees, len(TOKENS) - 1])
        torch.testing.assert_close(found[1, 1:], found[2, 1:], atol=1e-6, rtol=0)
        assert (found[0, 2:] - found[2, 2:]).abs().max() > 1e-3


def test_windows_cover_every_place_that_has_something_after_it_in_parts_of_bounded_work():
    for count, longest in ((2, 1), (50, 7), (5000, 64), (3, 9000)):
        parts = windows_of(count, longest)
        assert [place for part in parts for place in part][: count - 1] == list(range(count - 1))
        assert all(len(part) * longest <= max(4096, longest) for part in parts)
