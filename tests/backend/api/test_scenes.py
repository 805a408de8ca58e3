import io

import numpy as np
import pytest
from PIL import Image

from models.questions import questions
from models.scenes import draw
from tests.backend.serving import assert_error


@pytest.mark.parametrize("seed", [0, 1, 7, 2**31 - 1])
def test_a_scene_is_shown_and_told_as_it_is_drawn(client, seed):
    answer = client.get(f"/api/scenes/{seed}.png")
    assert answer.headers["content-type"] == "image/png"
    assert "max-age" in answer.headers["cache-control"]
    image, scene = draw(seed)
    shown = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert np.array_equal(shown, np.asarray(image))
    told = client.get(f"/api/scenes/{seed}").json()
    assert [(o["shape"], o["colour"]) for o in told["objects"]] == [
        (thing.shape, thing.colour) for thing in scene.things
    ]
    for box in (o["box"] for o in told["objects"]):
        assert 0 <= box[0] < box[2] <= 224
        assert 0 <= box[1] < box[3] <= 224
    assert told["questions"] == [
        {
            "question": one.text,
            "answer": one.answer,
            "named": list(one.named),
            "found": list(one.found),
        }
        for one in questions(scene)
    ]


@pytest.mark.parametrize("ending", ["", ".png"])
@pytest.mark.parametrize("seed", ["-1", "x", "1.5", str(2**31), "9" * 5000, "%00", "1e3"])
def test_a_seed_that_is_none_is_refused(client, seed, ending):
    assert_error(client.get(f"/api/scenes/{seed}{ending}"), 422, "invalid")


def test_the_same_scene_is_the_same_bytes(client):
    first, again = (client.get("/api/scenes/3.png").content for _ in range(2))
    assert first == again
