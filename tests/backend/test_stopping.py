"""What a signal does to the server; the whole of it is in test_main.py."""

import signal
from types import SimpleNamespace

import pytest
import uvicorn

from backend import stopping
from backend.stopping import GRACE, Server


@pytest.fixture
def timers(monkeypatch) -> list:
    """The timers that were started."""
    started = []

    class Timer:
        def __init__(self, seconds, work):
            self.seconds, self.work = seconds, work

        def start(self):
            assert self.daemon  # it keeps nobody from leaving
            started.append(self)

    monkeypatch.setattr(stopping.threading, "Timer", Timer)
    return started


def server(drain_seconds: float = 5.0) -> Server:
    app = SimpleNamespace(state=SimpleNamespace(stopping=False))
    return Server(uvicorn.Config(app, log_config=None), drain_seconds)


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_makes_it_unready_at_once_and_bounds_the_end(timers, sig):
    one = server(3.0)
    one.handle_exit(sig, None)
    assert one.config.app.state.stopping
    assert one.should_exit
    assert [timer.seconds for timer in timers] == [3.0 + GRACE]
    assert one._captured_signals == []  # else the status would not be 0


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_the_second_signal_is_answered_as_if_nobody_listened(timers, monkeypatch, sig):
    done = []
    monkeypatch.setattr(stopping.signal, "signal", lambda *what: done.append(what))
    monkeypatch.setattr(stopping.signal, "raise_signal", lambda what: done.append(what))
    one = server()
    one.handle_exit(signal.SIGTERM, None)
    assert done == []
    one.handle_exit(sig, None)
    assert done == [(sig, signal.SIG_DFL), sig]


def test_what_does_not_end_in_time_is_left_behind(timers, monkeypatch, caplog):
    left = []
    monkeypatch.setattr(stopping, "leave", lambda: left.append(True))
    server().handle_exit(signal.SIGTERM, None)
    timers[0].work()
    assert left == [True]
    assert "did not end in time" in caplog.text
