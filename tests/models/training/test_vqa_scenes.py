import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.efficientnet import FINE_FEATURES, GRID
from models.questions import ANSWERS, questions
from models.scenes import Scene, Thing, arrange
from models.training import vqa_scenes
from models.training.vqa_scenes import SPLITS, DrawnScenes, centre, covered


class Encoder:
    """Marks each picture's cells with its mean brightness; counts the pictures."""

    def __init__(self):
        self.pictures = 0

    def fine_cells(self, pixels):
        self.pictures += len(pixels)
        mean = pixels.mean((1, 2, 3))[:, None, None]
        return mean.expand(-1, GRID * GRID, FINE_FEATURES)


@pytest.fixture
def encoder(monkeypatch):
    built = Encoder()
    monkeypatch.setattr(vqa_scenes.efficientnet, "load", lambda: built)
    monkeypatch.setattr(vqa_scenes, "COUNT", 24)
    parts = {"test": range(4), "validation": range(4, 8), "train": range(8, 24)}
    monkeypatch.setattr(vqa_scenes, "SPLITS", parts)
    return built


def thing(x: float, y: float, size: float) -> Thing:
    return Thing("circle", "red", x, y, size, 0.0, (1, 0, 0))


def test_the_cells_of_a_thing_are_those_that_its_box_covers_a_quarter_of():
    whole = covered(thing(48, 80, 16)).reshape(GRID, GRID)  # exactly the cell 2, 1
    assert whole.sum() == 1
    assert whole[2, 1] == 1
    corner = covered(thing(64, 64, 16)).reshape(GRID, GRID)  # a quarter of each of four
    assert np.argwhere(corner).tolist() == [[1, 1], [1, 2], [2, 1], [2, 2]]
    shifted = covered(thing(62, 62, 16)).reshape(GRID, GRID)
    assert shifted[1, 1] == 1
    assert shifted[2, 2] == 0


@given(st.integers(0, 10**9))
def test_every_thing_of_a_scene_has_cells_and_a_centre_of_its_own(seed):
    scene = arrange(seed)
    for one in scene.things:
        assert 1 <= covered(one).sum() <= 9
        place = int(centre(one).argmax())
        assert centre(one).sum() == 1
        assert (place // GRID, place % GRID) == (int(one.y) // 32, int(one.x) // 32)
    assert sum(centre(one) for one in scene.things).max() == 1


def test_the_splits_share_no_seed_and_every_scene_is_in_one():
    seeds = [seed for part in SPLITS.values() for seed in part]
    assert sorted(seeds) == list(range(vqa_scenes.COUNT))


def test_grids_are_made_once_and_gone_on_with_where_they_stopped(encoder, tmp_path):
    DrawnScenes(tmp_path)
    assert encoder.pictures == 24
    whole = (tmp_path / vqa_scenes.FILE).read_bytes()
    DrawnScenes(tmp_path)
    assert encoder.pictures == 24
    (tmp_path / vqa_scenes.DONE).write_text("16")
    DrawnScenes(tmp_path)
    assert encoder.pictures == 32
    assert (tmp_path / vqa_scenes.FILE).read_bytes() == whole


def test_a_row_is_the_picture_of_its_seed(encoder, tmp_path):
    data = DrawnScenes(tmp_path)
    pixels = torch.stack([vqa_scenes.vision.to_tensor(vqa_scenes.draw(k)[0]) for k in (9, 5)])
    expected = Encoder().fine_cells(pixels).half().float()
    torch.testing.assert_close(data.cells([9, 5]), expected)


def test_statistics_are_those_of_the_training_cells(encoder, tmp_path):
    data = DrawnScenes(tmp_path)
    cells = data.cells(list(range(8, 24))).double().flatten(0, 1)
    mean, deviation = data.statistics
    torch.testing.assert_close(mean.double(), cells.mean(0), atol=1e-5, rtol=0)
    torch.testing.assert_close(deviation.double(), cells.std(0, correction=0), atol=1e-4, rtol=0)


def test_a_batch_asks_what_the_scenes_admit_and_says_where_to_look(encoder, tmp_path):
    data = DrawnScenes(tmp_path)
    batch = data.batch([3, 20], "x")
    expected = [one for seed in (3, 20) for one in questions(arrange(seed), "x")]
    assert batch.asked == expected
    assert [ANSWERS[k] for k in batch.answer] == [one.answer for one in expected]
    assert batch.ids.shape == (batch.lengths.max(), len(expected))
    for row, one in enumerate(expected):
        scene: Scene = arrange((3, 20)[batch.scene[row]])
        ids = batch.ids[: batch.lengths[row], row].tolist()
        assert ids == data.vocabulary.encode_many([one.text])[0]
        assert bool(batch.counts[row]) == (one.kind in ("count", "exists"))
        cells = sum((centre(scene.things[k]) for k in one.found), np.zeros(GRID * GRID))
        assert np.array_equal(batch.centres[row].numpy(), cells)
        if one.named:
            assert np.array_equal(batch.named[row], covered(scene.things[one.named[0]]))
            assert np.array_equal(batch.found[row], covered(scene.things[one.found[0]]))
        else:
            assert batch.named[row].sum() == batch.found[row].sum() == 0


def test_an_epoch_shows_every_training_scene_once_and_asks_other_things_in_the_next(
    encoder, tmp_path
):
    data = DrawnScenes(tmp_path)
    first, again, second = (list(data.epoch(n, 1, 6)) for n in (0, 0, 1))
    assert len(first) == data.steps(6) == 3
    assert sum(len(batch.cells) for batch in first) == 16
    texts = [
        [one.text for batch in epoch for one in batch.asked] for epoch in (first, again, second)
    ]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_a_part_asks_the_same_every_time(encoder, tmp_path):
    data = DrawnScenes(tmp_path)
    asked = [[one for batch in data.part("test", 3) for one in batch.asked] for _ in range(2)]
    assert asked[0] == asked[1] == [o for seed in range(4) for o in questions(arrange(seed), 0)]
