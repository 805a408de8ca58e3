"""What writers share. Translators and describers put it to work: see their tests."""

import pytest
import torch

from models.decoder import BEGIN, END, UNKNOWN
from models.writing import Step, check, memory_points, points_of, write
from tests.models.test_captioner import grids, network
from tests.toys.translators import TRANSLATORS, translator

PLACES = {"row": 2, "column": 2}


def names(points) -> list[str]:
    return [point.name for point in points]


@pytest.mark.parametrize("id", TRANSLATORS)
def test_a_decoder_has_the_points_of_its_cell_and_of_its_score(id):
    config = TRANSLATORS[id]
    found = points_of(translator(config), "target", {"source": None}, "signed")
    letters = {"gru": "hrzn", "lstm": "hcifgo"}[config.cell]
    assert names(found)[: len(letters)] == [f"decoder.0.{letter}" for letter in letters]
    of_score = {
        "additive": ["attention.query", "attention.key", "attention.v"],
        "general": ["attention.query"],
    }.get(config.attention, [])
    looks = ["attention", "attention.energy", "context", *of_score]
    assert names(found)[len(letters) :] == (["context"] if config.attention == "none" else looks)


def test_annotations_may_lie_along_one_axis_or_two():
    found = {p.name: p for p in points_of(network("soft"), "token", PLACES, "real")}
    assert found["attention"].axes == ("token", "row", "column")
    assert found["attention"].shape == (None, 2, 2)
    assert found["attention.key"].axes == ("row", "column", "unit")
    assert found["attention.key"].shape == (2, 2, 4)
    assert found["context"].shape == (None, 5)


@pytest.mark.parametrize("attention", ["soft", "none"])
def test_what_no_step_changes_is_told_of_the_memory(attention):
    net = network(attention)
    memory, _ = net.read(grids(1))
    found = memory_points(net, memory)
    rest = ["context"] if attention == "none" else ["attention.key", "attention.v"]
    assert list(found) == ["annotation", *rest]
    assert found["annotation"].shape == (4, 5)


@pytest.mark.parametrize("numbers", [[], [5], [5, UNKNOWN, 6], [5, END]])
def test_a_prefix_of_words_that_can_be_written_is_taken(numbers):
    tokens = [f"w{k}" for k in range(70)]
    check(translator(TRANSLATORS["toy-additive"]), tokens, 3, numbers, {0: 2})


def test_a_network_says_which_tokens_it_never_writes():
    tokens = [f"w{k}" for k in range(11)]
    for net, never in (
        (network("soft"), [UNKNOWN, BEGIN]),
        (translator(TRANSLATORS["toy-plain"]), [BEGIN]),
    ):
        for number in never:
            with pytest.raises(ValueError, match=f"is w{number}, which cannot"):
                check(net, tokens, 4, [5, number], {})


def steps(look=None, **options) -> list[Step]:
    net = network("soft")
    memory, state = net.read(grids(1))
    settings = {
        "beam_size": 1,
        "length_penalty": 1.0,
        "limit": 4,
        "prefix": (),
        "force": {},
        "points": ("context", "gate"),
    }
    text = lambda token_ids, looks: ""
    found = write(net, memory, state, text, **settings | options, look=look)
    return [item for item in found if isinstance(item, Step)]


def test_hard_attention_is_told_the_step_and_its_weights_and_takes_the_one_it_says():
    asked = []

    def look(index, weights):
        asked.append((index, weights.shape))
        return torch.tensor([index % 4])

    found = steps(look)
    assert asked == [(t, (1, 4)) for t in range(len(found))]
    assert [step.chosen for step in found] == [t % 4 for t in range(len(found))]
    net = network("soft")
    notes = net.read(grids(1))[0].annotations[0]
    for step in found:
        expected = step.points["gate"] * notes[step.chosen].numpy()
        torch.testing.assert_close(torch.tensor(step.points["context"]), torch.tensor(expected))


def test_soft_attention_chooses_none():
    assert [step.chosen for step in steps()] == [None] * 4


def test_a_search_asks_for_every_path_at_once():
    widths = set()

    def look(index, weights):
        widths.add(len(weights))
        return weights.argmax(-1)

    steps(look, beam_size=3)
    assert widths == {1, 3}
