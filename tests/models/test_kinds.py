import json
from importlib import import_module

import pytest

from models.checkpoint import CheckpointError
from models.kinds import KINDS, open_checkpoint
from models.trace import Point
from tests.toys import CONFIGS, write_toy
from tests.toys.pictures import CAPTIONERS, write_captioner
from tests.toys.transformers import write_transformers
from tests.toys.translators import TRANSLATORS, write_translator


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_names_a_module_that_opens_it(kind):
    assert callable(import_module(KINDS[kind]).open_checkpoint)


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_opened_declares_its_kind_its_tasks_and_its_points(tmp_path, name):
    write_toy(tmp_path / name, CONFIGS[name])
    runner = open_checkpoint(tmp_path / name)
    assert runner.kind in KINDS
    assert set(runner.tasks) == {"trace", "generate"}
    assert runner.points
    assert all(isinstance(point, Point) for point in runner.points)


@pytest.mark.parametrize("name", TRANSLATORS)
def test_what_translates_declares_its_kind_its_tasks_and_its_points_too(tmp_path, name):
    write_translator(tmp_path / name, name)
    runner = open_checkpoint(tmp_path / name)
    assert runner.kind == "seq2seq"
    assert set(runner.tasks) == {"translate"}
    assert len({point.name for point in runner.points}) == len(runner.points)
    assert all(isinstance(point, Point) for point in runner.points)
    assert runner.attends == any("attention" in point.name for point in runner.points)


@pytest.mark.parametrize("name", CAPTIONERS)
def test_what_describes_pictures_declares_its_kind_its_tasks_and_its_points_too(tmp_path, name):
    write_captioner(tmp_path / name, name)
    runner = open_checkpoint(tmp_path / name)
    assert runner.kind == "captioner"
    assert set(runner.tasks) == {"caption"}
    assert len({point.name for point in runner.points}) == len(runner.points)
    assert all(isinstance(point, Point) for point in runner.points)
    assert runner.attends == any("attention" in point.name for point in runner.points)


TASKS = {
    "toy-gpt": ("transformer_lm", {"slices", "trace", "generate"}),
    "toy-llama": ("transformer_lm", {"slices", "trace", "generate"}),
    "toy-encoder": ("encoder", {"slices", "trace"}),
    "toy-transformer": ("transformer_seq2seq", {"slices", "translate"}),
}


def test_what_attends_with_heads_declares_its_kind_its_tasks_and_its_points_too(tmp_path):
    for name, network in write_transformers(tmp_path).items():
        runner = open_checkpoint(tmp_path / name)
        assert (runner.kind, set(runner.tasks)) == TASKS[name]
        assert runner.kind == network.kind
        assert len({point.name for point in runner.points}) == len(runner.points)
        assert all(isinstance(point, Point) for point in runner.points)
        assert runner.context == network.config.context
        weights = network.state_dict()
        for one, value in runner.network.state_dict().items():
            assert value.equal(weights[one]), one


def test_a_kind_that_is_not_known_is_refused_with_the_kinds_that_are(tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-gru"])
    config = tmp_path / "toy" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"kind": "crystal_ball"}))
    with pytest.raises(CheckpointError, match=r"crystal_ball.*char_rnn, char_conv, seq2seq"):
        open_checkpoint(tmp_path / "toy")


def test_a_folder_that_is_not_there_is_refused_by_the_name_of_the_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        open_checkpoint(tmp_path / "nothing")


def test_the_capacity_is_the_number_of_generations_that_fit(tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-rnn"])
    assert len(open_checkpoint(tmp_path / "toy", capacity=3).stepper.state) == 3
