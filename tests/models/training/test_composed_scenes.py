from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.training.composed_scenes import (
    Material,
    _place,
    _shared,
    box_mask,
    cover,
    cut_out,
    mosaic,
)
from models.training.composed_stamps import Stamp

GREY = {"one.jpg": 40, "two.jpg": 80, "three.jpg": 120}
CAPTIONS = {
    "one.jpg": ["a dog runs", "the dogs run"],
    "two.jpg": ["a man runs", "a man in a hat"],
    "three.jpg": ["a woman sings", "one woman stands"],
}
STAMPS = (
    Stamp("dog", "train", "animal", "brown", ("dog", "animal")),
    Stamp("ball", "train", "thing", "red", ("ball",)),
    Stamp("sign", "train", "sign", "", ("sign",)),
)


def photograph(name: str) -> Image.Image:
    return Image.new("RGB", (224, 224), (GREY[name],) * 3)


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Material:
    folder: Path = tmp_path_factory.mktemp("stamps")
    for stamp, size in zip(STAMPS, [(60, 30), (40, 40), (20, 70)], strict=True):
        image = Image.new("RGBA", size, (0, 0, 0, 0))
        ImageDraw.Draw(image).ellipse((0, 0, size[0] - 1, size[1] - 1), fill=(230, 30, 30, 255))
        image.save(folder / f"{stamp.file}.png")
    return Material(sorted(GREY), CAPTIONS, photograph, STAMPS, folder, {"dog": 600, "ball": 100})


def test_the_cover_is_the_share_of_each_cell():
    found = np.array(cover(box_mask((16, 32, 64, 96)))).reshape(7, 7)
    assert found[1:3, 0].tolist() == [0.5, 0.5]  # half of 32 pixels
    assert found[1:3, 1].tolist() == [1.0, 1.0]
    assert found.sum() == 3.0


def test_a_picture_depends_on_its_seed_alone(material):
    one, again, other = (cut_out(material, seed) for seed in ("5", "5", "6"))
    assert one.image.tobytes() == again.image.tobytes()
    assert one.captions == again.captions
    assert one.image.tobytes() != other.image.tobytes()
    assert mosaic(material, "5").captions == mosaic(material, "5").captions


def test_a_photograph_is_changed_inside_the_boxes_and_nowhere_else(material):
    for seed in range(12):
        scene = cut_out(material, str(seed))
        changed = np.abs(np.asarray(scene.image, int) - GREY[scene.photographs[0]]).sum(-1) > 0
        inside = sum(box_mask(region.box) for region in scene.regions) > 0
        assert changed.any()
        assert not changed[~inside].any()
        for region in scene.regions:
            x0, y0, x1, y1 = region.box
            assert 70 <= max(x1 - x0, y1 - y0) <= 150


def test_the_cover_of_a_thing_is_that_of_its_outline(material):
    scene = next(scene for k in range(40) if len((scene := cut_out(material, str(k))).regions) == 1)
    (region,) = scene.regions
    change = np.abs(np.asarray(scene.image, int) - GREY[scene.photographs[0]]).sum(-1)
    changed = change > change.max() / 2  # edges are soft
    assert np.allclose(region.cover, cover(changed.astype(np.float32)), atol=0.03)
    box = np.array(cover(box_mask(region.box)))
    assert (np.array(region.cover) <= box + 1e-3).all()
    assert sum(region.cover) == pytest.approx(np.pi / 4 * box.sum(), rel=0.05)  # an ellipse


def test_things_hardly_overlap_and_what_is_hidden_is_not_counted(material):
    several = [scene for k in range(60) if len((scene := cut_out(material, str(k))).regions) == 2]
    assert len(several) > 10
    for scene in several:
        one, two = scene.regions
        assert _shared(one.box, two.box) <= 0.1
        assert (np.array(one.cover) + np.array(two.cover) <= 1.001).all()


def test_where_there_is_no_room_a_thing_is_left_out():
    assert len(_place([(224, 224), (100, 100)], Random(1))) == 1


def test_what_the_photograph_shows_already_is_not_pasted_in(material):
    for seed in range(60):
        scene = cut_out(material, f"told {seed}")
        if scene.photographs == ("one.jpg",):  # of a dog, which is an animal
            assert all(region.file != "dog" for region in scene.regions)


def test_no_word_of_a_caption_names_a_thing_that_is_not_there(material):
    for seed in range(60):
        scene = cut_out(material, str(seed))
        for caption in scene.captions:
            for k, numbers in caption.marks:
                assert all(n < len(scene.regions) for n in numbers)
                word = caption.words[k]
                names = {name for n in numbers for name in scene.regions[n].names}
                assert word in names | {"two", "dogs", "balls", "signs", "animals", "brown", "red"}


def test_a_mosaic_is_marked_with_what_is_seen_of_the_photograph(material):
    for seed in range(30):
        scene = mosaic(material, str(seed))
        (region,) = scene.regions
        seen = np.asarray(scene.image)[..., 0] == GREY[region.file]
        assert np.allclose(region.cover, cover(seen.astype(np.float32)), atol=1e-4)
        assert 0.1 < seen.mean() < 0.9
        assert [caption.text for caption in scene.captions] == CAPTIONS[region.file]


def test_a_word_that_two_photographs_of_a_mosaic_share_is_not_marked(material):
    for seed in range(40):
        scene = mosaic(material, str(seed))
        (region,) = scene.regions
        marked = {c.words[k] for c in scene.captions for k, _ in c.marks}
        assert not marked & {"a", "the", "one", "in"}
        if region.file == "one.jpg":
            assert {"dog", "dogs"} <= marked
            assert ("runs" in marked) == ("run" in marked) == ("two.jpg" not in scene.photographs)
