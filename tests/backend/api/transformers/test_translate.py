import numpy as np
import pytest

from models.slicing import Slice
from models.transformer_rows import step_axis
from tests.backend.api.transformers.asking import PAIR, SENTENCE, TOLERANCE, reader
from tests.backend.serving import assert_error, decode, events


def ask(client, **body):
    body = {"text": SENTENCE, "max_new_tokens": 8, **body}
    return client.post(f"/api/checkpoints/{PAIR}/translate", json=body)


def test_a_whole_answer_holds_every_point_of_both_texts(client, networks):
    found = ask(client).json()
    run = reader(networks, PAIR)
    assert found["points"].keys() == {point.name for point in run.points}
    source = run.read(SENTENCE)
    assert found["source_tokens"] == source.tokens
    reading = run.reading(source.ids, target_ids=found["target_ids"])
    for point in run.points:
        told, expected = found["points"][point.name], reading.slice(Slice(point.name)).data
        assert told["axes"] == list(point.axes)
        axis = step_axis(point)
        if axis is not None:  # without the step after the last token
            expected = expected.take(range(8), point.axes.index(axis))
            if point.axes[-2:] == ("query", "key") and ".cross." not in point.name:
                expected = expected[..., :8]
        data = decode(told["data"])
        np.testing.assert_allclose(data, expected, atol=TOLERANCE, err_msg=point.name)
    mean = decode(found["points"]["decoder.blocks.1.cross.attention"]["data"]).mean(0)
    np.testing.assert_allclose(decode(found["attention"]), mean, atol=1e-6)


@pytest.mark.parametrize("width", [1, 3])
def test_a_stream_tells_the_steps_of_the_whole_answer(client, width):
    names = ["decoder.blocks.0.attention", "encoder.blocks.1.q", "decoder.blocks.1.cross.k"]
    whole = ask(client, beam_size=width, points=names).json()
    found = events(ask(client, beam_size=width, points=names, stream=True).text)
    start, done = found[0][1], found[-1][1]
    assert list(start["points"]) == names[1:]
    assert done["text"] == whole["text"]
    steps = [data for name, data in found if name == "step"]
    assert [step["token_id"] for step in steps] == whole["target_ids"]
    rows = decode(whole["points"][names[0]]["data"])
    for step in steps:
        shown = step["points"][names[0]]
        assert shown["axes"] == ["head", "key"]
        row = decode(shown["data"])
        np.testing.assert_array_equal(row, rows[:, step["index"], : step["index"] + 1])
        assert not rows[:, step["index"], step["index"] + 1 :].any()
    nodes = [node for name, data in found if name == "beam" for node in data["nodes"]]
    assert nodes == whole["tree"]
    assert bool(nodes) == (width > 1)


def test_a_prefix_is_gone_on_from_and_no_text_is_longer_than_the_context(client):
    free = ask(client, points=[]).json()
    again = ask(client, prefix=free["target_ids"][:3], max_new_tokens=5, points=[]).json()
    assert again["target_ids"] == free["target_ids"]
    assert again["given"] == [True] * 3 + [False] * 5
    most = ask(client, max_new_tokens=200, points=[]).json()
    assert len(most["target_ids"]) == 24
    error = assert_error(ask(client, prefix=[5] * 25), 422, "too_many_tokens")
    assert error["limit"] == 24
    assert_error(ask(client, max_new_tokens=201), 422, "too_many_tokens")


def test_attention_in_many_heads_is_not_forced(client):
    error = assert_error(ask(client, force=[[0, 1]]), 422, "no_force")
    assert "many heads" in error["message"]
    assert ask(client, force=[], points=[]).status_code == 200
