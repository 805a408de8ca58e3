from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from models.decoder import END, UNKNOWN
from models.training import loop, vqa
from models.training.vqa import follow, forget, loss, outside, score, train
from models.training.vqa_scenes import Unseen
from models.vqa import Vqa
from tests.models.training.lights import RECIPE, Lights
from tests.models.training.stopping import stop_after_score


def network() -> Vqa:
    built = Vqa(RECIPE.config(len(Lights().vocabulary)))
    return built.initialize(torch.Generator().manual_seed(3)).eval()


def test_attention_outside_is_the_mean_surprise_of_the_marked_rows():
    weights = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8], [0.2, 0.3, 0.5]])
    cells = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    expected = -(torch.tensor(0.75).log() + torch.tensor(0.5).log()) / 2
    assert outside(weights, cells).item() == pytest.approx(expected.item())
    assert outside(weights, torch.zeros(3, 3)).item() == 0
    assert torch.isfinite(outside(torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 0.0]])))


def test_the_loss_is_the_answers_alone_without_guidance():
    net, batch = network(), Lights().batch([1, 2, 3])
    free = replace(RECIPE, placement=0.0, counting=0.0)
    expected = F.cross_entropy(follow(net, batch).logits, batch.answer)
    assert loss(net, batch, free).item() == pytest.approx(expected.item(), abs=1e-6)


def test_guidance_draws_the_counter_to_the_centres_of_what_is_counted_alone():
    net, batch = network(), Lights().batch([1, 2, 3])
    guided = replace(RECIPE, placement=0.0, counting=1.0)
    free = replace(guided, counting=0.0)
    told = loss(net, batch, guided) - loss(net, batch, free)
    gates = follow(net, batch).counted
    surprise = F.binary_cross_entropy(gates, batch.centres, reduction="none").sum(-1).mean()
    assert told.item() == pytest.approx(surprise.item(), abs=1e-4)
    other = replace(batch, counts=torch.zeros(len(batch.asked), dtype=torch.bool))
    assert loss(net, other, guided).item() == pytest.approx(loss(net, other, free).item())


def test_guidance_draws_the_first_hop_to_what_is_named_and_the_last_to_what_is_found():
    net, batch = network(), Lights().batch([1, 2])
    batch = replace(
        batch,
        named=F.one_hot(torch.arange(6) % 4, 4).float(),
        found=F.one_hot((torch.arange(6) + 1) % 4, 4).float(),
    )
    guided = replace(RECIPE, placement=1.0, counting=0.0)
    told = loss(net, batch, guided) - loss(net, batch, replace(guided, placement=0.0))
    hops = follow(net, batch).hops
    expected = outside(hops[0].weights, batch.named) + outside(hops[1].weights, batch.found)
    assert told.item() == pytest.approx(expected.item(), abs=1e-5)


def test_words_are_forgotten_as_often_as_said_and_never_the_end():
    torch.manual_seed(0)
    batch = Lights().batch(list(range(60)))
    before = batch.ids.clone()
    forget(batch, 0.25)
    words = before != END
    assert (batch.ids[~words] == END).all()
    assert (batch.ids[words] == UNKNOWN).float().mean().item() == pytest.approx(0.25, abs=0.04)
    kept = words & (batch.ids != UNKNOWN)
    assert (batch.ids[kept] == before[kept]).all()


def test_a_tiny_network_learns_to_count_and_one_without_pictures_does_not(tmp_path):
    data = Lights()
    weights, progress, ended = train(RECIPE, data, tmp_path / "seeing")
    assert ended
    net = Vqa(RECIPE.config(len(data.vocabulary)))
    net.load_state_dict(weights)
    right = score(net.eval(), data.part("test"))
    assert right > 0.9
    losses = [entry["train"] for entry in progress["history"]]
    assert losses[-1] < 0.3 * losses[0]
    blind, _, _ = train(RECIPE.blind(), Unseen(data), tmp_path / "blind")
    net.load_state_dict(blind)
    assert score(net, Unseen(data).part("test")) < 0.6


def test_without_pictures_every_cell_is_the_mean():
    data = Lights()
    data.statistics = torch.arange(5.0), torch.ones(5)
    (batch,) = Unseen(data).part("test")
    assert batch.cells.shape == data.cells(data.split["test"]).shape
    assert torch.equal(batch.cells[3, 2], torch.arange(5.0))


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    recipe = replace(RECIPE, epochs=3)
    whole, _, _ = train(recipe, Lights(), tmp_path / "whole")
    stop_after_score(monkeypatch, loop, vqa)
    _, progress, ended = train(recipe, Lights(), tmp_path / "part")
    assert (progress["epoch"], ended) == (1, False)
    monkeypatch.undo()
    rest, progress, ended = train(recipe, Lights(), tmp_path / "part")
    assert (progress["epoch"], ended) == (3, True)
    assert rest.keys() == whole.keys()
    for name, value in whole.items():
        torch.testing.assert_close(rest[name], value, atol=1e-6, rtol=0)
