import errno
import hashlib
import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.settings import Settings
from tests.backend.bringing import (
    SYMBOLS,
    Hostile,
    Letters,
    answer,
    bring,
    brought,
    left,
    letters,
    saved,
    zipped,
)
from tests.backend.serving import assert_error, decode, generate, in_process, live, steps, wait
from tests.toys import CONFIGS, write_toy

TEXT = "abc fed\nbad"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the imports of these tests lie."""
    return tmp_path_factory.mktemp("imports") / "imports"


@pytest.fixture(scope="module")
def client(tmp_path_factory, folder):
    """Asks an application with one checkpoint of its own, which takes imports."""
    own = tmp_path_factory.mktemp("own")
    write_toy(own / "toy-gru", CONFIGS["toy-gru"])
    with in_process(Settings(checkpoints=own, imports=folder, device="cpu")) as client:
        yield client


def lines(client) -> dict[str, dict]:
    """The catalogue by id."""
    return {one["id"]: one for one in client.get("/api/checkpoints").json()["checkpoints"]}


def test_a_file_of_torch_is_understood_asked_for_its_symbols_and_then_computes_as_torch_does(
    client, folder
):
    network = Letters(seed=1)
    raw = saved(network.state_dict())
    told = bring(client, raw, "runs/my model.pt")
    assert told.status_code == 201
    body = told.json()
    id = f"import-{hashlib.sha256(raw).hexdigest()[:12]}"
    assert (body["id"], body["status"], body["format"]) == (id, "asking", "pt")
    assert (body["name"], body["title"], body["bytes"]) == ("my model.pt", "my model", len(raw))
    diagnosis = body["diagnosis"]
    assert diagnosis["kind"] == "char_rnn"
    assert [question["name"] for question in diagnosis["questions"]] == ["vocabulary"]
    assert min(proof["digits"] for proof in diagnosis["proof"]) >= 7
    assert id not in lines(client)
    assert client.get(f"/api/checkpoints/{id}/diagnosis").json() == body
    assert [one["status"] for one in client.get("/api/imports").json()["imports"]] == ["asking"]

    told = answer(client, id, answers={"vocabulary": SYMBOLS}, title="Mine / of 2026")
    assert told.json()["status"] == "ready"
    assert told.json()["diagnosis"]["questions"] == []
    line = lines(client)[id]
    assert (line["title"], line["imported"], line["status"]) == ("Mine / of 2026", True, "ready")
    assert lines(client)["toy-gru"]["imported"] is False

    traced = client.post(f"/api/checkpoints/{id}/trace", json={"text": TEXT}).json()
    x = network.emb(torch.tensor([SYMBOLS.index(c) for c in TEXT]))[:, None]
    h, _ = network.lstm(x)
    np.testing.assert_allclose(
        decode(traced["points"]["rnn.1.h"]["data"]), h[:, 0].detach(), atol=1e-5
    )
    after = network.fc(h[:, 0]).softmax(-1).detach()
    after = network.fc(h[:, 0]).softmax(-1).detach().numpy()
    following = traced["next"]
    found = decode(following["probabilities"])
    for row, tokens in zip(range(len(TEXT)), following["tokens"], strict=True):
        expected = [after[row, SYMBOLS.index(token)] for token in tokens]
        np.testing.assert_allclose(found[row], expected, atol=1e-5)
    assert len(steps(generate(client, id, "abc", max_new_tokens=5).text)) == 8
    kept = {"config.json", "model.safetensors", "vocabulary.json", "README.md"}
    kept |= {"tensors.safetensors", "extras.json", "diagnosis.json", "import.json"}
    assert {path.name for path in (folder / id).iterdir()} == kept
    assert all(path.read_bytes() != raw for path in (folder / id).iterdir())


def test_what_the_file_itself_says_is_not_asked(client):
    told = bring(client, letters(2, vocab=SYMBOLS, epoch=3), "with-vocabulary.pt")
    assert told.json()["status"] == "ready"
    assert lines(client)[told.json()["id"]]["title"] == "with-vocabulary"


def test_the_very_same_file_is_told_with_its_id_and_kept_as_it_was(client):
    raw = letters(3)
    id = bring(client, raw, "first.pt").json()["id"]
    error = assert_error(bring(client, raw, "second.pt"), 409, "already_here")
    assert error["id"] == id
    assert "first.pt" in error["message"]
    assert client.get(f"/api/checkpoints/{id}/diagnosis").json()["name"] == "first.pt"


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"vocabulary": SYMBOLS[:-1]}, f"{len(SYMBOLS) - 1} names, {len(SYMBOLS)} are needed"),
        ({"vocabulary": ["a"] * len(SYMBOLS)}, "distinct"),
        ({"colour": "blue"}, "is not asked of this file"),
    ],
)
def test_an_answer_that_cannot_be_one_is_named_and_what_was_answered_stays(client, answers, says):
    id = client.get("/api/imports").json()["imports"][0]["id"]
    before = client.get(f"/api/checkpoints/{id}/diagnosis").json()
    error = assert_error(answer(client, id, answers=answers), 422, "bad_answer")
    assert says in error["message"]
    assert error["name"] in answers
    assert client.get(f"/api/checkpoints/{id}/diagnosis").json() == before


@pytest.mark.parametrize(
    "body",
    [{"answers": {"vocabulary": [1, 2]}}, {"answers": []}, {"title": 5}, {"else": 1}, []],
    ids=str,
)
def test_answers_of_another_form_are_refused(client, body):
    id = client.get("/api/imports").json()["imports"][0]["id"]
    assert_error(client.post(f"/api/checkpoints/{id}/answers", json=body), 422)


def test_an_answer_can_be_taken_back_and_given_again(client):
    id = brought(client, letters(4), SYMBOLS)
    told = answer(client, id, answers={"vocabulary": None})
    assert told.json()["status"] == "asking"
    assert id not in lines(client)
    assert_error(client.post(f"/api/checkpoints/{id}/trace", json={"text": "ab"}), 404)
    told = answer(client, id, answers={"vocabulary": SYMBOLS[::-1]}, title="again")
    assert told.json()["status"] == "ready"
    traced = client.post(f"/api/checkpoints/{id}/trace", json={"text": "ab"}).json()
    assert traced["token_ids"] == [SYMBOLS[::-1].index(c) for c in "ab"]
    told = answer(client, id, title="once more")
    assert told.json()["answers"] == {"vocabulary": SYMBOLS[::-1]}
    assert lines(client)[id]["title"] == "once more"


def test_a_deleted_one_is_gone_from_everywhere_and_can_be_brought_again(client, folder):
    raw = letters(5)
    id = brought(client, raw, SYMBOLS)
    assert client.delete(f"/api/checkpoints/{id}").json() == {"id": id, "deleted": True}
    assert id not in lines(client)
    assert not (folder / id).exists()
    assert_error(client.get(f"/api/checkpoints/{id}/diagnosis"), 404, "unknown_import")
    assert_error(client.delete(f"/api/checkpoints/{id}"), 404, "unknown_import")
    assert_error(client.post(f"/api/checkpoints/{id}/trace", json={"text": "ab"}), 404)
    assert bring(client, raw).json()["status"] == "asking"
    client.delete(f"/api/checkpoints/{id}")


@pytest.mark.parametrize("path", ["", "/diagnosis", "/answers"])
def test_a_checkpoint_that_nobody_brought_can_be_neither_deleted_nor_answered(client, path):
    method = {"": "DELETE", "/diagnosis": "GET", "/answers": "POST"}[path]
    body = {} if method == "POST" else None
    told = client.request(method, f"/api/checkpoints/toy-gru{path}", json=body)
    assert "toy-gru" in assert_error(told, 403, "not_imported")["message"]
    assert lines(client)["toy-gru"]["status"] == "ready"


@pytest.mark.parametrize(
    "id", ["..", "%2e%2e", "import-", "import-..%2f..%2fown", "import-ABCDEF012345"]
)
def test_an_id_is_never_a_path(client, id):
    for method, path in (("GET", "/diagnosis"), ("DELETE", "")):
        told = client.request(method, f"/api/checkpoints/{id}{path}")
        assert told.status_code in (404, 405), told.text


REFUSED = {
    "a pickle that runs a command": (415, 422),
    "no file of weights": (415,),
    "a cut file": (422,),
    "nothing": (422,),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_runs_nothing_and_leaves_nothing(client, folder, tmp_path, what):
    raw = {
        "a pickle that runs a command": saved({"a": Hostile(f"touch {tmp_path}/ran")}),
        "no file of weights": b"GIF89a" + bytes(500),
        "a cut file": letters(6)[:-600],
        "nothing": b"",
    }[what]
    before = left(folder)
    told = bring(client, raw)
    assert told.status_code in REFUSED[what]
    assert assert_error(told, told.status_code)["hint"]
    assert left(folder) == before
    assert not list(tmp_path.iterdir())


def test_a_file_that_nothing_here_runs_is_told_with_the_reason_and_can_be_deleted(client):
    told = bring(client, saved(torch.nn.Conv2d(3, 4, 3).state_dict()), "<img src=x onerror=a>.pt")
    assert told.json()["status"] == "unusable"
    assert "weight_hh" in told.json()["reason"]
    assert told.json()["name"] == "<img src=x onerror=a>.pt"
    assert client.get("/en/checkpoints").text.count("onerror=a>") == 0
    client.delete(f"/api/checkpoints/{told.json()['id']}")


@pytest.mark.parametrize("inside", ["", "toy-lstm/"])
def test_a_folder_of_our_form_comes_as_a_zip_and_is_ready_at_once(client, tmp_path, inside):
    network = write_toy(tmp_path / "toy", CONFIGS["toy-lstm"], seed=len(inside))
    id = brought(client, zipped(tmp_path / "toy", inside), name="toy.zip")
    told = client.get(f"/api/checkpoints/{id}/diagnosis").json()
    assert told["format"] == "folder"
    assert told["diagnosis"]["questions"] == []
    assert told["diagnosis"]["proof"]
    own = client.get(f"/api/checkpoints/{id}").json()
    assert own["config"] == CONFIGS["toy-lstm"].to_dict()
    assert own["card"] == (tmp_path / "toy" / "README.md").read_text()
    traced = client.post(f"/api/checkpoints/{id}/trace", json={"text": "ab"}).json()
    tokens = torch.tensor(traced["token_ids"])[:, None]
    h, _ = network.rnn(network.embed(tokens))
    last = f"rnn.{CONFIGS['toy-lstm'].num_layers - 1}.h"
    np.testing.assert_allclose(decode(traced["points"][last]["data"]), h[:, 0].detach(), atol=1e-5)
    assert answer(client, id, title="another").json()["status"] == "ready"
    assert lines(client)[id]["title"] == "another"


def test_a_folder_that_does_not_load_is_told_with_the_reason(client, tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-lstm"], seed=9)
    path = tmp_path / "toy" / "config.json"
    about = json.loads(path.read_text())
    path.write_text(json.dumps(about | {"figures": {"test_nats": 10**40}}))
    told = bring(client, zipped(tmp_path / "toy"), "toy.zip").json()
    assert told["status"] == "unusable"
    assert "41 digits" in told["reason"]
    assert client.get("/en/checkpoints").status_code == 200


# What a server is told


def test_where_importing_is_off_everything_of_it_is_refused_and_what_is_there_serves(tmp_path):
    kept = Settings(checkpoints=tmp_path / "own", imports=tmp_path / "imports", device="cpu")
    (tmp_path / "own").mkdir()
    with in_process(kept) as client:
        ready, asking = brought(client, letters(7), SYMBOLS), bring(client, letters(8)).json()["id"]
    with in_process(replace(kept, importing="off")) as client:
        assert_error(bring(client, letters(1)), 403, "importing_off")
        assert_error(answer(client, asking, answers={}), 403, "importing_off")
        assert_error(client.delete(f"/api/checkpoints/{ready}"), 403, "importing_off")
        told = client.get("/api/imports").json()
        assert told["importing"] is False
        assert {one["id"]: one["status"] for one in told["imports"]} == {
            ready: "ready",
            asking: "asking",
        }
        assert list(lines(client)) == [ready]
        assert lines(client)[ready]["imported"] is True
        page = client.get("/en/checkpoints").text
        assert "--importing on" in page
        assert 'type="file"' not in page


def test_a_file_past_its_limit_is_refused_and_nothing_of_it_stays(tmp_path):
    settings = Settings(
        checkpoints=tmp_path / "none", imports=tmp_path / "imports", max_import_bytes=4000
    )
    with in_process(settings) as client:
        for content in (bytes(4001), iter([bytes(3000), bytes(3000)])):
            assert_error(bring(client, content), 413)
        assert left(tmp_path / "imports") == []


def test_what_all_imports_may_take_is_named_with_what_they_take(tmp_path):
    raw = letters(9)
    settings = Settings(
        checkpoints=tmp_path / "none", imports=tmp_path / "imports", max_imports_bytes=3 * len(raw)
    )
    with in_process(settings) as client:
        brought(client, raw, SYMBOLS)
        before = left(tmp_path / "imports")
        error = assert_error(bring(client, letters(10)), 507, "imports_full")
        assert error["limit"] == 3 * len(raw)
        assert "Delete one" in error["hint"]
        assert left(tmp_path / "imports") == before


def full(*arguments, **options):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "where", ["backend.examining.write_json", "backend.shelf.os.rename", "models.doctor.write"]
)
def test_a_full_disk_is_told_as_such_and_nothing_is_half_written(
    client, folder, monkeypatch, where
):
    before = left(folder)
    raw = letters(11, vocab=SYMBOLS)
    with monkeypatch.context() as patch:
        patch.setattr(where, full)
        error = assert_error(bring(client, raw), 507, "disk_full")
        assert "nothing" in error["message"]
        assert left(folder) == before


# Many at once


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that listens."""
    own = tmp_path_factory.mktemp("own")
    write_toy(own / "toy-gru", CONFIGS["toy-gru"])
    imports = tmp_path_factory.mktemp("imports")
    with live(Settings(checkpoints=own, imports=imports, device="cpu")) as server:
        yield server


