import math

import numpy as np
import pytest
import torch

from models.beam import Beam
from models.subwords import BEGIN, END
from models.trace import UnknownPoint
from models.training.translation import write
from models.translator import Translator
from models.writing import CANDIDATES, End, Step
from tests.oracle_seq2seq import by_hand
from tests.toys.translators import ENGLISH, TRANSLATORS, translator, vocabularies

TOLERANCE = 1e-5  # float32 against float64, absolute
TOYS = pytest.mark.parametrize("name", TRANSLATORS)
ATTENDING = [name for name in TRANSLATORS if name != "toy-plain"]
STRANGE = "A Zorblax runs on the Q."


def runner(name: str, seed: int = 0, ends: bool = False) -> Translator:
    built = translator(TRANSLATORS[name], seed, ends)
    built.output_bias[BEGIN] = -30.0  # as after training: it is never a target
    return Translator(built, *vocabularies(name))


def read(run: Translator, text: str | None = None):
    if text is None:
        text = "3 May, 2026" if run.source.whole else ENGLISH[1]
    return run.read(text)


def steps_of(run: Translator, source, **options) -> tuple[list[Step], End]:
    items = list(run.translate(source, **options))
    assert isinstance(items[-1], End)
    return [item for item in items[:-1] if isinstance(item, Step)], items[-1]


def same(one: Step, other: Step) -> bool:
    """Whether two steps are bitwise the same, but for who decided the token."""
    return (
        (one.index, one.token_id, one.probability, one.top, one.forced)
        == (other.index, other.token_id, other.probability, other.top, other.forced)
        and np.array_equal(one.attention, other.attention)
        and one.points.keys() == other.points.keys()
        and all(np.array_equal(one.points[name], other.points[name]) for name in one.points)
    )


@pytest.mark.parametrize(
    ("name", "force"),
    [*((name, None) for name in TRANSLATORS), *((name, {0: 2, 3: 0}) for name in ATTENDING)],
)
def test_every_point_of_every_step_is_that_of_the_oracle(name, force, road):
    run = runner(name)
    source, config = read(run), run.network.config
    steps, _ = steps_of(run, source, force=force, max_new_tokens=9)
    fed = [BEGIN, *(step.token_id for step in steps)][:-1]
    weights = run.network.state_dict()
    points, logits = by_hand(config.cell, config.attention, weights, source.ids, fed, force)
    found = run.source_points(source, None)
    for one in steps[0].points:
        found[one] = np.stack([step.points[one] for step in steps])
    assert found.keys() == points.keys() == {point.name for point in run.points}
    for one, expected in points.items():
        np.testing.assert_allclose(found[one], expected, atol=TOLERANCE, rtol=0, err_msg=one)
    chances = logits.softmax(-1)
    for step, expected in zip(steps, chances, strict=True):
        assert step.probability == pytest.approx(expected[step.token_id].item(), abs=TOLERANCE)
        best = expected.topk(CANDIDATES)
        assert [token for token, _ in step.top] == best.indices.tolist()
        np.testing.assert_allclose([p for _, p in step.top], best.values, atol=TOLERANCE)


@TOYS
def test_points_have_the_shape_and_the_range_that_they_declare(name):
    run = runner(name)
    source = read(run)
    steps, _ = steps_of(run, source, max_new_tokens=4)
    fixed, bounds = run.source_points(source, None), {"signed": (-1, 1), "real": (-1e9, 1e9)}
    for point in run.points:
        written = "target" in point.axes
        value = np.stack([s.points[point.name] for s in steps]) if written else fixed[point.name]
        lengths = {"target": len(steps), "source": len(source.ids)}
        expected = [lengths.get(a, n) for a, n in zip(point.axes, point.shape, strict=True)]
        assert list(value.shape) == expected
        low, high = bounds.get(point.range, (0, 1))
        assert low <= value.min() <= value.max() <= high
        if point.range == "probability":
            np.testing.assert_allclose(value.sum(-1), 1, atol=1e-6)


@pytest.mark.parametrize("name", ATTENDING)
def test_weights_context_and_energies_follow_from_the_points(name):
    run = runner(name)
    source = read(run)
    steps, _ = steps_of(run, source, force={1: 0}, max_new_tokens=5)
    fixed = run.source_points(source, None)
    for step in steps:
        energy, weights = step.points["attention.energy"], step.points["attention"]
        if step.forced is None:
            softmax = np.exp(energy - energy.max()) / np.exp(energy - energy.max()).sum()
            np.testing.assert_allclose(weights, softmax, atol=1e-6)
        assert np.array_equal(step.attention, weights)
        context = weights @ fixed["annotation"]
        np.testing.assert_allclose(step.points["context"], context, atol=TOLERANCE)
        if name == "toy-additive":
            hidden = np.tanh(step.points["attention.query"] + fixed["attention.key"])
            np.testing.assert_allclose(hidden @ fixed["attention.v"], energy, atol=TOLERANCE)
        if name == "toy-general":
            expected = fixed["annotation"] @ step.points["attention.query"]
            np.testing.assert_allclose(expected, energy, atol=TOLERANCE)


