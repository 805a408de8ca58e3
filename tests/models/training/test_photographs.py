import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models import efficientnet, vision
from models.subwords import END, UNKNOWN
from models.training.features import extract, open_grids, photographs
from models.training.pairs import IGNORED
from models.training.photographs import LONGEST, Flickr8k

NAMES = ["b.jpg", "a.jpg", "c.jpg"]
PARTS = {"a.jpg": "train", "b.jpg": "train", "c.jpg": "test"}
WORDS = {
    "a.jpg": ["A dog runs .", "The dog 's ball", "A dog", "A big dog runs", "A dog runs, runs"],
    "b.jpg": ["A dog sleeps .", "a dog", "The dog", "the dog runs", "A " + "dog " * 40],
    "c.jpg": ["A cat ."] * 5,
}


def picture(seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (224, 224, 3), np.uint8)
    return Image.fromarray(pixels).resize((28, 28)).resize((224, 224))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Data like Flickr8k's, of three small pictures."""
    made = tmp_path_factory.mktemp("data")
    (made / "photos").mkdir()
    with tarfile.open(made / "photos/flickr8k-224.tar", "w") as archive:
        for seed, name in enumerate(NAMES):
            raw = io.BytesIO()
            picture(seed).save(raw, "JPEG", quality=95)
            member = tarfile.TarInfo(f"images/{name}")
            member.size = len(raw.getvalue())
            archive.addfile(member, io.BytesIO(raw.getvalue()))
    lines = "".join(f"{name}\t{text}\n" for name in WORDS for text in WORDS[name])
    (made / "photos/flickr8k-captions.tsv.gz").write_bytes(gzip.compress(lines.encode()))
    split = "".join(f"{name}\t{part}\n" for name, part in PARTS.items())
    (made / "photos/flickr8k-split.tsv").write_text(split)
    return made


@pytest.fixture(scope="module")
def features(folder, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("features")
    extract(folder, out)
    return out


@pytest.fixture(scope="module")
def data(folder, features) -> Flickr8k:
    return Flickr8k(folder, features)


def test_each_photograph_and_its_mirror_image_are_kept_as_the_encoder_sees_them(folder, features):
    assert photographs(folder) == sorted(NAMES)
    grids = open_grids(features / "grids.f16", 3)
    encoder = efficientnet.load()
    with tarfile.open(folder / "photos/flickr8k-224.tar") as archive:
        raw = archive.extractfile("images/c.jpg").read()
    x = vision.to_tensor(vision.read(raw).image)[None]
    for side, pixels in enumerate((x, x.flip(-1))):
        cells = encoder(pixels)[0].flatten(1).t()  # (49, 1280), row by row
        found = torch.from_numpy(grids[2, side].astype(np.float32))
        torch.testing.assert_close(found, cells, atol=4e-3, rtol=2e-3)  # float16, up to 6


def test_an_interrupted_extraction_goes_on_where_it_stopped(folder, features, tmp_path):
    whole = open_grids(features / "grids.f16", 3)
    broken = open_grids(tmp_path / "grids.f16", 3, "w+")
    broken[:2] = 7.0  # what stands there is not made again
    broken.flush()
    (tmp_path / "done.txt").write_text("2")
    extract(folder, tmp_path)
    found = open_grids(tmp_path / "grids.f16", 3)
    assert (found[:2] == 7.0).all()
    np.testing.assert_allclose(found[2], whole[2], atol=4e-3)


def test_features_that_are_not_complete_are_not_trained_on(folder, features, tmp_path):
    (tmp_path / "names.txt").write_text("a.jpg\nb.jpg\nc.jpg\n")
    (tmp_path / "done.txt").write_text("2")
    with pytest.raises(FileNotFoundError, match="unfinished"):
        Flickr8k(folder, tmp_path)


def test_words_are_those_that_training_captions_have_often_enough(data):
    assert set(data.vocabulary.tokens[3:]) == {" a", " dog", " runs"}  # five times, without case
    ids = data.vocabulary.encode_many(["The dog, RUNS!"])[0]
    assert [data.vocabulary.tokens[k] for k in ids] == ["<unk>", " dog", " runs", "</s>"]


def test_features_are_standardised_by_the_training_cells_alone(data):
    mean, deviation = data.statistics
    cells = data.cells(["a.jpg", "b.jpg"]).double().flatten(0, 1)
    torch.testing.assert_close(mean.double(), cells.mean(0), atol=1e-5, rtol=1e-5)
    expected = cells.std(0, correction=0).clamp(min=1e-3)
    torch.testing.assert_close(deviation.double(), expected, atol=1e-5, rtol=1e-3)


def test_a_batch_holds_every_caption_with_its_photograph(data):
    batch = data.batch(["b.jpg", "a.jpg"], [True, False])
    assert batch.cells.shape == (2, 49, 1280)
    grids = open_grids(data.grids.filename, 3)
    np.testing.assert_array_equal(batch.cells[0].numpy(), grids[1, 1].astype(np.float32))
    np.testing.assert_array_equal(batch.cells[1].numpy(), grids[0, 0].astype(np.float32))
    assert batch.photograph.tolist() == [0] * 5 + [1] * 5
    assert batch.target.shape == (LONGEST, 10)  # the longest caption is cut, and still ends
    for column in batch.target.t().tolist():
        length = column.index(END) + 1
        assert all(k == IGNORED for k in column[length:])
    assert UNKNOWN in batch.target[:, 0].tolist()  # "sleeps" stands there once


def test_an_epoch_shows_each_training_photograph_once_and_no_other(data):
    batches = list(data.epoch(0, seed=1, photographs=1))
    assert sum(len(batch.cells) for batch in batches) == 2
    again = list(data.epoch(0, seed=1, photographs=1))
    for one, two in zip(batches, again, strict=True):
        assert torch.equal(one.cells, two.cells)
        assert torch.equal(one.target, two.target)
