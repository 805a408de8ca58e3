import hashlib

import numpy as np
import pytest

from tests.backend.api.caption.asking import (
    LOOKING,
    PICTURE,
    TOLERANCE,
    ask,
    streamed,
    whole,
)
from tests.backend.api.decoding import assert_told_alike, named, points
from tests.backend.serving import decode
from tests.hostile_pictures import plain, stored
from tests.toys.pictures import CAPTIONERS

ALL = pytest.mark.parametrize("id", CAPTIONERS)


@ALL
def test_a_whole_answer_fits_together(client, id):
    found = whole(client, id)
    steps = len(found["token_ids"])
    assert found["checkpoint"] == id
    key = hashlib.sha256(PICTURE).hexdigest()
    assert found["image"] == {"key": key, "width": 90, "height": 60}
    assert found["grid"] == {"rows": 7, "columns": 7}
    assert len(found["tokens"]) == len(found["cells"]) == steps == 8
    assert found["text"] == "".join(found["tokens"]).strip()
    assert found["ended"] is False
    assert found["forced"] == found["tree"] == []
    assert found["given"] == [False] * steps
    probability = decode(found["probability"])
    assert probability.shape == (steps,)
    assert found["log_probability"] == pytest.approx(np.log(probability).sum(), abs=1e-4)
    for k, top in enumerate(found["top"]):
        assert top[0]["token_id"] == found["token_ids"][k]  # greedy
        assert top[0]["probability"] == pytest.approx(probability[k], abs=1e-6)
    assert [h["text"] for h in found["hypotheses"]] == [found["text"]]
    if id in LOOKING:
        attention = decode(found["attention"])
        assert attention.shape == (steps, 7, 7)
        np.testing.assert_allclose(attention.sum((1, 2)), 1, atol=TOLERANCE, rtol=0)
    else:
        assert found["attention"] is None


@ALL
def test_every_point_the_catalogue_names_is_there_with_its_axes_and_sizes(client, id):
    about = {p["name"]: p for p in client.get(f"/api/checkpoints/{id}").json()["points"]}
    found = whole(client, id)
    assert list(found["points"]) == list(about)
    for name, point in found["points"].items():
        assert (point["axes"], point["range"]) == (about[name]["axes"], about[name]["range"])
        sizes = zip(point["axes"], about[name]["shape"], strict=True)
        expected = tuple(8 if axis == "token" else size for axis, size in sizes)
        assert decode(point["data"]).shape == expected, name


@ALL
def test_how_typical_the_picture_is_and_how_sure_the_words_are_is_told(client, id):
    found = whole(client, id)
    assert found["familiarity"].keys() == {"distance", "share"}
    assert 0 <= found["familiarity"]["distance"] <= 2
    assert 0 <= found["familiarity"]["share"] <= 1
    mean = found["log_probability"] / len(found["token_ids"])
    assert found["confidence"]["mean_log_probability"] == pytest.approx(mean, abs=1e-5)
    assert 0 <= found["confidence"]["share"] <= 1


