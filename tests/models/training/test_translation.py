import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from models.decoder import BEGIN, END, UNKNOWN
from models.seq2seq import Seq2Seq
from models.subwords import source_pieces
from models.training import loop
from models.training.pairs import IGNORED
from models.training.translation import inputs, keep_vocabularies, train, write, write_all, writer
from tests.models.training.reversal import RECIPE, Reversal
from tests.models.training.stopping import stop_after
from tests.toys.translators import ENGLISH, TRANSLATORS, translator

SHORT = replace(RECIPE, epochs=2)


def quick(recipe, run, data=None):
    return train(recipe, data or Reversal(160), run, mixed=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A whole run of RECIPE: its folder and what `train` returned."""
    run = tmp_path_factory.mktemp("run")
    return run, *train(RECIPE, Reversal(), run, mixed=False)


def network(weights) -> Seq2Seq:
    built = Seq2Seq(RECIPE.config(6, 6))
    built.load_state_dict(weights)
    return built.eval()


def test_a_tiny_network_learns_to_write_backwards(trained):
    _, weights, progress, ended = trained
    assert ended
    scores = [entry["score"] for entry in progress["history"]]
    assert scores[0] < 0.5
    assert progress["best"] == max(scores) > 0.9
    data = Reversal()
    assert data.score(writer(network(weights), data)) == progress["best"]  # the best are kept
    losses = [entry["train"] for entry in progress["history"]]
    assert losses[-1] < 0.2 < losses[0]
    assert [entry["epoch"] for entry in progress["history"]] == list(range(1, 13))


def test_the_weights_kept_are_the_first_that_were_best(trained):
    run, weights, _, _ = trained
    best = load_file(run / "best.safetensors")
    assert all(torch.equal(best[name], weights[name]) for name in best)


def test_a_run_that_has_ended_is_not_trained_again(trained):
    run, weights, progress, _ = trained
    data = Reversal()
    again, same, ended = train(RECIPE, data, run, mixed=False)
    assert ended
    assert (same, data.epochs_read) == (progress, [])
    assert all(torch.equal(weights[name], again[name]) for name in weights)


def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(tmp_path, monkeypatch):
    straight, progress, _ = quick(SHORT, tmp_path / "straight")
    stop_after(monkeypatch, loop, progress["step"] // 2 + 3)  # in the second epoch
    _, stopped, ended = quick(SHORT, tmp_path / "stopped")
    assert not ended
    assert [entry["epoch"] for entry in stopped["history"]] == [1]
    monkeypatch.undo()
    data = Reversal(160)
    again, other, ended = quick(SHORT, tmp_path / "stopped", data)
    assert ended
    assert data.epochs_read == [1]
    assert other["history"] == progress["history"]
    assert other["step"] == progress["step"]
    assert all(torch.equal(straight[name], again[name]) for name in straight)
    one, two = (load_file(tmp_path / run / "latest.safetensors") for run in ("straight", "stopped"))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_run_stopped_in_its_first_epoch_starts_anew(tmp_path, monkeypatch):
    stop_after(monkeypatch, loop, 2)
    weights, progress, ended = quick(SHORT, tmp_path)
    assert (ended, progress["epoch"], progress["history"]) == (False, 0, [])
    assert all(torch.isfinite(value).all() for value in weights.values())
    monkeypatch.undo()
    assert quick(SHORT, tmp_path)[2]


def test_a_seed_fixes_a_run_and_another_seed_makes_another(tmp_path):
    one, _, _ = quick(replace(SHORT, epochs=1), tmp_path / "one")
    same, _, _ = quick(replace(SHORT, epochs=1), tmp_path / "same")
    other, _, _ = quick(replace(SHORT, epochs=1, seed=2), tmp_path / "other")
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["bridge.weight"], other["bridge.weight"])


def test_a_run_keeps_the_vocabularies_that_it_began_with(tmp_path):
    data = Reversal(160)
    quick(replace(SHORT, epochs=1), tmp_path, data)
    later = Reversal(160)
    later.vocabularies = (source_pieces(ENGLISH, 60),) * 2  # learned anew, and otherwise
    keep_vocabularies(later, tmp_path)
    assert [side.tokens for side in later.vocabularies] == [
        side.tokens for side in data.vocabularies
    ]


def test_a_run_without_its_vocabularies_is_not_gone_on_with(tmp_path):
    quick(replace(SHORT, epochs=1), tmp_path)
    (tmp_path / "source.tokenizer.json").unlink()
    with pytest.raises(FileNotFoundError) as refused:
        quick(SHORT, tmp_path)
    assert refused.value.filename == str(tmp_path / "source.tokenizer.json")


def test_what_is_scored_and_kept_is_the_running_mean(tmp_path):
    quick(replace(SHORT, epochs=1), tmp_path)
    latest = load_file(tmp_path / "latest.safetensors")
    best = load_file(tmp_path / "best.safetensors")
    assert all(torch.equal(best[name], latest[f"mean.{name}"]) for name in best)
    assert not torch.equal(latest["mean.bridge.weight"], latest["network.bridge.weight"])
    assert any(name.startswith("adam.0.exp_avg") for name in latest)
    assert json.loads((tmp_path / "progress.json").read_text())["epoch"] == 1


def test_the_decoder_reads_the_token_before_and_unknown_ones_as_such():
    target = torch.tensor([[5, 6], [UNKNOWN, END], [7, IGNORED], [END, IGNORED]])
    assert inputs(target).tolist() == [[BEGIN, BEGIN], [5, 6], [UNKNOWN, END], [7, END]]


@pytest.mark.parametrize("name", TRANSLATORS)
def test_many_texts_are_written_in_the_order_given_as_each_by_itself(name):
    config = TRANSLATORS[name]
    built = translator(config, ends=True)
    generator = torch.Generator().manual_seed(2)
    sources = [
        torch.randint(3, config.source_size, (n,), generator=generator).tolist()
        for n in (5, 1, 9, 3, 3, 7, 1)
    ]
    each = [write(built, torch.tensor(source)[:, None])[0] for source in sources]
    assert write_all(built, sources, size=3) == each
    assert write_all(built, sources) == each
    assert write_all(built, []) == []
    assert len({tuple(text) for text in each}) > 1


def test_a_text_ends_before_its_end_mark_or_at_the_limit():
    built = translator(TRANSLATORS["toy-plain"])
    source = torch.tensor([[4], [5]])
    assert len(write(built, source, limit=7)[0]) == 7
    built.output_bias[END] = 90.0
    assert write(built, source) == [[]]
