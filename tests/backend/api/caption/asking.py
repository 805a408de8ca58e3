"""What the tests of captions share: a picture, and ways to ask."""

import numpy as np

from tests.backend.serving import decode, events
from tests.hostile_pictures import plain, stored
from tests.toys.pictures import CAPTIONERS

TOLERANCE = 1e-5  # float32 sums in another order, absolute
PICTURE = stored(plain(90, 60), "JPEG")
LOOKING = [id for id, config in CAPTIONERS.items() if config.attention != "none"]


def ask(client, id: str = "toy-soft", content=PICTURE, type: str | None = "image/jpeg", **query):
    """Ask for a caption; query parameters with several values are lists."""
    headers = {} if type is None else {"Content-Type": type}
    query = {"max_new_tokens": 8, **query}
    path = f"/api/checkpoints/{id}/caption"
    return client.post(path, content=content, params=query, headers=headers)


def whole(client, id: str = "toy-soft", **options) -> dict:
    answer = ask(client, id, **options)
    assert answer.status_code == 200, answer.text[:500]
    return answer.json()


def streamed(client, id: str = "toy-soft", **options) -> list[tuple[str, dict]]:
    answer = ask(client, id, stream=True, **options)
    assert answer.status_code == 200, answer.text[:500]
    found = events(answer.text)
    assert found[0][0] == "start"
    assert found[-1][0] == "done", found[-1]
    return found


def named(found, name: str) -> list[dict]:
    return [data for event, data in found if event == name]


def points(answer: dict) -> dict[str, np.ndarray]:
    return {name: decode(point["data"]) for name, point in answer["points"].items()}
