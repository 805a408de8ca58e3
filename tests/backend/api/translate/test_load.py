import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.settings import Settings
from tests.backend.api.translate.asking import (
    LONG,
    ask,
    whole,
)
from tests.backend.serving import PIPE, assert_error, events, in_process, live, wait
from tests.toys.translators import TRANSLATORS, write_translator


def test_everyone_gets_the_same_bytes_alone_and_beside_others(server):
    jobs = [
        (id, {"stream": stream, "beam_size": beam_size, "max_new_tokens": 20 + 3 * k})
        for k, id in enumerate(TRANSLATORS)
        for stream in (True, False)
        for beam_size in (1, 3)
    ]

    def one(job):
        id, options = job
        return ask(server.client, id, **options).content

    alone = [one(job) for job in jobs]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(one, jobs)) == alone
        assert list(pool.map(one, jobs[::-1])) == alone[::-1]
    wait(server.idle)


class Held:
    """A stream that nobody reads further than its first event."""

    def __init__(self, server, id: str = "toy-additive"):
        address = f"/api/checkpoints/{id}/translate"
        request = server.client.build_request("POST", address, json=LONG)
        self.answer = server.client.send(request, stream=True)
        assert self.answer.status_code == 200
        self.parts = self.answer.iter_raw()  # kept: the connection would close with it
        next(self.parts)

    def close(self) -> None:
        self.parts.close()
        self.answer.close()


def test_a_client_that_goes_away_frees_its_place(server):
    held = Held(server)
    wait(lambda: server.engine.stats().active == 1)
    held.close()
    wait(server.idle)


@pytest.mark.parametrize("stream", [True, False])
def test_clients_that_go_away_at_any_moment_leave_nothing_behind(server, stream):
    body = json.dumps(LONG | {"stream": stream, "beam_size": 2}).encode()
    request = (
        b"POST /api/checkpoints/toy-additive/translate HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    ) + body
    reads = [0, 0, 1, 500, 5000]  # bytes of the answer before the client is gone
    for k in range(25):
        with server.connect() as connection:
            connection.sendall(request)
            if stream and reads[k % 5]:
                connection.recv(reads[k % 5])
    wait(server.idle)
    assert len(whole(server.client)["target_ids"]) == 12


def test_who_comes_when_every_place_is_taken_is_told_when_to_come_back(tmp_path):
    write_translator(tmp_path / "toy-additive", "toy-additive")
    write_translator(tmp_path / "toy-plain", "toy-plain")
    full = Settings(checkpoints=tmp_path, device="cpu", max_streams=1, max_queued=0)
    with live(full) as server:
        held = Held(server)
        for stream in (True, False):
            refused = ask(server.client, "toy-plain", stream=stream)  # one set of places for all
            assert assert_error(refused, 429, "busy")["retry_after"] > 0
            assert int(refused.headers["retry-after"]) >= 1
        held.close()
        wait(server.idle)
        assert ask(server.client, "toy-plain").status_code == 200


def test_a_reader_that_stops_is_left_behind_and_keeps_nobody_waiting(tmp_path):
    write_translator(tmp_path / "toy-additive", "toy-additive")
    with live(Settings(checkpoints=tmp_path, device="cpu", reader_seconds=0.2)) as server:
        body = json.dumps(LONG).encode()
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIPE)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(
                b"POST /api/checkpoints/toy-additive/translate HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (len(body), body)
            )
            wait(lambda: server.engine.stats().active == 1)
            others = [threading.Thread(target=ask, args=(server.client,)) for _ in range(3)]
            for other in others:
                other.start()
            for other in others:
                other.join()
            wait(lambda: server.engine.stats().active == 0)  # its place is given back
        wait(server.idle)


def test_a_network_that_fails_in_the_middle_ends_its_own_translations_only(folder, monkeypatch):
    with in_process(Settings(checkpoints=folder, device="cpu")) as client:
        runner = client.app.state.catalog.entries["toy-additive"].runner
        original = runner.translate

        def sick(*arguments, **options):
            items = original(*arguments, **options)
            for _ in range(3):
                yield next(items)
            raise RuntimeError("the secret of the house")

        monkeypatch.setattr(runner, "translate", sick)
        answer = ask(client, stream=True)
        found = events(answer.text)
        assert [name for name, _ in found] == ["start", "step", "step", "step", "error"]
        assert found[-1][1]["error"]["code"] == "row_failed"
        refused = ask(client)
        assert_error(refused, 500, "row_failed")
        assert "secret" not in answer.text + refused.text
        assert whole(client, "toy-plain")["text"]
