import json

import pytest

from models.checkpoint import CheckpointError
from models.kinds import open_checkpoint
from tests.toys.transformers import write_transformer_translator
from tests.toys.translators import ENGLISH


@pytest.fixture
def folder(tmp_path):
    write_transformer_translator(tmp_path / "toy")
    return tmp_path / "toy"


def test_what_it_reads_is_a_text_with_its_spans_and_an_end(folder):
    runner = open_checkpoint(folder)
    source = runner.read(ENGLISH[0])
    assert [ENGLISH[0][a:b] for a, b in source.spans[:-1]] == source.tokens[:-1]
    assert source.tokens[-1] == "</s>"
    assert (runner.attends, runner.forces) == (True, False)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_checkpoint_that_does_not_fit_is_refused_by_what_is_wrong(folder, side):
    path = folder / f"{side}.tokenizer.json"
    about = json.loads((folder / "config.json").read_text())
    about["config"][f"{side}_size"] += 1
    (folder / "config.json").write_text(json.dumps(about))
    with pytest.raises(CheckpointError, match=f"config.json says {side}_size"):
        open_checkpoint(folder)
    path.unlink()
    with pytest.raises(CheckpointError, match=rf"{side}\.tokenizer\.json is missing"):
        open_checkpoint(folder)


def test_points_of_the_source_are_those_that_no_written_token_changes(folder):
    runner = open_checkpoint(folder)
    names = list(runner.source_points(runner.read(ENGLISH[0]), None))
    assert {name.partition(".")[0] for name in names} == {"encoder", "decoder"}
    for name in names:
        assert name.startswith("encoder.") or name.endswith((".cross.k", ".cross.v"))
