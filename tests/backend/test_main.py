import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx2
import pytest

from backend.__main__ import listen, parser
from backend.settings import Settings
from backend.stopping import GRACE
from tests.backend.serving import events, wait
from tests.toys import CONFIGS, write_toy


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "backend", *arguments]


@contextmanager
def running(root, *arguments: str):
    """A server in a process of its own; its address and the process."""
    process = subprocess.Popen(
        command("serve", "--port", "0", "--device", "cpu", *arguments),
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        line = process.stdout.readline()
        yield line, process
    finally:
        process.kill()
        process.communicate()


def test_a_port_that_is_taken_ends_the_command_with_one_line_that_says_what_to_do(root):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            command("serve", "--port", port), cwd=root, capture_output=True, text=True, timeout=60
        )
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert f"127.0.0.1 port {port}" in line
    assert "PORT=8001" in line


@pytest.mark.parametrize(
    "changes", [{"port": 70000}, {"port": -1}, {"host": "203.0.113.1", "port": 0}]
)
def test_an_address_that_cannot_be_had_is_told_in_one_line(changes):
    with pytest.raises(SystemExit) as ended:
        listen(Settings(**changes))
    assert ended.value.code.startswith("unrolled: cannot listen on")
    assert "\n" not in ended.value.code


def test_a_host_nobody_knows_is_told_in_one_line():
    with pytest.raises(SystemExit, match="cannot listen on no such host"):
        listen(Settings(host="no such host", port=0))


def test_port_0_takes_a_free_one():
    with listen(Settings(port=0)) as listener:
        assert listener.getsockname()[1] > 0


def test_without_a_command_the_commands_are_told(capsys):
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([])
    assert ended.value.code == 2
    assert "serve" in capsys.readouterr().err


def test_the_help_tells_every_default(capsys):
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["serve", "--help"])
    assert ended.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "(default: 127.0.0.1)" in told
    assert "(default: 8000)" in told


def test_what_runs_ends_with_its_last_event_when_the_server_is_told_to_stop(root, tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-lstm"])
    flags = ("--checkpoints", str(tmp_path), "--drain-seconds", "2")
    with running(root, *flags) as (line, process):
        address = line.split()[3]
        assert line.startswith("Unrolled is on http://127.0.0.1:")
        body = {"prefix": "ab", "max_new_tokens": 5000, "seed": 3}
        with httpx2.Client(base_url=address, timeout=60) as client:
            assert client.get("/api/checkpoints/toy").json()["status"] == "ready"
            with client.stream("POST", "/api/checkpoints/toy/generate", json=body) as answer:
                parts = answer.iter_text()
                text = next(parts)  # nobody reads on: the stream waits for its reader
                time.sleep(0.3)
                process.send_signal(signal.SIGTERM)
                told = time.monotonic()
                wait(lambda: httpx2.get(f"{address}/readyz").status_code == 503)
                assert_stopping(address)
                wait(lambda: not listens(address))
                text += "".join(parts)
        found = events(text)
        assert found[0][0] == "start"
        name, data = found[-1]
        assert name == "error", name
        assert data["error"]["code"] == "shutting_down"
        assert [step["index"] for kind, step in found[1:-1] if kind == "step"] == list(
            range(len(found) - 2)
        )
        assert process.wait(20) == 0
        assert time.monotonic() - told < 2 + GRACE + 3
        assert "Traceback" not in process.stderr.read()


def test_a_second_signal_ends_the_server_at_once(root, tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-lstm"])
    flags = ("--checkpoints", str(tmp_path), "--drain-seconds", "1000", "--max-new-tokens")
    flags += ("100000",)  # more than connections hold unread
    with running(root, *flags) as (line, process):
        address = line.split()[3]
        body = {"prefix": "ab", "max_new_tokens": 100000}
        with (
            httpx2.Client(base_url=address, timeout=60) as client,
            client.stream("POST", "/api/checkpoints/toy/generate", json=body) as answer,
        ):
            parts = answer.iter_text()  # kept: the connection closes with it
            while "step" not in next(parts):
                pass
            # Nobody reads on: it would go on for long.
            process.send_signal(signal.SIGTERM)
            wait(lambda: stops(address))
            time.sleep(0.3)
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == -signal.SIGTERM


def stops(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/readyz").status_code == 503
    except httpx2.ConnectError:
        return True


def listens(address: str) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))) == 0


def assert_stopping(address: str) -> None:
    """While it drains it is alive and not ready, and takes nothing new."""
    assert httpx2.get(f"{address}/healthz").status_code == 200
    body = {"prefix": "ab", "points": []}
    refused = httpx2.post(f"{address}/api/checkpoints/toy/generate", json=body)
    assert refused.status_code == 503
    assert json.loads(refused.text)["error"]["code"] == "shutting_down"


def test_the_first_page_does_not_wait_for_the_networks(root, tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-rnn"])
    with running(root, "--checkpoints", str(tmp_path)) as (line, process):
        address = line.split()[3]
        first = httpx2.get(f"{address}/readyz", timeout=60)
        assert first.json()["loading"] == ["toy"]  # torch alone takes longer than an answer
        assert first.status_code == 503
        assert httpx2.get(f"{address}/en/", timeout=60).status_code == 200
        # Asked for while it loads, it is waited for.
        body = {"text": "abba", "points": []}
        asked = f"{address}/api/checkpoints/toy/trace"
        assert httpx2.post(asked, json=body, timeout=60).status_code == 200
        assert httpx2.get(f"{address}/readyz", timeout=60).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert "Traceback" not in process.stderr.read()
