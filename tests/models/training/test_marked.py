import numpy as np
import pytest

from models.training.marked import Mark, marks


def test_the_boxes_are_many_and_small_enough_to_be_a_test():
    found = marks()
    assert len(found) >= 40
    assert len({mark.file for mark in found}) >= 30
    assert all(mark.cover.mean() < 0.45 for mark in found)
    assert all(word == word.lower().strip() for mark in found for word in mark.words)
    assert len({(mark.file, word) for mark in found for word in mark.words}) == sum(
        len(mark.words) for mark in found
    ), "a word of a photograph has one box"


def test_a_cell_is_held_where_its_middle_is_inside():
    mark = Mark("x.jpg", frozenset({"dog"}), (40, 0, 100, 20))
    held = mark.holds().reshape(7, 7)  # middles at 16, 48, 80, 112, ...
    assert np.argwhere(held).tolist() == [[0, 1], [0, 2]]
    near = mark.holds(15.0).reshape(7, 7)
    assert np.argwhere(near).tolist() == [[0, 1], [0, 2], [0, 3]]
    assert mark.cover.sum() * 32 * 32 == pytest.approx(60 * 20, rel=1e-3)


@pytest.mark.parametrize("box", ["5\t0\t5\t9", "0\t0\t225\t9", "-1\t0\t5\t9"])
def test_a_box_that_is_none_is_refused(tmp_path, box):
    (tmp_path / "marked.tsv").write_text(f"# a remark\nx.jpg\tdog|puppy\t{box}\n")
    with pytest.raises(ValueError, match=r"x\.jpg"):
        marks(tmp_path / "marked.tsv")
