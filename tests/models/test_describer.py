import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from models.beam import Beam
from models.captioner import Captioner
from models.checkpoint import CheckpointError, read_checkpoint
from models.decoder import BEGIN, END, UNKNOWN
from models.describer import Describer, drawn, likeliest, open_checkpoint
from models.subwords import words
from models.trace import UnknownPoint
from models.training.captions import write
from models.writing import CANDIDATES, End, Step
from tests.models.test_captioner import grids, network
from tests.models.test_translator import same
from tests.oracle_captions import by_hand
from tests.toys.pictures import CAPTIONERS, SEES, write_captioner

TOLERANCE = 1e-5  # float32 against float64, absolute
VOCABULARY = words(["a dog runs on the green grass today"], 1)
CELLS = grids(1)  # (1, 4, 9): 2 x 2 cells
LOOKING = ["soft", "hard"]
ALL = pytest.mark.parametrize("attention", [*LOOKING, "none"])


def runner(attention: str, seed: int = 0, ends: bool = False) -> Describer:
    built = network(attention, seed, target_size=len(VOCABULARY))
    built.output_bias[END] = 0.5 if ends else -30.0
    return Describer(built, VOCABULARY)


def steps_of(run: Describer, **options) -> tuple[list[Step], End]:
    items = list(run.caption(CELLS, **options))
    assert isinstance(items[-1], End)
    return [item for item in items[:-1] if isinstance(item, Step)], items[-1]


# -- against the formulas ----------------------------------------------------------------------

OPTIONS = [("none", {}), *((a, o) for a in LOOKING for o in ({}, {"force": {0: 2, 3: 0}}))]


@pytest.mark.parametrize(("attention", "options"), [*OPTIONS, ("hard", {"seed": 7})])
def test_every_point_of_every_step_is_that_of_the_oracle(attention, options, road):
    run = runner(attention)
    steps, _ = steps_of(run, max_new_tokens=8, **options)
    fed = [BEGIN, *(step.token_id for step in steps)][:-1]
    chosen = [step.chosen for step in steps]
    force = options.get("force")
    weights = run.network.state_dict()
    points, logits = by_hand(attention, weights, CELLS[0], fed, force, chosen)
    found = run.picture_points(CELLS, None)
    found |= {name: np.stack([s.points[name] for s in steps]) for name in steps[0].points}
    assert found.keys() == points.keys() == {point.name for point in run.points}
    for name, expected in points.items():
        value = found[name].reshape(expected.shape)
        np.testing.assert_allclose(value, expected, atol=TOLERANCE, rtol=0, err_msg=name)
    chances = logits.softmax(-1)
    chances[:, [UNKNOWN, BEGIN]] = 0  # never written, however likely
    for step, expected in zip(steps, chances, strict=True):
        assert step.probability == pytest.approx(expected[step.token_id].item(), abs=TOLERANCE)
        best = expected.topk(CANDIDATES)
        assert [token for token, _ in step.top] == best.indices.tolist()
        np.testing.assert_allclose([p for _, p in step.top], best.values, atol=TOLERANCE)


@ALL
def test_points_have_the_shape_and_the_range_that_they_declare(attention):
    run = runner(attention)
    steps, _ = steps_of(run, max_new_tokens=4)
    fixed, bounds = run.picture_points(CELLS, None), {"signed": (-1, 1), "real": (-1e9, 1e9)}
    for point in run.points:
        told = [s.points[point.name] for s in steps] if "token" in point.axes else None
        value = np.stack(told) if told else fixed[point.name]
        assert list(value.shape) == [len(steps) if n is None else n for n in point.shape]
        assert [n is None for n in point.shape] == [axis == "token" for axis in point.axes]
        low, high = bounds.get(point.range, (0, 1))
        assert low <= value.min() <= value.max() <= high
        if point.range == "probability":
            np.testing.assert_allclose(value.sum((-2, -1)), 1, atol=1e-6)


@pytest.mark.parametrize("attention", LOOKING)
def test_the_context_is_what_the_gate_lets_in_of_what_is_looked_at(attention):
    run = runner(attention)
    steps, _ = steps_of(run, max_new_tokens=5)
    notes = run.picture_points(CELLS, ["annotation"])["annotation"].reshape(4, -1)
    for step in steps:
        weights = step.attention.reshape(-1)
        looked = weights @ notes if attention == "soft" else notes[weights.argmax()]
        expected = step.points["gate"] * looked
        np.testing.assert_allclose(step.points["context"], expected, atol=TOLERANCE)


