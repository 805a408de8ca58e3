import math

import numpy as np
import pytest
import torch

from models.edits import BadEdits, Edits
from models.language_reader import LanguageReader
from models.sampling import draw, uniform
from models.slicing import Slice
from models.text import Characters
from models.trace import UnknownPoint
from models.transformer_rows import step_axis
from models.transformer_runner import TooLong
from models.transformer_writing import CHUNK, End, Step
from tests.toys import SYMBOLS
from tests.toys.transformers import LANGUAGE_MODELS, language_model

TOLERANCE = 1e-5  # float32 sums in another order, absolute
TOYS = pytest.mark.parametrize("name", LANGUAGE_MODELS)
TEXT = "abba <fade> bee"


def runner(name: str = "toy-gpt", seed: int = 0) -> LanguageReader:
    return LanguageReader(language_model(LANGUAGE_MODELS[name], seed), Characters(SYMBOLS))


def written(run: LanguageReader, prefix, count: int = 12, **options) -> tuple[list[Step], End]:
    *steps, end = run.write(prefix, count, seed=options.pop("seed", 5), **options)
    assert isinstance(end, End)
    return steps, end


def ids_of(steps: list[Step]) -> list[int]:
    return [step.token_id for step in steps]


@TOYS
@pytest.mark.parametrize("start", [0, 4])
def test_every_number_is_that_of_the_whole_text_read_at_once(name, start):
    run = runner(name)
    prefix = run.reads.encode(TEXT)
    steps, end = written(run, prefix, start=start)
    token_ids = prefix[:start] + ids_of(steps)
    reading = run.reading(token_ids)
    for point in run.points:
        whole = reading.slice(Slice(point.name)).data
        axis = step_axis(point)
        for step in steps:
            expected = np.take(whole, step.index, point.axes.index(axis))
            if point.axes[-2:] == ("query", "key"):
                expected = expected[:, : step.index + 1]
            found = step.points[point.name]
            assert found.shape == expected.shape, point.name
            np.testing.assert_allclose(found, expected, atol=TOLERANCE, err_msg=point.name)
    given = reading.given(token_ids).numpy()
    for step in steps[1:] if start == 0 else steps:
        assert step.probability == pytest.approx(given[step.index], abs=TOLERANCE)
        assert step.top[0][1] == pytest.approx(
            float(reading.next(step.index - 1).max()), abs=TOLERANCE
        )
    assert [token for token, _, _ in end.next] == reading.next().topk(5).indices.tolist()
    assert [step.prefix for step in steps] == [s.index < len(prefix) for s in steps]


@TOYS
def test_each_token_is_what_the_number_of_its_index_draws(name):
    run = runner(name)
    settings = {"temperature": 1.3, "top_k": 7, "top_p": 0.9}
    prefix = run.reads.encode("ab")
    steps, _ = written(run, prefix, seed=11, **settings)
    token_ids = ids_of(steps)
    for t in range(2, len(token_ids)):
        logits = run.network.logits(torch.tensor([token_ids[:t]]))[0, -1:].numpy()
        chosen, _, drawn = draw(logits, *([x] for x in settings.values()), [uniform(11, t)])
        assert token_ids[t] == chosen[0]
        for token, _, p in steps[t].top:
            assert p == pytest.approx(drawn[0, token], abs=TOLERANCE)


@TOYS
@pytest.mark.parametrize("at", [15, 20])  # 15: right behind the prefix
def test_what_goes_on_from_a_part_of_a_text_goes_on_as_the_text_did(name, at):
    run = runner(name)
    prefix = run.reads.encode(TEXT)
    whole, end = written(run, prefix, points=["blocks.1.attention", "blocks.1.residual"])
    token_ids = ids_of(whole)
    again, other = written(
        run, token_ids[:at], len(token_ids) - at, points=["blocks.1.attention", "blocks.1.residual"]
    )
    assert ids_of(again) == token_ids
    for one, two in zip(whole, again, strict=True):
        for name in one.points:
            np.testing.assert_allclose(one.points[name], two.points[name], atol=TOLERANCE)
    assert [token for token, _, _ in end.next] == [token for token, _, _ in other.next]


