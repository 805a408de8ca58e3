import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from models.beam import Beam
from models.decoder import BEGIN, END
from models.slicing import Slice
from models.trace import UnknownPoint
from models.training.transformer_pairs import write
from models.transformer_rows import step_axis
from models.transformer_runner import TooLong
from models.transformer_translating import translate
from models.transformer_translator import TransformerTranslator
from models.writing import CANDIDATES, End, Step
from tests.toys.transformers import TRANSFORMER_TRANSLATOR, transformer_translator
from tests.toys.translators import ENGLISH, vocabularies

TOLERANCE = 1e-5  # float32 sums in another order, absolute


def runner(seed: int = 0, ends: bool = False) -> TransformerTranslator:
    built = transformer_translator(seed=seed, ends=ends)
    built.output_bias[BEGIN] = -30.0  # as after training: it is never a target
    return TransformerTranslator(built, *vocabularies("toy-transformer"))


def steps_of(run: TransformerTranslator, source, **options) -> tuple[list[Step], End]:
    items = list(run.translate(source, **options))
    assert isinstance(items[-1], End)
    return [item for item in items[:-1] if isinstance(item, Step)], items[-1]


def same(one: Step, other: Step) -> bool:
    """Whether two steps are bitwise the same, but for who decided the token."""
    return (
        (one.index, one.token_id, one.probability, one.top)
        == (other.index, other.token_id, other.probability, other.top)
        and np.array_equal(one.attention, other.attention)
        and one.points.keys() == other.points.keys()
        and all(np.array_equal(one.points[name], other.points[name]) for name in one.points)
    )


def test_every_number_is_that_of_both_texts_read_at_once():
    run = runner()
    source = run.read(ENGLISH[1])
    steps, end = steps_of(run, source, max_new_tokens=9)
    reading = run.reading(source.ids, target_ids=end.token_ids[:-1])
    fixed = run.source_points(source, None)
    for point in run.points:
        whole = reading.slice(Slice(point.name)).data
        axis = step_axis(point)
        if axis is None:
            np.testing.assert_allclose(fixed[point.name], whole, atol=TOLERANCE)
            continue
        assert point.name not in fixed
        for step in steps:
            expected = np.take(whole, step.index, point.axes.index(axis))
            if point.axes[-2:] == ("query", "key") and ".cross." not in point.name:
                expected = expected[:, : step.index + 1]
            found = step.points[point.name]
            np.testing.assert_allclose(found, expected, atol=TOLERANCE, err_msg=point.name)
    chances = reading.slice(Slice("decoder.blocks.1.lens")).data
    for step, chance in zip(steps, chances, strict=True):
        assert step.probability == pytest.approx(chance[step.token_id], abs=TOLERANCE)
        best = torch.tensor(chance).topk(CANDIDATES)
        assert [token for token, _ in step.top] == best.indices.tolist()
        mean = step.points["decoder.blocks.1.cross.attention"].mean(0)
        assert np.array_equal(step.attention, mean)
        assert mean.sum() == pytest.approx(1, abs=TOLERANCE)


@pytest.mark.parametrize("seed", range(3))
def test_a_beam_of_one_writes_what_the_training_writes(seed):
    run = runner(seed, ends=True)
    source = run.read(ENGLISH[0])
    steps, end = steps_of(run, source, max_new_tokens=20, points=[])
    [expected] = write(run.network, torch.tensor([source.ids]), limit=20)
    assert [step.token_id for step in steps if step.token_id != END] == expected
    assert end.ended == (steps[-1].token_id == END)
    assert all(step.token_id == step.top[0][0] for step in steps)


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("prefix", [(), (4,)])
def test_a_beam_wide_enough_finds_what_trying_every_text_finds(length_penalty, prefix):
    config, limit = replace(TRANSFORMER_TRANSLATOR, source_size=9, target_size=6), 3
    network, source = transformer_translator(config, ends=True), [5, 3, 8, 2]
    inner = [token for token in range(6) if token not in (BEGIN, END)]
    free = limit - len(prefix)
    texts = [(*prefix, *t, END) for n in range(free) for t in product(inner, repeat=n)]
    texts += [(*prefix, *t) for t in product(inner, repeat=free)]

    def probability(text) -> float:
        logits = network(torch.tensor([source]), torch.tensor([[BEGIN, *text[:-1]]]))[0]
        rows = logits.double().log_softmax(-1)
        return sum(rows[t, token].item() for t, token in enumerate(text))

    expected = sorted(
        (text[-1] != END, -probability(text) / len(text) ** length_penalty, text) for text in texts
    )
    *_, end = translate(
        network, source, lambda token_ids, looks: "", beam_size=len(texts),
        length_penalty=length_penalty, limit=limit, prefix=prefix, points=(),
    )  # fmt: skip
    assert [tuple(one.token_ids) for one in end.hypotheses] == [text for _, _, text in expected]
    for one, (_, rank, _) in zip(end.hypotheses, expected, strict=True):
        assert one.score == pytest.approx(-rank, abs=TOLERANCE)