def test_the_same_file_twice_at_once_is_kept_once(server):
    raw, found = letters(12), []
    threads = [
        threading.Thread(target=lambda: found.append(bring(server.client, raw))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told.status_code for told in found) == [201, 409]
    listed = server.client.get("/api/imports").json()["imports"]
    assert [one["status"] for one in listed] == ["asking"]


def test_streams_of_others_and_of_a_deleted_one_end_as_if_nothing_had_been(server):
    id = brought(server.client, letters(13), SYMBOLS)
    options = {"prefix": "ab", "max_new_tokens": 1500, "seed": 3, "points": []}
    expected = {one: generate(server.client, one, **options).text for one in ("toy-gru", id)}
    found = {}

    def write(one: str, begun: threading.Event) -> None:
        path = f"/api/checkpoints/{one}/generate"
        with server.client.stream("POST", path, json=options) as stream:
            parts = stream.iter_text()
            first = next(parts)
            begun.set()
            found[one] = first + "".join(parts)

    begun = [threading.Event() for _ in expected]
    threads = [
        threading.Thread(target=write, args=pair) for pair in zip(expected, begun, strict=True)
    ]
    for thread in threads:
        thread.start()
    for event in begun:
        event.wait(20)
    assert server.client.delete(f"/api/checkpoints/{id}").status_code == 200
    other = brought(server.client, letters(14), SYMBOLS)
    for thread in threads:
        thread.join()
    assert found == expected
    assert_error(generate(server.client, id, "ab"), 404, "unknown_checkpoint")
    assert server.client.delete(f"/api/checkpoints/{other}").status_code == 200


def test_an_upload_that_is_broken_off_leaves_nothing(server):
    folder = server.app.state.settings.imports
    before = left(folder)
    connection = server.connect()
    head = (
        "POST /api/checkpoints?name=a.pt HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 90000\r\n"
    )
    connection.sendall(f"{head}\r\n".encode() + bytes(40000))
    wait(lambda: left(folder) != before)
    connection.close()
    wait(lambda: left(folder) == before)
    assert server.client.get("/healthz").status_code == 200


def test_half_a_character_is_refused_in_a_file_and_in_an_answer(client, folder):
    before = left(folder)
    assert_error(bring(client, letters(15, vocab=[*SYMBOLS[:-1], "\ud800"])), 422, "damaged_file")
    assert left(folder) == before
    id = bring(client, letters(16)).json()["id"]
    body = json.dumps({"answers": {"vocabulary": [*SYMBOLS[:-1], "\ud800"]}})
    headers = {"Content-Type": "application/json"}
    path = f"/api/checkpoints/{id}/answers"
    assert_error(client.post(path, content=body, headers=headers), 422)
    body = json.dumps({"title": "\ud800"})
    assert client.post(path, content=body, headers=headers).status_code in (200, 422)
    client.delete(f"/api/checkpoints/{id}")
