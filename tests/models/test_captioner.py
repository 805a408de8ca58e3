import pytest
import torch

from models.captioner import Captioner, CaptionerConfig
from models.checkpoint import CheckpointError
from models.decoder import BEGIN
from tests.oracle_captions import by_hand

TOLERANCE = 1e-5  # float32 against float64, absolute
SIZES = {
    "target_size": 11,
    "embedding_size": 6,
    "decoder_size": 7,
    "context_size": 5,
    "attention_size": 4,
    "feature_size": 9,
    "grid": 2,
}
TARGET = torch.tensor([[BEGIN, BEGIN], [4, 9], [7, 3], [5, 5]])


def network(attention: str, seed: int = 0, **changes) -> Captioner:
    generator = torch.Generator().manual_seed(seed)
    built = Captioner(CaptionerConfig(attention, **SIZES | changes))
    with torch.no_grad():
        for value in built.state_dict().values():
            value.copy_(0.6 * torch.randn(value.shape, generator=generator))
        built.deviation.abs_().add_(0.5)
    return built.eval().requires_grad_(False)


def grids(count: int = 2) -> torch.Tensor:
    return torch.randn(count, 4, 9, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("attention", ["soft", "hard", "none"])
def test_a_caption_is_scored_as_torchs_own_cells_and_the_formulas_score_it(attention):
    net, cells = network(attention), grids()
    logits, looks = net(cells, TARGET)
    for row in range(2):
        # Nothing is drawn here: a hard network too takes the mean of all cells.
        kind = "none" if attention == "none" else "soft"
        points, expected = by_hand(kind, net.state_dict(), cells[row], TARGET[:, row].tolist())
        assert (logits[:, row].double() - expected).abs().max() <= TOLERANCE
        if attention == "none":
            assert looks is None
        else:
            assert (looks[:, row].double() - points["attention"]).abs().max() <= TOLERANCE


@pytest.mark.parametrize("attention", ["soft", "hard", "none"])
def test_padding_takes_no_step_and_changes_no_word(attention):
    net, cells = network(attention), grids()
    memory, state = net.read(cells[torch.tensor([0, 1, 1])])
    target = torch.tensor([[BEGIN, BEGIN, BEGIN], [4, 9, 3], [7, 3, 0], [5, 0, 0]])
    real = torch.arange(4)[:, None] < torch.tensor([4, 3, 2])
    look = (lambda weights: weights.argmin(-1)) if attention == "hard" else None
    padded = net.follow(memory, state, target, look)
    packed = net.follow(memory, state, target, look, real)
    torch.testing.assert_close(packed.logits, padded.logits[real], atol=1e-6, rtol=0)
    if attention != "none":
        torch.testing.assert_close(packed.weights[real], padded.weights[real], atol=1e-6, rtol=0)
        assert (packed.weights[~real] == 0).all()
    if attention == "hard":
        assert torch.equal(packed.chosen[real], padded.chosen[real])


def test_a_picture_is_captioned_the_same_alone_and_among_others():
    net, cells = network("soft"), grids()
    together, _ = net(cells, TARGET)
    alone, _ = net(cells[:1], TARGET[:, :1])
    torch.testing.assert_close(together[:, :1], alone, atol=1e-6, rtol=0)


def test_a_word_does_not_depend_on_what_follows_it():
    net, cells = network("soft"), grids()
    changed = TARGET.clone()
    changed[3] = 8
    before, _ = net(cells, TARGET)
    after, _ = net(cells, changed)
    assert torch.equal(before[:3], after[:3])
    assert not torch.equal(before[3], after[3])


def test_without_attention_the_order_of_the_cells_does_not_matter():
    net, cells = network("none"), grids()
    logits, _ = net(cells, TARGET)
    shuffled, _ = net(cells[:, [2, 0, 3, 1]], TARGET)
    torch.testing.assert_close(logits, shuffled, atol=TOLERANCE, rtol=0)


def test_with_attention_the_weights_move_with_the_cells():
    net, cells = network("soft"), grids()
    order = [2, 0, 3, 1]
    _, looks = net(cells, TARGET)
    _, moved = net(cells[:, order], TARGET)
    torch.testing.assert_close(moved, looks[..., order], atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(looks.sum(-1), torch.ones(4, 2), atol=TOLERANCE, rtol=0)


def test_a_forced_cell_gets_all_the_weight_and_passes_the_gate():
    net = network("soft")
    memory, state = net.read(grids())
    y = net.embed(TARGET[0])
    from_y, weight = net.token_part(y)
    done = net.advance(from_y, state, memory, weight, torch.tensor([3, -1]))
    assert done.attended.weights[0].tolist() == [0, 0, 0, 1]
    gate = torch.sigmoid(net.gate(state[0][0]))
    torch.testing.assert_close(done.context[0], gate * memory.annotations[0, 3])
    free = net.advance(from_y, state, memory, weight)
    assert torch.equal(done.context[1], free.context[1])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attention", "sharp"),
        ("attention", ["soft"]),
        ("target_size", 2),
        ("decoder_size", True),
        ("attention_size", 0),
        ("feature_size", 10**6),
        ("grid", 0),
        ("dropout", 1.5),
    ],
)
def test_sizes_that_no_checkpoint_has_are_refused_by_name(name, value):
    with pytest.raises(CheckpointError, match=name):
        CaptionerConfig(**{"attention": "soft"} | SIZES | {name: value}).check()


def test_without_attention_nothing_of_it_is_kept():
    plain = network("none", attention_size=0)
    plain.config.check()
    assert not any("attention" in name or "gate" in name for name in plain.state_dict())