@TOYS
def test_only_the_points_asked_for_are_told(name):
    run = runner(name)
    source = read(run)
    steps, _ = steps_of(run, source, points=["decoder.0.h", "annotation"], max_new_tokens=2)
    assert all(list(step.points) == ["decoder.0.h"] for step in steps)
    assert list(run.source_points(source, ["decoder.0.h", "annotation"])) == ["annotation"]
    assert run.source_points(source, []) == {}
    with pytest.raises(UnknownPoint, match="no point 'rnn'"):
        run.translate(source, points=["rnn"])
    with pytest.raises(UnknownPoint, match="no point 'rnn'"):
        run.source_points(source, ["rnn"])


@TOYS
@pytest.mark.parametrize("seed", range(3))
def test_a_beam_of_one_writes_what_the_training_writes(name, seed):
    run = runner(name, seed, ends=True)
    source = read(run)
    steps, end = steps_of(run, source, max_new_tokens=20)
    [expected] = write(run.network, torch.tensor(source.ids)[:, None], limit=20)
    assert [step.token_id for step in steps if step.token_id != END] == expected
    assert end.ended == (steps[-1].token_id == END)
    assert all(step.token_id == step.top[0][0] for step in steps)


@TOYS
@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_the_steps_of_the_winner_have_the_probability_of_its_path_in_the_search(
    name, width, length_penalty
):
    run = runner(name, seed=1, ends=True)
    items = list(
        run.translate(read(run), beam_size=width, length_penalty=length_penalty, max_new_tokens=12)
    )
    beams, end = [item for item in items if isinstance(item, Beam)], items[-1]
    steps = items[len(beams) : -1]
    assert all(isinstance(step, Step) for step in steps)
    assert [step.index for step in steps] == list(range(len(steps)))
    total = sum(math.log(step.probability) for step in steps)
    assert end.log_probability == pytest.approx(total, abs=1e-4)
    assert end.score == pytest.approx(total / len(steps) ** length_penalty, abs=1e-4)
    assert end.token_ids == [step.token_id for step in steps]
    first = end.hypotheses[0]
    assert (first.token_ids, first.text) == (end.token_ids, end.text)
    assert len(end.hypotheses) <= width
    assert bool(beams) == (width > 1)
    if beams:
        nodes = {node.id: node for beam in beams for node in beam.nodes}
        for one in end.hypotheses:
            paths = [n for n in nodes.values() if path(nodes, n) == one.token_ids and n.kept]
            assert [n.log_probability for n in paths] == [
                pytest.approx(one.log_probability, abs=1e-4)
            ]


def path(nodes, node) -> list[int]:
    found = []
    while node is not None:
        found.append(node.token_id)
        node = nodes.get(node.parent)
    return found[::-1]


@TOYS
@pytest.mark.parametrize("k", [1, 3, 6])
def test_a_prefix_of_a_text_of_its_own_replays_the_same_steps(name, k):
    run = runner(name)
    source = read(run)
    steps, end = steps_of(run, source, max_new_tokens=8)
    again, other = steps_of(run, source, prefix=end.token_ids[:k], max_new_tokens=8 - k)
    assert all(same(*pair) for pair in zip(steps, again, strict=True))
    assert [step.given for step in again] == [t < k for t in range(8)]
    assert not any(step.given for step in steps)
    assert other == end


@pytest.mark.parametrize("name", ATTENDING)
@pytest.mark.parametrize("t", [0, 2, 5])
def test_what_is_forced_changes_nothing_before_it_and_looks_at_one_position(name, t):
    run = runner(name)
    source = read(run)
    free, _ = steps_of(run, source, max_new_tokens=8)
    for at in range(len(source.ids)):
        forced, _ = steps_of(run, source, force={t: at}, max_new_tokens=8)
        assert all(same(*pair) for pair in zip(free[:t], forced[:t], strict=True))
        assert forced[t].forced == at
        assert forced[t].attention.tolist() == [float(j == at) for j in range(len(source.ids))]
        energy = "attention.energy"
        assert np.array_equal(forced[t].points[energy], free[t].points[energy])
        assert all(step.forced is None for step in forced if step.index != t)


def test_what_is_forced_holds_in_a_search_as_well():
    run = runner("toy-additive")
    steps, end = steps_of(run, read(run), beam_size=3, force={1: 2}, max_new_tokens=5)
    assert steps[1].attention.tolist() == [float(j == 2) for j in range(len(steps[1].attention))]
    again, _ = steps_of(run, read(run), prefix=end.token_ids, force={1: 2}, max_new_tokens=0)
    assert all(same(*pair) for pair in zip(steps, again, strict=True))
