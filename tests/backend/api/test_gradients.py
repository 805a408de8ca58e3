"""POST /api/checkpoints/{id}/gradients: the numbers of models.gradients, and what is refused."""

import numpy as np
import pytest

from backend.settings import Settings
from models.gradients import Edits, clip, measure
from tests.backend.serving import decode, in_process
from tests.toys import SYMBOLS, TEXT

TOKENS = [SYMBOLS.index(c) for c in TEXT]


def ask(client, id="toy-lstm", **body):
    return client.post(f"/api/checkpoints/{id}/gradients", json={"text": TEXT} | body)


@pytest.mark.parametrize("id", ["toy-lstm", "toy-gru", "toy-rnn", "toy-relu"])
def test_what_is_told_is_what_was_measured(client, networks, id):
    body = {"at": 9, "weight_scale": 1.5, "forget_bias": -1, "clip": 0.5, "chunk": 4, "radii": 5}
    told = ask(client, id, **body).json()
    found = measure(networks[id], TOKENS, 9, Edits(1.5, -1.0), 4)
    assert "".join(told["tokens"]) == TEXT
    losses = found.unrolled.losses.detach()
    np.testing.assert_allclose(decode(told["losses"]), losses, rtol=1e-6)
    assert told["loss"] == pytest.approx(losses[9].item())
    for back, expected in ((told["whole"], found.whole), (told["truncated"], found.truncated)):
        assert list(back["gradients"]) == list(expected.reach)
        for name, norms in expected.reach.items():
            with np.errstate(divide="ignore"):
                logarithms = np.log10(norms.numpy())
            np.testing.assert_allclose(decode(back["gradients"][name]["data"]), logarithms, 1e-5)
        assert back["norm"] == pytest.approx(expected.norm)
        assert (back["factor"], back["clipped"]) == pytest.approx(clip(expected.norm, 0.5))
        assert back["parameters"] == pytest.approx(expected.norms)
    assert told["truncated"]["starts"] == list(range(0, len(TEXT) - 1, 4))
    assert told["truncated"]["cosine"] == pytest.approx(found.cosine)
    np.testing.assert_allclose(
        decode(told["truncated"]["chunk_norms"]), found.chunk_norms, rtol=1e-6
    )
    jacobians = told["jacobians"]
    top = len(found.unrolled.layers) - 1
    expected = found.unrolled.jacobians(top, jacobians["steps"])
    assert jacobians["layer"] == top
    assert jacobians["steps"][0] == 0
    assert jacobians["steps"][-1] == len(TEXT) - 2
    assert jacobians["state"] == (["h", "c"] if id == "toy-lstm" else ["h"])
    np.testing.assert_allclose(decode(jacobians["radius"]), expected.spectral_radius(), 1e-5)
    stretch = expected.largest_singular_value()
    np.testing.assert_allclose(decode(jacobians["stretch"]), stretch, 1e-5)
    assert (jacobians["kept"] is None) == (id in ("toy-rnn", "toy-relu"))


def test_only_what_is_asked_for_is_told(client):
    told = ask(client, points=["rnn.1.c"]).json()
    assert list(told["whole"]["gradients"]) == list(told["whole"]["carried"]) == ["rnn.1.c"]
    assert told["truncated"] is None
    assert told["jacobians"] is None
    assert told["whole"]["factor"] == 1


def test_what_is_past_every_number_is_told_as_a_text(client):
    told = ask(client, "toy-relu", text="ab" * 199, weight_scale=16.0, clip=1.0).json()
    assert told["whole"]["norm"] in ("Infinity", "NaN")
    assert told["loss"] in ("Infinity", "NaN") or told["loss"] > 1e30


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"text": ""}, "empty_text", "text is empty"),
        ({"text": "a"}, "text_too_short", "text has 1 character"),
        ({"text": "ab" * 201}, "text_too_long", "at most 400"),
        ({"text": "abXY"}, "unknown_characters", "does not know 2 characters"),
        ({"at": len(TEXT) - 1}, "bad_range", f"at is {len(TEXT) - 1}"),
        ({"layer": 2}, "bad_range", "layer is 2"),
        ({"points": ["rnn.0.i"]}, "unknown_point", "'rnn.0.i'"),
        ({"chunk": 0}, "invalid", "chunk"),
        ({"clip": 0.0}, "invalid", "clip"),
        ({"weight_scale": 17.0}, "invalid", "weight_scale"),
        ({"radii": 65}, "invalid", "radii"),
        ({"forget_bias": "1"}, "invalid", "forget_bias"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(client, body, code, said):
    answer = ask(client, **body)
    assert answer.status_code in (413, 422)
    error = answer.json()["error"]
    assert error["code"] == code
    assert said in error["message"]
    assert error["hint"]


def test_more_steps_of_a_large_network_than_are_unrolled_are_refused(toy_folder, networks):
    size = sum(p.numel() for p in networks["toy-lstm"].parameters())
    limit = size * 5
    with in_process(Settings(checkpoints=toy_folder, max_gradient_work=limit)) as client:
        assert ask(client, text="abcdef").status_code == 200
        answer = ask(client, text="abcdefg")
    assert answer.status_code == 413
    assert answer.json()["error"]["hint"] == "Send at most 6 characters."
