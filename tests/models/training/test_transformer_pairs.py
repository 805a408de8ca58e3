from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from models.subwords import BEGIN, END
from models.training import loop
from models.training.pairs import IGNORED, Batch
from models.training.transformer_pairs import loss, train, write, write_all, writer
from models.training.transformer_recipes import TRANSFORMER_PAIR_RECIPES, TransformerPairRecipe
from models.transformer_seq2seq import TransformerSeq2Seq, TransformerSeq2SeqConfig
from tests.models.stacks import lively, numbers
from tests.models.training.reversal import Reversal
from tests.models.training.stopping import stop_after

SIZES = {
    "context": 12,
    "hidden_size": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "num_heads": 2,
    "mlp_size": 24,
}
RECIPE = TransformerPairRecipe(
    "Backwards",
    lambda folder: Reversal(),
    SIZES | {"dropout": 0.05},
    epochs=8,
    batch_size=32,
    warmup=10,
    smoothing=0.0,
    prompt="abc",
    examples=("abc", "cab"),
    source="every text of two or three letters, by this code",
    origin="written here",
    licence="CC0-1.0",
)
SHORT = replace(RECIPE, epochs=2)


def network(seed: int = 0, ends: float = 0.0, **changes) -> TransformerSeq2Seq:
    config = TransformerSeq2SeqConfig(source_size=11, target_size=9, **SIZES | changes)
    built = lively(TransformerSeq2Seq(config), seed, spread=0.4)
    built.output_bias[END] += ends
    return built


def test_the_loss_is_the_mean_over_the_tokens_that_are_no_padding():
    built = network()
    source = numbers(11, 5, 3)  # (S, B)
    target = torch.tensor([[5, 6, 7], [8, END, 0], [END, IGNORED, END]])  # (T, B)
    told, spread = [], []
    for row in range(3):
        read = [BEGIN]
        for t in range(3):
            if target[t, row] == IGNORED:
                break
            logits = built(source[:, row][None], torch.tensor([read]))[0, -1].double()
            shares = (logits.exp() / logits.exp().sum()).log()
            told.append(-shares[target[t, row]])
            spread.append(-shares.mean())
            read.append(int(target[t, row]))
    assert len(told) == 8
    expected, even = torch.stack(told).mean().float(), torch.stack(spread).mean().float()
    batch = Batch(source, target)
    torch.testing.assert_close(loss(built, batch), expected, atol=1e-5, rtol=0)
    smooth = loss(built, batch, smoothing=0.25)
    torch.testing.assert_close(smooth, 0.75 * expected + 0.25 * even, atol=1e-5, rtol=0)


def step_by_step(built: TransformerSeq2Seq, source: list[int], limit: int) -> list[int]:
    """The likeliest token each time, the whole text read anew, with nothing kept."""
    read = [BEGIN]
    while len(read) <= limit:
        number = int(built(torch.tensor([source]), torch.tensor([read]))[0, -1].argmax())
        if number == END:
            break
        read.append(number)
    return read[1:]


def sources(seed: int = 2) -> list[list[int]]:
    lengths = (5, 1, 9, 3, 3, 7, 1)
    return [numbers(11, n, seed=seed + k).tolist() for k, n in enumerate(lengths)]


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "rotary", "none"])
def test_what_is_written_with_a_cache_is_what_is_written_step_by_step(positions):
    built, lengths = network(positions=positions, ends=3.0), set()
    for source in sources():
        expected = step_by_step(built, source, 10)
        assert write(built, torch.tensor([source]), limit=10) == [expected]
        lengths.add(len(expected))
    assert len(lengths) > 1


@pytest.mark.parametrize("seed", [0, 5])
def test_many_texts_are_written_in_the_order_given_as_each_by_itself(seed):
    built, texts = network(seed, ends=3.0), sources()
    each = [write(built, torch.tensor([source]))[0] for source in texts]
    assert write_all(built, texts, size=3) == each
    assert write_all(built, texts) == each
    assert write_all(built, []) == []
    assert len({tuple(text) for text in each}) > 1


def test_a_text_ends_before_its_end_mark_at_the_limit_or_at_the_context():
    built, source = network(ends=-50.0), torch.tensor([[4], [5]])
    assert [len(text) for text in write(built, source, limit=7)] == [7, 7]
    assert [len(text) for text in write(built, source)] == [12, 12]
    assert write(network(ends=90.0), source) == [[], []]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A whole run of RECIPE: its folder and what `train` returned."""
    run = tmp_path_factory.mktemp("run")
    return run, *train(RECIPE, Reversal(), run)


def test_a_tiny_network_learns_to_write_backwards(trained):
    run, weights, progress, ended = trained
    assert ended
    assert progress["best"] == max(entry["score"] for entry in progress["history"]) > 0.9
    built = TransformerSeq2Seq(RECIPE.config(6, 6))
    built.load_state_dict(weights)
    data = Reversal()
    assert data.score(writer(built.eval(), data)) == progress["best"]
    losses = [entry["train"] for entry in progress["history"]]
    assert losses[-1] < 0.3 < losses[0]
    assert (run / "source.tokenizer.json").exists()


def test_a_run_that_has_ended_is_not_trained_again(trained):
    run, weights, progress, _ = trained
    data = Reversal()
    again, same, ended = train(RECIPE, data, run)
    assert ended
    assert (same, data.epochs_read) == (progress, [])
    assert all(torch.equal(weights[name], again[name]) for name in weights)


def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(tmp_path, monkeypatch):
    straight, progress, _ = train(SHORT, Reversal(160), tmp_path / "straight")
    stop_after(monkeypatch, loop, progress["step"] // 2 + 3)  # in the second epoch
    _, stopped, ended = train(SHORT, Reversal(160), tmp_path / "stopped")
    assert not ended
    assert [entry["epoch"] for entry in stopped["history"]] == [1]
    monkeypatch.undo()
    again, other, ended = train(SHORT, Reversal(160), tmp_path / "stopped")
    assert ended
    assert other["history"] == progress["history"]
    assert all(torch.equal(straight[name], again[name]) for name in straight)
    one, two = (load_file(tmp_path / run / "latest.safetensors") for run in ("straight", "stopped"))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(name.endswith(".momentum") for name in one)  # Muon's, not Adam's alone
    other, _, _ = train(replace(SHORT, epochs=1, seed=2), Reversal(160), tmp_path / "other")
    assert not torch.equal(straight["output_bias"], other["output_bias"])


@pytest.mark.parametrize("name", TRANSFORMER_PAIR_RECIPES)
def test_every_recipe_fixes_a_network_that_may_be_opened(name):
    recipe = TRANSFORMER_PAIR_RECIPES[name]
    recipe.config(100, 90).check()
    assert recipe.prompt in recipe.examples
    assert all((recipe.title, recipe.source, recipe.origin, recipe.licence))
