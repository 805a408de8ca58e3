import gzip
import json
from collections import Counter

import pytest
import torch

from models.char_rnn import CharRNN, CharRNNConfig
from models.checkpoint import CheckpointFiles
from models.kinds import open_checkpoint
from models.training import films, finish_films
from models.training.corpus import Corpus, encode
from models.training.films import Grid, Run

SYMBOLS = sorted(set("\n \"'-.Tabefhilmost"))
CONFIG = CharRNNConfig("gru", len(SYMBOLS), 6, embedding_size=6)
SENTENCES = ["The film is too late", "a test at bat", "The fiest", "This was the best mime.", "eh"]


@pytest.fixture
def data(tmp_path):
    """A folder with a hundred short sentences in the form of the film sentences."""
    (tmp_path / "sentiment").mkdir()
    rows = "".join(f"{k % 7 - 3}\t{SENTENCES[k % 5]} {'ab' * (k % 4)}\n" for k in range(100))
    (tmp_path / films.FILMS.file).write_bytes(gzip.compress(rows.encode()))
    return tmp_path


@pytest.fixture
def quick(monkeypatch):
    """Two amounts of data and a few steps."""
    monkeypatch.setattr(films, "FEWER", {0: 1})
    monkeypatch.setattr(films, "EVERY", 4)
    for module in (films, finish_films):
        monkeypatch.setattr(module, "KEPT", 300)
        monkeypatch.setattr(module, "STEPS", {300: 8, 0: 8})


def base() -> dict[str, torch.Tensor]:
    return CharRNN(CONFIG).initialize(torch.Generator().manual_seed(9)).state_dict()


def test_characters_of_another_alphabet_are_written_plainly_or_left_out_and_counted():
    changed, dropped = Counter(), Counter()
    text = films.plain("''fi\u00e9 \u2013 $a''", set(SYMBOLS), changed, dropped)
    assert text == '"fie - a"'
    assert +changed == {"''": 2, "é": 1, "–": 1}
    assert dropped == {"$": 1}


def test_every_tenth_sentence_is_test_and_the_one_after_it_validation(data):
    found = films.read(data, SYMBOLS)
    assert [len(found.parts[part]) for part in ("train", "validation", "test")] == [81, 9, 10]
    for sentences in found.parts.values():
        assert all(set(sentence) <= set(SYMBOLS) for sentence in sentences)
    assert found.dropped == {"w": 20}  # the alphabet of the toy has none


def test_a_seed_deals_the_sentences_and_the_first_characters_are_those_of_a_larger_amount(data):
    found = films.read(data, SYMBOLS)
    one, other = found.tokens("train", 1), found.tokens("train", 2)
    assert not torch.equal(one, other)
    assert torch.equal(one.sort().values, other.sort().values)
    assert torch.equal(found.tokens("train", 1, 40), one[:40])


def test_a_network_that_is_tuned_starts_from_the_weights_and_one_from_scratch_does_not():
    weights = base()
    tuned = films.start("tuned", CONFIG, weights, 1).state_dict()
    assert all(torch.equal(tuned[name], weights[name]) for name in weights)
    scratch = films.start("scratch", CONFIG, weights, 1).state_dict()
    assert not torch.equal(scratch["output.weight"], weights["output.weight"])


def test_with_the_output_alone_tuned_nothing_else_changes():
    weights, text = base(), encode("a test at bat\n" * 60, SYMBOLS)
    network = films.start("output", CONFIG, weights, 1)
    best, _ = films.train(network, text, lambda network: -network.output.bias.abs().sum(), 0.01, 25)
    changed = {name for name in weights if not torch.equal(best[name], weights[name])}
    assert changed == {"output.weight", "output.bias"}


def test_the_weights_of_the_best_validation_are_kept_and_a_run_that_gets_worse_ends(monkeypatch):
    monkeypatch.setattr(films, "EVERY", 2)
    figures = iter([3.0, 2.0, 2.5, 2.5, 2.4, 2.3, 2.2, 2.1, 1.0])
    kept = []

    def validate(network):
        kept.append(network.output.bias.clone())
        return next(figures)

    text = encode("a test at bat\n" * 60, SYMBOLS)
    best, history = films.train(films.start("tuned", CONFIG, base(), 1), text, validate, 0.01, 99)
    assert [step for step, _ in history] == [0, 2, 4, 6, 8, 10, 12, 14]
    assert torch.equal(best["output.bias"], kept[1])


def test_all_seeds_take_the_rate_that_is_better_with_the_first(data, quick, tmp_path):
    grid = Grid(tmp_path / "runs", films.read(data, SYMBOLS), CONFIG, base())
    found = {Run("tuned", 300, rate, seed).name: rate for rate in films.RATES for seed in (1, 2, 3)}
    for name, rate in found.items():
        better = rate == films.RATES[0] if name.endswith("-1") else rate == films.RATES[1]
        grid.rows[name] = {"name": name, "history": [(0, 2.0 if better else 3.0)]}
    assert [one.rate for one in grid.chosen("tuned", 300)] == [films.RATES[0]] * 3


def test_the_recipe_measures_all_runs_writes_a_checkpoint_that_opens_and_goes_on_where_it_stopped(
    data, quick, tmp_path
):
    found, weights = films.read(data, SYMBOLS), base()
    about = {"config": CONFIG.to_dict(), "licence": "none"}
    files = CheckpointFiles("toy", about, SYMBOLS, weights, "")
    old = Corpus("old", "", SYMBOLS, encode("a test at bat\n" * 200, SYMBOLS))
    finish_films.make("films-tuned", found, files, old, tmp_path / "tuned", tmp_path / "runs")
    told = json.loads((tmp_path / "tuned" / "config.json").read_text())
    figures = told["figures"]
    assert [row["characters"] for row in figures["by_size"]] == [300, len(found.tokens("train"))]
    assert [len(row["scratch"]["test"]) for row in figures["by_size"]] == [3, 1]
    first = figures["by_size"][0]["tuned"]
    assert first["test"][0] == figures["test_nats"]
    assert figures["curves"]["tuned"][0][0] == 0
    assert open_checkpoint(tmp_path / "tuned").characters.symbols == SYMBOLS
    lines = (tmp_path / "runs" / "runs.jsonl").read_text().splitlines()
    again = Grid(tmp_path / "runs", found, CONFIG, weights)
    again.all()
    assert (tmp_path / "runs" / "runs.jsonl").read_text().splitlines() == lines