@ALL
def test_only_the_points_asked_for_are_told(attention):
    run = runner(attention)
    steps, _ = steps_of(run, points=["decoder.0.h", "annotation"], max_new_tokens=2)
    assert all(list(step.points) == ["decoder.0.h"] for step in steps)
    assert list(run.picture_points(CELLS, ["decoder.0.h", "annotation"])) == ["annotation"]
    assert run.picture_points(CELLS, []) == {}
    with pytest.raises(UnknownPoint, match="no point 'rnn'"):
        run.caption(CELLS, points=["rnn"])


# -- writing and searching ---------------------------------------------------------------------


@ALL
@pytest.mark.parametrize("seed", range(3))
def test_a_beam_of_one_writes_what_the_training_writes(attention, seed):
    run = runner(attention, seed, ends=True)
    steps, end = steps_of(run, max_new_tokens=20)
    [expected] = write(run.network, CELLS, limit=20)
    assert [step.token_id for step in steps if step.token_id != END] == expected
    assert end.ended == (steps[-1].token_id == END)
    assert end.text == VOCABULARY.join(expected)


@ALL
@pytest.mark.parametrize("width", [2, 4])
def test_the_steps_of_the_winner_have_the_probability_of_its_path_in_the_search(attention, width):
    run = runner(attention, seed=1, ends=True)
    items = list(run.caption(CELLS, beam_size=width, max_new_tokens=12))
    beams = [item for item in items if isinstance(item, Beam)]
    steps, end = items[len(beams) : -1], items[-1]
    assert beams
    total = sum(math.log(step.probability) for step in steps)
    assert end.log_probability == pytest.approx(total, abs=1e-4)
    assert end.token_ids == [step.token_id for step in steps]
    leaves = {node.log_probability for beam in beams for node in beam.nodes if node.kept}
    assert min(abs(total - leaf) for leaf in leaves) <= 1e-4


@ALL
def test_the_mark_of_what_is_unknown_is_never_written(attention):
    run = runner(attention)
    run.network.output_bias[UNKNOWN] = 60.0
    for width in (1, 3):
        _, end = steps_of(run, beam_size=width, max_new_tokens=5)
        assert all(UNKNOWN not in one.token_ids for one in end.hypotheses)


@ALL
@pytest.mark.parametrize("k", [1, 3, 6])
def test_a_prefix_of_a_caption_of_its_own_replays_the_same_steps(attention, k):
    run = runner(attention)
    options = {"seed": 5} if attention == "hard" else {}
    steps, end = steps_of(run, max_new_tokens=8, **options)
    again, other = steps_of(run, prefix=end.token_ids[:k], max_new_tokens=8 - k, **options)
    assert all(same(*pair) for pair in zip(steps, again, strict=True))
    assert [step.chosen for step in again] == [step.chosen for step in steps]
    assert [step.given for step in again] == [t < k for t in range(8)]
    assert other == end


@pytest.mark.parametrize("attention", LOOKING)
@pytest.mark.parametrize("t", [0, 2, 5])
def test_what_is_forced_changes_nothing_before_it_and_looks_at_one_cell(attention, t):
    run = runner(attention)
    free, _ = steps_of(run, max_new_tokens=8)
    for at in range(4):
        forced, _ = steps_of(run, force={t: at}, max_new_tokens=8)
        assert all(same(*pair) for pair in zip(free[:t], forced[:t], strict=True))
        assert forced[t].forced == at
        assert forced[t].attention.reshape(-1).tolist() == [float(j == at) for j in range(4)]
        assert forced[t].chosen == (at if attention == "hard" else None)
        energy = "attention.energy"
        assert np.array_equal(forced[t].points[energy], free[t].points[energy])


# -- the one cell of a hard network ------------------------------------------------------------


def test_without_a_seed_a_hard_network_looks_at_the_likeliest_cell_in_a_search_too():
    run = runner("hard", seed=2)
    for width in (1, 3):
        steps, _ = steps_of(run, beam_size=width, max_new_tokens=6)
        assert [s.chosen for s in steps] == [int(s.attention.argmax()) for s in steps]


@pytest.mark.parametrize("attention", ["soft", "none"])
def test_a_network_that_looks_at_all_cells_chooses_none(attention):
    steps, _ = steps_of(runner(attention), max_new_tokens=3)
    assert [step.chosen for step in steps] == [None] * 3


