import json
from concurrent.futures import ThreadPoolExecutor

from backend.settings import Settings
from tests.backend.api.caption.asking import PICTURE, ask, whole
from tests.backend.serving import live, wait
from tests.hostile_pictures import plain, stored
from tests.toys.pictures import CAPTIONERS


def request(length: int, id: str = "toy-soft") -> bytes:
    """The head of a request for a caption whose body has so many bytes."""
    return (
        f"POST /api/checkpoints/{id}/caption?max_new_tokens=4&stream=true HTTP/1.1\r\n"
        f"Host: 127.0.0.1\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def clear(server) -> bool:
    """Whether nothing of any picture or caption is under way."""
    pictures = server.app.state.pictures
    return server.idle() and not (pictures.uploading or pictures.waiting or pictures.clients)


def test_everyone_gets_the_same_bytes_alone_and_beside_others(server):
    pictures = [stored(plain(40 + k, 30), "JPEG") for k in range(4)]
    jobs = [
        (id, {"content": raw, "stream": stream, "beam_size": beam_size})
        for id in CAPTIONERS
        for raw in pictures
        for stream, beam_size in ((True, 1), (False, 3))
    ]

    def one(job):
        id, options = job
        return ask(server.client, id, **options).content

    with ThreadPoolExecutor(16) as pool:
        beside = list(pool.map(one, jobs))
    assert beside == [one(job) for job in jobs]
    wait(lambda: clear(server))


def test_a_picture_that_does_not_arrive_in_time_is_given_up_and_keeps_nobody_waiting(folder):
    with live(Settings(checkpoints=folder, device="cpu", upload_seconds=0.3)) as server:
        with server.connect() as slow:
            slow.sendall(request(10_000) + b"x" * 5000)
            wait(lambda: server.app.state.pictures.uploading == 5000)
            assert whole(server.client)["text"]
            answer = b"".join(iter(lambda: slow.recv(10_000), b""))  # to the end of the connection
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408")
        assert json.loads(body)["error"]["code"] == "too_slow"
        wait(lambda: clear(server))


def test_clients_that_go_away_at_any_moment_leave_nothing_behind(server):
    for k in range(20):
        sent = [0, 1, 500, len(PICTURE) - 1, len(PICTURE)][k % 5]  # bytes before the client is gone
        with server.connect() as connection:
            connection.sendall(request(len(PICTURE)) + PICTURE[:sent])
            if sent == len(PICTURE) and k % 2:
                connection.recv(100)
    wait(lambda: clear(server))
    assert whole(server.client)["text"]