def test_what_a_soft_network_looks_at_can_be_computed_again_from_what_is_told(client):
    seen = points(whole(client))
    energy = seen["attention.energy"].reshape(8, 49)
    weights = np.exp(energy - energy.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    np.testing.assert_allclose(weights, seen["attention"].reshape(8, 49), atol=TOLERANCE)
    context = seen["gate"][:, None] * (weights @ seen["annotation"].reshape(49, -1))
    np.testing.assert_allclose(context, seen["context"], atol=TOLERANCE)
    asked = np.tanh(seen["attention.query"][:, None, None] + seen["attention.key"][None])
    again = (asked @ seen["attention.v"]).reshape(8, 49)
    np.testing.assert_allclose(again, energy, atol=TOLERANCE)


def test_a_hard_network_tells_the_one_cell_of_each_word(client):
    found = whole(client, "toy-hard")
    seen = points(found)
    for k, (row, column) in enumerate(found["cells"]):
        assert seen["attention"][k].argmax() == 7 * row + column
        expected = seen["gate"][k] * seen["annotation"][row, column]
        np.testing.assert_allclose(expected, seen["context"][k], atol=TOLERANCE)
    assert whole(client, "toy-soft")["cells"] == [None] * 8


@pytest.mark.parametrize("beam_size", [1, 4])
@ALL
def test_a_stream_tells_what_the_whole_answer_does(client, id, beam_size):
    options = {"beam_size": beam_size, "length_penalty": 0.7}
    answer, found = whole(client, id, **options), streamed(client, id, **options)
    assert_told_alike(answer, found, ("checkpoint", "image", "grid", "familiarity"), "token")
    steps = named(found, "step")
    assert [step["cell"] for step in steps] == answer["cells"]
    assert bool(answer["tree"]) == (beam_size > 1)


def test_the_points_that_are_asked_for_change_nothing_else(client):
    every = whole(client)
    for asked in ("none", ["gate"], ["context", "attention.v"]):
        some = whole(client, points=asked)
        wanted = [] if asked == "none" else asked
        assert set(some["points"]) == set(wanted)
        assert all(some["points"][name] == every["points"][name] for name in wanted)
        assert some | {"points": 0} == every | {"points": 0}


def test_a_stream_is_named_as_one_and_is_not_kept(client):
    answer = ask(client, stream=True)
    assert answer.headers["content-type"].split(";")[0] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"


# -- pictures ----------------------------------------------------------------------------------


@ALL
def test_a_picture_that_was_sent_before_is_known_by_its_key(client, id):
    first = whole(client, id)
    key = first["image"]["key"]
    assert whole(client, id, content=b"", type=None, image=key) == first
    assert whole(client, id, content=b"", type="text/plain", image=key) == first


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_every_format_is_read_and_its_bytes_say_which_it_is(client, format):
    raw = stored(plain(30, 20), format)
    found = whole(client, content=raw, type=f"image/{format.lower()}")
    assert found["image"]["width"] == 30
    for declared in ("image/png", "IMAGE/WebP", "image/gif; charset=binary"):
        assert whole(client, content=raw, type=declared) == found


def test_another_picture_has_another_key_and_other_words(client):
    one, other = (whole(client, content=stored(plain(*size))) for size in ((40, 30), (9, 90)))
    assert one["image"]["key"] != other["image"]["key"]
    assert (
        one["token_ids"] != other["token_ids"] or one["log_probability"] != other["log_probability"]
    )


# -- search, force, prefix, seed ---------------------------------------------------------------


@pytest.mark.parametrize("id", LOOKING)
def test_a_step_that_is_forced_looks_at_its_cell_and_nothing_before_it_changes(client, id):
    free = named(streamed(client, id), "step")
    answer = whole(client, id, force=["2,1,3", "5,6,0"])
    assert answer["forced"] == [[2, 1, 3], [5, 6, 0]]
    steps = named(streamed(client, id, force=["2,1,3", "5,6,0"]), "step")
    assert [step["forced"] for step in steps] == [{2: [1, 3], 5: [6, 0]}.get(k) for k in range(8)]
    assert steps[:2] == free[:2]
    for k, cell in ((2, (1, 3)), (5, (6, 0))):
        weights = decode(steps[k]["attention"])
        assert weights[cell] == 1
        assert weights.sum() == 1
        assert steps[k]["cell"] == (list(cell) if id == "toy-hard" else None)


@ALL
def test_a_caption_that_is_given_back_is_read_as_it_was_written(client, id):
    first = whole(client, id)
    prefix = ",".join(map(str, first["token_ids"][:5]))
    again = whole(client, id, prefix=prefix, max_new_tokens=3)
    assert again["given"] == [True] * 5 + [False] * 3
    for name in first.keys() - {"given"}:
        assert again[name] == first[name], name


def test_a_prefix_that_ends_with_the_end_mark_is_only_read(client):
    found = whole(client, prefix="5,7,2", beam_size=4)
    assert found["token_ids"] == [5, 7, 2]
    assert found["ended"] is True
    assert found["tree"] == []


def test_a_seed_draws_the_same_cells_again(client):
    one, same, other = (whole(client, "toy-hard", seed=seed) for seed in (3, 3, 4))
    assert one == same
    assert one["cells"] != other["cells"]
    forced = whole(client, "toy-hard", seed=3, force=["1,0,0"])
    assert forced["cells"][0] == one["cells"][0]
    assert forced["cells"][1] == [0, 0]


def test_a_seed_draws_the_same_cells_behind_a_prefix(client):
    first = whole(client, "toy-hard", seed=11)
    prefix = ",".join(map(str, first["token_ids"][:4]))
    again = whole(client, "toy-hard", seed=11, prefix=prefix, max_new_tokens=4)
    assert (again["cells"], again["token_ids"]) == (first["cells"], first["token_ids"])
