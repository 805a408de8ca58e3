import math

import pytest
import torch
from torch.nn import functional as F

from models.captioner import Captioner, CaptionerConfig
from models.decoder import BEGIN, END, UNKNOWN
from models.training import captions, loop
from models.training.captions import (
    drawn,
    drop_features,
    loss,
    policy,
    score,
    supervised,
    train,
    write,
)
from models.training.pairs import IGNORED
from models.training.photographs import CaptionBatch
from tests.models.training.lamps import COLOURS, SHAPE, SIZES, Lamps, recipe, train_on
from tests.models.training.stopping import stop_after_score


def network(attention: str = "soft", size: int = 8) -> Captioner:
    built = Captioner(CaptionerConfig(attention, size, **SIZES, **SHAPE))
    return built.initialize(torch.Generator().manual_seed(3)).eval()


def batch() -> CaptionBatch:
    cells = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(1))
    target = torch.tensor([[4, 5, 6], [END, UNKNOWN, 7], [IGNORED, END, END]])
    return CaptionBatch(cells, torch.tensor([0, 0, 1]), target)


def test_the_loss_is_the_mean_over_the_words_that_are_known():
    net, some = network(), batch()
    rows = []
    for column, photograph in enumerate(some.photograph.tolist()):
        words = [k for k in some.target[:, column].tolist() if k != IGNORED]
        read = torch.tensor([BEGIN, *words[:-1]])[:, None]
        logits, _ = net(some.cells[photograph][None], read)
        for row, word in zip(logits[:, 0], words, strict=True):
            if word != UNKNOWN:
                rows.append(F.cross_entropy(row, torch.tensor(word)).item())
    found = loss(net, some, recipe(coverage=0.0)).item()
    assert found == pytest.approx(sum(rows) / len(rows), abs=1e-5)


def test_coverage_costs_nothing_where_all_cells_are_used_alike():
    net, some = network(), batch()
    with torch.no_grad():
        net.attention.v.zero_()  # every energy 0: every weight 1/4
    assert loss(net, some, recipe(coverage=5.0)).item() == pytest.approx(
        loss(net, some, recipe()).item()
    )
    with torch.no_grad():
        net.attention.v.fill_(3.0)
    assert loss(net, some, recipe(coverage=5.0)) > loss(net, some, recipe())


def test_placement_is_the_surprise_that_a_marked_word_looked_inside_its_object():
    net, some = network(), batch()
    cover = torch.zeros(3, 3, 4)
    cover[1, 0] = torch.tensor([0.8, 0.2, 0.5, 0.0])
    cover[0, 2] = torch.tensor([0.0, 0.0, 0.0, 1.0])
    marked = CaptionBatch(some.cells, some.photograph, some.target, cover)
    read = torch.tensor([[BEGIN, BEGIN, BEGIN], [4, 5, 6], [END, END, 7]])
    memory, state = net.read(some.cells)
    weights = net.follow(memory.take(some.photograph), state[:, some.photograph], read).weights
    first = -(weights[1, 0] @ torch.tensor([1.0, 0.5, 1.0, 0.0])).log()
    second = -weights[0, 2, 3].log()
    found = loss(net, marked, recipe(placement=0.4)) - loss(net, some, recipe())
    assert found.item() == pytest.approx(0.4 * (first + second).item() / 2, abs=1e-5)


def test_reinforce_gives_the_gradient_of_the_expected_log_probability_of_the_words():
    energy = torch.tensor([0.3, -0.5, 1.0], requires_grad=True)
    of_cell = torch.tensor([-1.0, -3.0, -0.5])  # log p of the one word, by the cell looked at
    (energy.softmax(-1) @ of_cell).backward()
    exact, energy.grad = energy.grad.clone(), None
    B = 200_000
    weights = energy.softmax(-1).expand(1, B, 3)
    torch.manual_seed(0)
    chosen = drawn(weights[0])[None]
    usual = torch.full((1, B), -1.2)  # any baseline that does not depend on the draw will do
    (-policy(of_cell[chosen], usual, weights, chosen, torch.ones(1, B), 0.0)).backward()
    # The standard error of this many draws is about 0.001.
    torch.testing.assert_close(energy.grad, exact, atol=0.005, rtol=0)


def test_a_draw_is_not_rewarded_for_words_before_it_nor_for_padding():
    weights = torch.full((2, 2, 2), 0.5)
    chosen = torch.tensor([[0, 1], [0, 1]])
    real = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    log_p = torch.tensor([[-9.0, -2.0], [-1.0, -50.0]])
    usual = torch.tensor([[-4.0, -4.0], [-3.0, -7.0]])
    # Better than usual from a step on: -3 and 2 at the first, 2 and padding at the second.
    taken = torch.tensor(0.5).log()
    expected = -(-3 * taken + 2 * taken + 2 * taken) / 3
    found = policy(log_p, usual, weights, chosen, real, 0.0)
    assert found.item() == pytest.approx(expected.item(), abs=1e-6)


