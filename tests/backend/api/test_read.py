"""The route that reads lines of text in pictures."""

import io

import numpy as np
import pytest
from PIL import Image

from backend.settings import Settings
from models import lines
from models.kinds import open_checkpoint
from tests.backend.serving import assert_error, decode, in_process
from tests.toys import CONFIGS, write_toy
from tests.toys.pictures import LINE_READERS, SIGNS, write_line_reader

TOLERANCE = 1e-6
PNG = {"Content-Type": "image/png"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readers")
    for id in LINE_READERS:
        write_line_reader(folder / id, id)
    write_toy(folder / "toy-rnn", CONFIGS["toy-rnn"])
    return folder


@pytest.fixture(scope="module")
def client(folder):
    settings = Settings(checkpoints=folder, device="cpu", max_trace_bytes=1 << 20)
    with in_process(settings) as client:
        yield client


def ask(client, id="toy-lines", picture: bytes = b"", headers=None, **query):
    return client.post(
        f"/api/checkpoints/{id}/read", params=query, content=picture, headers=headers
    )


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("id", LINE_READERS)
def test_a_text_is_drawn_and_read_with_every_point(client, folder, id):
    answer = ask(client, id, text="a cab")
    assert answer.status_code == 200, answer.text[:500]
    told, runner = answer.json(), open_checkpoint(folder / id)
    found = runner.read(lines.draw("a cab"))
    assert told["text"] == found.text == "".join(c["symbol"] for c in told["characters"])
    assert (told["symbols"], told["blank"]) == (SIGNS, 0)
    assert told["tokens"] == [SIGNS[k] for k in found.token_ids]
    np.testing.assert_array_equal(decode(told["picture"]), found.pixels)
    np.testing.assert_allclose(decode(told["centres"]), found.centres)
    assert list(told["points"]) == [point.name for point in runner.points]
    for point in runner.points:
        ours = told["points"][point.name]
        assert (ours["axes"], ours["range"]) == (list(point.axes), point.range)
        np.testing.assert_allclose(
            decode(ours["data"]), found.points[point.name], rtol=1e-5, atol=TOLERANCE
        )
    best = found.points["probabilities"].max(-1)
    np.testing.assert_allclose(decode(told["probability"]), best, atol=TOLERANCE)


def test_a_picture_that_is_sent_is_read_as_the_one_that_is_drawn(client):
    drawn = ask(client, text="a cab", points="rnn.0.h").json()
    sent = ask(client, picture=png(lines.draw("a cab")), headers=PNG, points="rnn.0.h")
    assert sent.status_code == 200, sent.text[:300]
    # What is sent goes through RGB and back: a grey may differ by one.
    apart = decode(sent.json()["picture"]).astype(int) - decode(drawn["picture"])
    assert abs(apart).max() <= 1
    assert sent.json()["points"].keys() == {"rnn.0.h"}


def test_no_point_is_told_where_none_is_asked_for(client):
    assert ask(client, text="a", points="none").json()["points"] == {}


@pytest.mark.parametrize(
    ("query", "picture", "headers", "code", "status"),
    [
        ({}, b"", {}, "unsupported_type", 415),
        ({}, b"", PNG, "bad_picture", 422),
        ({}, b"no picture", PNG, "bad_picture", 422),
        ({}, b"{}", {"Content-Type": "application/json"}, "unsupported_type", 415),
        ({"text": ""}, b"", {}, "empty_text", 422),
        ({"text": "  "}, b"", {}, "bad_text", 422),
        ({"text": "a" * 81}, b"", {}, "bad_text", 422),
        ({"text": "W" * 80}, b"", {}, "bad_text", 422),
        ({"text": "a"}, b"x", PNG, "two_pictures", 422),
        ({"text": "a", "points": "rnn.7.h"}, b"", {}, "unknown_point", 422),
        ({"text": "a", "size": "3"}, b"", {}, "invalid", 422),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(client, query, picture, headers, code, status):
    error = assert_error(ask(client, picture=picture, headers=headers, **query), status)
    assert error["code"] == code, error


def test_a_very_wide_picture_is_refused(client):
    error = assert_error(ask(client, picture=png(Image.new("L", (2000, 10))), headers=PNG), 422)
    assert "2048" in error["message"]


def test_more_numbers_than_are_sent_are_refused_before_they_are_made(folder):
    settings = Settings(checkpoints=folder, device="cpu", max_trace_bytes=2000)
    with in_process(settings) as client:
        assert_error(ask(client, text="abc abc"), 413, "trace_too_large")
        assert ask(client, text="abc abc", points="none").status_code == 200


def test_a_network_that_does_not_read_pictures_says_which_do(client):
    error = assert_error(ask(client, "toy-rnn", text="a"), 422, "wrong_task")
    assert error["checkpoints"] == list(LINE_READERS)
