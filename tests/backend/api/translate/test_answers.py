import numpy as np
import pytest

from tests.backend.api.decoding import assert_told_alike, named, points
from tests.backend.api.translate.asking import (
    ATTENDING,
    TOLERANCE,
    ask,
    softmax,
    streamed,
    text_for,
    whole,
)
from tests.backend.serving import decode
from tests.toys.translators import TRANSLATORS


@pytest.mark.parametrize("id", TRANSLATORS)
def test_a_whole_answer_fits_together(client, id):
    found = whole(client, id)
    steps, sources = len(found["target_ids"]), len(found["source_tokens"])
    assert found["checkpoint"] == id
    assert found["source_tokens"][-1] == "</s>"
    text = text_for(id)
    assert [text[start:stop] for start, stop in found["source_spans"][:-1]] == found[
        "source_tokens"
    ][:-1]
    assert found["source_spans"][-1] == [len(text)] * 2
    assert len(found["target_tokens"]) == steps == 12
    assert found["ended"] is False
    assert found["forced"] == found["tree"] == []
    assert found["given"] == [False] * steps
    probability = decode(found["probability"])
    assert probability.shape == (steps,)
    assert found["log_probability"] == pytest.approx(np.log(probability).sum(), abs=1e-4)
    for k, top in enumerate(found["top"]):
        assert len(top) == 8
        assert top[0]["token_id"] == found["target_ids"][k]  # greedy
        assert top[0]["token"] == found["target_tokens"][k]
        assert top[0]["probability"] == pytest.approx(probability[k], abs=1e-6)
        told = [candidate["probability"] for candidate in top]
        assert told == sorted(told, reverse=True)
    assert [h["text"] for h in found["hypotheses"]] == [found["text"]]
    if TRANSLATORS[id].attention == "none":
        assert found["attention"] is None
    else:
        attention = decode(found["attention"])
        assert attention.shape == (steps, sources)
        np.testing.assert_allclose(attention.sum(1), 1, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("id", TRANSLATORS)
def test_every_point_the_catalogue_names_is_there_with_its_axes_and_sizes(client, id):
    about = {p["name"]: p for p in client.get(f"/api/checkpoints/{id}").json()["points"]}
    found = whole(client, id)
    sizes = {"source": len(found["source_tokens"]), "target": len(found["target_ids"])}
    assert list(found["points"]) == list(about)
    for name, point in found["points"].items():
        assert (point["axes"], point["range"]) == (about[name]["axes"], about[name]["range"])
        shape = decode(point["data"]).shape
        expected = zip(point["axes"], about[name]["shape"], strict=True)
        assert shape == tuple(sizes.get(axis, size) for axis, size in expected), name


@pytest.mark.parametrize("id", ATTENDING)
def test_weights_and_context_can_be_computed_again_from_what_is_told(client, id):
    found = whole(client, id)
    seen, score = points(found), TRANSLATORS[id].attention
    np.testing.assert_array_equal(seen["attention"], decode(found["attention"]))
    weights = softmax(seen["attention.energy"])
    np.testing.assert_allclose(weights, seen["attention"], atol=TOLERANCE, rtol=0)
    context = seen["attention"] @ seen["annotation"]
    np.testing.assert_allclose(context, seen["context"], atol=TOLERANCE, rtol=0)
    if score == "additive":
        asked = np.tanh(seen["attention.query"][:, None] + seen["attention.key"][None])
        energy = asked @ seen["attention.v"]
    elif score == "general":
        energy = seen["attention.query"] @ seen["annotation"].T
    else:
        return  # its query is the state before the first step too, which is not told
    np.testing.assert_allclose(energy, seen["attention.energy"], atol=TOLERANCE, rtol=0)


def test_a_network_without_attention_tells_its_one_context_with_the_source(client):
    found = streamed(client, "toy-plain")
    assert found[0][1]["points"]["context"]["axes"] == ["unit"]
    for step in named(found, "step"):
        assert step["attention"] is None
        assert not any(name.startswith(("attention", "context")) for name in step["points"])


@pytest.mark.parametrize("beam_size", [1, 4])
@pytest.mark.parametrize("id", TRANSLATORS)
def test_a_stream_tells_what_the_whole_answer_does(client, id, beam_size):
    options = {"beam_size": beam_size, "length_penalty": 0.7}
    answer, found = whole(client, id, **options), streamed(client, id, **options)
    assert_told_alike(
        answer, found, ("checkpoint", "source_tokens", "source_spans", "copied"), "target"
    )
    steps = named(found, "step")
    told = np.array([step["probability"] for step in steps])
    np.testing.assert_allclose(told, decode(answer["probability"]), rtol=1e-6)


def test_the_points_that_are_asked_for_change_nothing_else(client):
    every = whole(client)
    names = list(every["points"])
    for asked in ([], names[:1], [names[-1], names[0]], ["context", "decoder.0.h"]):
        some = whole(client, points=asked)
        assert list(some["points"]) == [name for name in names if name in asked]
        assert all(some["points"][name] == every["points"][name] for name in asked)
        assert some | {"points": 0} == every | {"points": 0}


def test_a_word_of_unknown_characters_is_told_as_copied(client):
    found = whole(client, text="A dog 犬犬 runs.")
    (position,) = found["copied"]
    assert found["source_tokens"][position] == "犬犬"
    assert found["source_spans"][position] == [6, 8]


def test_a_stream_is_named_as_one_and_is_not_kept(client):
    answer = ask(client, stream=True)
    assert answer.headers["content-type"].split(";")[0] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert ask(client).headers["content-type"] == "application/json"


# -- search, force, prefix -------------------------------------------------------------------


@pytest.mark.parametrize("id", TRANSLATORS)
def test_the_search_is_told_as_a_tree_whose_best_leaf_is_the_translation(client, id):
    found = whole(client, id, beam_size=3, length_penalty=1.0)
    nodes = {node["id"]: node for node in found["tree"]}
    assert len(nodes) == len(found["tree"])
    for node in nodes.values():
        if node["parent"] >= 0:
            parent = nodes[node["parent"]]
            assert parent["step"] == node["step"] - 1
            assert parent["kept"]
            assert node["log_probability"] <= parent["log_probability"] + 1e-6
        else:
            assert node["step"] == 0
    scores = [hypothesis["score"] for hypothesis in found["hypotheses"]]
    assert scores == sorted(scores, reverse=True)
    best = found["hypotheses"][0]
    assert (best["text"], best["token_ids"]) == (found["text"], found["target_ids"])
    paths = set()
    for node in nodes.values():
        path, at = [], node["id"]
        while at >= 0:
            path.insert(0, nodes[at]["token_id"])
            at = nodes[at]["parent"]
        paths.add(tuple(path))
    assert all(tuple(h["token_ids"]) in paths for h in found["hypotheses"])


@pytest.mark.parametrize("beam_size", [1, 3])
@pytest.mark.parametrize("id", ATTENDING)
def test_a_step_that_is_forced_looks_where_it_is_told_and_nothing_before_it_changes(
    client, id, beam_size
):
    free = named(streamed(client, id), "step")
    force = [[2, 1], [5, 0]]
    found = named(streamed(client, id, force=force, beam_size=beam_size), "step")
    assert [[s["index"], s["forced"]] for s in found if s["forced"] is not None] == force
    for step, position in force:
        weights = decode(found[step]["attention"])
        assert weights.tolist() == np.eye(len(weights), dtype=np.float32)[position].tolist()
    if beam_size == 1:
        assert found[:2] == free[:2]
        energy = [decode(steps[2]["points"]["attention.energy"]["data"]) for steps in (free, found)]
        np.testing.assert_array_equal(*energy)
        assert decode(free[2]["attention"]).tolist() != decode(found[2]["attention"]).tolist()
    answer = whole(client, id, force=force, beam_size=beam_size)
    assert answer["forced"] == force
    seen = points(answer)
    context = seen["attention"] @ seen["annotation"]
    np.testing.assert_allclose(context, seen["context"], atol=TOLERANCE, rtol=0)


def test_a_forced_step_that_is_never_reached_is_not_told(client):
    found = whole(client, max_new_tokens=3, force=[[2, 0]], prefix=[])
    assert found["forced"] == [[2, 0]]
    ended = whole(client, prefix=[5, 2], force=[[40, 0]], max_new_tokens=60)
    assert ended["forced"] == []


@pytest.mark.parametrize("id", TRANSLATORS)
def test_a_translation_that_is_given_back_is_read_as_it_was_written(client, id):
    first = whole(client, id, max_new_tokens=9)
    again = whole(client, id, prefix=first["target_ids"][:6], max_new_tokens=3)
    assert again["given"] == [True] * 6 + [False] * 3
    same = ("target_ids", "text", "probability", "top", "points", "attention", "log_probability")
    for name in same:
        assert again[name] == first[name], name


def test_a_translation_goes_on_from_the_words_it_is_given(client):
    first = whole(client)
    other = first["top"][1][3]["token_id"]
    prefix = [first["target_ids"][0], other]
    found = whole(client, prefix=prefix)
    assert found["target_ids"][:2] == prefix
    assert found["given"][:3] == [True, True, False]
    assert found["top"][:2] == first["top"][:2]


def test_a_prefix_that_ends_with_the_end_mark_is_only_read(client):
    found = whole(client, prefix=[5, 6, 2])
    assert found["target_ids"] == [5, 6, 2]
    assert found["target_tokens"][-1] == "</s>"
    assert found["given"] == [True] * 3
    assert found["ended"] is True
    assert "</s>" not in found["text"]
