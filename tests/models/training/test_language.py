import json
import signal
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from models.training import language
from models.training.language import evaluate, train
from models.training.recipes import Recipe, Source
from models.training.runs import rate, resume_best, stop_on_interrupt
from tests.models.training.stopping import stop_after
from tests.models.training.texts import cycle
from tests.toys import CONFIGS, SYMBOLS, network

SOURCE = Source("toy.txt.gz", "A toy", "written here", "CC0-1.0")
RECIPE = Recipe(
    "A toy",
    SOURCE,
    {"cell": "gru", "hidden_size": 16, "num_layers": 1},
    epochs=2,
    batch_size=8,
    chunk=16,
    learning_rate=2e-2,
    warmup=5,
)


@torch.no_grad()
def one_pass(built, text) -> float:
    """Nats per character but the first, read once from left to right."""
    logits, _ = built(text[:-1, None])
    return F.cross_entropy(logits[:, 0].double(), text[1:]).item()


def random_text(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(len(SYMBOLS), (n,), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("n", [2, 31, 33, 200])
def test_the_figure_of_a_short_text_is_that_of_one_reading_from_left_to_right(name, n):
    built, text = network(CONFIGS[name]), random_text(n)
    assert evaluate(built, text) == pytest.approx(one_pass(built, text), abs=1e-5)


@pytest.mark.parametrize("name", ["toy-lstm", "toy-gru"])
def test_the_figure_of_a_long_text_is_that_of_one_reading_to_within_noise(name):
    built, text = network(CONFIGS[name]), random_text(20_000)
    # Each of the 32 cuts starts 256 characters early: what is forgotten by then is left out.
    assert evaluate(built, text) == pytest.approx(one_pass(built, text), abs=1e-3)


def test_the_text_before_warms_up_the_reading_and_is_not_counted():
    built, before, text = network(CONFIGS["toy-gru"]), random_text(60), random_text(140, 1)
    whole = one_pass(built, torch.cat([before, text])) * 199
    lead = one_pass(built, before) * 59
    expected = (whole - lead) / 140  # the first character of the text is counted too
    assert evaluate(built, text, before) == pytest.approx(expected, abs=1e-5)


def test_dropout_is_off_while_a_figure_is_measured():
    built = network(replace(CONFIGS["toy-lstm"], dropout=0.5)).train()
    text = random_text(100)
    figure = evaluate(built, text)
    assert figure == evaluate(built, text)
    assert figure == pytest.approx(one_pass(built.eval(), text), abs=1e-5)


def test_the_rate_climbs_to_its_peak_and_falls_to_a_hundredth_of_it():
    recipe = replace(RECIPE, learning_rate=0.5, warmup=10)
    rates = [rate(step, 100, recipe) for step in range(101)]
    assert rates[0] == pytest.approx(0.05)
    assert max(rates) == rates[10] == pytest.approx(0.5)
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[55] == pytest.approx((0.5 + 0.005) / 2)
    assert rates[100] == pytest.approx(0.005)


def test_the_first_interrupt_asks_and_the_handler_is_put_back():
    before = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt() as asked:
        assert not asked["stop"]
        signal.raise_signal(signal.SIGINT)
        assert asked["stop"]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of RECIPE: its folder and what `train` returned."""
    run = tmp_path_factory.mktemp("run")
    return run, *train(RECIPE, cycle(3000), run)


def test_training_learns_what_follows_what(trained):
    _, weights, progress, ended = trained
    assert ended
    built = network(CONFIGS["toy-gru"])
    built = type(built)(RECIPE.config(6))
    built.load_state_dict(weights)
    assert evaluate(built, cycle(3000).split("test")) < 0.5  # guessing: ln 6 = 1.79
    assert [entry["epoch"] for entry in progress["history"]] == [1, 2]


def test_the_weights_kept_are_those_that_were_best_on_validation(trained):
    run, weights, progress, _ = trained
    figures = [entry["validation"] for entry in progress["history"]]
    assert progress["best"] == min(figures)
    built = type(network(CONFIGS["toy-gru"]))(RECIPE.config(6))
    built.load_state_dict(weights)
    text = cycle(3000)
    measured = evaluate(built, text.split("validation"), text.split("train"))
    assert measured == pytest.approx(progress["best"], abs=1e-6)
    best = load_file(run / "best.safetensors")
    assert all(torch.equal(best[name], weights[name]) for name in best)


def test_a_seed_fixes_a_whole_run(trained, tmp_path):
    _, weights, _, _ = trained
    again, _, _ = train(RECIPE, cycle(3000), tmp_path)
    assert all(torch.equal(weights[name], again[name]) for name in weights)


def test_a_run_that_has_ended_is_not_trained_again(trained):
    run, weights, progress, _ = trained
    again, same, ended = train(RECIPE, cycle(3000), run)
    assert ended
    assert same["step"] == progress["step"]
    assert all(torch.equal(weights[name], again[name]) for name in weights)


def test_the_best_of_a_run_is_found_without_training(trained):
    run, weights, progress, _ = trained
    again, same = resume_best(run)
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert same["history"] == progress["history"]


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path, monkeypatch):
    stop_after(monkeypatch, language, 25)
    _, progress, ended = train(RECIPE, cycle(3000), tmp_path)
    assert not ended
    assert progress["step"] == 25
    assert json.loads((tmp_path / "progress.json").read_text())["step"] == 25
    held = load_file(tmp_path / "latest.safetensors")
    monkeypatch.undo()
    _, progress, ended = train(RECIPE, cycle(3000), tmp_path)
    assert ended
    assert progress["step"] == 2 * (progress["step"] // 2)
    assert [entry["epoch"] for entry in progress["history"]] == [1, 2]
    assert progress["history"][-1]["validation"] < 0.5
    # The optimizer's moments and the carried state were there to go on from.
    assert any(name.startswith("adam.0.exp_avg") for name in held)
    assert held["state.0"].shape == (1, 8, 16)
