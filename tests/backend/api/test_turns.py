from types import SimpleNamespace

import pytest

from backend.api.turns import check_heads, job
from backend.engine import EngineError
from backend.errors import Invalid
from models.language_reader import LanguageReader
from models.text import Characters
from tests.toys import SYMBOLS
from tests.toys.transformers import LANGUAGE_MODELS, language_model

RUNNER = LanguageReader(language_model(LANGUAGE_MODELS["toy-llama"]), Characters(SYMBOLS))
POINTS = {point.name: point for point in RUNNER.points}


def asked(prefix: int, new: int, start: int = 0, names=tuple(POINTS), heads_off=()):
    body = SimpleNamespace(
        max_new_tokens=new, start=start, heads_off=heads_off, temperature=1.0, top_k=0, top_p=1.0
    )
    entry = SimpleNamespace(id="toy", runner=RUNNER)
    return job(entry, body, [1] * prefix, [POINTS[name] for name in names], 3, RUNNER.context)


@pytest.mark.parametrize("names", [tuple(POINTS), ("blocks.1.attention",), ("blocks.0.k",), ()])
@pytest.mark.parametrize(
    ("prefix", "new", "start"), [(1, 5, 0), (5, 9, 5), (30, 90, 0), (32, 4, 31)]
)
def test_a_job_asks_for_what_its_steps_hold_and_little_more(prefix, new, start, names):
    turn = asked(prefix, new, start, names)
    *steps, _ = turn.begin()
    held = sum(row.nbytes for step in steps for row in step.points.values())
    assert turn.length == len(steps)
    assert held <= turn.length * turn.bytes <= 1.5 * held + 4 * 4 * 2 * len(steps)


def test_a_number_that_is_not_finite_is_an_error_of_the_engine():
    bias = RUNNER.network.final_norm.weight
    kept = bias.clone()
    bias[0] = float("nan")
    try:
        with pytest.raises(EngineError, match="token 0 is not finite") as caught:
            list(asked(2, 2).begin())
    finally:
        bias.copy_(kept)
    assert caught.value.code == "non_finite"


def test_heads_that_are_there_can_be_off_and_no_others():
    check_heads(RUNNER, ["blocks.0.0", "blocks.1.3"])
    with pytest.raises(Invalid, match="heads 0 to 3") as caught:
        check_heads(RUNNER, ["blocks.0.4"])
    assert caught.value.code == "bad_edits"
