"""Answers of the routes at which a decoder writes: whole, or told as events, a step each."""

import numpy as np

from tests.backend.serving import decode, events


def answered(answer) -> dict:
    """The body of an answer that must be good."""
    assert answer.status_code == 200, answer.text[:500]
    return answer.json()


def told(answer) -> list[tuple[str, dict]]:
    """The events of a stream that must have ended well."""
    assert answer.status_code == 200, answer.text[:500]
    found = events(answer.text)
    assert found[0][0] == "start"
    assert found[-1][0] == "done", found[-1]
    return found


def named(found: list[tuple[str, dict]], name: str) -> list[dict]:
    """What the events of one name tell."""
    return [data for event, data in found if event == name]


def points(answer: dict) -> dict[str, np.ndarray]:
    """The numbers of every point of a whole answer."""
    return {name: decode(point["data"]) for name, point in answer["points"].items()}


def assert_told_alike(
    answer: dict, found: list[tuple[str, dict]], start: tuple[str, ...], axis: str
) -> None:
    """A stream tells what the whole answer does: `start` are names of its first event, and `axis`
    is that of what is written, token or target."""
    first, steps, last = found[0][1], named(found, "step"), found[-1][1]
    order = ["start"] + ["beam"] * len(named(found, "beam")) + ["step"] * len(steps) + ["done"]
    assert [name for name, _ in found] == order
    for name in start:
        assert first[name] == answer[name]
    for name in last:
        assert last[name] == answer[name]
    tokens = {"token": "tokens", "target": "target_tokens"}[axis]
    assert [step["index"] for step in steps] == list(range(len(steps)))
    assert [step["token_id"] for step in steps] == answer[f"{axis}_ids"]
    assert [step["token"] for step in steps] == answer[tokens]
    assert [step["top"] for step in steps] == answer["top"]
    assert [node for beam in named(found, "beam") for node in beam["nodes"]] == answer["tree"]
    expected = points(answer)
    for name, point in first["points"].items():
        np.testing.assert_array_equal(decode(point["data"]), expected.pop(name))
    for name, values in expected.items():
        rows = [step["points"][name] for step in steps]
        np.testing.assert_array_equal([decode(row["data"]) for row in rows], values)
        axes = answer["points"][name]["axes"]
        assert all(row["axes"] == axes[1:] for row in rows)
        assert axes[0] == axis
