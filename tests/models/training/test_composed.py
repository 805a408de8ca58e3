import gzip
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models import efficientnet, vision
from models.subwords import END, words
from models.training.composed import (
    CELLS,
    LINES,
    SORTS,
    Composed,
    encode,
    materials,
    open_cells,
    plan,
)
from models.training.composed_stamps import table
from models.training.pairs import IGNORED
from models.training.photographs import LONGEST, Captions

PARTS = {"a.jpg": "train", "b.jpg": "train", "c.jpg": "train", "d.jpg": "test", "e.jpg": "test"}
TEXT = {name: [f"A man {k} walks." for k in "vwxyz"] for name in PARTS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Data like Flickr8k's, of five plain pictures."""
    made = tmp_path_factory.mktemp("data")
    (made / "photos").mkdir()
    with tarfile.open(made / "photos/flickr8k-224.tar", "w") as archive:
        for k, name in enumerate(PARTS):
            raw = io.BytesIO()
            Image.new("RGB", (224, 224), (40 * k, 90, 120)).save(raw, "JPEG")
            member = tarfile.TarInfo(f"images/{name}")
            member.size = len(raw.getvalue())
            archive.addfile(member, io.BytesIO(raw.getvalue()))
    lines = "".join(f"{name}\t{text}\n" for name in TEXT for text in TEXT[name])
    (made / "photos/flickr8k-captions.tsv.gz").write_bytes(gzip.compress(lines.encode()))
    split = "".join(f"{name}\t{part}\n" for name, part in PARTS.items())
    (made / "photos/flickr8k-split.tsv").write_text(split)
    return made


@pytest.fixture(scope="module")
def stamps(tmp_path_factory) -> Path:
    """A plain rectangle for each cut-out of the table."""
    made = tmp_path_factory.mktemp("stamps")
    for stamp in table():
        file = made / f"{stamp.file}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGBA", (24, 16), (250, 200, 0, 255)).save(file)
    return made


PLAN = plan(2, 2)  # two scenes of the test, two and two for training


@pytest.fixture(scope="module")
def features(folder, stamps, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("features")
    encode(folder, stamps, out, PLAN)
    return out


@pytest.fixture
def composed(features) -> Composed:
    return Composed(features, words(["a man walks"] * 5, 5))


def test_what_is_trained_on_is_made_of_nothing_that_is_tested(features):
    parts = {stamp.file: stamp.part for stamp in table()} | PARTS
    lines = [json.loads(line) for line in (features / LINES).read_text().splitlines()]
    assert len(lines) == len(PLAN)
    for line in lines:
        files = [*line["photographs"], *(region["file"] for region in line["regions"])]
        assert {parts[file] for file in files} == {line["part"]}


def test_the_cells_are_those_of_the_picture_that_its_seed_makes(folder, stamps, features):
    cells = open_cells(features / CELLS, len(PLAN))
    encoder = efficientnet.load()
    with tarfile.open(folder / "photos/flickr8k-224.tar") as archive:
        material = materials(Captions(folder), archive, stamps)
        for row in (0, 3):
            part, sort, seed = PLAN[row]
            x = vision.to_tensor(SORTS[sort](material[part], seed).image)[None]
            found = encoder(x)[0].flatten(1).t().numpy()
            np.testing.assert_allclose(cells[row], found, atol=4e-3, rtol=2e-3)  # float16


def test_an_interrupted_run_goes_on_and_pictures_can_be_added(folder, stamps, features, tmp_path):
    encode(folder, stamps, tmp_path, PLAN[:3])
    open_cells(tmp_path / CELLS, 3, "r+")[0] = 7.0  # what stands there is not made again
    encode(folder, stamps, tmp_path, PLAN)
    assert (tmp_path / LINES).read_text() == (features / LINES).read_text()
    found, whole = (open_cells(one / CELLS, len(PLAN)) for one in (tmp_path, features))
    assert (found[0] == 7.0).all()
    np.testing.assert_allclose(found[1:], whole[1:], atol=4e-3)


def test_pictures_of_another_plan_are_not_gone_on_with(folder, stamps, features):
    before = (features / LINES).read_text()
    with pytest.raises(ValueError, match="other pictures"):
        encode(folder, stamps, features, plan(2, 1))
    assert (features / LINES).read_text() == before


def test_a_batch_has_the_cover_of_each_marked_word(composed):
    rows = composed.parts["test"]
    batch = composed.batch(rows)
    assert batch.cells.shape == (2, 49, 1280)
    column = 0
    for k, row in enumerate(rows):
        picture = composed.pictures[row]
        for text, marks in zip(picture["captions"], picture["marks"], strict=True):
            assert batch.photograph[column] == k
            length = len(text.split())
            assert batch.target[length, column] == END
            assert (batch.target[length + 1 :, column] == IGNORED).all()
            expected = torch.zeros_like(batch.cover[:, column])
            for word, numbers in marks:
                for number in numbers:
                    expected[word] += torch.tensor(picture["regions"][number]["cover"])
            torch.testing.assert_close(batch.cover[:, column], expected)
            assert (batch.cover[:, column].sum(-1) > 0).sum() == len(marks) > 0
            column += 1
    assert column == batch.target.shape[1]
    assert batch.cover.max() <= 1.001


def test_of_a_long_caption_the_marks_that_are_cut_off_are_dropped(composed):
    row = composed.parts["train"][0]
    region = composed.pictures[row]["regions"][0]
    composed.pictures[row] = composed.pictures[row] | {
        "captions": ["man " * 40],
        "marks": [[[2, [0]], [LONGEST - 2, [0]], [LONGEST - 1, [0]], [35, [0]]]],
    }
    batch = composed.batch([row])
    assert batch.target.shape == (LONGEST, 1)
    marked = (batch.cover[:, 0].sum(-1) > 0).nonzero().flatten().tolist()
    assert marked == [2, LONGEST - 2]
    torch.testing.assert_close(batch.cover[2, 0], torch.tensor(region["cover"]))


def test_an_epoch_shows_all_training_pictures_before_one_comes_again(composed):
    asked = []
    composed.batch = lambda rows: asked.append(rows) or rows
    for _, _ in zip(range(4), composed.epoch(0, 1, 2), strict=False):
        pass
    assert len(composed.parts["train"]) == 4
    for first in (0, 2):
        assert sorted(asked[first] + asked[first + 1]) == composed.parts["train"]
    again = composed.epoch(0, 1, 2)
    assert [next(again), next(again)] == asked[:2]


def test_more_pictures_at_a_time_than_there_are_is_refused(composed):
    with pytest.raises(ValueError, match="5 pictures"):
        next(composed.epoch(0, 1, 5))