def test_the_same_request_gets_the_same_bits():
    run = runner()
    one, two = (written(run, [1, 2, 3]) for _ in range(2))
    for first, second in zip(one[0], two[0], strict=True):
        assert (first.token_id, first.probability, first.top) == (
            second.token_id, second.probability, second.top
        )  # fmt: skip
        for name in first.points:
            assert np.array_equal(first.points[name], second.points[name])
    assert one[1] == two[1]


def test_another_seed_draws_another_text_and_the_likeliest_needs_none():
    run = runner()
    texts = {tuple(ids_of(written(run, [1], 12, seed=seed, points=())[0])) for seed in range(4)}
    assert len(texts) == 4
    texts = {tuple(ids_of(written(run, [1], 12, seed=s, points=(), top_k=1)[0])) for s in range(2)}
    assert len(texts) == 1


@pytest.mark.parametrize("length", [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 3])
def test_a_prefix_of_any_length_is_read_as_one(length):
    config = LANGUAGE_MODELS["toy-llama"]
    config = type(config)(**config.to_dict() | {"context": 80})
    run = LanguageReader(language_model(config), Characters(SYMBOLS))
    prefix = [(7 * k) % len(SYMBOLS) for k in range(length)]
    steps, _ = written(run, prefix, 1, points=["blocks.1.attention"])
    whole = run.reading(ids_of(steps)).slice(Slice("blocks.1.attention")).data
    for step in steps:
        row = whole[:, step.index, : step.index + 1]
        np.testing.assert_allclose(step.points["blocks.1.attention"], row, atol=TOLERANCE)


@TOYS
def test_a_text_ends_where_the_context_does_and_says_so(name):
    run = runner(name)
    for length, count, total, stopped in (
        (30, 2, 32, "length"), (30, 3, 32, "context"), (32, 1, 32, "context"), (5, 4, 9, "length")
    ):  # fmt: skip
        steps, end = written(run, [1] * length, count, points=())
        assert (len(steps), end.stopped) == (total, stopped)
    with pytest.raises(TooLong, match="33 tokens, at most 32"):
        run.write([1] * 33, 1)


@TOYS
def test_a_head_that_is_off_is_off_in_every_step(name):
    run = runner(name)
    off = ["blocks.0.1", "blocks.1.3"]
    steps, _ = written(run, [1, 2, 3], heads_off=off)
    reading = run.reading(ids_of(steps), Edits(heads_off=frozenset(off)))
    whole = reading.slice(Slice("blocks.1.residual")).data
    for step in steps:
        assert not step.points["blocks.0.heads"][1].any()
        assert step.points["blocks.0.heads"][0].any()
        found = step.points["blocks.1.residual"]
        np.testing.assert_allclose(found, whole[step.index], atol=TOLERANCE)
    free, _ = written(run, [1, 2, 3])
    assert not np.allclose(free[2].points["blocks.1.residual"], whole[2], atol=1e-2)
    with pytest.raises(BadEdits, match="heads 0 to 3"):
        run.write([1], 1, heads_off=["blocks.0.4"])


def test_tokens_that_the_vocabulary_has_not_are_never_drawn():
    config = LANGUAGE_MODELS["toy-gpt"]
    config = type(config)(**config.to_dict() | {"vocab_size": len(SYMBOLS) + 9})
    run = LanguageReader(language_model(config), Characters(SYMBOLS))
    steps, end = written(run, [1], 31, temperature=50.0, points=())
    assert max(ids_of(steps)) < len(SYMBOLS)
    tops = [*(step.top for step in steps), end.next]
    assert all(token < len(SYMBOLS) for top in tops for token, _, _ in top)


def test_a_number_that_is_not_finite_ends_the_text_by_its_name():
    run = runner()
    run.network.final_norm.bias[0] = math.nan
    with pytest.raises(FloatingPointError, match="token 0 is not finite"):
        next(run.write([1, 2], 3))


def test_a_point_that_is_not_there_is_refused_before_anything_is_read():
    with pytest.raises(UnknownPoint, match=r"no point 'blocks\.2\.q'"):
        runner().write([1], 1, points=["blocks.2.q"])
