from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from models.char_conv import CharConv
from models.training import convolution_language, windows
from models.training.convolution_language import evaluate, train
from models.training.convolution_recipes import CONVOLUTION_RECIPES, ConvolutionRecipe
from models.training.recipes import Source
from models.training.transformer_recipes import TRANSFORMER_RECIPES
from models.transformer_lm import TransformerLM
from tests.models.training.stopping import stop_after
from tests.models.training.texts import cycle
from tests.toys import SYMBOLS
from tests.toys.characters import CONVOLUTIONS, convolution

RECIPE = ConvolutionRecipe(
    "A toy",
    Source("toy.txt.gz", "A toy", "written here", "CC0-1.0"),
    {"hidden_size": 16, "gate_size": 12, "num_layers": 2, "dropout": 0.1},
    window=8,
    epochs=2,
    batch_size=8,
    warmup=5,
)


def numbers(n: int, seed: int) -> torch.Tensor:
    return torch.randint(len(SYMBOLS), (n,), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("before", [0, 3, 60])
def test_every_token_is_counted_once_behind_all_that_the_network_can_see(before, monkeypatch):
    monkeypatch.setattr(convolution_language, "PIECE", 16)
    network, text, warm = convolution(CONVOLUTIONS["toy-conv"]), numbers(70, 1), numbers(before, 2)
    whole = torch.cat([warm, text])
    told = [
        F.cross_entropy(network.logits(whole[None, :p])[0, -1].double(), whole[p]).item()
        for p in range(max(before, 1), len(whole))
    ]
    expected = sum(told) / len(told)
    found = evaluate(network, text, warm if before else None)
    assert found == pytest.approx(expected, abs=1e-5)  # float32 sums of 16 terms


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of RECIPE: its folder and what `train` returned."""
    run = tmp_path_factory.mktemp("run")
    return run, *train(RECIPE, cycle(), run)


def test_training_learns_what_follows_what_and_keeps_what_was_best_on_validation(trained):
    _, weights, progress, ended = trained
    assert ended
    built = CharConv(RECIPE.config(6))
    built.load_state_dict(weights)
    text = cycle()
    assert evaluate(built, text.split("test")) < 0.5  # guessing: ln 6 = 1.79
    assert progress["best"] == min(entry["validation"] for entry in progress["history"])
    measured = evaluate(built, text.split("validation"), text.split("train"))
    assert measured == pytest.approx(progress["best"], abs=1e-6)


def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(
    trained, tmp_path, monkeypatch
):
    run, weights, progress, _ = trained
    stop_after(monkeypatch, windows, 40)  # in the second epoch
    _, stopped, ended = train(RECIPE, cycle(), tmp_path)
    assert not ended
    assert stopped["step"] == 40
    monkeypatch.undo()
    torch.manual_seed(98)  # what dropout draws from is fixed by the recipe and the step
    again, other, ended = train(RECIPE, cycle(), tmp_path)
    assert ended
    assert other["history"] == progress["history"]
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    one, two = (load_file(folder / "latest.safetensors") for folder in (run, tmp_path))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_another_seed_makes_another_run(trained, tmp_path):
    other, _, _ = train(replace(RECIPE, seed=2, epochs=1), cycle(900), tmp_path)
    assert not torch.equal(other["embedding.weight"], trained[1]["embedding.weight"])


def test_shakespeare_is_read_by_as_many_parameters_as_the_transformer_has_and_as_much_of_it():
    recipe, other = CONVOLUTION_RECIPES["shakespeare-conv"], TRANSFORMER_RECIPES["shakespeare-gpt"]
    config = recipe.config(84)
    config.check()
    with torch.device("meta"):
        sizes = [
            sum(p.numel() for p in network.parameters())
            for network in (CharConv(config), TransformerLM(other.config(84)))
        ]
    assert abs(sizes[0] / sizes[1] - 1) < 0.005
    assert config.receptive_field == 255  # the transformer's context is 256
    read = recipe.epochs * recipe.batch_size * recipe.window
    assert read == other.epochs * other.batch_size * other.config(84).context
