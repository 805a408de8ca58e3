import pytest
import torch

from models.checkpoint import CheckpointError
from models.vqa import Vqa, VqaConfig
from tests.oracle_vqa import by_hand

TOLERANCE = 1e-5  # float32 against float64, absolute
SIZES = {
    "answers": ("yes", "no", "red", "0", "1"),
    "question_size": 11,
    "embedding_size": 6,
    "state_size": 7,
    "attention_size": 5,
    "readout_size": 8,
    "hops": 2,
    "most": 3,
    "feature_size": 9,
    "grid": 2,
}
IDS = torch.tensor([[3, 4], [5, 9], [7, 2], [2, 2]])
LENGTHS = torch.tensor([4, 3])


def network(seed: int = 0, **changes) -> Vqa:
    generator = torch.Generator().manual_seed(seed)
    built = Vqa(VqaConfig(**SIZES | changes))
    with torch.no_grad():
        for value in built.state_dict().values():
            value.copy_(0.6 * torch.randn(value.shape, generator=generator))
        built.deviation.abs_().add_(0.5)
    return built.eval().requires_grad_(False)


def grids(count: int = 2, cells: int = 4) -> torch.Tensor:
    return torch.randn(count, cells, 9, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_an_answer_is_what_torchs_own_cell_and_the_formulas_give(hops):
    net, cells = network(hops=hops), grids()
    looked = net(cells, IDS, LENGTHS)
    for row in range(2):
        ids = IDS[: LENGTHS[row], row].tolist()
        points, logits = by_hand(net.state_dict(), cells[row], ids)
        assert (looked.logits[row].double() - logits).abs().max() <= TOLERANCE
        for hop in range(hops):
            expected = points["attention"][hop].flatten()
            assert (looked.hops[hop].weights[row].double() - expected).abs().max() <= TOLERANCE
        assert (looked.counted[row].double() - points["counter"].flatten()).abs().max() <= TOLERANCE
        assert (looked.tally[row].double() - points["tally"]).abs().max() <= TOLERANCE


def test_the_weights_of_every_hop_sum_to_one_and_the_counter_need_not():
    looked = network()(grids(), IDS, LENGTHS)
    for hop in looked.hops:
        torch.testing.assert_close(hop.weights.sum(-1), torch.ones(2))
        assert (hop.weights >= 0).all()
    assert ((looked.counted > 0) & (looked.counted < 1)).all()
    assert not torch.allclose(looked.counted.sum(-1), torch.ones(2))


def test_the_order_of_the_cells_matters_only_through_their_places():
    net, order = network(), [2, 0, 3, 1]
    with torch.no_grad():
        net.row.zero_()
        net.column.zero_()
    before = net(grids(), IDS, LENGTHS)
    after = net(grids()[:, order], IDS, LENGTHS)
    torch.testing.assert_close(after.logits, before.logits, atol=TOLERANCE, rtol=0)
    for one, other in zip(after.hops, before.hops, strict=True):
        torch.testing.assert_close(one.weights, other.weights[:, order], atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(after.counted, before.counted[:, order], atol=TOLERANCE, rtol=0)


def test_with_places_the_same_cells_elsewhere_are_another_picture():
    net, order = network(), [2, 0, 3, 1]
    before = net(grids(), IDS, LENGTHS).logits
    assert not torch.allclose(before, net(grids()[:, order], IDS, LENGTHS).logits, atol=1e-3)


def test_a_question_is_answered_the_same_alone_among_others_and_behind_its_padding():
    net, cells = network(), grids()
    together = net(cells, IDS, LENGTHS).logits
    alone = net(cells[1:], IDS[:3, 1:], LENGTHS[1:]).logits
    torch.testing.assert_close(together[1:], alone, atol=1e-6, rtol=0)


def test_several_questions_share_a_scene_that_is_read_once():
    net, cells = network(), grids()
    asked, scene = net.read(IDS, LENGTHS), torch.tensor([1, 1])
    shared = net.look(asked, net.annotations(cells), scene)
    apart = net(cells[[1, 1]], IDS, LENGTHS)
    torch.testing.assert_close(shared.logits, apart.logits, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("total", "expected"),
    [(0.0, [1, 0, 0, 0]), (1.0, [0, 1, 0, 0]), (1.25, [0, 0.75, 0.25, 0]), (9.0, [0, 0, 0, 0])],
)
def test_the_tally_shares_a_number_between_its_two_neighbours(total, expected):
    net = network(feature_size=9, grid=4)
    with torch.no_grad():
        net.counter.v.zero_()  # every gate the same
        net.threshold.fill_(torch.logit(torch.tensor(total / 16), eps=1e-7))
    looked = net(grids(2, 16), IDS, LENGTHS)
    torch.testing.assert_close(looked.tally[0], torch.tensor(expected).float(), atol=1e-4, rtol=0)


def test_two_equal_things_count_twice_though_attention_sees_the_mean_of_one():
    net = network()
    with torch.no_grad():
        net.row.zero_()
        net.column.zero_()
    thing, nothing = grids()[0, 0], grids()[0, 1]
    one = torch.stack([thing, nothing, nothing, nothing])
    two = torch.stack([thing, thing, nothing, nothing])
    looked = net(torch.stack([one, two]), IDS[:, :1].expand(-1, 2), torch.tensor([4, 4]))
    gained = looked.counted[1].sum() - looked.counted[0].sum()
    expected = looked.counted[0, 0] - looked.counted[0, 1]
    assert gained.item() == pytest.approx(expected.item(), abs=TOLERANCE)
    assert abs(expected) > 0.01


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("answers", "yes"),
        ("answers", ["yes", "yes"]),
        ("answers", ["yes", 3]),
        ("answers", [["yes"], "no"]),
        ("answers", ["yes"]),
        ("question_size", 2),
        ("state_size", 0),
        ("hops", 0),
        ("hops", True),
        ("most", 10**6),
        ("grid", 65),
        ("dropout", -0.1),
    ],
)
def test_sizes_that_no_checkpoint_has_are_refused_by_name(name, value):
    with pytest.raises(CheckpointError, match=name):
        VqaConfig(**SIZES | {name: value}).check()


def test_a_config_survives_json():
    config = VqaConfig(**SIZES)
    assert VqaConfig(**config.to_dict()).to_dict() == config.to_dict()
    assert config.to_dict()["answers"] == list(SIZES["answers"])


def test_a_seeded_start_is_the_same_again_and_counts_nothing_yet():
    def start() -> Vqa:
        built = Vqa(VqaConfig(**SIZES)).initialize(torch.Generator().manual_seed(4))
        return built.eval().requires_grad_(False)

    for name, value in start().state_dict().items():
        assert torch.equal(value, start().state_dict()[name])
    assert start()(grids(), IDS, LENGTHS).counted.max() < 0.5
