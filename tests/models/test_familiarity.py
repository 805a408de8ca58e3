import pytest
import torch

from models.familiarity import Familiarity

SEED = torch.Generator


def pooled(count: int = 60) -> torch.Tensor:
    """Two crowds of pictures, around two directions."""
    generator = SEED().manual_seed(1)
    centres = torch.tensor([[5.0, 0, 0, 1], [0, 5.0, 0, 1]])
    return centres[torch.arange(count) % 2] + 0.3 * torch.randn(count, 4, generator=generator)


def learned() -> Familiarity:
    return Familiarity(4, 2).learn(pooled(), SEED().manual_seed(2))


def test_typical_pictures_are_directions_in_the_middle_of_the_crowds():
    found = learned()
    assert found.typical.norm(dim=-1) == pytest.approx(torch.ones(2), abs=1e-6)
    nearest = (found.directions(pooled()[:, None]) @ found.typical.t()).argmax(-1)
    assert (nearest[::2] == nearest[0]).all()
    assert (nearest[1::2] == nearest[1]).all()
    assert nearest[0] != nearest[1]


def test_a_picture_of_the_crowd_is_near_and_a_strange_one_is_far():
    found = learned()
    strange = torch.tensor([[[0.0, 0.0, 9.0, 0.0]]])
    assert found(pooled()[:, None]).max() < found(strange).min()


def test_the_distance_is_one_less_the_cosine_of_the_mean_of_all_cells():
    found = learned()
    cells = torch.randn(3, 5, 4, generator=SEED().manual_seed(3))
    for k in range(3):
        x = (cells[k].mean(0) - found.mean) / found.deviation
        cosines = [torch.cosine_similarity(x, row, dim=0).item() for row in found.typical]
        assert found(cells)[k].item() == pytest.approx(1 - max(cosines), abs=1e-6)


def test_the_same_seed_finds_the_same_pictures():
    one, other = learned(), learned()
    assert torch.equal(one.typical, other.typical)


def test_more_typical_pictures_than_pictures_is_an_error_with_both_numbers():
    with pytest.raises(ValueError, match="2 typical pictures cannot be found among 1"):
        Familiarity(4, 2).learn(pooled(1), SEED())