def test_entropy_keeps_the_draws_open():
    chosen, real = torch.zeros(1, 1, dtype=torch.long), torch.ones(1, 1)
    even, sharp = torch.tensor([[[0.5, 0.5]]]), torch.tensor([[[0.99, 0.01]]])
    none = torch.zeros(1, 1)
    values = [policy(none, none, w, chosen, real, 1.0).item() for w in (even, sharp)]
    assert values[0] == pytest.approx(-math.log(2), abs=1e-6)
    assert values[1] > values[0]


@pytest.mark.parametrize("attention", ["hard", "none"])
def test_every_attention_learns_the_lights(tmp_path, attention):
    data, sizes = Lamps(), SIZES | SHAPE | {"attention": attention}
    one = recipe(network=sizes, reinforce=0.5, entropy=0.01, epochs=20)
    weights, progress, _ = train_on(one, data, tmp_path)
    assert progress["best"] > 60


def test_one_without_attention_can_start_from_one_with_it(tmp_path):
    data = Lamps()
    soft, _, _ = train_on(recipe(epochs=1), data, tmp_path / "soft")
    plain = recipe(epochs=0, network=SIZES | SHAPE | {"attention": "none"})
    found, _, _ = train(plain, data, tmp_path / "plain", supervised(plain, data), soft)
    assert found
    assert found.keys() < soft.keys()
    assert all(torch.equal(value, soft[name]) for name, value in found.items())


def test_features_are_dropped_to_their_mean_in_all_cells_of_a_picture():
    net = network()
    net.mean.copy_(torch.arange(5.0))
    cells = torch.full((40, 4, 5), 9.0)
    torch.manual_seed(0)
    seen = drop_features(net, cells, 0.3)
    dropped = seen != 9.0
    assert (dropped == dropped[:, :1]).all()
    assert (seen[dropped] == net.mean.expand_as(seen)[dropped]).all()
    assert 0.2 < dropped.float().mean() < 0.4
    assert drop_features(net, cells, 0.0) is cells


def test_padding_takes_no_part_in_the_coverage():
    net, some = network(), batch()
    padded = torch.cat([some.target, torch.full((4, 3), IGNORED)])
    longer = CaptionBatch(some.cells, some.photograph, padded)
    assert loss(net, longer, recipe(smoothing=0.1, coverage=2.0)).item() == pytest.approx(
        loss(net, some, recipe(smoothing=0.1, coverage=2.0)).item()
    )


def test_writing_never_uses_what_is_no_word_and_stops_at_the_end_or_the_limit():
    net = network()
    with torch.no_grad():
        net.output_bias[UNKNOWN] = net.output_bias[BEGIN] = 50.0
        net.output_bias[END] = -50.0
    cells = batch().cells
    texts = write(net, cells, limit=6)
    assert [len(text) for text in texts] == [6, 6]
    assert not {UNKNOWN, BEGIN, END} & {k for text in texts for k in text}
    with torch.no_grad():
        net.output_bias[END] = 50.0
    assert write(net, cells) == [[], []]


def test_a_tiny_captioner_learns_to_tell_the_colour_of_the_light(tmp_path):
    data = Lamps()
    weights, progress, ended = train_on(recipe(), data, tmp_path)
    assert ended
    net = Captioner(recipe().config(len(data.vocabulary)))
    net.load_state_dict(weights)
    assert score(net.eval(), data) == pytest.approx(progress["best"])
    texts = [data.vocabulary.join(ids) for ids in write(net, data.cells(list(COLOURS)))]
    assert texts == [f"a small {name} light is on" for name in COLOURS]
    losses = [entry["train"] for entry in progress["history"]]
    assert losses[-1] < 0.2 < losses[0]


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    whole, _, _ = train_on(recipe(epochs=3), Lamps(), tmp_path / "whole")
    stop_after_score(monkeypatch, loop, captions)
    _, progress, ended = train_on(recipe(epochs=3), Lamps(), tmp_path / "part")
    assert (progress["epoch"], ended) == (1, False)
    monkeypatch.undo()
    rest, progress, ended = train_on(recipe(epochs=3), Lamps(), tmp_path / "part")
    assert (progress["epoch"], ended) == (3, True)
    assert rest.keys() == whole.keys()
    for name, value in whole.items():
        torch.testing.assert_close(rest[name], value, atol=1e-6, rtol=0)
