import builtins

import torch

from models.kinds import open_checkpoint
from models.training import hello


def test_the_sentences_stand_side_by_side_padded_with_spaces_to_the_longest():
    symbols, text = hello.batch()
    assert text.shape == (15, 3)
    read = ["".join(symbols[k] for k in column) for column in text.t()]
    assert [line.rstrip() for line in read] == list(hello.SENTENCES)
    assert symbols == sorted(set("".join(read)))


def test_a_hundred_epochs_learn_the_sentences_by_heart():
    network, symbols, losses = hello.train()
    assert len(losses) == hello.EPOCHS
    assert losses[-1] < 0.25 < 2 < losses[0]
    for sentence in hello.SENTENCES:
        first = sentence.split()[0]
        assert hello.greedy(network, symbols, first, len(sentence)) == sentence


def test_a_network_that_has_not_learned_does_not_know_them():
    network, symbols, _ = hello.train(epochs=1)
    assert hello.greedy(network, symbols, "good", 14) != "good i am fine"


def test_a_seed_fixes_the_network_and_another_seed_another():
    one, two, other = (hello.train(seed, epochs=3)[0].state_dict() for seed in (4, 4, 5))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_the_folder_that_is_made_opens_and_its_card_says_what_was_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(hello, "range", lambda n: builtins.range(3 if n == 100 else n), False)
    monkeypatch.setattr(hello, "EPOCHS", 60)
    hello.make(tmp_path / "hello-rnn")
    runner = open_checkpoint(tmp_path / "hello-rnn")
    assert runner.network.config.cell == "rnn_tanh"
    card = (tmp_path / "hello-rnn" / "README.md").read_text()
    for sentence in hello.SENTENCES:
        first = sentence.split()[0]
        written = hello.greedy(runner.network, runner.characters.symbols, first, len(sentence))
        assert f"- `{first}` goes on to `{written}`" in card
