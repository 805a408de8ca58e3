import json

import numpy as np
import pytest
import torch

from models.answerer import Answerer, Question
from models.checkpoint import CheckpointError
from models.kinds import open_checkpoint
from models.trace import Point, UnknownPoint
from tests.oracle_vqa import by_hand
from tests.toys.pictures import write_answerer

TOLERANCE = 1e-5  # float32 against float64, absolute; times the size of the largest value
QUESTION = "what colour is the star?"


@pytest.fixture
def folder(tmp_path):
    write_answerer(tmp_path / "toy")
    return tmp_path / "toy"


@pytest.fixture
def answerer(folder) -> Answerer:
    return open_checkpoint(folder)


def cells(answerer: Answerer) -> torch.Tensor:
    config = answerer.network.config
    shape = (1, config.grid**2, config.feature_size)
    return torch.randn(shape, generator=torch.Generator().manual_seed(3))


def test_every_point_is_that_of_torchs_own_cell_and_the_formulas(answerer):
    question = answerer.read(QUESTION)
    found = answerer.answer(cells(answerer), question)
    weights = answerer.network.state_dict()
    points, logits = by_hand(weights, cells(answerer)[0], question.ids)
    assert found.points.keys() == points.keys() == {point.name for point in answerer.points}
    for name, values in points.items():
        size = max(1.0, values.abs().max().item())
        assert np.abs(found.points[name] - values.numpy()).max() <= TOLERANCE * size, name
    order = logits.argsort(descending=True).tolist()
    assert found.answers == [answerer.network.config.answers[k] for k in order]
    assert np.abs(found.probabilities - logits.softmax(-1)[order].numpy()).max() <= TOLERANCE
    assert np.array_equal(found.attention, found.points["attention"])


def test_a_point_has_the_shape_and_the_range_that_it_declares(answerer):
    question = answerer.read(QUESTION)
    found = answerer.answer(cells(answerer), question).points
    assert all(isinstance(point, Point) for point in answerer.points)
    for point in answerer.points:
        value = found[point.name]
        expected = [len(question.ids) if size is None else size for size in point.shape]
        assert list(value.shape) == expected, point.name
        assert value.dtype == np.float32
        low, high = {"signed": (-1, 1), "real": (-np.inf, np.inf)}.get(point.range, (0, 1))
        assert low <= value.min() <= value.max() <= high, point.name
    assert found["attention"].sum((1, 2)) == pytest.approx(1.0)


def test_only_the_points_asked_for_are_captured(answerer):
    question = answerer.read(QUESTION)
    found = answerer.answer(cells(answerer), question, ("counter", "question.0.z"))
    assert set(found.points) == {"counter", "question.0.z"}
    none = answerer.answer(cells(answerer), question, ())
    assert none.points == {}
    assert none.answers == found.answers
    assert none.attention.shape == (2, 7, 7)
    with pytest.raises(UnknownPoint, match="gaze"):
        answerer.answer(cells(answerer), question, ("gaze",))


def test_a_question_is_read_in_words_as_they_were_typed_and_strangers_are_told(answerer):
    question = answerer.read("  What COLOUR is the purple dragon's egg, please?")
    assert question.tokens == [
        *("What", "COLOUR", "is", "the", "purple", "dragon's", "egg", "please", "</s>")
    ]
    assert [question.text[a:b] for a, b in question.spans[:-1]] == question.tokens[:-1]
    assert question.unknown == [5, 6, 7]
    assert question.ids[5:8] == [0, 0, 0]
    assert len(question.ids) == len(question.tokens) == len(question.spans)


@pytest.mark.parametrize(
    "text", ["", "   ", "?!", "\u2028", "日本語", "a\u0301", "</s>", "x" * 5000]
)
def test_whatever_is_typed_gets_an_answer(answerer, text):
    question = answerer.read(text)
    assert isinstance(question, Question)
    found = answerer.answer(cells(answerer), question)
    assert found.probabilities.sum() == pytest.approx(1.0, abs=1e-5)
    assert sorted(found.answers) == sorted(answerer.network.config.answers)
    assert (np.diff(found.probabilities) <= 0).all()


def test_case_and_punctuation_make_no_difference(answerer):
    texts = ("what colour is the star?", "What colour is the star", "WHAT  COLOUR, IS THE STAR ?!")
    assert len({tuple(answerer.read(text).ids) for text in texts}) == 1


def test_cells_of_another_encoder_are_refused_with_the_shape_that_is_wanted(answerer):
    with pytest.raises(ValueError, match=r"1280\), expected \(1, 49, 448\)"):
        answerer.answer(torch.zeros(1, 49, 1280), answerer.read("how many"))


def test_what_it_is_and_does_is_declared(answerer):
    assert (answerer.kind, answerer.tasks) == ("vqa", ("answer",))
    assert len({point.name for point in answerer.points}) == len(answerer.points)


def change(folder, **changes):
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(told | changes))


def test_a_vocabulary_of_another_size_is_refused(folder):
    told = json.loads((folder / "config.json").read_text())["config"]
    change(folder, config=told | {"question_size": told["question_size"] + 1})
    with pytest.raises(CheckpointError, match="question_size"):
        open_checkpoint(folder)


def test_a_missing_vocabulary_is_named(folder):
    (folder / "source.tokenizer.json").rename(folder / "target.tokenizer.json")
    with pytest.raises(CheckpointError, match=r"source\.tokenizer\.json is missing"):
        open_checkpoint(folder)


def test_weights_that_do_not_fit_are_named(folder):
    told = json.loads((folder / "config.json").read_text())["config"]
    change(folder, config=told | {"hops": 3})
    with pytest.raises(CheckpointError, match=r"hops\.2"):
        open_checkpoint(folder)
