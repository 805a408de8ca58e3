from types import SimpleNamespace

import pytest
import torch

from models.captioner import Captioner, CaptionerConfig
from models.decoder import BEGIN, END, UNKNOWN
from models.training import self_critical
from models.training.caption_recipes import CaptionRecipe
from models.training.captions import write
from models.training.pairs import IGNORED
from models.training.photographs import CaptionBatch
from models.training.self_critical import advantages, critical_loss, draw, polishing, rewards_of

SIZES = {"embedding_size": 8, "decoder_size": 12, "context_size": 10, "attention_size": 6}
SHAPE = {"feature_size": 5, "grid": 2}
NAMES = ["north", "south"]


def network(attention: str = "soft", size: int = 7) -> Captioner:
    built = Captioner(CaptionerConfig(attention, size, **SIZES, **SHAPE))
    return built.initialize(torch.Generator().manual_seed(3)).eval()


def cells(count: int = 2) -> torch.Tensor:
    return torch.randn(count, 4, 5, generator=torch.Generator().manual_seed(1))


class Liking:
    """Rewards the captions that say the word of their picture, and say it once."""

    def score(self, name, ids):
        return float(ids == [{"north": 4, "south": 5}[name], END])


def test_an_advantage_is_what_a_reward_is_above_the_others_of_its_picture():
    scores = torch.tensor([[1.0, 2.0, 6.0], [3.0, 3.0, 3.0]])
    expected = torch.tensor([[1 - 4.0, 2 - 3.5, 6 - 1.5], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(advantages(scores), expected)


@pytest.mark.parametrize("attention", ["soft", "hard", "none"])
def test_a_drawn_caption_holds_words_ends_once_and_is_padded(attention):
    net = network(attention)
    memory, state = net.read(cells().repeat(50, 1, 1))
    torch.manual_seed(0)
    target, looked = draw(net, memory, state)
    assert (looked is None) == (attention != "hard")
    if looked is not None:
        assert looked.shape == target.shape
        assert (looked >= 0).all()
        assert (looked < 4).all()
    for row in target.t().tolist():
        written = [k for k in row if k != IGNORED]
        assert row[: len(written)] == written
        assert UNKNOWN not in written
        assert BEGIN not in written
        assert written.count(END) <= 1
        assert END not in written[:-1]
        if len(written) < len(target):
            assert written[-1] == END


def test_words_are_drawn_as_often_as_the_sharpened_distribution_has_them():
    net = network()
    memory, state = net.read(cells(1).repeat(20_000, 1, 1))
    torch.manual_seed(0)
    first = draw(net, memory, state)[0][0]
    one, begin = net.read(cells(1)), torch.full((1, 1), BEGIN)
    logits = net.follow(*one, begin).logits[0, 0].clone()
    logits[[UNKNOWN, BEGIN]] = -torch.inf
    shares = first.bincount(minlength=7) / len(first)
    # Four standard errors of so many draws are 0.014.
    sharp = (logits / self_critical.TEMPERATURE).softmax(-1)
    torch.testing.assert_close(shares, sharp, atol=0.015, rtol=0)


def test_the_gradient_is_that_of_the_expected_reward():
    """With one step there are so few captions that all of them can be counted."""
    net = network()
    target = net.output_bias
    memory, state = net.read(cells(1))
    logits = net.follow(memory, state, torch.full((1, 1), BEGIN)).logits[0, 0].clone()
    logits[[UNKNOWN, BEGIN]] = -torch.inf
    worth = torch.tensor([0.0, 0.0, 1.0, 0.0, 3.0, 0.5, 0.0])
    sharp = (logits / self_critical.TEMPERATURE).softmax(-1)
    (exact,) = torch.autograd.grad((sharp * worth).sum(), target)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(self_critical, "LIMIT", 1)
        patch.setattr(self_critical, "DRAWS", 40_000)
        liking = SimpleNamespace(score=lambda name, ids: worth[ids[0]].item())
        torch.manual_seed(0)
        value = critical_loss(net, cells(1), ["north"], liking)
    (found,) = torch.autograd.grad(-value, target)
    # The loss is a mean over the words that were drawn, here one a caption.
    torch.testing.assert_close(found, exact, atol=0.02, rtol=0)


@pytest.mark.parametrize("attention", ["soft", "hard", "none"])
def test_what_is_rewarded_becomes_what_is_written(attention):
    net, seen = network(attention), 2 * cells()
    optimizer = torch.optim.Adam(net.parameters(), 2e-2)
    torch.manual_seed(0)
    for _ in range(150):
        value = critical_loss(net, seen.repeat(4, 1, 1), NAMES * 4, Liking())
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    assert write(net, seen, 5) == [[4], [5]]


def test_rewards_come_from_the_training_captions_with_their_end():
    vocabulary = SimpleNamespace(
        encode_many=lambda texts: [[*map(len, t.split()), END] for t in texts]
    )
    captions = {"a": ["one dog sits here now"], "b": ["it is wet"], "c": ["secret"]}
    data = SimpleNamespace(vocabulary=vocabulary, captions=captions, split={"train": ["a", "b"]})
    rewards = rewards_of(data)
    assert rewards.score("a", [3, 3, 4, 4, 3, END]) == pytest.approx(10.0)
    assert rewards.score("a", [3, 3, 4, 4, 3]) < 10
    assert "c" not in rewards.counts


def test_composed_pictures_are_trained_on_beside():
    recipe = CaptionRecipe("", "", photographs=2, composed=1, feature_dropout=0.0)
    target = torch.tensor([[4], [END]])
    batch = CaptionBatch(cells(1), torch.tensor([0]), target, torch.zeros(2, 1, 4))
    vocabulary = SimpleNamespace(encode_many=lambda texts: [[4, END] for _ in texts])
    data = SimpleNamespace(
        vocabulary=vocabulary,
        captions={name: ["x"] for name in NAMES},
        split={"train": NAMES},
        names=lambda number, seed, count: iter([(NAMES, [False, True])]),
        cells=lambda names, mirrored: cells(),
    )
    composed = SimpleNamespace(epoch=lambda number, seed, pictures: iter([batch]))
    net = network()
    torch.manual_seed(0)
    (alone,) = polishing(recipe, data)(net, 0)
    torch.manual_seed(0)
    (both,) = polishing(recipe, data, composed)(net, 0)
    from models.training.captions import loss

    beside = self_critical.BESIDE * loss(net, batch, recipe).item()
    assert (both - alone).item() == pytest.approx(beside, abs=1e-5)
