import numpy as np
import pytest
import torch

from models.char_rnn import CharRunner
from models.sampling import uniform
from models.text import Characters
from models.training.samples import write_on
from tests.oracle import by_hand
from tests.toys import CONFIGS, SYMBOLS, network


def runner(name: str) -> CharRunner:
    return CharRunner(network(CONFIGS[name]), Characters(SYMBOLS), 2)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_likeliest_character_each_time_is_the_oracles_choice(name):
    run = runner(name)
    tokens = run.characters.encode("abba")
    for _ in range(12):
        _, logits = by_hand(CONFIGS[name].cell, run.network.state_dict(), tokens)
        tokens.append(int(logits[-1].argmax()))
    assert write_on(run, "abba", 12, top_k=1) == run.characters.decode(tokens)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_each_character_is_where_its_random_number_falls_in_the_oracles_distribution(temperature):
    run = runner("toy-lstm")
    tokens = run.characters.encode("ab")
    for position in range(2, 14):
        _, logits = by_hand("lstm", run.network.state_dict(), tokens)
        sums = (logits[-1] / temperature).softmax(-1).cumsum(-1)
        tokens.append(int(torch.searchsorted(sums, uniform(9, position), right=True)))
    assert write_on(run, "ab", 12, temperature, seed=9) == run.characters.decode(tokens)


def test_a_text_depends_on_its_seed_and_on_nothing_that_was_written_before():
    run = runner("toy-gru")
    first = write_on(run, "ab", 40, seed=1)
    assert write_on(run, "fade", 40, seed=2)[4:] != first[2:]
    assert write_on(run, "ab", 40, seed=1) == first
    assert write_on(run, "ab", 40, seed=2) != first


def test_what_is_written_goes_on_from_the_prefix_by_so_many_characters():
    text = write_on(runner("toy-rnn"), "cafe"[:2], 7)
    assert text[:2] == "ca"
    assert len(text) == 9
    assert np.isin(list(text), SYMBOLS).all()
