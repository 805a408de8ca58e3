"""What the tests of captions share: a picture, and ways to ask."""

from tests.backend.api.decoding import answered, told
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
    return answered(ask(client, id, **options))


def streamed(client, id: str = "toy-soft", **options) -> list[tuple[str, dict]]:
    return told(ask(client, id, stream=True, **options))
