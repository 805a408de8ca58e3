import asyncio
import json
import os
import shutil
import struct
import threading

import pytest
import torch
from safetensors.torch import load, save

from backend.catalog import Catalog
from backend.errors import Invalid, NotFound, Unavailable
from backend.settings import Settings
from tests import foreign
from tests.backend.serving import assert_error, decode, generate, in_process, steps
from tests.toys import CONFIGS, SYMBOLS, TEXT, write_toy


def edit(name: str, **changes):
    """Change fields of config.json; a dotted name reaches into `config`."""

    def apply(folder):
        path = folder / "config.json"
        about = json.loads(path.read_text())
        for field, value in changes.items():
            (about["config"] if name == "config" else about)[field] = value
        path.write_text(json.dumps(about))

    return apply


def weights(change):
    """Change the tensors of the weights file."""

    def apply(folder):
        path = folder / "model.safetensors"
        tensors = load(path.read_bytes())
        change(tensors)
        path.write_bytes(save(tensors))

    return apply


def replace_file(name: str, raw: bytes):
    return lambda folder: (folder / name).write_bytes(raw)


def remove(name: str):
    return lambda folder: (folder / name).unlink()


def truncate(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def a_folder_in_its_place(folder):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").mkdir()


def set_nan(tensors):
    tensors["output.bias"][3] = float("nan")


def reshape(tensors):
    tensors["rnn.weight_hh_l0"] = torch.zeros(3, 3)


def lose(tensors):
    del tensors["output.weight"]


def gain(tensors):
    tensors["rnn.weight_ih_l7"] = torch.zeros(1)


# What is done to a folder, and what the reason must name.
BROKEN = {
    "no config": (remove("config.json"), "config.json is missing"),
    "no vocabulary": (remove("vocabulary.json"), "vocabulary.json is missing"),
    "no weights": (remove("model.safetensors"), "model.safetensors is missing"),
    "an empty folder": (lambda folder: [p.unlink() for p in folder.iterdir()], "config.json"),
    "a folder for a file": (a_folder_in_its_place, "model.safetensors"),
    "truncated weights": (truncate, "model.safetensors"),
    "a hostile header": (
        replace_file("model.safetensors", struct.pack("<Q", 1 << 60)),
        "model.safetensors is truncated or not a safetensors file",
    ),
    "NaN": (weights(set_nan), "output.bias holds NaN or infinity, expected finite"),
    "a wrong shape": (weights(reshape), "rnn.weight_hh_l0 has shape (3, 3), expected (27, 9)"),
    "a lost tensor": (weights(lose), f"output.weight ({len(SYMBOLS)}, 9) is missing"),
    "a tensor too many": (weights(gain), "rnn.weight_ih_l7 is not part of this network"),
    "a wrong kind": (edit("", kind="oracle"), "'oracle' is not known; known kinds: char_rnn"),
    "no kind": (edit("", kind=None), 'config.json must name its "kind"'),
    "no sizes": (edit("", config=None), 'an object "config"'),
    "a wrong cell": (edit("config", cell="qrnn"), "'qrnn', expected one of rnn_tanh"),
    "an absurd size": (edit("config", hidden_size=10**9), "expected an integer 1..8192"),
    "another vocabulary": (replace_file("vocabulary.json", b'["a"]'), "holds 1 symbols"),
    "doubled symbols": (replace_file("vocabulary.json", b'["a","a"]'), "distinct symbols"),
    "half a character": (replace_file("vocabulary.json", b'["\\ud800"]'), "lone surrogate"),
    "config not JSON": (replace_file("config.json", b"{"), "config.json cannot be read"),
    "config not UTF-8": (
        replace_file("config.json", b'{"a":"\xff"}'),
        "config.json cannot be read",
    ),
    "config a list": (replace_file("config.json", b"[]"), "must be an object"),
    "config too deep": (replace_file("config.json", b"[" * 10**5), "config.json cannot be read"),
    "config with NaN": (edit("", parameters=float("nan")), "parameters is nan, expected int"),
    "config with infinity": (edit("", figures={"a": float("inf")}), "config.json cannot be read"),
    "config with half a character": (edit("", title="\ud800"), "config.json cannot be read"),
    "parameters in words": (edit("", parameters="many"), "parameters is 'many', expected int"),
    "a title of numbers": (edit("", title=[1, 2]), "title is [1, 2], expected str"),
    "examples in one string": (edit("", examples="ab"), "examples is 'ab', expected list"),
    "an example of numbers": (edit("", examples=["ab", 5]), "examples holds 5, expected str"),
    "a pair of two": (edit("", pair=["a", "b"]), "pair is ['a', 'b'], expected str"),
    "a language of none": (edit("", source_language=1), "source_language is 1, expected str"),
}


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    """A server of every broken checkpoint and two sound ones."""
    folder = tmp_path_factory.mktemp("spoiled")
    write_toy(folder / "aaa-sound", CONFIGS["toy-gru"])
    for number, (spoil, _) in enumerate(BROKEN.values()):
        shutil.copytree(folder / "aaa-sound", folder / f"broken-{number:02}")
        spoil(folder / f"broken-{number:02}")
    write_toy(folder / "zzz-sound", CONFIGS["toy-lstm"])
    (folder / ".hidden").mkdir()
    (folder / "a file.txt").write_text("not a checkpoint")
    os.mkdir(os.fsencode(folder) + b"/bytes-\xff")
    with in_process(Settings(checkpoints=folder, device="cpu")) as client:
        yield client


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=list(BROKEN))
def test_a_broken_checkpoint_is_listed_as_failed_with_what_is_wrong_and_what_would_be_right(
    spoiled, number
):
    id, (_, reason) = f"broken-{number:02}", list(BROKEN.values())[number]
    (line,) = [c for c in spoiled.get("/api/checkpoints").json()["checkpoints"] if c["id"] == id]
    assert line["status"] == "failed"
    assert reason in line["reason"]
    assert line["tasks"] == line["points"] == []
    assert spoiled.get("/readyz").json()["failed"][id] == line["reason"]
    for task, body in (("trace", {"text": "ab"}), ("generate", {"prefix": "ab"})):
        error = assert_error(
            spoiled.post(f"/api/checkpoints/{id}/{task}", json=body), 503, "checkpoint_failed"
        )
        assert reason in error["message"]
    assert spoiled.get(f"/api/checkpoints/{id}").json()["reason"] == line["reason"]


