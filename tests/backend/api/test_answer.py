import io

import numpy as np
import pytest
from PIL import Image

from backend.settings import Settings
from models.scenes import draw
from tests.backend.serving import assert_error, decode, in_process
from tests.hostile_pictures import HOSTILE, plain, stored
from tests.toys.pictures import write_answerer, write_captioner

QUESTION = "what colour is the house?"
PICTURE = stored(draw(5)[0])


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("answerers")
    write_answerer(folder / "toy-answers")
    write_captioner(folder / "toy-soft", "toy-soft")
    with in_process(Settings(checkpoints=folder, device="cpu")) as client:
        yield client


def ask(client, question=QUESTION, image=PICTURE, type="image/png", id="toy-answers", **more):
    """Ask with a form; `more` are other text fields, None leaves a field out."""
    form = {name: (None, value) for name, value in more.items() if name != "params"}
    if question is not None:
        form["question"] = (None, question)
    if image is not None:
        form["image"] = ("picture", image, type)
    path = f"/api/checkpoints/{id}/answer"
    return client.post(path, files=form, params=more.get("params"))


def whole(client, *arguments, **options) -> dict:
    answer = ask(client, *arguments, **options)
    assert answer.status_code == 200, answer.text[:500]
    return answer.json()


def test_an_answer_fits_together(client):
    found = whole(client)
    assert found["checkpoint"] == "toy-answers"
    assert (found["image"]["width"], found["image"]["height"]) == (224, 224)
    assert found["grid"] == {"rows": 7, "columns": 7}
    assert found["question_tokens"] == ["what", "colour", "is", "the", "house", "</s>"]
    assert [QUESTION[a:b] for a, b in found["question_spans"]][:2] == ["what", "colour"]
    assert found["unknown"] == []
    assert found["familiarity"] is None
    shares = decode(found["probabilities"])
    assert len(found["answers"]) == len(set(found["answers"])) == len(shares)
    assert shares.tolist() == sorted(shares, reverse=True)
    assert shares.sum() == pytest.approx(1, abs=1e-5)
    attention = decode(found["attention"])
    assert attention.shape == (2, 7, 7)
    np.testing.assert_allclose(attention.sum((1, 2)), 1, atol=1e-5)


def test_every_point_the_catalogue_names_is_there_or_those_asked_for(client):
    about = {p["name"]: p for p in client.get("/api/checkpoints/toy-answers").json()["points"]}
    found = whole(client)
    assert list(found["points"]) == list(about)
    for name, point in found["points"].items():
        assert (point["axes"], point["range"]) == (about[name]["axes"], about[name]["range"])
        shape = decode(point["data"]).shape
        assert all(n in (m, None) for n, m in zip(about[name]["shape"], shape, strict=True)), name
    np.testing.assert_array_equal(
        decode(found["points"]["attention"]["data"]), decode(found["attention"])
    )
    some = whole(client, params={"points": ["tally", "counter"]})
    assert some["points"] == {name: found["points"][name] for name in ("counter", "tally")}
    assert whole(client, params={"points": "none"}) == found | {"points": {}}


def test_a_picture_that_was_sent_before_is_known_by_its_key_whoever_read_it(client):
    first = whole(client)
    key = first["image"]["key"]
    assert whole(client, image=None, key=key) == first
    described = client.post("/api/checkpoints/toy-soft/caption", params={"image": key})
    assert described.json()["image"] == first["image"]


def test_words_that_are_not_known_are_told_by_their_positions(client):
    found = whole(client, "what Zorblax is the house?")
    assert found["unknown"] == [1]
    assert found["question_tokens"][1] == "Zorblax"


def test_a_form_larger_than_a_megabyte_touches_no_disk(client, monkeypatch):
    def write(*arguments, **options):
        raise AssertionError("a file was opened")

    for name in ("TemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(f"tempfile.{name}", write)
    noise = stored(Image.effect_noise((1500, 1500), 90))
    assert len(noise) > 2 << 20
    assert whole(client, image=noise)["image"]["width"] == 1500


# -- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"question": None}, "no question"),
        ({"image": None}, "no picture"),
        ({"colour": "red"}, "a field 'colour'"),
        ({"key": "abc", "image": None}, "no key of a picture"),
        ({"key": "../../x", "image": None}, "no key of a picture"),
    ],
)
def test_a_form_without_what_it_needs_or_with_more_is_refused(client, form, words):
    error = assert_error(ask(client, **form), 422, "bad_form")
    assert words in error["message"]
    assert "question" in error["hint"]


def raw(client, body: bytes, type: str = "multipart/form-data; boundary=b"):
    path = "/api/checkpoints/toy-answers/answer"
    return client.post(path, content=body, headers={"Content-Type": type})


