import json
from dataclasses import replace

import pytest
import torch

from models.kinds import open_checkpoint
from models.training import __main__ as program
from models.training import vqa_scenes
from models.training.finish_vqa import likeliest, shares, usual
from models.training.runs import stored
from models.training.vqa_recipes import VQA_RECIPES
from models.vqa import Vqa
from tests.models.training.lights import RECIPE, Lights


class Scenes(Lights):
    """Lights in the place of drawn scenes."""

    def __init__(self, folder):
        super().__init__()

    def cells(self, seeds):
        return super().cells(list(seeds))


@pytest.fixture
def arguments(tmp_path, monkeypatch):
    monkeypatch.setitem(VQA_RECIPES, "toy", replace(RECIPE, epochs=2))
    monkeypatch.setattr(vqa_scenes, "DrawnScenes", Scenes)
    folders = {"--out": tmp_path / "out", "--runs": tmp_path / "runs"}
    return ["toy", *(str(part) for pair in folders.items() for part in pair)]


def test_the_command_trains_measures_and_writes_a_checkpoint_that_opens(arguments, tmp_path):
    program.main(arguments)
    folder = tmp_path / "out" / "toy"
    runner = open_checkpoint(folder)
    told = json.loads((folder / "config.json").read_text())
    card = (folder / "README.md").read_text()
    assert runner.tasks == ("answer",)
    figures = told["figures"]
    assert figures["questions"] == 96
    for column in ("right", "right_without_the_picture", "right_with_the_usual_answer"):
        for share in figures[column].values():
            assert f"{share:.2%}" in card
    assert "make train NAME=toy" in card
    assert [entry["epoch"] for entry in told["training"]["history"]] == [1, 2]


def test_what_was_trained_can_be_written_again_and_what_was_not_is_named(arguments, tmp_path):
    with pytest.raises(SystemExit) as ended:
        program.main([*arguments, "--as-is"])
    assert str(tmp_path / "runs" / "toy" / "best.safetensors") in ended.value.code
    program.main(arguments)
    folder = tmp_path / "out" / "toy"
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        path.unlink()
    program.main([*arguments, "--as-is"])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == written


def test_shares_are_told_for_all_questions_and_by_kind():
    batch = Lights().batch([1, 2])
    found = shares([batch, batch], lambda b: torch.where(torch.arange(6) < 3, b.answer, -1))
    assert found == {"all": 0.5, "count": 0.5}


def test_the_usual_answer_is_the_most_frequent_of_its_kind():
    batch = Lights().batch(list(range(20)))
    answers = usual(batch.asked)(batch)
    counts = torch.bincount(batch.answer)
    assert set(answers.tolist()) == {int(counts.argmax())}


def test_what_is_measured_is_what_is_stored():
    config = RECIPE.config(len(Lights().vocabulary))
    start = Vqa(config).initialize(torch.Generator().manual_seed(1))
    weights = stored(Vqa(config), start.state_dict()).state_dict()
    assert all(torch.equal(value, value.half().float()) for value in weights.values())
    answers = likeliest(stored(Vqa(config), weights))(Lights().batch([1]))
    assert answers.shape == (3,)