def test_the_same_seed_draws_the_same_cells_and_another_seed_others():
    run = runner("hard")
    cells = [tuple(s.chosen for s in steps_of(run, seed=k, max_new_tokens=8)[0]) for k in range(20)]
    again = [tuple(s.chosen for s in steps_of(run, seed=k, max_new_tokens=8)[0]) for k in range(20)]
    assert cells == again
    assert len(set(cells)) > 10


def test_cells_are_drawn_as_often_as_their_weights_say():
    weights = torch.tensor([[0.5, 0.0, 0.2, 0.3]])
    counts = torch.zeros(4)
    for seed in range(200):
        for index in range(20):
            counts[drawn(seed)(index, weights)] += 1
    torch.testing.assert_close(counts / counts.sum(), weights[0], atol=0.03, rtol=0)
    assert counts[1] == 0


def test_a_draw_depends_on_the_seed_and_the_step_alone():
    weights = torch.full((1, 49), 1 / 49)
    look = drawn(3)
    ahead = [int(look(t, weights)) for t in range(10)]
    back = [int(look(t, weights)) for t in reversed(range(10))]
    assert ahead == back[::-1]
    assert len(set(ahead)) > 3


def test_all_weight_on_one_cell_leaves_nothing_to_draw():
    weights = torch.eye(5)
    for seed in range(10):
        assert drawn(seed)(0, weights).tolist() == [0, 1, 2, 3, 4]
    assert likeliest(0, weights).tolist() == [0, 1, 2, 3, 4]


# -- what cannot be done -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attention", "options", "message"),
    [
        ("soft", {"seed": 1}, "only a hard network draws"),
        ("none", {"seed": 1}, "only a hard network draws"),
        ("hard", {"seed": 1, "beam_size": 2}, "with a beam of one"),
        ("none", {"force": {0: 0}}, "no attention to force"),
        ("soft", {"force": {0: 4}}, r"step 0 cannot look at 4: .* positions are 0\.\.3"),
        ("soft", {"prefix": [UNKNOWN]}, r"prefix\[0\] is <unk>"),
        ("soft", {"prefix": [BEGIN]}, r"prefix\[0\] is <s>"),
        ("soft", {"prefix": [END, 5]}, r"prefix\[0\] is </s>"),
        ("soft", {"prefix": [5, 99]}, r"prefix\[1\] is 99, tokens are 0\.\.10"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(attention, options, message):
    with pytest.raises(ValueError, match=message):
        runner(attention).caption(CELLS, **options)


# -- a folder ----------------------------------------------------------------------------------

LARGE = torch.randn(1, 49, 1280, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("id", CAPTIONERS)
def test_a_checkpoint_opens_to_the_network_it_was_written_from(id, tmp_path):
    built = write_captioner(tmp_path / id, id)
    opened, expected = open_checkpoint(read_checkpoint(tmp_path / id)), Describer(built, SEES)
    assert opened.points == expected.points
    one, other = (list(run.caption(LARGE, max_new_tokens=4))[:-1] for run in (opened, expected))
    assert all(same(*pair) for pair in zip(one, other, strict=True))
    distance = float(Captioner.distance(built, LARGE))
    found = opened.familiarity(LARGE)
    assert found["distance"] == pytest.approx(distance, abs=1e-6)
    assert 0 <= found["share"] <= 1
    assert opened.confidence(-2.0)["share"] == 0.5


def test_a_checkpoint_that_does_not_fit_together_is_refused_with_what_is_wrong(tmp_path):
    write_captioner(tmp_path / "toy", "toy-soft")
    files = read_checkpoint(tmp_path / "toy")
    config = files.about["config"]
    for change, message in (
        ({"about": {"config": config | {"colour": 1}}}, r"config\.json: .*colour"),
        ({"about": {"config": config | {"grid": 14}}}, r"7 x 7 cells of 1280 features, .* 14 x 14"),
        ({"about": {"config": config | {"feature_size": 9}}}, r"7 x 7 of 9"),
        ({"about": {"config": config | {"target_size": 99}}}, r"target_size 99"),
        ({"about": {"config": config, "calibration": [1]}}, "calibration"),
        ({"tokenizers": {}}, r"target\.tokenizer\.json is missing"),
        ({"weights": files.weights | {"gate.bias": torch.zeros(8)}}, r"gate\.bias has shape"),
    ):
        with pytest.raises(CheckpointError, match=message):
            open_checkpoint(replace(files, **change))
