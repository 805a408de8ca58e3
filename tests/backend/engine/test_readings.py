import threading

import pytest

from backend.engine import Readings


class Read:
    """A reading of so many bytes."""

    def __init__(self, size: int):
        self.bytes = size


def use(readings: Readings, key, size: int = 10) -> Read:
    with readings.use(key, lambda: Read(size)) as found:
        return found


def test_what_was_read_is_not_read_again():
    readings = Readings(100)
    assert use(readings, "a") is use(readings, "a")
    assert (readings.passes, readings.held, len(readings)) == (1, 10, 1)


def test_what_was_used_longest_ago_is_forgotten_first():
    readings = Readings(30)
    a, b, c = (use(readings, key) for key in "abc")
    assert use(readings, "a") is a
    use(readings, "d")
    assert use(readings, "a") is a
    assert use(readings, "b") is not b
    assert readings.held == 30


def test_a_reading_larger_than_all_is_kept_until_the_next_one():
    readings = Readings(30)
    large = use(readings, "a", 1000)
    assert use(readings, "a") is large
    use(readings, "b")
    assert (readings.held, len(readings)) == (10, 1)


def test_a_reading_that_grows_while_it_is_used_is_counted_again():
    readings = Readings(30)
    use(readings, "a")
    with readings.use("b", lambda: Read(10)) as found:
        found.bytes = 25
    assert (readings.held, len(readings)) == (25, 1)


def test_what_fails_is_told_and_not_remembered():
    readings = Readings(30)

    def fail():
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"), readings.use("a", fail):
            pass
    assert (readings.held, len(readings)) == (0, 0)
    assert use(readings, "a").bytes == 10


def test_an_error_of_the_one_who_uses_it_forgets_nothing():
    readings = Readings(30)
    with pytest.raises(KeyError), readings.use("a", lambda: Read(10)):
        raise KeyError
    use(readings, "a")
    assert readings.passes == 1


def test_two_who_ask_for_the_same_at_once_wait_for_one_pass():
    readings, began, go = Readings(30), threading.Event(), threading.Event()
    found = []

    def make():
        began.set()
        go.wait()
        return Read(10)

    def ask():
        with readings.use("a", make) as one:
            found.append(one)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    began.wait()
    other = use(readings, "b")  # another text does not wait
    go.set()
    for thread in threads:
        thread.join()
    assert readings.passes == 2
    assert len(set(map(id, found))) == 1
    assert other is not found[0]


def test_what_is_forgotten_while_it_is_used_goes_on_to_be_used():
    readings = Readings(10)
    with readings.use("a", lambda: Read(10)) as one:
        use(readings, "b")
        one.bytes = 99
    assert (readings.held, len(readings)) == (10, 1)