@pytest.mark.parametrize("width", [2, 4])
def test_the_steps_of_the_winner_have_the_probability_of_its_path_in_the_search(width):
    run = runner(seed=1, ends=True)
    items = list(run.translate(run.read(ENGLISH[0]), width, max_new_tokens=12, points=[]))
    beams, end = [item for item in items if isinstance(item, Beam)], items[-1]
    steps = items[len(beams) : -1]
    total = sum(math.log(step.probability) for step in steps)
    assert end.log_probability == pytest.approx(total, abs=1e-4)
    assert end.token_ids == [step.token_id for step in steps]
    nodes = {node.id: node for beam in beams for node in beam.nodes}
    leaf = next(n for n in nodes.values() if n.kept and path(nodes, n) == end.token_ids)
    assert leaf.log_probability == pytest.approx(total, abs=1e-4)


def path(nodes, node) -> list[int]:
    return [*(path(nodes, nodes[node.parent]) if node.parent >= 0 else []), node.token_id]


@pytest.mark.parametrize("width", [1, 3])
def test_a_text_that_is_given_again_is_written_again_bit_by_bit(width):
    run = runner()
    source = run.read(ENGLISH[1])
    steps, end = steps_of(run, source, beam_size=width, max_new_tokens=8)
    for t in (1, 5, 8) if width == 1 else [8]:
        again, other = steps_of(
            run, source, prefix=end.token_ids[:t], max_new_tokens=8 - t, beam_size=1
        )
        assert all(same(*pair) for pair in zip(steps, again, strict=True))
        assert [step.given for step in again] == [step.index < t for step in again]
        assert other.text == end.text


def test_only_the_points_asked_for_are_told():
    run = runner()
    source = run.read(ENGLISH[0])
    asked = ["decoder.blocks.0.attention", "encoder.blocks.1.q", "decoder.blocks.1.cross.k"]
    steps, _ = steps_of(run, source, points=asked, max_new_tokens=2)
    assert all(list(step.points) == asked[:1] for step in steps)
    assert list(run.source_points(source, asked)) == asked[1:]
    assert run.source_points(source, []) == {}
    with pytest.raises(UnknownPoint, match="no point 'rnn'"):
        run.translate(source, points=["rnn"])
    with pytest.raises(UnknownPoint, match="no point 'rnn'"):
        run.source_points(source, ["rnn"])


def test_no_text_is_longer_than_the_context():
    run = runner()
    source = run.read(ENGLISH[0])
    steps, end = steps_of(run, source, max_new_tokens=60, points=[])
    assert (len(steps), end.ended) == (24, False)
    steps, end = steps_of(run, source, prefix=end.token_ids, max_new_tokens=5, points=[])
    assert (len(steps), end.ended) == (24, False)
    with pytest.raises(TooLong, match="25 tokens, at most 24"):
        run.translate(source, prefix=[*end.token_ids, 5])
    with pytest.raises(TooLong, match="at most 24"):
        run.translate(run.read(" ".join(ENGLISH * 2)))


def test_what_cannot_be_written_and_what_cannot_be_forced_is_refused():
    run = runner()
    source = run.read(ENGLISH[0])
    for prefix in ([BEGIN], [END, 5], [-1], [len(run.target_tokens)]):
        with pytest.raises(ValueError, match=r"prefix\[0\]"):
            run.translate(source, prefix=prefix)
    with pytest.raises(ValueError, match="cannot be forced"):
        run.translate(source, force={0: 1})