@pytest.mark.parametrize("id", ["aaa-sound", "zzz-sound"])
def test_the_others_serve_beside_the_broken_ones(spoiled, id):
    assert spoiled.get(f"/api/checkpoints/{id}").json()["status"] == "ready"
    traced = spoiled.post(f"/api/checkpoints/{id}/trace", json={"text": TEXT})
    assert decode(traced.json()["points"]["rnn.0.h"]["data"]).shape[0] == len(TEXT)
    assert len(steps(generate(spoiled, id, "ab", max_new_tokens=3).text)) == 5


def test_a_server_with_broken_checkpoints_is_ready_once_each_has_failed(spoiled):
    ready = spoiled.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["ready"] == ["aaa-sound", "zzz-sound"]


def test_hidden_folders_and_files_are_no_checkpoints_and_odd_names_harm_nothing(spoiled):
    ids = [c["id"] for c in spoiled.get("/api/checkpoints").json()["checkpoints"]]
    assert len(ids) == len(BROKEN) + 3
    assert "bytes-?" in ids


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_pages_can_be_read_beside_broken_checkpoints(spoiled, language):
    for page in ("", "checkpoints", "lab/aaa-sound"):
        assert spoiled.get(f"/{language}/{page}").status_code == 200
    for number in range(len(BROKEN)):
        assert spoiled.get(f"/{language}/lab/broken-{number:02}").status_code < 500


