import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from models.training import windows
from models.training.recipes import Source
from models.training.runs import resume_best
from models.training.transformer_language import evaluate, rate, train
from models.training.transformer_recipes import TRANSFORMER_RECIPES, TransformerRecipe
from models.transformer_lm import TransformerLM, TransformerLMConfig
from tests.models.stacks import lively, numbers
from tests.models.training.stopping import stop_after
from tests.models.training.texts import cycle

RECIPE = TransformerRecipe(
    "A toy",
    Source("toy.txt.gz", "A toy", "written here", "CC0-1.0"),
    {
        "context": 8,
        "hidden_size": 16,
        "num_layers": 1,
        "num_heads": 2,
        "mlp_size": 24,
        "positions": "rotary",
        "dropout": 0.1,
    },
    epochs=2,
    batch_size=8,
    warmup=5,
)


def model(context: int = 6, **changes) -> TransformerLM:
    sizes = {"vocab_size": 9, "hidden_size": 8, "num_layers": 1, "num_heads": 2, "mlp_size": 12}
    return lively(TransformerLM(TransformerLMConfig(context=context, **sizes, **changes)))


def nats(built: TransformerLM, before: torch.Tensor, token: torch.Tensor) -> float:
    """Of one token behind others."""
    logits = built.logits(before[None])[0, -1].double()
    return F.cross_entropy(logits[None], token[None]).item()


def one_by_one(built: TransformerLM, text: torch.Tensor, first: int) -> float:
    """The figure of tokens from `first` on, each predicted by itself: by the first window, of
    those that start every context - context // 2 tokens, that reaches it."""
    context = built.config.context
    hop, told = context - context // 2, []
    for p in range(first, len(text)):
        start = next(s for s in range(0, len(text), hop) if s + context >= p)
        told.append(nats(built, text[start:p], text[p]))
        assert p - start >= min(p, context // 2 + 1)
    return sum(told) / len(told)


@pytest.mark.parametrize("context", [2, 6, 7])
@pytest.mark.parametrize("n", [2, 5, 7, 8, 150])  # the last has more windows than a batch of them
def test_every_token_but_the_first_is_counted_once_behind_at_least_half_a_context(n, context):
    built, text = model(context), numbers(9, n, seed=n)
    assert evaluate(built, text) == pytest.approx(one_by_one(built, text, 1), abs=1e-5)


@pytest.mark.parametrize("before", [0, 1, 2, 3, 20])
def test_the_text_before_is_read_and_not_counted(before):
    built, text, warm = model(), numbers(9, 30), numbers(9, before, seed=1)
    lead = min(before, 3)  # half a context
    whole = torch.cat([warm[len(warm) - lead :], text])
    expected = one_by_one(built, whole, lead or 1)
    assert evaluate(built, text, warm) == pytest.approx(expected, abs=1e-5)


def test_dropout_is_off_while_a_figure_is_measured():
    built, text = model(dropout=0.5).train(), numbers(9, 50)
    assert evaluate(built, text) == evaluate(built, text)


def test_the_rate_rises_stays_and_falls_to_nothing_in_a_line():
    recipe = replace(RECIPE, learning_rate=0.5, warmup=10, constant=0.4)
    rates = [rate(step, 100, recipe) for step in range(101)]
    assert rates[0] == pytest.approx(0.05)
    assert rates[:10] == sorted(rates[:10])
    assert all(r == 0.5 for r in rates[10:41])
    assert rates[70] == pytest.approx(0.25)
    assert rates[100] == pytest.approx(0.0)
    assert rates[40:] == pytest.approx([0.5 * (100 - step) / 60 for step in range(40, 101)])


def built_from(weights) -> TransformerLM:
    built = TransformerLM(RECIPE.config(6))
    built.load_state_dict(weights)
    return built


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of RECIPE: its folder and what `train` returned."""
    run = tmp_path_factory.mktemp("run")
    return run, *train(RECIPE, cycle(), run)


def test_training_learns_what_follows_what(trained):
    _, weights, progress, ended = trained
    assert ended
    assert evaluate(built_from(weights), cycle().split("test")) < 0.5  # guessing: ln 6 = 1.79
    assert [entry["epoch"] for entry in progress["history"]] == [1, 2]
    assert progress["history"][1]["train"] < progress["history"][0]["train"]


def test_the_weights_kept_are_those_that_were_best_on_validation(trained):
    run, weights, progress, _ = trained
    assert progress["best"] == min(entry["validation"] for entry in progress["history"])
    text = cycle()
    measured = evaluate(built_from(weights), text.split("validation"), text.split("train"))
    assert measured == pytest.approx(progress["best"], abs=1e-6)
    again, same = resume_best(run)
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert same["history"] == progress["history"]


def test_a_run_that_has_ended_is_not_trained_again(trained):
    run, weights, progress, _ = trained
    again, same, ended = train(RECIPE, cycle(), run)
    assert ended
    assert same["step"] == progress["step"]
    assert all(torch.equal(weights[name], again[name]) for name in weights)


@pytest.mark.parametrize("looks", [7, 45])
def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(
    trained, tmp_path, monkeypatch, looks
):
    run, weights, progress, _ = trained
    stop_after(monkeypatch, windows, looks)
    torch.manual_seed(99)  # what dropout draws from is fixed by the recipe and the step
    _, stopped, ended = train(RECIPE, cycle(), tmp_path)
    assert not ended
    assert stopped["step"] == looks
    assert json.loads((tmp_path / "progress.json").read_text())["step"] == looks
    monkeypatch.undo()
    torch.manual_seed(98)
    again, other, ended = train(RECIPE, cycle(), tmp_path)
    assert ended
    assert other["history"] == progress["history"]
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    one, two = (load_file(folder / "latest.safetensors") for folder in (run, tmp_path))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(name.endswith(".momentum") for name in one)


def test_another_seed_makes_another_run(trained, tmp_path):
    other, _, _ = train(replace(RECIPE, seed=2, epochs=1), cycle(900), tmp_path)
    assert not torch.equal(other["token_embedding.weight"], trained[1]["token_embedding.weight"])


@pytest.mark.parametrize("name", TRANSFORMER_RECIPES)
def test_every_recipe_fixes_a_network_that_may_be_opened(name):
    recipe = TRANSFORMER_RECIPES[name]
    recipe.config(65).check()
    assert len(recipe.prompt) < recipe.config(65).context
