from starlette.testclient import TestClient

from backend.app import create_app
from backend.settings import Settings
from tests.backend.serving import HERE, wait
from tests.toys import CONFIGS


def test_a_server_that_answers_is_alive(client):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_server_is_ready_once_every_checkpoint_is_loaded_and_says_where_they_run(client):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ready"
    assert body["device"] == "cpu"
    assert set(body["ready"]) == set(CONFIGS)
    assert body["loading"] == []
    assert body["failed"] == {}


def test_a_server_that_has_not_begun_is_alive_and_not_ready(toy_folder, networks):
    app = create_app(Settings(checkpoints=toy_folder, device="cpu"))
    client = TestClient(app, base_url=HERE)  # without its context the application does not start
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert set(answer.json()["loading"]) == set(CONFIGS)


def test_a_server_that_stops_is_alive_and_not_ready(toy_folder, networks):
    app = create_app(Settings(checkpoints=toy_folder, device="cpu"))
    with TestClient(app, base_url=HERE) as client:
        wait(lambda: client.get("/readyz").status_code == 200)
        app.state.stopping = True
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
