"""Ways to stop a run, as an interrupt would, where a test wants it."""

from contextlib import contextmanager
from types import ModuleType

import pytest


class StopAfter:
    """Stands for the interrupt flag: true from the n-th look on."""

    def __init__(self, looks: int):
        self.looks = looks

    def __getitem__(self, key: str) -> bool:
        self.looks -= 1
        return self.looks < 0


def stop_after(monkeypatch: pytest.MonkeyPatch, loop: ModuleType, looks: int) -> None:
    """Stop the runs of a loop at a look at the flag: each step is one."""

    @contextmanager
    def stopping():
        yield StopAfter(looks)

    monkeypatch.setattr(loop, "stop_on_interrupt", stopping)


def stop_after_score(monkeypatch: pytest.MonkeyPatch, loop: ModuleType, scores: ModuleType) -> None:
    """Stop the runs of a loop once `score` of a module has been asked."""
    asked, before = {"stop": False}, scores.score

    def score(*args):
        asked["stop"] = True
        return before(*args)

    @contextmanager
    def stopping():
        yield asked

    monkeypatch.setattr(loop, "stop_on_interrupt", stopping)
    monkeypatch.setattr(scores, "score", score)
