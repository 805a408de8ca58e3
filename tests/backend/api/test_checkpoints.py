import json

import pytest

from tests.backend.serving import assert_error
from tests.toys import CONFIGS

LETTERS = {"lstm": "hcifgo", "gru": "hrzn", "rnn_tanh": "ha", "rnn_relu": "ha"}
FIELDS = {
    "id",
    "title",
    "kind",
    "tasks",
    "parameters",
    "licence",
    "device",
    "status",
    "points",
}


def test_the_catalogue_lists_every_checkpoint_with_what_the_contract_names(client):
    body = client.get("/api/checkpoints").json()
    assert list(body) == ["checkpoints"]
    assert [line["id"] for line in body["checkpoints"]] == sorted(CONFIGS)
    for line in body["checkpoints"]:
        assert set(line) >= FIELDS
        assert line["status"] == "ready"
        assert line["reason"] == ""
        assert line["kind"] == "char_rnn"
        assert line["tasks"] == ["trace", "generate"]
        assert line["licence"] == "CC0-1.0"
        assert line["device"] == "cpu"


@pytest.mark.parametrize("id", CONFIGS)
def test_the_points_of_a_checkpoint_are_those_of_its_cell_layer_by_layer(client, id):
    config = CONFIGS[id]
    points = client.get(f"/api/checkpoints/{id}").json()["points"]
    names = [
        f"rnn.{k}.{letter}" for k in range(config.num_layers) for letter in LETTERS[config.cell]
    ]
    assert [point["name"] for point in points] == names
    for point in points:
        assert point["axes"] == ["time", "unit"]
        assert point["shape"] == [None, config.hidden_size]
        assert point["range"] in ("signed", "unit", "probability", "real")


@pytest.mark.parametrize("id", CONFIGS)
def test_the_parameters_told_are_those_of_the_network(client, networks, id):
    count = sum(parameter.numel() for parameter in networks[id].parameters())
    assert client.get(f"/api/checkpoints/{id}").json()["parameters"] == count


@pytest.mark.parametrize("id", CONFIGS)
def test_one_checkpoint_is_told_whole(client, toy_folder, id):
    about = client.get(f"/api/checkpoints/{id}").json()
    stored = json.loads((toy_folder / id / "config.json").read_text())
    assert about["config"] == stored["config"] == CONFIGS[id].to_dict()
    assert about["figures"] == stored["figures"]
    assert about["prompt"] == "ab"
    assert about["card"] == (toy_folder / id / "README.md").read_text()


def test_one_checkpoint_holds_its_line_of_the_catalogue(client):
    for line in client.get("/api/checkpoints").json()["checkpoints"]:
        about = client.get(f"/api/checkpoints/{line['id']}").json()
        assert {name: about[name] for name in line} == line


@pytest.mark.parametrize("id", ["none", "TOY-LSTM", "a" * 5000, "%00", "😀"])
def test_a_checkpoint_that_is_not_there_is_told_with_those_that_are(client, id):
    error = assert_error(client.get(f"/api/checkpoints/{id}"), 404, "unknown_checkpoint")
    assert "toy-gru, toy-lstm" in error["hint"]
    for task in ("trace", "generate"):
        body = {"text": "ab"} if task == "trace" else {"prefix": "ab"}
        assert_error(client.post(f"/api/checkpoints/{id}/{task}", json=body), 404)


def test_the_description_of_the_api_names_every_address_of_the_contract(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) >= {
        "/healthz",
        "/readyz",
        "/api/checkpoints",
        "/api/checkpoints/{id}",
        "/api/checkpoints/{id}/trace",
        "/api/checkpoints/{id}/generate",
    }
