"""The captioners that are shipped, on the example photos that are shipped."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from models import vision
from models.efficientnet import load
from models.kinds import open_checkpoint
from models.training.__main__ import data_folder
from models.training.caption_figures import bleu, references
from models.training.features import ARCHIVE
from models.training.photographs import Captions
from models.writing import End, Step

ROOT = Path(__file__).resolve().parent.parent.parent
PHOTOS = ROOT / "frontend" / "static" / "photos"
NAMES = ("caption-soft", "caption-hard", "caption-plain")
pytestmark = pytest.mark.checkpoints


@pytest.fixture(scope="module")
def cells():
    """The grid (1, 49, 1280) of each example photo."""
    encoder, found = load(), {}
    with torch.no_grad():
        for file in sorted(PHOTOS.glob("*.jpg")):
            x = vision.to_tensor(vision.read(file.read_bytes()).image)[None]
            found[file.stem] = encoder(x).flatten(2).transpose(1, 2)
    return found


@pytest.fixture(scope="module", params=NAMES)
def describer(request):
    return open_checkpoint(ROOT / "checkpoints" / request.param)


def about(name: str) -> dict:
    return json.loads((ROOT / "checkpoints" / name / "config.json").read_text())


def written(describer, cells, **options) -> tuple[list[Step], End]:
    items = list(describer.caption(cells, **options))
    return [one for one in items if isinstance(one, Step)], items[-1]


def test_every_photo_gets_a_caption_that_ends_by_itself(describer, cells):
    for name, grid in cells.items():
        _, end = written(describer, grid, beam_size=5)
        assert end.ended, name
        assert 3 <= len(end.text.split()) <= 20, name


def test_the_weights_of_every_word_sum_to_one(describer, cells):
    for grid in cells.values():
        for step in written(describer, grid)[0]:
            assert (step.attention is not None) == describer.attends
            if describer.attends:
                assert step.attention.shape == (7, 7)
                assert step.attention.sum() == pytest.approx(1, abs=1e-5)
                assert 0 < step.points["gate"] < 1


def test_the_network_tells_what_it_has_never_seen(describer, cells):
    shares = {name: describer.familiarity(grid)["share"] for name, grid in cells.items()}
    assert shares["cat"] < 0.05
    assert shares["coffee"] < 0.05
    # Dogs on grass and people in the snow are what it learned from, be they drawn or not there.
    assert min(shares["drawn-dog"], shares["igloo"]) > 0.1


def test_hard_attention_draws_the_same_cells_for_the_same_seed(cells):
    hard = open_checkpoint(ROOT / "checkpoints" / "caption-hard")
    grid = cells["photographer"]
    one, other = (written(hard, grid, seed=7)[0] for _ in range(2))
    assert [step.chosen for step in one] == [step.chosen for step in other]
    looks = {tuple(step.chosen for step in written(hard, grid, seed=k)[0]) for k in range(6)}
    assert len(looks) > 1


def test_attention_that_is_turned_elsewhere_writes_another_sentence(cells):
    soft = open_checkpoint(ROOT / "checkpoints" / "caption-soft")
    changed = 0
    for grid in cells.values():
        plain = written(soft, grid)[1].token_ids
        texts = {tuple(written(soft, grid, force={1: k})[1].token_ids) for k in range(0, 49, 8)}
        changed += texts != {tuple(plain)}
    assert changed >= len(cells) // 2


def test_the_three_differ_in_attention_and_in_nothing_else():
    configs = [about(name)["config"] for name in NAMES]
    assert [one.pop("attention") for one in configs] == ["soft", "hard", "none"]
    assert configs[0] == configs[1] == configs[2]


@pytest.mark.parametrize("name", NAMES)
def test_the_card_holds_the_figures_of_the_config(name):
    figures = about(name)["figures"]
    card = (ROOT / "checkpoints" / name / "README.md").read_text()
    for number in figures["beam"]["bleu"]:
        assert f"{number:.1f}" in card
    assert f"{figures['beam']['cider']:.3f}" in card
    assert f"{figures['beam']['distinct']:,}" in card
    human = figures["beside"]["human_against_four"]
    assert np.isfinite(human["bleu"]).all()


def test_test_photographs_are_captioned_about_as_well_as_the_card_says():
    """From the files to BLEU-4, on every fifteenth test photograph; see the tolerance."""
    archive = data_folder() / ARCHIVE
    if not archive.is_file():
        pytest.skip("the photographs are not there: the data are not part of the repository")
    captions = Captions(data_folder())
    names = captions.split["test"][::15]
    soft, encoder = open_checkpoint(ROOT / "checkpoints" / "caption-soft"), load()
    texts = {}
    with tarfile.open(archive) as files, torch.no_grad():
        for member in files:
            name = Path(member.name).name
            if name in names:
                image = vision.read(files.extractfile(member).read()).image
                grid = encoder(vision.to_tensor(image)[None]).flatten(2).transpose(1, 2)
                texts[name] = written(soft, grid, beam_size=5, length_penalty=0.7)[1].text
    streams = references(captions, names)
    found = bleu([texts[name] for name in names], streams)
    stated = about("caption-soft")["figures"]["beam"]["bleu"]
    # Resampling these 67 gives a standard error of 2.3 for BLEU-1, 2.9 for BLEU-4.
    assert found[0] == pytest.approx(stated[0], abs=6)
    assert found[3] == pytest.approx(stated[3], abs=8)