def part(name: str, value: bytes, more: str = "") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


END = b"--b--\r\n"
BROKEN = {
    "nothing": b"",
    "no part": END,
    "no end": part("question", b"what is red?")[:-9],
    "another boundary": b"--c\r\n\r\n--c--\r\n",
    "no name": b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END,
    "no disposition": b"--b\r\n\r\nx\r\n" + END,
    "a question twice": part("question", b"a") * 2 + END,
    "a question that is a file": part("question", b"a", '; filename="q"') + END,
    "a picture that is no file": part("image", b"a") + part("question", b"a") + END,
    "two pictures": part("image", b"a", '; filename="a"') * 2 + END,
    "very many fields": part("question", b"a") * 5000 + END,
    "a long field": part("question", b"a" * 200_000) + END,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_form_that_is_broken_is_refused_and_holds_nothing(client, name):
    assert_error(raw(client, BROKEN[name]), 422, "bad_form")
    assert client.app.state.pictures.uploading == 0


def test_a_header_that_never_ends_is_refused(client):
    body = b"--b\r\nX: " + b"y" * 2_000_000
    assert_error(raw(client, body), 422, "bad_form")


@pytest.mark.parametrize("type", ["", "image/png", "application/json", "multipart/mixed"])
def test_what_is_no_form_is_refused(client, type):
    error = assert_error(raw(client, PICTURE, type), 415, "unsupported_type")
    assert "multipart/form-data" in error["hint"]


@pytest.mark.parametrize("type", ["", "image/svg+xml", "text/html"])
def test_a_file_of_another_type_is_refused(client, type):
    assert_error(ask(client, image=b"<svg/>", type=type or "x"), 415, "unsupported_type")


@pytest.mark.parametrize("name", ["PNG of 169 megapixels", "SVG", "JPEG cut at 30%", "nothing"])
def test_a_file_that_means_harm_is_refused_in_a_form_too(client, name):
    assert_error(ask(client, image=HOSTILE[name]()), 422, "bad_picture")


def test_a_key_that_is_not_known_and_a_key_beside_a_picture(client):
    assert_error(ask(client, image=None, key="0" * 64), 404, "unknown_picture")
    assert_error(ask(client, key="0" * 64), 422, "two_pictures")


@pytest.mark.parametrize(
    ("question", "status", "code"),
    [
        ("", 422, "empty_text"),
        (" \t\n ", 422, "empty_text"),
        ("what " * 201, 413, "text_too_long"),
        ("a" * 20_001, 413, "text_too_long"),
    ],
)
def test_a_question_of_no_word_or_of_too_many_is_refused(client, question, status, code):
    assert_error(ask(client, question), status, code)


@pytest.mark.parametrize(
    "text", ["\0", "\x1b[2J", "\u202e\ufeff", "😀😁", "e\u0302", "<b>", "犬" * 50]
)
def test_any_text_can_be_asked(client, text):
    found = whole(client, f"what is {text} red?")
    assert found["question_tokens"][0] == "what"
    assert found["question_tokens"][-2] == "red"


def test_a_question_in_another_encoding_is_taken_for_one(client):
    body = part("image", PICTURE, '; filename="p"\r\nContent-Type: image/png')
    answer = raw(client, body + part("question", "où is red?".encode("latin-1")) + END)
    assert answer.json()["question_tokens"][0] == "où"


def test_a_body_past_the_cap_is_refused(tmp_path):
    write_answerer(tmp_path / "toy-answers")
    small = Settings(checkpoints=tmp_path, device="cpu", max_picture_bytes=len(PICTURE) + 1000)
    with in_process(small) as client:
        assert ask(client).status_code == 200
        error = assert_error(ask(client, image=PICTURE + bytes(1000)), 413, "too_large")
        assert error["limit"] == len(PICTURE) + 1000


def test_a_network_that_answers_nothing_says_which_do(client):
    error = assert_error(ask(client, id="toy-soft"), 422, "wrong_task")
    assert error["checkpoints"] == ["toy-answers"]
    answer = client.post(
        "/api/checkpoints/toy-answers/caption",
        content=stored(plain()),
        headers={"Content-Type": "image/png"},
    )
    assert_error(answer, 422, "wrong_task")


# -- what a picture reads as -------------------------------------------------------------------


def test_a_drawn_scene_is_seen_exactly_as_it_is_drawn(client):
    shown = Image.open(io.BytesIO(client.get("/api/scenes/5.png").content))
    assert np.array_equal(np.asarray(shown), np.asarray(draw(5)[0]))