@pytest.mark.parametrize("there", [True, False], ids=["empty", "missing"])
def test_a_folder_with_nothing_in_it_serves_nothing_and_is_ready(tmp_path, there):
    folder = tmp_path if there else tmp_path / "none"
    with in_process(Settings(checkpoints=folder, device="cpu")) as client:
        assert client.get("/api/checkpoints").json() == {"checkpoints": []}
        while client.get("/readyz").status_code != 200:
            pass
        error = assert_error(client.get("/api/checkpoints/toy"), 404, "unknown_checkpoint")
        assert "none" in error["hint"]


def test_a_card_that_is_not_utf_8_does_not_keep_a_network_from_serving(tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-rnn"])
    (tmp_path / "toy" / "README.md").write_bytes(b"# caf\xe9\n")
    with in_process(Settings(checkpoints=tmp_path, device="cpu")) as client:
        about = client.get("/api/checkpoints/toy").json()
        assert about["status"] == "ready"
        assert about["card"] == "# caf\ufffd\n"


def catalog(tmp_path) -> Catalog:
    write_toy(tmp_path / "one", CONFIGS["toy-rnn"])
    write_toy(tmp_path / "two", CONFIGS["toy-rnn"])
    return Catalog(tmp_path, "cpu", 2)


def test_a_name_that_is_not_there_is_refused_with_the_names_that_are(tmp_path):
    with pytest.raises(NotFound) as caught:
        catalog(tmp_path).entry("three")
    assert "three" in caught.value.message
    assert "one, two" in caught.value.hint


@pytest.mark.parametrize("id", ["a\nb", "\x1b[31m", "\u202e"])
def test_a_name_that_cannot_be_shown_is_not(tmp_path, id):
    with pytest.raises(NotFound) as caught:
        catalog(tmp_path).entry(id)
    assert id not in caught.value.message


def test_who_asks_while_it_loads_waits_and_then_is_served(tmp_path, monkeypatch):
    gate, opened = threading.Event(), []
    from models import kinds

    def slow(files, device, capacity):
        gate.wait()
        opened.append(files.id)
        return original(files, device, capacity)

    original = kinds.build
    monkeypatch.setattr(kinds, "build", slow)

    async def scenario():
        found = catalog(tmp_path)
        early = asyncio.create_task(found.open("two"))  # before loading has begun
        await asyncio.sleep(0)
        found.start()
        later = asyncio.create_task(found.settled("one"))
        await asyncio.sleep(0.01)
        assert not early.done()
        assert not later.done()
        assert [line["status"] for line in found.summaries()] == ["loading", "loading"]
        gate.set()
        assert (await early).runner is not None
        assert (await later)["status"] == "ready"
        assert opened == ["one", "two"]
        found.stop()

    asyncio.run(scenario())


def test_where_nothing_can_be_loaded_nobody_waits(tmp_path):
    async def scenario():
        found = catalog(tmp_path)
        waiting = asyncio.create_task(found.open("one"))
        await asyncio.sleep(0)
        found.fail("there is no arithmetic here")
        with pytest.raises(Unavailable, match="no arithmetic"):
            await waiting
        found.stop()

    asyncio.run(scenario())


def test_a_task_a_network_cannot_do_is_refused_with_what_it_can_and_which_others_can(tmp_path):
    async def scenario():
        found = catalog(tmp_path)
        found.start()
        for id in ("one", "two"):
            assert (await found.open(id, "trace")).id == id
        found.entries["two"].runner.tasks = ("sing",)
        with pytest.raises(Invalid) as caught:
            await found.open("one", "sing")
        assert caught.value.code == "wrong_task"
        assert caught.value.message == "Checkpoint one cannot sing, it can trace and generate."
        assert caught.value.hint == "Ask one that can sing: two."
        assert caught.value.details == {"tasks": ["trace", "generate"], "checkpoints": ["two"]}
        with pytest.raises(Invalid) as caught:
            await found.open("one", "dance")
        assert "there is none here" in caught.value.hint
        found.stop()

    asyncio.run(scenario())


def test_what_a_translator_says_of_itself_is_told_again(tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-rnn"])
    said = {"source_language": "en", "target_language": "fr", "pair": "other", "examples": ["a b"]}
    edit("", **said)(tmp_path / "toy")
    with in_process(Settings(checkpoints=tmp_path, device="cpu")) as client:
        about = client.get("/api/checkpoints/toy").json()
        assert {name: about[name] for name in said} == said
        (line,) = client.get("/api/checkpoints").json()["checkpoints"]
        assert (line["source_language"], line["target_language"]) == ("en", "fr")


def test_a_folder_in_hugging_face_s_form_is_listed_and_says_what_it_is(tmp_path):
    write_toy(tmp_path / "here" / "toy", CONFIGS["toy-gru"])
    foreign.write(tmp_path / "here" / "gpt2", "gpt2")
    foreign.write(tmp_path / "here" / "t5", "gpt2")
    edit("", model_type="t5")(tmp_path / "here" / "t5")
    with in_process(Settings(checkpoints=tmp_path / "here", device="cpu")) as client:
        assert client.get("/readyz").json()["ready"] == ["gpt2", "toy"]
        lines = {line["id"]: line for line in client.get("/api/checkpoints").json()["checkpoints"]}
        assert lines["gpt2"]["title"] == "gpt2"
        assert lines["gpt2"]["kind"] == "transformer_lm"
        assert lines["gpt2"]["parameters"] > 0
        assert lines["gpt2"]["licence"] is None
        assert "generate" in lines["gpt2"]["tasks"]
        told = client.get("/api/checkpoints/gpt2").json()
        assert told["config"]["num_layers"] == 2
        assert "licence: see its source" in told["card"]
        assert lines["t5"]["status"] == "failed"
        assert "supported are gpt2, llama" in lines["t5"]["reason"]


def test_weights_of_others_are_named_with_what_to_do_with_them(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.pt").write_bytes(b"PK")
    (tmp_path / "other.safetensors").write_bytes(b"")
    found = {id: entry.reason for id, entry in Catalog(tmp_path, "cpu", 2).entries.items()}
    assert list(found) == ["mine", "other.safetensors"]
    assert found["mine"].startswith("config.json is missing; as for 'model.pt', bring it")
    assert all("python -m backend inspect" in reason for reason in found.values())


def test_checkpoints_come_and_go_and_who_looks_sees_one_moment(tmp_path):
    write_toy(tmp_path / "new" / "later", CONFIGS["toy-gru"])
    (tmp_path / "new" / "broken").mkdir()

    async def scenario():
        found = catalog(tmp_path / "old")
        early = found.add("early", tmp_path / "new" / "later")
        found.start()
        before = found.entries
        for id in ("later", "broken"):
            found.add(id, tmp_path / "new" / id)
        assert list(before) == ["one", "two", "early"]
        assert (await found.open("later", "trace")).imported
        assert (await found.settled("broken"))["status"] == "failed"
        assert (await found.settled("one"))["status"] == "ready"
        assert [entry.joined for entry in found.entries.values()] == [False] * 3 + [True] * 2
        assert early.status == "ready"
        running = found.entry("later")
        found.remove("later")
        found.remove("later")
        with pytest.raises(NotFound):
            await found.open("later")
        assert running.runner is not None
        found.stop()
        assert found.add("late", tmp_path / "new" / "later").reason == "the server stops"

    asyncio.run(scenario())


def test_what_is_to_be_done_when_all_is_loaded_is_done_once_and_then(tmp_path):
    found = catalog(tmp_path)
    done: list[list[str]] = []
    loaded = threading.Event()

    def note() -> None:
        done.append([entry.status for entry in found.entries.values()])
        loaded.set()

    async def run() -> None:
        found.when_loaded = note
        found.start()
        assert await asyncio.to_thread(loaded.wait, 60)
        found.stop()

    asyncio.run(run())
    assert done == [["ready", "ready"]]
