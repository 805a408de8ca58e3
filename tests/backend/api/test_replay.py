"""A server that was started anew goes on exactly where the one before it was cut off."""

import pytest

from backend.settings import Settings
from tests.backend.serving import events, generate, in_process
from tests.toys import CONFIGS, write_toy
from tests.toys.transformers import LANGUAGE_MODELS, write_language_model

SAMPLING = {"temperature": 0.9, "top_k": 7, "top_p": 0.95}
NEW = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("replay")
    write_toy(made / "toy-lstm", CONFIGS["toy-lstm"])
    write_language_model(made / "toy-gpt", LANGUAGE_MODELS["toy-gpt"])
    return made


def written(client, id: str, prefix: str, count: int, **asked) -> tuple[dict, list[dict], dict]:
    """What `start` says, the steps, and what `done` says."""
    answer = generate(client, id, prefix, max_new_tokens=count, **asked, **SAMPLING)
    (_, start), *steps, (last, done) = events(answer.text)
    assert last == "done", done
    return start, [step for _, step in steps], done


@pytest.mark.parametrize("id", ["toy-lstm", "toy-gpt"])
@pytest.mark.parametrize("cut", [0, 1, 13])
def test_what_start_says_and_what_came_before_the_cut_are_enough_to_go_on(folder, id, cut):
    prefix = "abba"
    with in_process(Settings(checkpoints=folder, device="cpu")) as first:
        start, whole, done = written(first, id, prefix, NEW, seed=None)
    came = len(prefix) + cut
    text = "".join(step["token"] for step in whole[:came])
    with in_process(Settings(checkpoints=folder, device="cpu")) as second:
        _, rest, end = written(second, id, text, NEW - cut, seed=start["seed"], start=came)
        again = written(second, id, prefix, NEW, seed=done["seed"])
    if id == "toy-lstm":  # a step is the same step wherever it begins: to the last bit
        assert rest == whole[came:]
    else:  # a prefix is read at once and what is written token by token
        for found, expected in zip(rest, whole[came:], strict=True):
            assert (found["index"], found["token_id"]) == (expected["index"], expected["token_id"])
            assert found["probability"] == pytest.approx(expected["probability"], rel=1e-5)
    assert end["text"] == done["text"]
    assert again[1:] == (whole, done)
