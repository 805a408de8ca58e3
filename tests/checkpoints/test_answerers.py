"""The network that answers questions: what it computes and how well are what it says."""

import math

import pytest
import torch
from safetensors.torch import load_file

from models import efficientnet, vision
from models.questions import questions
from models.scenes import arrange, draw
from models.training.finish_vqa import SHOWN
from models.training.vqa_scenes import SPLITS, covered
from tests.checkpoints.test_shipped import FOLDERS, about, card, opened
from tests.oracle_vqa import by_hand

HERE = [folder for folder in FOLDERS if about(folder)["kind"] == "vqa"]
EACH = pytest.mark.parametrize("folder", HERE, ids=lambda folder: folder.name)
TOLERANCE = 1e-5  # float32 against float64, absolute; times the size of the largest value
SCENES = 60
MILLION = 10**6


@pytest.fixture(scope="module")
def grids() -> dict[int, torch.Tensor]:
    """Cells of scenes that are in no split at all, and of those on the card."""
    encoder = efficientnet.load()
    last = max(part.stop for part in SPLITS.values())
    seeds = [*SPLITS["test"][:SHOWN], *range(last, last + SCENES)]
    pictures = {seed: vision.to_tensor(draw(seed)[0]) for seed in seeds}
    return {seed: encoder.fine_cells(picture[None]) for seed, picture in pictures.items()}


@EACH
def test_every_point_of_an_answer_is_that_of_torchs_own_cell_on_the_weights_file(folder, grids):
    runner, cells = opened(folder), grids[0]
    question = runner.read(about(folder)["prompt"])
    found = runner.answer(cells, question)
    weights = load_file(folder / "model.safetensors")
    points, logits = by_hand(weights, cells[0], question.ids)
    assert found.points.keys() == points.keys()
    for name, values in points.items():
        size = max(1.0, values.abs().max().item())
        off = (torch.tensor(found.points[name]).double() - values).abs().max()
        assert off <= TOLERANCE * size, name
    best = runner.network.config.answers[int(logits.argmax())]
    assert found.answers[0] == best
    assert found.probabilities[0] == pytest.approx(logits.softmax(-1).max().item(), abs=TOLERANCE)


@EACH
def test_answers_about_scenes_never_seen_are_as_often_right_as_it_says(folder, grids):
    runner, figures = opened(folder), about(folder)["figures"]
    right, inside, even = [], [], []
    for seed, cells in list(grids.items())[SHOWN:]:
        scene = arrange(seed)
        for one in questions(scene):
            found = runner.answer(cells, runner.read(one.text), ())
            right.append(found.answers[0] == one.answer)
            if one.named:
                box = covered(scene.things[one.found[0]])
                inside.append(float(found.attention[-1].ravel() @ box))
                even.append(box.mean())
    share, p = sum(right) / len(right), figures["right"]["all"]
    # Questions about one scene are no independent draws: five deviations, not three.
    assert abs(share - p) < 5 * math.sqrt(p * (1 - p) / len(right))
    mean = sum(inside) / len(inside)
    assert mean == pytest.approx(figures["placement"]["last_hop"], abs=0.1)
    assert sum(even) / len(even) == pytest.approx(figures["placement"]["uniform"], abs=0.03)
    assert mean > 5 * sum(even) / len(even)


@EACH
def test_the_picture_is_needed(folder):
    figures = about(folder)["figures"]
    blind, usual = figures["right_without_the_picture"], figures["right_with_the_usual_answer"]
    assert figures["right"]["all"] > 0.9
    for kind, share in figures["right"].items():
        assert share > blind[kind] + 0.2, kind
        assert share > usual[kind] + 0.2, kind


@EACH
def test_the_card_states_the_figures_and_the_samples(folder, grids):
    told, text, runner = about(folder), card(folder), opened(folder)
    for column in ("right", "right_without_the_picture", "right_with_the_usual_answer"):
        for share in told["figures"][column].values():
            assert f"{share:.2%}" in text
    for share in ("first_hop", "last_hop", "uniform"):
        assert f"{told['figures']['placement'][share]:.0%}" in text
    assert told["data"]["origin"] in text
    assert told["licence"] in text
    for seed in SPLITS["test"][:SHOWN]:
        for one in questions(arrange(seed)):
            found = runner.answer(grids[seed], runner.read(one.text), ())
            assert f"- scene {seed}: `{one.text}`\n  `{found.answers[0]}`" in text


@EACH
def test_it_is_small(folder):
    assert about(folder)["parameters"] <= MILLION / 2
    assert (folder / "model.safetensors").stat().st_size <= MILLION
